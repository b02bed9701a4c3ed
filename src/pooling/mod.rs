//! Pooling layers: what Burn lacks, and the block that pools right after a convolution.
//!
//! | layer | does |
//! | --- | --- |
//! | [`GlobalMaxPool2d`], [`GlobalAvgPool2d`] | reduce each channel to one value |
//! | [`AdaptiveMaxPool2d`], [`AdaptiveAvgPool2d`] | reduce a map of any size to one of a given size |
//! | [`ConcatPool2d`], [`AvgMaxPool2d`] | maximum and mean side by side, or half their sum |
//! | [`MixedPool2d`], [`GatedPool2d`] | a learned share of the maximum, the rest of the mean |
//! | [`LpPool2d`] | the p-norm |
//! | [`GemPool2d`], [`LogSumExpPool2d`] | from the mean to the maximum, by a learned power or sharpness |
//! | [`SoftPool2d`] | values weighted by their softmax |
//! | [`StochasticPool2d`] | one value, drawn while training |
//! | [`TopKPool2d`] | the mean of the largest values |
//! | [`IndexedMaxPool2d`], [`MaxUnpool2d`] | maxima with their places, and values back to these |
//! | [`SpatialPyramidPool2d`] | windows of several levels in one vector |
//! | [`AttentionPool2d`] | one query that attends to all positions |
//! | [`BlurPool2d`], [`MaxBlurPool2d`], [`BlurConv2d`] | leave out positions without aliasing |
//! | [`Pool1d`] | any of the layers that take a [`PoolWindow`], along sequences |
//! | [`Pool2d`] | one of the poolings of the four networks, by configuration |
//! | [`ConvPool2d`] | convolution, normalisation, activation and pooling; on a CPU backend in one operation |
//!
//! On Flex and NdArray in `f32`, a layer that reduces the windows of a [`PoolWindow`] is one operation in each direction;
//! [`ConcatPool2d`] is two, [`IndexedMaxPool2d`] and a [`StochasticPool2d`] that draws are composed of Burn's operations, as
//! all are elsewhere. `f16` and `bf16` are reduced in `f32`. Of equal maxima the first gets the gradient. NaN in a window
//! gives NaN where the layer is one operation; composed, Burn's maximum may miss it.
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
mod adaptive_average;
mod adaptive_max;
mod attention;
mod average_max;
mod blur;
mod blur_conv;
mod concatenated;
mod conv_pool;
mod error;
mod gated;
mod generalized_mean;
mod global_average;
mod global_max;
mod head;
mod indexed_max;
mod layer;
mod log_sum_exp;
mod max_blur;
mod mixed;
mod pool;
mod pool_window;
mod power;
mod pyramid;
mod reduce;
mod sequence;
mod sliding;
mod soft;
mod stochastic;
mod top_k;
mod unpool;
mod window;

#[cfg(any(feature = "flex", feature = "ndarray"))]
pub use crate::cpu::conv_pool::{EXACT_VARIABLE, LEVEL_VARIABLE};
pub use activation::Activation;
pub use adaptive_average::AdaptiveAvgPool2d;
pub use adaptive_max::AdaptiveMaxPool2d;
pub use attention::{AttentionPool2d, AttentionPool2dConfig};
pub use average_max::AvgMaxPool2d;
#[cfg(feature = "exchange")]
pub(crate) use blur::blur_filter;
pub use blur::{BlurPadding, BlurPool2d, BlurPool2dConfig};
pub use blur_conv::{BlurConv2d, BlurConv2dConfig};
pub use concatenated::{ConcatOrder, ConcatPool2d};
pub use conv_pool::{ConvPool2d, ConvPool2dConfig};
pub use error::WindowError;
pub use gated::{GatedPool2d, GatedPool2dConfig};
pub use generalized_mean::{GemPool2d, GemPool2dConfig};
pub use global_average::GlobalAvgPool2d;
pub use global_max::GlobalMaxPool2d;
pub use head::{Head, HeadPool2d};
pub use indexed_max::IndexedMaxPool2d;
pub use layer::Pooling;
pub use log_sum_exp::{LogSumExpPool2d, LogSumExpPool2dConfig};
pub use max_blur::{MaxBlurPool2d, MaxBlurPool2dConfig};
pub use mixed::{MixedPool2d, MixedPool2dConfig};
pub use pool::{Pool2d, Pool2dConfig};
pub use pool_window::PoolWindow;
pub use power::LpPool2d;
pub use pyramid::{PyramidKind, SpatialPyramidPool2d, SpatialPyramidPool2dConfig};
pub use sequence::Pool1d;
pub use soft::SoftPool2d;
pub use stochastic::StochasticPool2d;
pub use top_k::TopKPool2d;
pub use unpool::MaxUnpool2d;
pub(crate) use window::Window;
