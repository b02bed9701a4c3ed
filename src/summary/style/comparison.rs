//! A comparison as a table: a column for each model.

use std::fmt;

use super::super::{compare::ComparedModel, compare::Comparison, totals::Optimizer, totals::Totals};
use super::{
    grid::Align, grid::Cells, grid::boxed, grid::fit, grid::markdown, number::bytes, number::grouped,
    styled::DEFAULT_WIDTH, styled::Style, styled::json,
};

/// A comparison ready to be printed; made by [`Comparison::styled`].
#[derive(Clone, Copy, Debug)]
pub struct StyledComparison<'a> {
    comparison: &'a Comparison,
    style: Style,
    width: usize,
}

impl Comparison {
    /// Returns the comparison in a style; `None` for [`Style::Keras`] and the graphs, which have no comparisons.
    pub fn styled(&self, style: Style) -> Option<StyledComparison<'_>> {
        let styled = StyledComparison { comparison: self, style, width: DEFAULT_WIDTH };
        matches!(style, Style::Wide | Style::Markdown | Style::Json).then_some(styled)
    }
}

impl StyledComparison<'_> {
    /// Fits a wide table into this many columns of text by shortening the names of the rows.
    pub fn width(mut self, width: usize) -> Self {
        self.width = width;
        self
    }
}

impl fmt::Display for StyledComparison<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.style == Style::Json {
            return formatter.write_str(&json(self.comparison)?);
        }
        let mut columns = columns(self.comparison);
        if self.style == Style::Markdown {
            return formatter.write_str(&markdown(&columns));
        }
        fit(&mut columns, self.width);
        formatter.write_str(&boxed(&columns))
    }
}

/// The wide style.
impl fmt::Display for Comparison {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.styled(Style::Wide).map_or(Ok(()), |styled| styled.fmt(formatter))
    }
}

/// A total that models are compared by: its label, its value, how it is written.
type Measure = (&'static str, fn(&Totals) -> Option<u64>, fn(u64) -> String);

#[rustfmt::skip]
const MEASURES: [Measure; 7] = [
    ("Parameters", |t| Some(t.parameters.total() as u64), grouped),
    ("Multiply-adds", |t| Some(t.forward_multiply_adds), grouped),
    ("  with backward pass", |t| Some(t.training.as_ref()?.multiply_adds), grouped),
    ("Activations", |t| Some(t.activation_bytes as u64), bytes),
    ("  at peak", |t| Some(t.peak_activation_bytes as u64), bytes),
    ("  kept for training", |t| Some(t.training.as_ref()?.kept_bytes as u64), bytes),
    ("Training with Adam", |t| Some(t.training_bytes(Optimizer::Adam)? as u64), bytes),
];

fn columns(comparison: &Comparison) -> Vec<Cells> {
    let (models, paths) = (&comparison.models, comparison.paths());
    let is_known = |(_, of, _): &&Measure| models.iter().any(|model| of(&model.totals).is_some());
    let measures: Vec<&Measure> = MEASURES.iter().filter(is_known).collect();
    let labels = measures.iter().map(|(label, ..)| label.to_string());
    let cells = labels.chain(paths.iter().map(|path| format!("{path} output"))).collect();
    let names = Cells { title: String::new(), align: Align::Left, dispensable: 0, cells };
    let models = models.iter().map(|model| {
        let totals = measures.iter().map(|measure| compared(measure, model, models.first()));
        let cells = totals.chain(paths.iter().map(|path| stage(model, path))).collect();
        Cells { title: model.name.clone(), align: Align::Right, dispensable: 0, cells }
    });
    [names].into_iter().chain(models).collect()
}

/// Writes the value, and what share it is of the first model's.
fn compared(measure: &Measure, model: &ComparedModel, first: Option<&ComparedModel>) -> String {
    let (_, of, write) = measure;
    let Some(value) = of(&model.totals) else { return "-".to_owned() };
    match first.filter(|&first| first != model).and_then(|first| of(&first.totals)) {
        Some(reference) if reference > 0 => {
            let share = 100.0 * value as f64 / reference as f64;
            format!("{} ({share:.0} %)", write(value))
        }
        _ => write(value),
    }
}

fn stage(model: &ComparedModel, path: &str) -> String {
    let stage = model.stages.iter().find(|stage| stage.path == path);
    let output = stage.and_then(|stage| stage.output.as_ref());
    output.map_or("-".to_string(), ToString::to_string)
}
