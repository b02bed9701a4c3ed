//! The kernels of convolution, bias, ReLU and pooling, on plain slices: they know nothing of Burn.

// Small arrays stay in registers if they are read by constant indices, which is what loops over
// constant ranges become.
#![allow(clippy::needless_range_loop)]

mod backward;
mod by_event;
mod by_position;
mod convolution;
mod forward;
mod forward_image;
mod global;
mod gradients;
mod input_gradient;
mod padding;
mod problem;
mod runs;
#[cfg(test)]
mod tests;
mod weight_gradient;
mod window;

pub use backward::backward;
pub use forward::{Saved, forward, infer};
pub use gradients::Wanted;
pub use problem::{Pool, Problem, Window};

pub use crate::cpu::simd::{LEVEL_VARIABLE, Level};
