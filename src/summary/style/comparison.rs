//! A comparison as a table: a column for each model.

use std::fmt;

use super::super::compare::{ComparedModel, Comparison};
use super::super::totals::Totals;
use super::format::{DEFAULT_WIDTH, Style, json};
use super::grid::{Align, Column, boxed, fit, markdown};
use super::number::{bytes, grouped};

/// A comparison ready to be printed; made by [`Comparison::styled`].
#[derive(Clone, Copy, Debug)]
pub struct StyledComparison<'a> {
    comparison: &'a Comparison,
    style: Style,
    width: usize,
}

impl Comparison {
    /// Returns the comparison in a style; `None` for [`Style::Keras`], which has no comparisons.
    pub fn styled(&self, style: Style) -> Option<StyledComparison<'_>> {
        (style != Style::Keras).then_some(StyledComparison {
            comparison: self,
            style,
            width: DEFAULT_WIDTH,
        })
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
struct Measure {
    label: &'static str,
    of: fn(&Totals) -> Option<u64>,
    write: fn(u64) -> String,
}

#[rustfmt::skip]
const MEASURES: [Measure; 7] = [
    Measure { label: "Parameters", of: |t| Some(t.parameters.total() as u64), write: grouped },
    Measure { label: "Multiply-adds", of: |t| Some(t.forward_multiply_adds), write: grouped },
    Measure { label: "  with backward pass", of: |t| Some(t.training.as_ref()?.multiply_adds), write: grouped },
    Measure { label: "Activations", of: |t| Some(t.activation_bytes as u64), write: bytes },
    Measure { label: "  at peak", of: |t| Some(t.peak_activation_bytes as u64), write: bytes },
    Measure { label: "  kept for training", of: |t| Some(t.training.as_ref()?.kept_bytes as u64), write: bytes },
    Measure { label: "Training with Adam", of: |t| Some(t.adam_training_bytes()? as u64), write: bytes },
];

fn columns(comparison: &Comparison) -> Vec<Column> {
    let (models, paths) = (&comparison.models, comparison.paths());
    let is_known =
        |measure: &&Measure| models.iter().any(|model| (measure.of)(&model.totals).is_some());
    let measures: Vec<&Measure> = MEASURES.iter().filter(is_known).collect();
    let labels = measures.iter().map(|measure| measure.label.to_string());
    let names = Column {
        title: String::new(),
        align: Align::Left,
        dispensable: 0,
        cells: labels.chain(paths.iter().map(|path| format!("{path} output"))).collect(),
    };
    let models = models.iter().map(|model| {
        let totals = measures.iter().map(|measure| compared(measure, model, models.first()));
        Column {
            title: model.name.clone(),
            align: Align::Right,
            dispensable: 0,
            cells: totals.chain(paths.iter().map(|path| stage(model, path))).collect(),
        }
    });
    [names].into_iter().chain(models).collect()
}

/// Writes the value, and what share it is of the first model's.
fn compared(measure: &Measure, model: &ComparedModel, first: Option<&ComparedModel>) -> String {
    let Some(value) = (measure.of)(&model.totals) else {
        return "-".to_string();
    };
    let text = (measure.write)(value);
    match first.and_then(|first| (measure.of)(&first.totals)) {
        Some(reference) if reference > 0 && first != Some(model) => {
            let share = 100.0 * value as f64 / reference as f64;
            format!("{text} ({share:.0} %)")
        }
        _ => text,
    }
}

fn stage(model: &ComparedModel, path: &str) -> String {
    let stage = model.stages.iter().find(|stage| stage.path == path);
    let output = stage.and_then(|stage| stage.output.as_ref());
    output.map_or("-".to_string(), ToString::to_string)
}
