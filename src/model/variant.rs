//! The names of the networks.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::pooling::Head;

/// A network by how it pools: one of the four, or one with another global pooling at its head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Variant {
    /// Two stages of convolution and max pooling.
    #[serde(rename = "max")]
    Max,
    /// Two stages of convolution and average pooling.
    #[serde(rename = "average")]
    Average,
    /// One convolution, then the maximum of each channel.
    #[serde(rename = "gmp")]
    GlobalMax,
    /// One convolution, then the mean of each channel.
    #[serde(rename = "gap")]
    GlobalAverage,
    /// One convolution, then another global pooling.
    #[serde(untagged)]
    Head(Head),
}

impl Variant {
    /// The four, in the order in which they are always shown.
    pub const ALL: [Self; 4] = [Self::Max, Self::Average, Self::GlobalMax, Self::GlobalAverage];

    /// Returns the four, then those with another head.
    pub fn with_heads() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().chain(Head::ALL.iter().copied().map(Self::Head))
    }

    /// Returns the name that files use: `max`, `average`, `gmp`, `gap`, or that of the head.
    pub fn name(self) -> &'static str {
        match self {
            Self::Max => "max",
            Self::Average => "average",
            Self::GlobalMax => "gmp",
            Self::GlobalAverage => "gap",
            Self::Head(head) => head.into(),
        }
    }

    /// Returns the synonyms that parsing accepts.
    pub fn aliases(self) -> &'static [&'static str] {
        match self {
            Self::Max | Self::Head(_) => &[],
            Self::Average => &["avg"],
            Self::GlobalMax => &["global-max"],
            Self::GlobalAverage => &["global-average"],
        }
    }

    /// Returns whether it pools whole channels, and so takes images of any size.
    pub fn is_global(self) -> bool {
        !matches!(self, Self::Max | Self::Average)
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// A name that no variant has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a variant ({}), found '{found}'", names())]
pub struct UnknownVariant {
    /// The name as given.
    pub found: String,
}

fn names() -> String {
    let names: Vec<_> = Variant::with_heads().map(Variant::name).collect();
    names.join(", ")
}

impl FromStr for Variant {
    type Err = UnknownVariant;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let is_named = |variant: &Self| variant.name() == name || variant.aliases().contains(&name);
        Self::with_heads().find(is_named).ok_or_else(|| UnknownVariant { found: name.to_owned() })
    }
}
