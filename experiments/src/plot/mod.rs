//! Plots as SVG that can be read without the code: title, axes with units, legend, intervals.

mod bars;
mod canvas;
mod lines;
mod pictures;

pub use bars::{BarSeries, Bars};
pub use canvas::Plot;
pub use lines::{LineSeries, Lines};
pub use pictures::{Gallery, Picture};
