//! The names of the four networks.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One of the four networks, by how it pools.
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
}

impl Variant {
    /// All four, in the order in which they are always shown.
    pub const ALL: [Self; 4] = [Self::Max, Self::Average, Self::GlobalMax, Self::GlobalAverage];

    /// Returns the name that files use: `max`, `average`, `gmp`, `gap`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Max => "max",
            Self::Average => "average",
            Self::GlobalMax => "gmp",
            Self::GlobalAverage => "gap",
        }
    }

    /// Returns the synonyms that parsing accepts.
    pub fn aliases(self) -> &'static [&'static str] {
        match self {
            Self::Max => &[],
            Self::Average => &["avg"],
            Self::GlobalMax => &["global-max"],
            Self::GlobalAverage => &["global-average"],
        }
    }

    /// Returns whether it pools whole channels, and so takes images of any size.
    pub fn is_global(self) -> bool {
        matches!(self, Self::GlobalMax | Self::GlobalAverage)
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// A name that no variant has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a variant (max, average, gmp or gap), found '{0}'")]
pub struct UnknownVariant(pub String);

impl FromStr for Variant {
    type Err = UnknownVariant;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let is_named = |variant: &Self| variant.name() == name || variant.aliases().contains(&name);
        Self::ALL.into_iter().find(is_named).ok_or_else(|| UnknownVariant(name.to_owned()))
    }
}
