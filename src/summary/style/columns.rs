//! The columns of the wide and the Markdown table.

use super::super::{operation::Kernel, row::Role, row::Row, shape::Dimensions};
use super::{
    grid::Align, grid::Cells, number::bytes, number::grouped, number::joined, number::percent, number::short,
    visible::declared, visible::is_open,
};

/// A column of a table; the first one, with the names of the layers, is always there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, strum::Display, strum::EnumString, strum::VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub enum Column {
    /// Input shape.
    Input,
    /// Output shape.
    Output,
    /// Kernel size, stride and dilation of a convolution or a pool.
    Kernel,
    /// The receptive field of a convolution or a pool.
    ReceptiveField,
    /// The shapes of the layer's tensors.
    Weights,
    /// Number of parameters.
    Parameters,
    /// Whether they are trained: `yes`, `no` or `partly`.
    Trainable,
    /// Number of those that are not trained.
    NonTrainable,
    /// Multiply-adds of the forward pass.
    MultiplyAdds,
    /// Their share of all, in percent.
    Share,
    /// The size of the output.
    Memory,
}

impl Column {
    /// The columns that are shown unless others are asked for.
    #[rustfmt::skip]
    pub const DEFAULT: [Self; 9] = [
        Self::Input, Self::Output, Self::Kernel, Self::ReceptiveField, Self::Parameters, Self::NonTrainable, Self::MultiplyAdds,
        Self::Share, Self::Memory,
    ];

    /// Returns the heading, the alignment, and how dispensable the column is.
    fn layout(self) -> (&'static str, Align, u8) {
        match self {
            Self::Input => ("Input", Align::Left, 6),
            Self::Output => ("Output", Align::Left, 1),
            Self::Kernel => ("Kernel", Align::Left, 5),
            Self::ReceptiveField => ("Receptive field", Align::Left, 7),
            Self::Weights => ("Weights", Align::Left, 8),
            Self::Parameters => ("Parameters", Align::Right, 0),
            Self::Trainable => ("Trainable", Align::Left, 4),
            Self::NonTrainable => ("Non-trainable", Align::Right, 4),
            Self::MultiplyAdds => ("Mult-adds", Align::Right, 2),
            Self::Share => ("%", Align::Right, 3),
            Self::Memory => ("Memory", Align::Right, 3),
        }
    }

    fn cell(self, row: &Row, multiply_adds: u64) -> String {
        let positive = |number: u64, write: fn(u64) -> String| if number == 0 { String::new() } else { write(number) };
        let field = row.receptive_field.as_deref().filter(|_| row.kernel.is_some());
        match self {
            Self::Input => row.input.as_ref().map(Dimensions::to_string).unwrap_or_default(),
            Self::Output => row.output.as_ref().map(Dimensions::to_string).unwrap_or_default(),
            Self::Kernel => row.kernel.as_ref().map(kernel).unwrap_or_default(),
            Self::ReceptiveField => field.map(times).unwrap_or_default(),
            Self::Weights => joined(&row.weights, ", ", |weight| format!("{} {:?}", weight.name, weight.shape)),
            Self::Parameters => parameters(row),
            Self::Trainable => trainable(row).to_owned(),
            Self::NonTrainable => positive(row.parameters.non_trainable as u64, grouped),
            Self::MultiplyAdds => positive(row.multiply_adds, short),
            Self::Share => percent(row.multiply_adds, multiply_adds),
            Self::Memory => positive(row.activation_bytes as u64, bytes),
        }
    }
}

/// Returns the table's columns: the names, with what `indent` puts before them, and those of `columns` that have
/// something to say.
pub(super) fn cells(rows: &[Row], columns: &[Column], multiply_adds: u64, indent: &str) -> Vec<Cells> {
    let names = Cells { title: "Layer".to_owned(), align: Align::Left, dispensable: 0, cells: labels(rows, indent) };
    let others = columns.iter().map(|column| {
        // An open container's numbers are those of the rows below it.
        let cell = |(index, row)| if is_open(rows, index) { String::new() } else { column.cell(row, multiply_adds) };
        let (title, align, dispensable) = column.layout();
        Cells { title: title.to_owned(), align, dispensable, cells: rows.iter().enumerate().map(cell).collect() }
    });
    let says = |column: &Cells| column.dispensable < 2 || column.cells.iter().any(|cell| !cell.is_empty());
    [names].into_iter().chain(others.filter(says)).collect()
}

/// Writes each row; paths go on from the container that the row lies in.
fn labels<'a>(rows: &'a [Row], indent: &str) -> Vec<String> {
    let mut containers: Vec<&str> = Vec::new();
    let label = |row: &'a Row| {
        containers.truncate(row.depth);
        let inner = |container: &&str| row.path.strip_prefix(*container)?.strip_prefix('.');
        let path = containers.last().and_then(inner).unwrap_or(&row.path);
        if row.role == Role::Container {
            containers.push(&row.path);
        }
        indent.repeat(row.depth) + &declared(path, row)
    };
    rows.iter().map(label).collect()
}

/// Writes `3x3`, with the stride if it is not 1, and the dilation likewise: `3x3/2`, `3x3/1 d2`.
fn kernel(kernel: &Kernel) -> String {
    let unless_one = |mark: &str, sizes: &[usize]| match sizes {
        sizes if sizes.iter().all(|size| *size == 1) => String::new(),
        [first, rest @ ..] if rest.iter().all(|size| size == first) => format!("{mark}{first}"),
        sizes => format!("{mark}{}", times(sizes)),
    };
    times(&kernel.size) + &unless_one("/", &kernel.stride) + &unless_one(" d", &kernel.dilation)
}

fn times(sizes: &[usize]) -> String {
    joined(sizes, "x", usize::to_string)
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

fn trainable(row: &Row) -> &'static str {
    match (row.parameters.trainable, row.parameters.non_trainable) {
        (0, 0) => "",
        (_, 0) => "yes",
        (0, _) => "no",
        _ => "partly",
    }
}
