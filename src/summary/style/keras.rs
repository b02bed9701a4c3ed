//! The table that Keras 2 prints for a `Sequential` model.
//!
//! Layers have Keras' names and numbers, images their channels last, and an activation that
//! follows a convolution or a dense layer is part of it, as Keras' `activation=` argument makes
//! it. A layer that Keras does not have keeps its Burn name.

use std::collections::HashMap;
use std::fmt::Write;

use super::super::{
    pattern::is_activation, row::Role, row::Row, shape::Dimension, shape::Dimensions, summarise::Summary,
};
use super::{number::joined, visible::is_open};

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
    let mut uses: HashMap<String, usize> = HashMap::new();
    for row in layers(&summary.rows) {
        let class = class_of(&row.kind);
        // `conv2d`, then `conv2d_1`.
        let stem = snake_case(&class);
        let earlier = uses.entry(stem.clone()).and_modify(|earlier| *earlier += 1).or_default();
        let number = if *earlier > 0 { format!("_{earlier}") } else { String::new() };
        let name = format!("{stem}{number} ({class})");
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
    rows.iter().enumerate().filter(move |(index, _)| !is_open(rows, *index)).map(|(_, row)| row).filter(move |row| {
        let takes_activation = |row: &Row| row.kind == "Linear" || row.kind.starts_with("Conv");
        let follows = before.is_some_and(takes_activation);
        if row.role != Role::Unused {
            before = Some(row);
        }
        let is_argument = follows && row.role == Role::Operation && is_activation(&row.kind);
        !row.shared && !is_argument
    })
}

/// Keras' names for Burn's layers and operations.
#[rustfmt::skip]
const CLASSES: [(&str, &str); 20] = [
    ("Linear", "Dense"), ("BatchNorm", "BatchNormalization"), ("LayerNorm", "LayerNormalization"),
    ("GroupNorm", "GroupNormalization"), ("RmsNorm", "RMSNormalization"), ("Lstm", "LSTM"), ("Gru", "GRU"),
    ("Rnn", "SimpleRNN"), ("BiLstm", "Bidirectional"), ("BiGru", "Bidirectional"), ("BiRnn", "Bidirectional"),
    ("Relu", "ReLU"), ("LeakyRelu", "LeakyReLU"), ("PRelu", "PReLU"), ("Elu", "ELU"), ("Mul", "Multiply"),
    ("Sub", "Subtract"), ("Cat", "Concatenate"), ("Interpolate1d", "UpSampling1D"), ("Interpolate2d", "UpSampling2D"),
];

/// Returns Keras' name for a Burn layer or operation.
fn class_of(kind: &str) -> String {
    let known = CLASSES.iter().find(|(burn, _)| *burn == kind).map(|(_, keras)| (*keras).to_owned());
    known.or_else(|| spatial_class(kind)).unwrap_or_else(|| kind.to_owned())
}

/// Returns Keras' name for `Conv2d`, `ConvTranspose2d`, `MaxPool2d`, `GlobalAvgPool2d` and their
/// like: the sort, then the number of dimensions.
fn spatial_class(kind: &str) -> Option<String> {
    let kind = kind.strip_suffix('d')?;
    let sort = kind.strip_suffix(|last: char| last.is_ascii_digit())?;
    let dimensions = &kind[sort.len()..];
    match sort {
        "Conv" => Some(format!("Conv{dimensions}D")),
        "ConvTranspose" => Some(format!("Conv{dimensions}DTranspose")),
        "MaxPool" | "AvgPool" | "AdaptiveAvgPool" | "GlobalMaxPool" | "GlobalAvgPool" => {
            Some(format!("{}ing{dimensions}D", sort.replace("Avg", "Average")))
        }
        _ => None,
    }
}

/// Keras' rule: a capital that a small letter or a digit follows begins a word, and so does one
/// that follows a small letter. `GlobalMaxPooling2D` is `global_max_pooling2d`.
fn snake_case(class: &str) -> String {
    let letters: Vec<char> = class.chars().collect();
    let write = |(at, letter): (usize, &char)| {
        let small_before = at > 0 && letters[at - 1].is_ascii_lowercase();
        let small_after = at > 0 && matches!(letters.get(at + 1), Some('a'..='z' | '0'..='9'));
        let begins = letter.is_ascii_uppercase() && (small_before || small_after);
        format!("{}{}", if begins { "_" } else { "" }, letter.to_ascii_lowercase())
    };
    letters.iter().enumerate().map(write).collect()
}

/// Writes `(None, 26, 26, 32)`: the batch open, the channels of an image last.
fn output_shape(row: &Row) -> String {
    let Some(Dimensions(mut dimensions)) = row.output.clone() else { return "?".to_owned() };
    if dimensions.len() > 3 || dimensions.len() == 3 && row.kind.ends_with("1d") {
        dimensions[1..].rotate_left(1);
    }
    let size = |it: &Dimension| if let Dimension::Constant(size) = it { size.to_string() } else { "None".to_owned() };
    let sizes = joined(&dimensions, ", ", size);
    if dimensions.len() == 1 { format!("({sizes},)") } else { format!("({sizes})") }
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
            let cuts = BREAKS.iter().filter_map(|end| Some(part[..part.find(end)? + end.len()].chars().count()));
            line.extend(cell.drain(..cuts.min().unwrap_or(fitting)));
            line += &" ".repeat(end - line.chars().count());
        }
        *table += &(line + "\n");
    }
}

fn memory_size(bytes: usize) -> String {
    let power = (bytes.max(1).ilog2() / 10).min(5);
    let unit = ["Byte", "KB", "MB", "GB", "TB", "PB"][power as usize];
    format!("{:.2} {unit}", bytes as f64 / 1024_f64.powi(power as i32))
}
