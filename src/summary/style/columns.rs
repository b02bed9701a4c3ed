//! The columns of the wide and the Markdown table, and the lines of totals below them.

use super::super::{Role, Row, Summary, Window};
use super::Styled;
use super::grid::{Align, Column};
use super::number::{bytes, grouped, percent, short};

/// The columns that have something to say, the first one with what `indent` puts before names.
pub(super) fn columns(styled: &Styled<'_>, indent: &str) -> Vec<Column> {
    use Align::{Left, Right};
    let totals = &styled.summary.totals;
    let column = |title: &str, align, dispensable, cell: &dyn Fn(&Row, bool) -> String| Column {
        title: title.to_string(),
        align,
        dispensable,
        cells: styled.rows().map(|(row, sums)| cell(row, sums)).collect(),
    };
    // An open container's numbers are those of the rows below it.
    let counts = |row: &Row, sums: bool| sums || row.role != Role::Container;
    let layers = Column {
        title: "Layer".to_string(),
        align: Left,
        dispensable: 0,
        cells: labels(styled, indent),
    };
    let all = [
        layers,
        column("Input", Left, 5, &|row, sums| shape(row, sums, |row| &row.input)),
        column("Output", Left, 0, &|row, sums| shape(row, sums, |row| &row.output)),
        column("Window", Left, 4, &|row, _| row.window.as_ref().map(window).unwrap_or_default()),
        column("Field", Left, 6, &|row, _| {
            row.receptive_field
                .as_deref()
                .filter(|_| row.window.is_some())
                .map(times)
                .unwrap_or_default()
        }),
        column("Parameters", Right, 0, &|row, sums| match counts(row, sums) {
            true => parameters(row),
            false => String::new(),
        }),
        column("Fixed", Right, 3, &|row, sums| match row.parameters.non_trainable {
            0 => String::new(),
            fixed if counts(row, sums) => grouped(fixed as u64),
            _ => String::new(),
        }),
        column("Mult-adds", Right, 1, &|row, sums| match row.multiply_adds {
            0 => String::new(),
            count if counts(row, sums) => short(count),
            _ => String::new(),
        }),
        column("%", Right, 2, &|row, sums| match counts(row, sums) {
            true => percent(row.multiply_adds, totals.forward_multiply_adds),
            false => String::new(),
        }),
        column("Memory", Right, 2, &|row, sums| match row.activation_bytes {
            0 => String::new(),
            size if counts(row, sums) => bytes(size),
            _ => String::new(),
        }),
    ];
    all.into_iter()
        .filter(|column| {
            column.dispensable == 0 || column.cells.iter().any(|cell| !cell.is_empty())
        })
        .collect()
}

/// As a field is declared: `conv: Conv2d`; an operation that is no field: `Relu`. Paths go on from
/// the container that the row lies in.
fn labels(styled: &Styled<'_>, indent: &str) -> Vec<String> {
    let mut containers: Vec<&str> = Vec::new();
    styled
        .rows()
        .map(|(row, _)| {
            containers.truncate(row.depth);
            let path = containers
                .last()
                .and_then(|container| row.path.strip_prefix(container)?.strip_prefix('.'))
                .unwrap_or(&row.path);
            if row.role == Role::Container {
                containers.push(&row.path);
            }
            let mut label = indent.repeat(row.depth);
            if !path.is_empty() {
                label += path;
                label += ": ";
            }
            label += &row.kind;
            if row.repeats > 1 {
                label += &format!(" x{}", row.repeats);
            }
            label
        })
        .collect()
}

fn shape(
    row: &Row,
    sums: bool,
    which: impl Fn(&Row) -> &Option<super::super::Dimensions>,
) -> String {
    match which(row) {
        Some(shape) if sums || row.role != Role::Container => shape.to_string(),
        _ => String::new(),
    }
}

/// `3x3`, with the stride if it is not 1, and the dilation likewise: `3x3/2`, `3x3/1 d2`.
fn window(window: &Window) -> String {
    let ones = |sizes: &[usize]| sizes.iter().all(|&size| size == 1);
    let mut text = times(&window.size);
    if !ones(&window.stride) {
        text += &format!("/{}", same(&window.stride));
    }
    if !ones(&window.dilation) {
        text += &format!(" d{}", same(&window.dilation));
    }
    text
}

fn same(sizes: &[usize]) -> String {
    match sizes {
        [first, rest @ ..] if rest.iter().all(|size| size == first) => first.to_string(),
        sizes => times(sizes),
    }
}

fn times(sizes: &[usize]) -> String {
    let sizes: Vec<_> = sizes.iter().map(usize::to_string).collect();
    sizes.join("x")
}

fn parameters(row: &Row) -> String {
    match row.parameters.total() {
        0 if row.role == Role::Operation => String::new(),
        0 if row.role == Role::Container && !row.shared => String::new(),
        0 => "shared".to_string(),
        count if row.role == Role::Unused => format!("unused {}", grouped(count as u64)),
        count => grouped(count as u64),
    }
}

/// The totals, as pairs of a label and what is said under it.
pub(super) fn totals(summary: &Summary) -> Vec<(&'static str, String)> {
    let totals = &summary.totals;
    let parameters = totals.parameters;
    let mut lines = vec![
        (
            "Parameters",
            format!("{} ({})", grouped(parameters.total() as u64), bytes(totals.parameter_bytes())),
        ),
        (
            "  trainable",
            format!("{} ({})", grouped(parameters.trainable as u64), bytes(totals.trainable_bytes)),
        ),
    ];
    if parameters.non_trainable > 0 {
        let fixed = grouped(parameters.non_trainable as u64);
        lines.push(("  fixed", format!("{fixed} ({})", bytes(totals.non_trainable_bytes))));
    }
    if totals.unused_parameters > 0 {
        let unused = grouped(totals.unused_parameters as u64);
        lines.push(("  unused", format!("{unused}, in no forward pass")));
    }
    lines.push(("Multiply-adds", short(totals.forward_multiply_adds)));
    if let Some(training) = &totals.training {
        lines.push(("  with backward pass", short(training.multiply_adds)));
    }
    lines.push((
        "Activations",
        format!(
            "{} at peak, {} in all, {} input",
            bytes(totals.peak_activation_bytes),
            bytes(totals.activation_bytes),
            bytes(totals.input_bytes)
        ),
    ));
    if let Some(training) = &totals.training {
        lines.push(("  kept for training", bytes(training.kept_bytes)));
    }
    if let (Some(training), Some(all)) = (&totals.training, totals.adam_training_bytes()) {
        lines.push((
            "Training with Adam",
            format!(
                "{}: parameters {}, gradients {}, moments {}, activations {}",
                bytes(all),
                bytes(totals.parameter_bytes()),
                bytes(training.gradient_bytes),
                bytes(training.adam_bytes),
                bytes(training.kept_bytes),
            ),
        ));
    }
    lines
}

/// What stands above the table: the model, what goes in and out, the batch size.
pub(super) fn title(summary: &Summary) -> String {
    let list = |shapes: &[super::super::Dimensions]| {
        let shapes: Vec<_> = shapes.iter().map(ToString::to_string).collect();
        shapes.join(", ")
    };
    format!(
        "{}: {} -> {}, N = {}",
        summary.model,
        list(&summary.inputs),
        list(&summary.outputs),
        summary.batch_size
    )
}
