//! The kernels, on plain slices: they know nothing of Burn.

mod backward;
mod convolution;
mod dense;
mod forward;
mod global;
mod layout;
mod parallel;
mod problem;
mod scratch;
mod simd;
mod sparse;
#[cfg(test)]
mod tests;
mod window;

pub use backward::{Wanted, backward};
pub use forward::{Saved, forward, infer};
pub use problem::{Pool, Problem, Window};
pub use simd::{LEVEL_VARIABLE, Level};
