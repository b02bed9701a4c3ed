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
//! - NaN comes out of a maximum or a mean as NaN. (Burn's ReLU on Flex turns it into zero.)
//! - The number of threads does not change a bit; the level of vector instructions does, see [`LEVEL_VARIABLE`].

// Small arrays stay in registers if they are read by constant indices, which is what loops over
// constant ranges become.
#![allow(clippy::needless_range_loop)]

mod backward;
mod by_events;
mod by_positions;
mod convolution;
mod events;
mod forward;
mod gated;
mod global;
mod image;
mod input_gradient;
mod layout;
mod operation;
mod parallel;
mod positions;
mod problem;
mod scratch;
mod simd;
#[cfg(test)]
mod tests;
mod window;

pub use backward::{Wanted, backward};
pub use forward::{Saved, forward, infer};
pub use operation::conv_pool;
pub use problem::{Pool, Problem, Window};
pub use simd::{LEVEL_VARIABLE, Level};
