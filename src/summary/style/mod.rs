//! How a summary is printed.

mod columns;
mod comparison;
mod grid;
mod keras;
mod markdown;
mod number;
mod wide;

pub use comparison::StyledComparison;

use std::fmt;
use std::str::FromStr;

use super::{Role, Row, Summary};

/// How a summary is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Style {
    /// A box with a column for everything there is to say and a totals section.
    #[default]
    Wide,
    /// The table that Keras 2 prints for a `Sequential` model.
    Keras,
    /// A Markdown table and a list of totals.
    Markdown,
    /// Everything, in exact numbers.
    Json,
}

impl Style {
    /// All styles.
    pub const ALL: [Self; 4] = [Self::Wide, Self::Keras, Self::Markdown, Self::Json];

    /// The name that [`FromStr`] takes: `wide`, `keras`, `markdown`, `json`.
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

/// A name that is no style's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a style (wide, keras, markdown or json), found '{0}'")]
pub struct UnknownStyle(pub String);

impl FromStr for Style {
    type Err = UnknownStyle;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|style| style.name() == name)
            .ok_or_else(|| UnknownStyle(name.to_string()))
    }
}

/// A summary ready to be printed; made by [`Summary::styled`].
#[derive(Clone, Copy, Debug)]
pub struct Styled<'a> {
    summary: &'a Summary,
    style: Style,
    width: usize,
    depth: usize,
}

/// The width of a wide table unless another is given, in columns of text.
pub const DEFAULT_WIDTH: usize = 120;

impl Summary {
    /// The summary in a style.
    ///
    /// ```no_run
    /// # fn print(summary: burn_pooling::summary::Summary) {
    /// use burn_pooling::summary::Style;
    /// println!("{}", summary.styled(Style::Wide).width(80).depth(2));
    /// # }
    /// ```
    pub fn styled(&self, style: Style) -> Styled<'_> {
        Styled { summary: self, style, width: DEFAULT_WIDTH, depth: usize::MAX }
    }
}

impl Styled<'_> {
    /// Fits a wide table into this many columns of text, by leaving out the columns that matter
    /// least and then by shortening names.
    pub fn width(mut self, width: usize) -> Self {
        self.width = width;
        self
    }

    /// Shows this many levels of nested modules; what lies deeper is summed up. Wide and Markdown
    /// only.
    pub fn depth(mut self, depth: usize) -> Self {
        self.depth = depth.max(1);
        self
    }

    /// The rows down to the depth, each with whether it stands for deeper ones.
    fn rows(&self) -> impl Iterator<Item = (&Row, bool)> {
        let depth = self.depth;
        self.summary
            .rows
            .iter()
            .filter(move |row| row.depth < depth)
            .map(move |row| (row, row.role == Role::Container && row.depth + 1 == depth))
    }
}

impl fmt::Display for Styled<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.style {
            Style::Wide => formatter.write_str(&wide::render(self)),
            Style::Keras => formatter.write_str(&keras::render(self.summary)),
            Style::Markdown => formatter.write_str(&markdown::render(self)),
            Style::Json => {
                let text = serde_json::to_string_pretty(self.summary).map_err(|_| fmt::Error)?;
                writeln!(formatter, "{text}")
            }
        }
    }
}

/// The wide style.
impl fmt::Display for Summary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.styled(Style::Wide).fmt(formatter)
    }
}
