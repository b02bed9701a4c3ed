//! The table that Keras 2 prints for a `Sequential` model.
//!
//! Layers have Keras' names and numbers, images their channels last, and an activation that
//! follows a convolution or a dense layer is part of it, as Keras' `activation=` argument makes
//! it. A layer that Keras does not have keeps its Burn name.

use std::collections::HashMap;
use std::fmt::Write;

use super::super::pattern::is_activation;
use super::super::row::{Role, Row};
use super::super::shape::{Dimension, Dimensions};
use super::super::summarise::Summary;

const LINE_LENGTH: usize = 65;

/// Where each column ends, as a share of the line in percent: Keras' positions for a model without branches.
const COLUMN_ENDS: [usize; 3] = [45, 85, 100];

/// The columns but the last end with two spaces.
const GAP: usize = 2;

/// Keras ends a line after these, where one occurs in a cell.
const BREAKS: [&str; 4] = ["),", "},", "],", "',"];

pub(super) fn render(summary: &Summary) -> String {
    let rule = |character: &str| character.repeat(LINE_LENGTH) + "\n";
    let mut table = format!("Model: \"sequential\"\n{}", rule("_"));
    push_row(&mut table, ["Layer (type)", "Output Shape", "Param #"]);
    table += &rule("=");
    let mut names = Names::default();
    for row in layers(&summary.rows) {
        let class = class_of(&row.kind);
        let name = format!("{} ({class})", names.next(&class));
        let parameters = row.parameters.total().to_string();
        push_row(&mut table, [&name, &output_shape(row), &parameters]);
        table += &rule(" ");
    }
    table += &rule("=");
    let totals = &summary.totals;
    for (label, count, bytes) in [
        ("Total", totals.parameters.total(), totals.parameter_bytes()),
        ("Trainable", totals.parameters.trainable, totals.trainable_bytes),
        ("Non-trainable", totals.parameters.non_trainable, totals.non_trainable_bytes),
    ] {
        let _ = writeln!(table, "{label} params: {count} ({})", memory_size(bytes));
    }
    table += &rule("_");
    table
}

/// The rows that Keras would show: a layer once, however often it runs, and no activation that
/// the layer before it has as an argument.
fn layers(rows: &[Row]) -> impl Iterator<Item = &Row> {
    let mut before: Option<&Row> = None;
    rows.iter().filter(move |row| {
        let follows = before.is_some_and(|before| takes_activation(&before.kind));
        if row.runs() {
            before = Some(row);
        }
        row.role != Role::Container
            && !row.shared
            && !(follows && row.role == Role::Operation && is_activation(&row.kind))
    })
}

fn takes_activation(kind: &str) -> bool {
    kind == "Linear" || kind.starts_with("Conv")
}

/// Keras' name for a Burn layer or operation.
fn class_of(kind: &str) -> String {
    let class = match kind {
        "Linear" => "Dense",
        "BatchNorm" => "BatchNormalization",
        "LayerNorm" => "LayerNormalization",
        "GroupNorm" => "GroupNormalization",
        "RmsNorm" => "RMSNormalization",
        "Lstm" => "LSTM",
        "Gru" => "GRU",
        "Rnn" => "SimpleRNN",
        "BiLstm" | "BiGru" => "Bidirectional",
        "Relu" => "ReLU",
        "LeakyRelu" => "LeakyReLU",
        "PRelu" => "PReLU",
        "Elu" => "ELU",
        "Mul" => "Multiply",
        "Sub" => "Subtract",
        "Cat" => "Concatenate",
        "Interpolate2d" => "UpSampling2D",
        _ => return spatial_class(kind).unwrap_or_else(|| kind.to_string()),
    };
    class.to_string()
}

