//! Convolution, bias, ReLU and pooling as one operation.
//!
//! Composed of Burn's operations, each of the four steps writes its whole result to memory and reads it back. Here an
//! image stays in the cache from its pixels to its pooled values, only these are stored, and beside them a few bits
//! per window that say where the gradient will go. The kernels work on plain slices and know nothing of Burn;
//! [`conv_pool`] applies them to tensors.
//!
//! # Numbers
//! - Sums are taken in another order than Burn's, so results differ by rounding.
//! - Of equal maxima the first in row-major order gets the gradient. The maximum is taken before the ReLU, so a window
//!   without a positive value sends its gradient nowhere.
//! - NaN comes out of a maximum or a mean as NaN, and of several in a window the last gets the gradient, as PyTorch's
//!   `max_pool2d` has it. Where a number is NaN or infinite, so are the gradients that it has a part in, be it times
//!   zero: such a batch is computed by the definition, far slower.
//! - The number of threads does not change a bit; the level of vector instructions does, see [`LEVEL_VARIABLE`].

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
mod operation;
mod padding;
mod problem;
mod runs;
mod sums;
#[cfg(test)]
#[path = "../../../tests/unit/conv_pool.rs"]
mod tests;
mod weight_gradient;
mod window;

pub use operation::conv_pool;
pub use problem::{Pool, Problem, Window};

pub use crate::cpu::simd::LEVEL_VARIABLE;
