//! A comparison as a table: a column for each model.

use std::fmt;

use super::super::{ComparedModel, Comparison, Totals};
use super::grid::{Align, Column, boxed, fit, markdown};
use super::number::{bytes, grouped};
use super::{DEFAULT_WIDTH, Style};

/// A comparison ready to be printed; made by [`Comparison::styled`].
#[derive(Clone, Copy, Debug)]
pub struct StyledComparison<'a> {
    comparison: &'a Comparison,
    style: Style,
    width: usize,
}

impl Comparison {
    /// The comparison in a style; `None` for [`Style::Keras`], which has no comparisons.
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
            let text = serde_json::to_string_pretty(self.comparison).map_err(|_| fmt::Error)?;
            return writeln!(formatter, "{text}");
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
        match self.styled(Style::Wide) {
            Some(styled) => styled.fmt(formatter),
            None => Ok(()),
        }
    }
}

/// A total that models are compared by: its label, its value, how it is written.
struct Measure {
    label: &'static str,
    of: fn(&Totals) -> Option<u64>,
    write: fn(u64) -> String,
}

fn size(value: u64) -> String {
    bytes(usize::try_from(value).unwrap_or(usize::MAX))
}

#[rustfmt::skip]
const MEASURES: [Measure; 7] = [
    Measure { label: "Parameters", of: |t| Some(t.parameters.total() as u64), write: grouped },
    Measure { label: "Multiply-adds", of: |t| Some(t.forward_multiply_adds), write: grouped },
    Measure { label: "  with backward pass", of: |t| Some(t.training.as_ref()?.multiply_adds), write: grouped },
    Measure { label: "Activations", of: |t| Some(t.activation_bytes as u64), write: size },
    Measure { label: "  at peak", of: |t| Some(t.peak_activation_bytes as u64), write: size },
    Measure { label: "  kept for training", of: |t| Some(t.training.as_ref()?.kept_bytes as u64), write: size },
    Measure { label: "Training with Adam", of: |t| Some(t.adam_training_bytes()? as u64), write: size },
];

fn columns(comparison: &Comparison) -> Vec<Column> {
    let paths = comparison.paths();
    let measures: Vec<&Measure> = MEASURES
        .iter()
        .filter(|measure| {
            let models = &comparison.models;
            models.iter().any(|model| (measure.of)(&model.totals).is_some())
        })
        .collect();
    let stages = paths.iter().map(|path| format!("{path} gives"));
    let names = Column {
        title: String::new(),
        align: Align::Left,
        dispensable: 0,
        cells: measures.iter().map(|measure| measure.label.to_string()).chain(stages).collect(),
    };
    let first = comparison.models.first();
    let models = comparison.models.iter().map(|model| {
        let stages = paths.iter().map(|path| stage(model, path));
        Column {
            title: model.name.clone(),
            align: Align::Right,
            dispensable: 0,
            cells: measures
                .iter()
                .map(|measure| compared(measure, model, first))
                .chain(stages)
                .collect(),
        }
    });
    [names].into_iter().chain(models).collect()
}

/// The value, and what share it is of the first model's.
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
    model
        .stages
        .iter()
        .find(|stage| stage.path == path)
        .and_then(|stage| stage.output.as_ref())
        .map_or("-".to_string(), ToString::to_string)
}
