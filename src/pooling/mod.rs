//! Pooling layers: what Burn lacks, and the block that pools right after a convolution.
//!
//! | layer | does |
//! | --- | --- |
//! | [`GlobalMaxPool2d`], [`GlobalAvgPool2d`] | reduce each channel to one value |
//! | [`BlurPool2d`], [`MaxBlurPool2d`] | halve height and width without aliasing |
//! | [`Pool2d`] | one of these, or Burn's max or average pooling, by configuration |
//! | [`ConvPool2d`] | convolution, normalisation, activation and pooling; on a CPU backend in one operation |
//!
//! ```
//! # #[cfg(feature = "flex")] {
//! use burn::tensor::Tensor;
//! use burn_pooling::pooling::ConvPool2dConfig;
//!
//! let device = Default::default();
//! let block = ConvPool2dConfig::new(16, [3, 3]).global_max_pool().init::<burn_flex::Flex>(3, &device);
//! let images = Tensor::zeros([2, 3, 40, 30], &device); // [batch, channels, height, width]
//! assert_eq!(block.forward(images).dims(), [2, 16, 1, 1]);
//! # }
//! ```

mod activation;
mod blur;
mod conv_pool;
mod global_average;
mod global_max;
mod pool;
mod sliding;
mod window;

#[cfg(any(feature = "flex", feature = "ndarray"))]
pub use crate::cpu::conv_pool::{EXACT_VARIABLE, LEVEL_VARIABLE};
pub use activation::Activation;
#[cfg(feature = "exchange")]
pub(crate) use blur::blur_filter;
pub use blur::{BlurPool2d, MaxBlurPool2d};
pub use conv_pool::{ConvPool2d, ConvPool2dConfig};
pub use global_average::GlobalAvgPool2d;
pub use global_max::GlobalMaxPool2d;
pub use pool::{Pool2d, Pool2dConfig};
pub(crate) use window::Window;
pub use window::WindowError;
