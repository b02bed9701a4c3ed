//! The CPU engine: what the layers compute on backends whose tensors lie in memory.

mod buffer;
pub(crate) mod conv_pool;
mod parallel;
mod simd;
mod transpose;
