//! The columns of the wide and the Markdown table, and the lines of totals below them.

use super::super::operation::Window;
use super::super::row::{ParameterCount, Role, Row};
use super::super::shape::Dimensions;
use super::super::summarise::Summary;
use super::grid::{Align, Column};
use super::number::{bytes, grouped, percent, short};

/// Returns the columns that have something to say; the first one with what `indent` puts before names.
pub(super) fn columns(rows: &[Row], multiply_adds: u64, indent: &str) -> Vec<Column> {
    use Align::{Left, Right};
    // An open container's numbers are those of the rows below it.
    let is_open = |index: usize| rows.get(index + 1).is_some_and(|next| next.depth > rows[index].depth);
    let cells = |cell: &dyn Fn(&Row) -> String| -> Vec<String> {
        let cell = |(index, row)| if is_open(index) { String::new() } else { cell(row) };
        rows.iter().enumerate().map(cell).collect()
    };
    let columns = [
        ("Layer", Left, 0, labels(rows, indent)),
        ("Input", Left, 6, cells(&|row| shape(&row.input))),
        ("Output", Left, 1, cells(&|row| shape(&row.output))),
        ("Window", Left, 5, cells(&|row| row.window.as_ref().map_or(String::new(), window))),
        ("Field", Left, 7, cells(&field)),
        ("Parameters", Right, 0, cells(&parameters)),
        ("Fixed", Right, 4, cells(&|row| positive(row.parameters.non_trainable as u64, grouped))),
        ("Mult-adds", Right, 2, cells(&|row| positive(row.multiply_adds, short))),
        ("%", Right, 3, cells(&|row| percent(row.multiply_adds, multiply_adds))),
        ("Memory", Right, 3, cells(&|row| positive(row.activation_bytes as u64, bytes))),
    ];
    let columns = columns.into_iter().map(|(title, align, dispensable, cells)| {
        let title = title.to_string();
        Column { title, align, dispensable, cells }
    });
    let is_empty = |column: &Column| column.cells.iter().all(String::is_empty);
    columns.filter(|column| column.dispensable < 2 || !is_empty(column)).collect()
}

/// Writes each row as a field is declared: `conv: Conv2d`; an operation that is no field: `Relu`.
/// Paths go on from the container that the row lies in.
fn labels<'a>(rows: &'a [Row], indent: &str) -> Vec<String> {
    let mut containers: Vec<&str> = Vec::new();
    let label = |row: &'a Row| {
        containers.truncate(row.depth);
        let inner = |container: &&str| row.path.strip_prefix(*container)?.strip_prefix('.');
        let path = containers.last().and_then(inner).unwrap_or(&row.path);
        let doubt = if row.is_certain { "" } else { "?" };
        let name = if path.is_empty() { String::new() } else { format!("{path}{doubt}: ") };
        if row.role == Role::Container {
            containers.push(&row.path);
        }
        let repeats = if row.repeats > 1 { format!(" x{}", row.repeats) } else { String::new() };
        format!("{}{name}{}{repeats}", indent.repeat(row.depth), row.kind)
    };
    rows.iter().map(label).collect()
}

fn shape(shape: &Option<Dimensions>) -> String {
    shape.as_ref().map_or(String::new(), Dimensions::to_string)
}

fn field(row: &Row) -> String {
    let field = row.receptive_field.as_deref().filter(|_| row.window.is_some());
    field.map_or(String::new(), times)
}

/// Writes a number unless it is 0.
fn positive(number: u64, write: fn(u64) -> String) -> String {
    if number == 0 { String::new() } else { write(number) }
}

/// Writes `3x3`, with the stride if it is not 1, and the dilation likewise: `3x3/2`, `3x3/1 d2`.
fn window(window: &Window) -> String {
    let unless_one = |mark, sizes: &[usize]| match sizes {
        [first, rest @ ..] if rest.iter().all(|size| size == first) => {
            if *first == 1 {
                String::new()
            } else {
                format!("{mark}{first}")
            }
        }
        sizes => format!("{mark}{}", times(sizes)),
    };
    times(&window.size) + &unless_one("/", &window.stride) + &unless_one(" d", &window.dilation)
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

/// Returns the totals, as pairs of a label and its value.
pub(super) fn totals(summary: &Summary) -> Vec<(&'static str, String)> {
    let totals = &summary.totals;
    let ParameterCount { trainable, non_trainable } = totals.parameters;
    let size = |size: usize| bytes(size as u64);
    let count = |count: usize, bytes| format!("{} ({})", grouped(count as u64), size(bytes));
    let mut lines = vec![
        ("Parameters", count(totals.parameters.total(), totals.parameter_bytes())),
        ("  trainable", count(trainable, totals.trainable_bytes)),
    ];
    if non_trainable > 0 {
        lines.push(("  fixed", count(non_trainable, totals.non_trainable_bytes)));
    }
    if totals.unused_parameters > 0 {
        let unused = grouped(totals.unused_parameters as u64);
        lines.push(("  unused", format!("{unused}, in no forward pass")));
    }
    lines.push(("Multiply-adds", short(totals.forward_multiply_adds)));
    if let Some(training) = &totals.training {
        lines.push(("  with backward pass", short(training.multiply_adds)));
    }
    let (peak, all) = (size(totals.peak_activation_bytes), size(totals.activation_bytes));
    let input = size(totals.input_bytes);
    lines.push(("Activations", format!("{peak} at peak, {all} in all, {input} input")));
    if let (Some(training), Some(all)) = (&totals.training, totals.adam_training_bytes()) {
        lines.push(("  kept for training", size(training.kept_bytes)));
        let adam = format!(
            "{}: parameters {}, gradients {}, moments {}, activations {}",
            size(all),
            size(totals.parameter_bytes()),
            size(training.gradient_bytes),
            size(training.adam_bytes),
            size(training.kept_bytes),
        );
        lines.push(("Training with Adam", adam));
    }
    if let Some(reason) = &totals.no_training {
        lines.push(("Training", format!("not known, as the backward pass fails: {reason}")));
    }
    lines
}

/// Returns the line above the table: the model, its input and output shapes, the batch size.
pub(super) fn title(summary: &Summary) -> String {
    let list = |shapes: &[Dimensions]| {
        let shapes: Vec<_> = shapes.iter().map(ToString::to_string).collect();
        shapes.join(", ")
    };
    let Summary { model, batch_size, length, inputs, outputs, .. } = summary;
    let length = length.map_or(String::new(), |length| format!(", T = {length}"));
    format!("{model}: {} -> {}, N = {batch_size}{length}", list(inputs), list(outputs))
}
