//! A box-drawn table that fits a given width.

use super::Styled;
use super::columns::{Align, Column, columns, title, totals};

/// The least that the column of names is shortened to.
const NARROWEST_NAMES: usize = 12;

pub(super) fn render(styled: &Styled<'_>) -> String {
    let mut columns = columns(styled, "  ");
    fit(&mut columns, styled.width);
    let widths: Vec<usize> = columns.iter().map(Column::width).collect();
    let rule = |left, middle, right| {
        let lines: Vec<_> = widths.iter().map(|width| "─".repeat(width + 2)).collect();
        format!("{left}{}{right}\n", lines.join(middle))
    };
    let rows = columns.first().map_or(0, |column| column.cells.len());

    let mut text = title(styled.summary) + "\n";
    text += &rule("┌", "┬", "┐");
    text += &line(&columns, &widths, |column| column.title);
    text += &rule("├", "┼", "┤");
    for row in 0..rows {
        text += &line(&columns, &widths, |column| &column.cells[row]);
    }
    text += &rule("└", "┴", "┘");
    for (label, value) in totals(styled.summary) {
        text += &format!("{label:<20} {value}\n");
    }
    text
}

fn line<'a>(
    columns: &'a [Column],
    widths: &[usize],
    cell: impl Fn(&'a Column) -> &'a str,
) -> String {
    let cells: Vec<_> = columns
        .iter()
        .zip(widths)
        .map(|(column, &width)| match column.align {
            Align::Left => format!(" {:<width$} ", cell(column)),
            Align::Right => format!(" {:>width$} ", cell(column)),
        })
        .collect();
    format!("│{}│\n", cells.join("│"))
}

/// Leaves out columns, the most dispensable first, then shortens names.
fn fit(columns: &mut Vec<Column>, width: usize) {
    while total(columns) > width {
        let most = columns
            .iter()
            .map(|column| column.dispensable)
            .max()
            .unwrap_or(0);
        if most == 0 {
            break;
        }
        if let Some(index) = columns
            .iter()
            .rposition(|column| column.dispensable == most)
        {
            columns.remove(index);
        }
    }
    let excess = total(columns).saturating_sub(width);
    if excess > 0
        && let Some(names) = columns.first_mut()
    {
        let room = names.width().saturating_sub(excess).max(NARROWEST_NAMES);
        for cell in &mut names.cells {
            shorten(cell, room);
        }
    }
}

/// The width of the table with its lines.
fn total(columns: &[Column]) -> usize {
    columns
        .iter()
        .map(|column| column.width() + 3)
        .sum::<usize>()
        + 1
}

fn shorten(cell: &mut String, room: usize) {
    if cell.chars().count() > room {
        *cell = cell.chars().take(room - 1).collect::<String>() + "…";
    }
}
