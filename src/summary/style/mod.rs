//! How a summary is printed.

mod columns;
mod comparison;
mod grid;
mod keras;
mod number;
mod styled;
mod visible;

pub use comparison::StyledComparison;
pub use styled::{DEFAULT_WIDTH, Style, Styled, UnknownStyle};
