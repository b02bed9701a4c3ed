//! The kernels, on plain slices: they know nothing of Burn.

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
pub use problem::{Pool, Problem, Window};
pub use simd::{LEVEL_VARIABLE, Level};
