//! A box-drawn table that fits a given width, and the totals under it.

use super::Styled;
use super::columns::{columns, title, totals};
use super::grid::{boxed, fit};

pub(super) fn render(styled: &Styled<'_>) -> String {
    let mut columns = columns(styled, "  ");
    fit(&mut columns, styled.width);
    let mut text = title(styled.summary) + "\n";
    text += &boxed(&columns);
    for (label, value) in totals(styled.summary) {
        text += &format!("{label:<20} {value}\n");
    }
    text
}
