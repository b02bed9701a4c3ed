//! The styles by name.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// How a summary is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Style {
    /// A box with every column, and the totals below.
    #[default]
    Wide,
    /// The table that Keras 2 prints for a `Sequential` model.
    Keras,
    /// A Markdown table and a list of totals.
    Markdown,
    /// Everything, in exact numbers.
    Json,
}

/// The width of a wide table unless another is given, in columns of text.
pub const DEFAULT_WIDTH: usize = 120;

impl Style {
    /// All styles.
    pub const ALL: [Self; 4] = [Self::Wide, Self::Keras, Self::Markdown, Self::Json];

    /// Returns the name that [`FromStr`] takes: `wide`, `keras`, `markdown`, `json`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Wide => "wide",
            Self::Keras => "keras",
            Self::Markdown => "markdown",
            Self::Json => "json",
        }
    }
}

impl fmt::Display for Style {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// The error for a name that is no style's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a style (wide, keras, markdown or json), found '{0}'")]
pub struct UnknownStyle(pub String);

impl FromStr for Style {
    type Err = UnknownStyle;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|style| style.name() == name);
        found.ok_or_else(|| UnknownStyle(name.to_string()))
    }
}

/// Returns the value as JSON, on lines of its own.
pub(super) fn json(value: &impl Serialize) -> Result<String, fmt::Error> {
    let text = serde_json::to_string_pretty(value).map_err(|_| fmt::Error)?;
    Ok(text + "\n")
}
