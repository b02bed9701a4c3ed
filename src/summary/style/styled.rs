//! The styles, and a summary in one of them.

use std::fmt;

use serde::Serialize;

use super::super::optimizer::Optimizer;
use super::super::row::Row;
use super::super::summarise::Summary;
use super::columns::{Column, cells};
use super::graph::Graph;
use super::grid::{Cells, boxed, fit, markdown, wrap};
use super::keras;
use super::lines::{title, totals};
use super::visible::{down_to, fold_neighbours};

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
    /// The graph of layers and operations, in the language of Mermaid, which Markdown can show.
    Mermaid,
    /// The graph in the language of Graphviz.
    Dot,
    /// The graph as a picture, laid out from top to bottom.
    Svg,
}

/// The width of a wide table unless another is given, in columns of text.
pub const DEFAULT_WIDTH: usize = 120;

impl Style {
    /// All styles.
    pub const ALL: [Self; 7] =
        [Self::Wide, Self::Keras, Self::Markdown, Self::Json, Self::Mermaid, Self::Dot, Self::Svg];

    /// Returns the name that [`FromStr`](std::str::FromStr) takes, such as `wide`.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// The error for a name that is no style's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a style (wide, keras, markdown, json, mermaid, dot or svg), found '{0}'")]
pub struct UnknownStyle(pub String);

fn unknown_style(name: &str) -> UnknownStyle {
    UnknownStyle(name.to_owned())
}

/// Returns the value as JSON, on lines of its own.
pub(super) fn json(value: &impl Serialize) -> Result<String, fmt::Error> {
    let text = serde_json::to_string_pretty(value).map_err(|_| fmt::Error)?;
    Ok(text + "\n")
}

/// The width of the labels of totals.
const LABELS: usize = 21;

/// How far values stand in below labels.
const NARROW_INDENT: usize = 4;

/// Spaces at the start of a Markdown cell are dropped; this one is not.
const MARKDOWN_INDENT: &str = "&emsp;";

/// A summary ready to be printed; made by [`Summary::styled`].
#[derive(Clone, Debug)]
pub struct Styled<'a> {
    summary: &'a Summary,
    style: Style,
    width: usize,
    depth: usize,
    all: bool,
    columns: Vec<Column>,
    optimizer: Optimizer,
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
        let (columns, optimizer) = (Column::DEFAULT.to_vec(), Optimizer::default());
        Styled { summary: self, style, width: DEFAULT_WIDTH, depth: usize::MAX, all: false, columns, optimizer }
    }
}

impl Styled<'_> {
    /// Fits a wide table into this many columns of text, 29 at least: leaves out the columns that matter least, then
    /// shortens names.
    pub fn width(mut self, width: usize) -> Self {
        self.width = width;
        self
    }

    /// Shows this many levels of nested modules, 1 at least; a module at the last of them stands for what is inside.
    pub fn depth(mut self, depth: usize) -> Self {
        self.depth = depth.max(1);
        self
    }

    /// Shows every element of a list, also those that differ from the one before in their number alone. The Keras and
    /// JSON styles always do.
    pub fn all(mut self) -> Self {
        self.all = true;
        self
    }

    /// Shows these columns in this order. Wide and Markdown only.
    pub fn columns(mut self, columns: impl IntoIterator<Item = Column>) -> Self {
        self.columns = columns.into_iter().collect();
        self
    }

    /// Estimates the memory of training with this optimizer, unless it is Adam. Wide and Markdown only.
    pub fn optimizer(mut self, optimizer: Optimizer) -> Self {
        self.optimizer = optimizer;
        self
    }

    fn cells(&self, indent: &str) -> Vec<Cells> {
        cells(&self.rows(), &self.columns, self.summary.totals.forward_multiply_adds, indent)
    }

    fn rows(&self) -> Vec<Row> {
        let rows = down_to(&self.summary.rows, self.depth);
        if self.all { rows } else { fold_neighbours(&rows) }
    }

    fn wide(&self) -> String {
        let mut columns = self.cells("  ");
        fit(&mut columns, self.width);
        // Where there is no room beside the labels, values stand below.
        let (beside, indent) = if self.width < 2 * LABELS { (0, NARROW_INDENT) } else { (LABELS, LABELS) };
        let line = |(label, value): (String, String)| {
            let lines = wrap(&value, self.width.saturating_sub(indent)).join(&format!("\n{:indent$}", ""));
            let end = if beside == 0 { format!("\n{:indent$}", "") } else { String::new() };
            format!("{label:<beside$}{end}{lines}\n")
        };
        let totals: String = totals(self.summary, self.optimizer).into_iter().map(line).collect();
        format!("{}\n{}{totals}", wrap(&title(self.summary), self.width).join("\n"), boxed(&columns))
    }

    fn markdown(&self) -> String {
        let columns = self.cells(MARKDOWN_INDENT);
        let item = |(label, value): (String, String)| {
            let indent = if label.starts_with(' ') { "  " } else { "" };
            format!("{indent}- {}: {value}\n", label.trim())
        };
        let totals: String = totals(self.summary, self.optimizer).into_iter().map(item).collect();
        format!("**{}**\n\n{}\n{totals}", title(self.summary), markdown(&columns))
    }

    /// Returns the summary with the rows down to the depth.
    fn at_depth(&self) -> Summary {
        Summary { rows: down_to(&self.summary.rows, self.depth), ..self.summary.clone() }
    }
}

impl fmt::Display for Styled<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&match self.style {
            Style::Wide => self.wide(),
            Style::Keras => keras::render(&self.at_depth()),
            Style::Markdown => self.markdown(),
            Style::Json => json(&self.at_depth())?,
            Style::Mermaid => Graph::new(self.summary, self.depth).mermaid(),
            Style::Dot => Graph::new(self.summary, self.depth).dot(),
            Style::Svg => Graph::new(self.summary, self.depth).svg()?,
        })
    }
}

/// The wide style.
impl fmt::Display for Summary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.styled(Style::Wide).fmt(formatter)
    }
}
