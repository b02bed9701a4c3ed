//! Pooling layers: what Burn lacks (global pooling), and the block that pools right after a convolution.

mod conv_pool;
#[cfg(any(feature = "flex", feature = "ndarray"))]
pub(crate) mod fused;
mod global;
mod pool;

pub use conv_pool::{ConvPool2d, ConvPool2dConfig};
#[cfg(any(feature = "flex", feature = "ndarray"))]
pub use fused::LEVEL_VARIABLE;
pub use global::{GlobalAvgPool2d, GlobalMaxPool2d};
pub use pool::{Pool2d, Pool2dConfig, WindowError};
