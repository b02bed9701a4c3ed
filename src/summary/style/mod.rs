//! How a summary is printed.

mod columns;
mod comparison;
mod graph;
mod grid;
mod keras;
mod number;
mod styled;
mod visible;

pub use columns::Column;
pub use comparison::StyledComparison;
pub use styled::{DEFAULT_WIDTH, Style, Styled, UnknownStyle};