/// Returns Keras' name for `Conv2d`, `ConvTranspose2d`, `MaxPool2d`, `GlobalAvgPool2d` and their
/// like: the sort, then the number of dimensions.
fn spatial_class(kind: &str) -> Option<String> {
    let kind = kind.strip_suffix('d')?;
    let sort = kind.strip_suffix(|last: char| last.is_ascii_digit())?;
    let dimensions = &kind[sort.len()..];
    Some(match sort {
        "Conv" => format!("Conv{dimensions}D"),
        "ConvTranspose" => format!("Conv{dimensions}DTranspose"),
        "MaxPool" | "AvgPool" | "AdaptiveAvgPool" | "GlobalMaxPool" | "GlobalAvgPool" => {
            let pool = sort.replace("Avg", "Average");
            format!("{pool}ing{dimensions}D")
        }
        _ => return None,
    })
}

/// The names that Keras gives: `conv2d`, then `conv2d_1`.
#[derive(Default)]
struct Names(HashMap<String, usize>);

impl Names {
    fn next(&mut self, class: &str) -> String {
        let stem = snake_case(class);
        let count = self.0.entry(stem.clone()).or_default();
        *count += 1;
        match *count {
            1 => stem,
            count => format!("{stem}_{}", count - 1),
        }
    }
}

/// Keras' rule: a capital that a small letter or a digit follows begins a word, and so does one
/// that follows a small letter. `GlobalMaxPooling2D` is `global_max_pooling2d`.
fn snake_case(class: &str) -> String {
    let letters: Vec<char> = class.chars().collect();
    let mut name = String::new();
    for (index, letter) in letters.iter().enumerate() {
        let after_small = index > 0 && letters[index - 1].is_ascii_lowercase();
        let next = letters.get(index + 1);
        let before_small = index > 0
            && next.is_some_and(|next| next.is_ascii_lowercase() || next.is_ascii_digit());
        if letter.is_ascii_uppercase() && (after_small || before_small) {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

/// Writes `(None, 26, 26, 32)`: the batch open, the channels of an image last.
fn output_shape(row: &Row) -> String {
    let Some(Dimensions(dimensions)) = &row.output else {
        return "?".to_string();
    };
    let mut dimensions = dimensions.clone();
    let is_image = dimensions.len() > 3 || dimensions.len() == 3 && row.kind.ends_with("1d");
    if is_image {
        dimensions[1..].rotate_left(1);
    }
    let write = |dimension: &Dimension| match dimension {
        Dimension::Constant(size) => size.to_string(),
        Dimension::Batch(_) => "None".to_string(),
    };
    let sizes: Vec<String> = dimensions.iter().map(write).collect();
    match sizes.as_slice() {
        [size] => format!("({size},)"),
        sizes => format!("({})", sizes.join(", ")),
    }
}

/// One row, on as many lines as its longest cell needs. The line begins with a space.
fn push_row(table: &mut String, cells: [&str; 3]) {
    let mut left: [Vec<char>; 3] = cells.map(|cell| cell.chars().collect());
    while left.iter().any(|cell| !cell.is_empty()) {
        let mut line = String::from(" ");
        for (column, cell) in left.iter_mut().enumerate() {
            let end = LINE_LENGTH * COLUMN_ENDS[column] / 100;
            let gap = if column + 1 < COLUMN_ENDS.len() { GAP } else { 0 };
            let fitting = cell.len().min(end - line.chars().count() - gap);
            let part: String = cell[..fitting].iter().collect();
            let cut = BREAKS
                .iter()
                .filter_map(|end| part.find(end).map(|at| part[..at + end.len()].chars().count()))
                .min()
                .unwrap_or(fitting);
            line.extend(cell.drain(..cut));
            let missing = end - line.chars().count();
            line += &" ".repeat(missing);
        }
        table.push_str(&line);
        table.push('\n');
    }
}

fn memory_size(bytes: usize) -> String {
    let mut size = bytes as f64;
    for unit in ["Byte", "KB", "MB", "GB", "TB"] {
        if size < 1024.0 {
            return format!("{size:.2} {unit}");
        }
        size /= 1024.0;
    }
    format!("{size:.2} PB")
}
