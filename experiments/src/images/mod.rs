//! Image sets made of other image sets.

mod changing;
mod placing;
mod whole;

pub use changing::{erased, noisy, quarters_swapped, with_stroke};
pub use placing::{DIGIT, boxed, digits, middle, on_canvas, placed};
pub use whole::{black, enlarged, grey, scaled, subset};
