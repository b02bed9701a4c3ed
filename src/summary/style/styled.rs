//! The styles, and a summary in one of them.

use std::fmt;

use serde::Serialize;

use super::super::{row::ParameterCount, shape::Dimensions, summarise::Summary, totals::Optimizer};
use super::{
    columns::Column, columns::cells, graph::dot, graph::mermaid, graph::svg, grid::Cells, grid::boxed, grid::fit,
    grid::markdown, keras, number::bytes, number::grouped, number::joined, number::short, visible::down_to,
    visible::fold_neighbours,
};

/// How a summary is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, strum::Display, strum::EnumString)]
#[strum(serialize_all = "lowercase", parse_err_ty = UnknownStyle, parse_err_fn = unknown_style)]
pub enum Style {
    /// A table in a box, and the totals below.
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

/// The width of the labels of totals, with a space behind the longest.
const LABELS: usize = 23;

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

    /// Shows every element of a list, also those that differ from the one before in their number alone, in the wide and
    /// the Markdown style; the others always do.
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

    fn cells(&self, Summary { rows, totals, .. }: &Summary, indent: &str) -> Vec<Cells> {
        let rows = if self.all { rows } else { &fold_neighbours(rows) };
        cells(rows, &self.columns, totals.forward_multiply_adds, indent)
    }

    fn wide(&self, summary: &Summary) -> String {
        let mut columns = self.cells(summary, "  ");
        fit(&mut columns, self.width);
        // Where there is no room beside the labels, values stand below.
        let (beside, indent) = if self.width < 2 * LABELS { (0, NARROW_INDENT) } else { (LABELS, LABELS) };
        let line = |(label, value): (String, String)| {
            let lines = wrap(&value, self.width.saturating_sub(indent), indent);
            let end = if beside == 0 { format!("\n{:indent$}", "") } else { String::new() };
            format!("{label:<beside$}{end}{lines}\n")
        };
        let totals: String = totals(summary, self.optimizer).into_iter().map(line).collect();
        format!("{}\n{}{totals}", wrap(&title(summary), self.width, 0), boxed(&columns))
    }

    fn markdown(&self, summary: &Summary) -> String {
        let columns = self.cells(summary, MARKDOWN_INDENT);
        let item = |(label, value): (String, String)| {
            let indent = if label.starts_with(' ') { "  " } else { "" };
            format!("{indent}- {}: {value}\n", label.trim())
        };
        let totals: String = totals(summary, self.optimizer).into_iter().map(item).collect();
        format!("**{}**\n\n{}\n{totals}", title(summary), markdown(&columns))
    }
}

impl fmt::Display for Styled<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = down_to(self.summary, self.depth);
        formatter.write_str(&match self.style {
            Style::Wide => self.wide(&shown),
            Style::Keras => keras::render(&shown),
            Style::Markdown => self.markdown(&shown),
            Style::Json => json(&shown)?,
            Style::Mermaid => mermaid(&shown),
            Style::Dot => dot(&shown),
            Style::Svg => svg(&shown)?,
        })
    }
}

/// The wide style.
impl fmt::Display for Summary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.styled(Style::Wide).fmt(formatter)
    }
}

/// Breaks text into lines between words, and indents all but the first.
fn wrap(text: &str, width: usize, indent: usize) -> String {
    let options = textwrap::Options::new(width).break_words(false).word_splitter(textwrap::WordSplitter::NoHyphenation);
    textwrap::wrap(text, options).join(&format!("\n{:indent$}", ""))
}

/// Returns the totals, as pairs of a label and its value.
pub(super) fn totals(summary: &Summary, optimizer: Optimizer) -> Vec<(String, String)> {
    let totals = &summary.totals;
    let ParameterCount { trainable, non_trainable } = totals.parameters;
    let size = |size: usize| bytes(size as u64);
    let count = |count: usize, bytes| format!("{} ({})", grouped(count as u64), size(bytes));
    let unused = |unused: usize| format!("{}, never used in the forward pass", grouped(unused as u64));
    let types = || joined(&totals.types, ", ", |it| format!("{} {}", it.kind, grouped(it.parameters as u64)));
    let sizes = [totals.peak_activation_bytes, totals.activation_bytes, totals.input_bytes].map(size);
    // As a share of single precision.
    let in_format = |share: usize| {
        let [parameters, peak] = [totals.parameter_bytes(), totals.peak_activation_bytes].map(|it| it.div_ceil(share));
        Some(format!("{} at peak, and {} of parameters", size(peak), size(parameters)))
    };
    let all = totals.training.as_ref().zip(totals.training_bytes(optimizer)).map(|(training, all)| {
        let parts = [
            ("parameters", totals.parameter_bytes().saturating_add(totals.buffer_bytes)),
            ("gradients", training.gradient_bytes),
            ("states", optimizer.states() * training.gradient_bytes),
            ("activations", training.kept_bytes),
        ];
        let parts: Vec<_> = parts.into_iter().filter(|(_, bytes)| *bytes > 0).collect();
        format!("{}: {}", size(all), joined(&parts, ", ", |(name, bytes)| format!("{name} {}", size(*bytes))))
    });
    let (training, with) = (totals.training.as_ref(), format!("Training with {optimizer}"));
    let failed = |reason: &String| format!("not known, as the backward pass fails: {reason}");
    let lines: [(&str, Option<String>); 14] = [
        ("Parameters", Some(count(totals.parameters.total(), totals.parameter_bytes()))),
        ("  trainable", Some(count(trainable, totals.trainable_bytes))),
        ("  non-trainable", (non_trainable > 0).then(|| count(non_trainable, totals.non_trainable_bytes))),
        ("  unused", Some(totals.unused_parameters).filter(|number| *number > 0).map(unused)),
        ("  by type", (totals.types.len() > 1).then(types)),
        ("Buffers", Some(totals.buffer_bytes).filter(|bytes| *bytes > 0).map(size)),
        ("Multiply-adds", Some(short(totals.forward_multiply_adds))),
        ("  with backward pass", training.map(|training| short(training.multiply_adds))),
        ("Activations", Some(format!("{} at peak, {} in all, {} input", sizes[0], sizes[1], sizes[2]))),
        ("  in f16 or bf16", in_format(2)),
        ("  in int8", in_format(4)),
        ("  kept for training", training.map(|training| size(training.kept_bytes))),
        (&with, all),
        ("Training", totals.no_training.as_ref().map(failed)),
    ];
    lines.into_iter().filter_map(|(label, value)| Some((label.to_owned(), value?))).collect()
}

/// Returns the line above the table: the model, its input and output shapes, the batch size.
pub(super) fn title(summary: &Summary) -> String {
    let list = |shapes: &[Dimensions]| joined(shapes, ", ", Dimensions::to_string);
    let Summary { model, batch_size, length, inputs, outputs, .. } = summary;
    let length = length.map_or(String::new(), |length| format!(", T = {length}"));
    format!("{model}: {} -> {}, N = {batch_size}{length}", list(inputs), list(outputs))
}
