//! The columns of the wide and the Markdown table.

use super::super::operation::Window;
use super::super::row::{Role, Row};
use super::super::shape::Dimensions;
use super::grid::{Align, Cells};
use super::number::{bytes, grouped, percent, short};

/// A column of a table; the first one, with the names of the layers, is always there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, strum::Display, strum::EnumString, strum::VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub enum Column {
    /// Input shape.
    Input,
    /// Output shape.
    Output,
    /// Kernel size, stride and dilation of a convolution or a pool.
    Window,
    /// The receptive field of a convolution or a pool.
    Field,
    /// The shapes of the layer's tensors.
    Weights,
    /// Number of parameters.
    Parameters,
    /// Whether they are trained: `yes`, `no` or `partly`.
    Trainable,
    /// Number of those that are not trained.
    Fixed,
    /// Multiply-adds of the forward pass.
    MultiplyAdds,
    /// Their share of all, in percent.
    Share,
    /// The size of the output.
    Memory,
}

impl Column {
    /// The columns that are shown unless others are asked for.
    pub const DEFAULT: [Self; 9] = [
        Self::Input,
        Self::Output,
        Self::Window,
        Self::Field,
        Self::Parameters,
        Self::Fixed,
        Self::MultiplyAdds,
        Self::Share,
        Self::Memory,
    ];

    /// Returns the heading, the alignment, and how dispensable the column is.
    fn layout(self) -> (&'static str, Align, u8) {
        match self {
            Self::Input => ("Input", Align::Left, 6),
            Self::Output => ("Output", Align::Left, 1),
            Self::Window => ("Window", Align::Left, 5),
            Self::Field => ("Field", Align::Left, 7),
            Self::Weights => ("Weights", Align::Left, 8),
            Self::Parameters => ("Parameters", Align::Right, 0),
            Self::Trainable => ("Trainable", Align::Left, 4),
            Self::Fixed => ("Fixed", Align::Right, 4),
            Self::MultiplyAdds => ("Mult-adds", Align::Right, 2),
            Self::Share => ("%", Align::Right, 3),
            Self::Memory => ("Memory", Align::Right, 3),
        }
    }

    fn cell(self, row: &Row, multiply_adds: u64) -> String {
        match self {
            Self::Input => shape(&row.input),
            Self::Output => shape(&row.output),
            Self::Window => row.window.as_ref().map_or(String::new(), window),
            Self::Field => field(row),
            Self::Weights => weights(row),
            Self::Parameters => parameters(row),
            Self::Trainable => trainable(row).to_owned(),
            Self::Fixed => positive(row.parameters.non_trainable as u64, grouped),
            Self::MultiplyAdds => positive(row.multiply_adds, short),
            Self::Share => percent(row.multiply_adds, multiply_adds),
            Self::Memory => positive(row.activation_bytes as u64, bytes),
        }
    }
}

/// Returns the table's columns: the names, with what `indent` puts before them, and those of `columns` that have
/// something to say.
pub(super) fn cells(rows: &[Row], columns: &[Column], multiply_adds: u64, indent: &str) -> Vec<Cells> {
    // An open container's numbers are those of the rows below it.
    let is_open = |index: usize| rows.get(index + 1).is_some_and(|next| next.depth > rows[index].depth);
    let names = Cells { title: "Layer".to_owned(), align: Align::Left, dispensable: 0, cells: labels(rows, indent) };
    let others = columns.iter().map(|column| {
        let cell = |(index, row)| if is_open(index) { String::new() } else { column.cell(row, multiply_adds) };
        let (title, align, dispensable) = column.layout();
        Cells { title: title.to_owned(), align, dispensable, cells: rows.iter().enumerate().map(cell).collect() }
    });
    let says = |column: &Cells| column.dispensable < 2 || column.cells.iter().any(|cell| !cell.is_empty());
    [names].into_iter().chain(others.filter(says)).collect()
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

fn weights(row: &Row) -> String {
    let weights: Vec<_> = row.weights.iter().map(|weight| format!("{} {:?}", weight.name, weight.shape)).collect();
    weights.join(", ")
}

fn trainable(row: &Row) -> &'static str {
    match (row.parameters.trainable, row.parameters.non_trainable) {
        (0, 0) => "",
        (_, 0) => "yes",
        (0, _) => "no",
        _ => "partly",
    }
}
