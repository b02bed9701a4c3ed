//! A Markdown table and a list of totals.

use super::Styled;
use super::columns::{columns, title, totals};
use super::grid::markdown;

/// Spaces at the start of a Markdown cell are dropped; this one is not.
const INDENT: &str = "&emsp;";

pub(super) fn render(styled: &Styled<'_>) -> String {
    let mut text = format!("**{}**\n\n", title(styled.summary));
    text += &markdown(&columns(styled, INDENT));
    text.push('\n');
    for (label, value) in totals(styled.summary) {
        let indent = if label.starts_with(' ') { "  " } else { "" };
        text += &format!("{indent}- {}: {value}\n", label.trim());
    }
    text
}
