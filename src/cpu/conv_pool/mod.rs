//! Convolution, bias, ReLU and pooling as one operation.
//!
//! Composed of Burn's operations, each of the four steps writes its whole result to memory and reads it back. Here an
//! image, or some rows of a large one, stays in the cache from its pixels to its sums; only the pooled values are stored,
//! and beside them a few bits per window that say where the gradient will go. The kernels work on plain slices and know nothing of Burn;
//! [`conv_pool`] applies them to tensors.
//!
//! # Numbers
//! - Sums are taken in another order than Burn's, so results differ by rounding.
//! - Of equal maxima the first in row-major order gets the gradient. The maximum is taken before the ReLU, so a window
//!   without a positive value sends its gradient nowhere.
//! - NaN comes out of a maximum or a mean as NaN, and of several in a window the last gets the gradient, as PyTorch's
//!   `max_pool2d` has it. Where a number is NaN or infinite, so are the gradients that it has a part in, be it times
//!   zero: such a batch is computed by the definition, far slower.
//! - Convolutions of 3x3 are computed with fewer multiplications where that is faster, in tiles of 2x2 or 4x4 outputs. On
//!   random numbers, and up to 256 channels, outputs and gradients are within 2e-6 and 2e-5 of the largest value; the
//!   tests allow 1e-5 and 1e-4. Positions that are equal may then differ by rounding: of equal maxima another one may get
//!   the gradient, and a sum that is next to zero may count as active or not. [`Algorithm::Direct`], or
//!   [`EXACT_VARIABLE`], computes product by product.
//! - The number of threads does not change a bit; the level of vector instructions does, see [`LEVEL_VARIABLE`], and so
//!   may the batch size, on which the algorithm depends.

mod algorithm;
mod backward;
mod by_definition;
mod by_event;
mod by_position;
mod convolution;
mod forward;
mod forward_image;
mod global;
mod gradients;
mod input_gradient;
mod magnitude;
mod of_maps;
mod operation;
mod padding;
mod problem;
mod runs;
mod saved;
mod spread;
mod sums;
#[cfg(test)]
#[path = "../../../tests/unit/conv_pool.rs"]
mod tests;
mod weight_gradient;
mod window;
mod winograd;

pub use algorithm::{EXACT_VARIABLE, forced_exact};
pub use operation::conv_pool;
pub use problem::{Algorithm, Pool, Problem, Window};

pub use crate::cpu::simd::LEVEL_VARIABLE;
