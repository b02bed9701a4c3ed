//! Pooling layers: what Burn lacks (global pooling), and the block that pools right after a convolution.

mod conv_pool;
mod global;
mod pool;

#[cfg(any(feature = "flex", feature = "ndarray"))]
pub use crate::cpu::conv_pool::LEVEL_VARIABLE;
pub use conv_pool::{ConvPool2d, ConvPool2dConfig};
pub use global::{GlobalAvgPool2d, GlobalMaxPool2d};
pub use pool::{Pool2d, Pool2dConfig, WindowError};
