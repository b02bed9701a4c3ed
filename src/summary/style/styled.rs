//! The styles, and a summary in one of them.

use std::fmt;

use serde::Serialize;

use super::super::summarise::Summary;
use super::columns::{columns, title, totals};
use super::grid::{boxed, fit, markdown};
use super::keras;

/// How a summary is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, strum::Display, strum::EnumString, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase", parse_err_ty = UnknownStyle, parse_err_fn = unknown_style)]
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

    /// Returns the name that [`FromStr`](std::str::FromStr) takes: `wide`, `keras`, `markdown`, `json`.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// The error for a name that is no style's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a style (wide, keras, markdown or json), found '{0}'")]
pub struct UnknownStyle(pub String);

fn unknown_style(name: &str) -> UnknownStyle {
    UnknownStyle(name.to_owned())
}

/// Returns the value as JSON, on lines of its own.
pub(super) fn json(value: &impl Serialize) -> Result<String, fmt::Error> {
    let text = serde_json::to_string_pretty(value).map_err(|_| fmt::Error)?;
    Ok(text + "\n")
}

/// Spaces at the start of a Markdown cell are dropped; this one is not.
const MARKDOWN_INDENT: &str = "&emsp;";

/// A summary ready to be printed; made by [`Summary::styled`].
#[derive(Clone, Copy, Debug)]
pub struct Styled<'a> {
    summary: &'a Summary,
    style: Style,
    width: usize,
    depth: usize,
}

impl Summary {
    /// Returns the summary in a style.
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
    /// Fits a wide table into this many columns of text: leaves out the columns that matter least,
    /// then shortens names.
    pub fn width(mut self, width: usize) -> Self {
        self.width = width;
        self
    }

    /// Shows this many levels of nested modules; deeper ones are summed up. Wide and Markdown only.
    pub fn depth(mut self, depth: usize) -> Self {
        self.depth = depth.max(1);
        self
    }

    fn wide(&self) -> String {
        let mut columns = columns(self.summary, self.depth, "  ");
        fit(&mut columns, self.width);
        let line = |(label, value)| format!("{label:<20} {value}\n");
        let totals: String = totals(self.summary).into_iter().map(line).collect();
        format!("{}\n{}{totals}", title(self.summary), boxed(&columns))
    }

    fn markdown(&self) -> String {
        let table = markdown(&columns(self.summary, self.depth, MARKDOWN_INDENT));
        let item = |(label, value): (&str, String)| {
            let indent = if label.starts_with(' ') { "  " } else { "" };
            format!("{indent}- {}: {value}\n", label.trim())
        };
        let totals: String = totals(self.summary).into_iter().map(item).collect();
        format!("**{}**\n\n{table}\n{totals}", title(self.summary))
    }
}

impl fmt::Display for Styled<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&match self.style {
            Style::Wide => self.wide(),
            Style::Keras => keras::render(self.summary),
            Style::Markdown => self.markdown(),
            Style::Json => json(self.summary)?,
        })
    }
}

/// The wide style.
impl fmt::Display for Summary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.styled(Style::Wide).fmt(formatter)
    }
}
