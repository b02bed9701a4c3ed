//! Columns of text, drawn as a box or as Markdown.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
}

/// One column, with a cell for each row.
#[derive(Clone, Debug)]
pub(super) struct Cells {
    pub title: String,
    pub align: Align,
    /// Which column is left out first where there is no room: the largest number; 1 only where names cannot be
    /// shortened any more, 0 never.
    pub dispensable: u8,
    pub cells: Vec<String>,
}

impl Cells {
    pub fn width(&self) -> usize {
        let cells = self.cells.iter().map(|cell| cell.chars().count());
        cells.max().unwrap_or(0).max(self.title.chars().count())
    }
}

/// The least that the first column is shortened to.
const NARROWEST_NAMES: usize = 12;

/// Fits columns into a width: leaves out columns, the most dispensable first, and shortens the first column before the
/// last one goes.
pub(super) fn fit(columns: &mut Vec<Cells>, width: usize) {
    while total_width(columns) > width {
        let dispensable = columns.iter().enumerate().filter(|(_, column)| column.dispensable > 0);
        let Some((index, column)) = dispensable.max_by_key(|(_, column)| column.dispensable) else { break };
        let excess = total_width(columns) - width;
        if column.dispensable == 1 && columns[0].width() >= NARROWEST_NAMES + excess {
            break;
        }
        columns.remove(index);
    }
    let excess = total_width(columns).saturating_sub(width);
    if excess > 0
        && let Some(names) = columns.first_mut()
    {
        let room = names.width().saturating_sub(excess).max(NARROWEST_NAMES);
        for cell in names.cells.iter_mut().filter(|cell| cell.chars().count() > room) {
            *cell = cell.chars().take(room - 1).collect::<String>() + "…";
        }
    }
}

/// Returns the width of the box with its lines.
fn total_width(columns: &[Cells]) -> usize {
    columns.iter().map(|column| column.width() + 3).sum::<usize>() + 1
}

pub(super) fn boxed(columns: &[Cells]) -> String {
    let rule = |left, middle, right| {
        let lines: Vec<_> = columns.iter().map(|column| "─".repeat(column.width() + 2)).collect();
        format!("{left}{}{right}\n", lines.join(middle))
    };
    let line = |cells: Vec<&str>| {
        let cell = |(column, cell): (&Cells, &str)| match column.align {
            Align::Left => format!(" {cell:<width$} ", width = column.width()),
            Align::Right => format!(" {cell:>width$} ", width = column.width()),
        };
        let cells: Vec<_> = columns.iter().zip(cells).map(cell).collect();
        format!("│{}│\n", cells.join("│"))
    };
    let header = rule("┌", "┬", "┐") + &line(titles(columns)) + &rule("├", "┼", "┤");
    header + &rows(columns).map(line).collect::<String>() + &rule("└", "┴", "┘")
}

pub(super) fn markdown(columns: &[Cells]) -> String {
    let line = |cells: Vec<&str>| {
        let cells: Vec<_> = cells.iter().map(|cell| cell.replace('|', "\\|").replace('<', "\\<")).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let aligns = columns.iter().map(|column| match column.align {
        Align::Left => "---",
        Align::Right => "---:",
    });
    line(titles(columns)) + &line(aligns.collect()) + &rows(columns).map(line).collect::<String>()
}

fn titles(columns: &[Cells]) -> Vec<&str> {
    columns.iter().map(|column| column.title.as_str()).collect()
}

fn rows(columns: &[Cells]) -> impl Iterator<Item = Vec<&str>> {
    let count = columns.first().map_or(0, |column| column.cells.len());
    (0..count).map(|row| columns.iter().map(|column| column.cells[row].as_str()).collect())
}
