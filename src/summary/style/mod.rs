//! How a summary is printed.

mod columns;
mod comparison;
mod format;
mod grid;
mod keras;
mod number;
mod styled;

pub use comparison::StyledComparison;
pub use format::{DEFAULT_WIDTH, Style, UnknownStyle};
pub use styled::Styled;
