//! A Markdown table and a list of totals.

use super::Styled;
use super::columns::{Align, Column, columns, title, totals};

/// Spaces at the start of a Markdown cell are dropped; this one is not.
const INDENT: &str = "&emsp;";

pub(super) fn render(styled: &Styled<'_>) -> String {
    let columns = columns(styled, INDENT);
    let rows = columns.first().map_or(0, |column| column.cells.len());
    let mut text = format!("**{}**\n\n", title(styled.summary));
    text += &line(&columns, |column| column.title.to_string());
    text += &line(&columns, |column| match column.align {
        Align::Left => "---".to_string(),
        Align::Right => "---:".to_string(),
    });
    for row in 0..rows {
        text += &line(&columns, |column| column.cells[row].replace('|', "\\|"));
    }
    text.push('\n');
    for (label, value) in totals(styled.summary) {
        let nested = label.starts_with(' ');
        let indent = if nested { "  " } else { "" };
        text += &format!("{indent}- {}: {value}\n", label.trim().to_lowercase());
    }
    text
}

fn line(columns: &[Column], cell: impl Fn(&Column) -> String) -> String {
    let cells: Vec<_> = columns
        .iter()
        .map(|column| format!(" {} ", cell(column)))
        .collect();
    format!("|{}|\n", cells.join("|"))
}
