//! Plots as SVG.

mod canvas;
mod dots;
mod lines;
mod pictures;
mod style;
mod ticks;

pub use canvas::Plot;
pub use dots::Dots;
pub use lines::{LineSeries, Lines};
pub use pictures::{Gallery, Picture};
