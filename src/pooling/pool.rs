//! A pooling layer chosen by configuration.

use burn::module::Module;
use burn::nn::pool::{AvgPool2d, AvgPool2dConfig, MaxPool2d, MaxPool2dConfig};
use burn::tensor::{Tensor, backend::Backend};
use serde::{Deserialize, Serialize};

use super::error::{WindowError, expect};
use super::head::{Head, HeadPool2d};
use super::layer::Pooling;
use super::max_blur::{MaxBlurPool2d, MaxBlurPool2dConfig};
use super::sliding::{average_pool, average_window, is_plain_average, is_plain_max, max_pool, max_window};
use super::window::Window;
use super::{global_average::GlobalAvgPool2d, global_max::GlobalMaxPool2d};
use crate::cpu::conv_pool as cpu;

/// Configuration of a [`Pool2d`]: the kind of pooling, with kernel size and stride.
///
/// ```
/// use burn_pooling::pooling::Pool2dConfig;
///
/// let pool = Pool2dConfig::Max { kernel_size: [2, 2], stride: [2, 2] };
/// assert_eq!(pool.output_size([26, 26]), Ok([13, 13]));
/// assert_eq!(Pool2dConfig::GlobalMax.output_size([26, 26]), Ok([1, 1]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pool2dConfig {
    /// The largest value of each window.
    Max {
        /// Height and width of the window.
        #[serde(alias = "window")]
        kernel_size: [usize; 2],
        /// Vertical and horizontal stride.
        stride: [usize; 2],
    },
    /// The mean of each window.
    Average {
        /// Height and width of the window.
        #[serde(alias = "window")]
        kernel_size: [usize; 2],
        /// Vertical and horizontal stride.
        stride: [usize; 2],
    },
    /// The largest value of each channel.
    GlobalMax,
    /// The mean of each channel.
    GlobalAverage,
    /// The largest value of each 2x2 window at stride 1, then a blur with stride 2; see [`MaxBlurPool2d`].
    BlurredMax,
    /// Another global pooling.
    Head(Head),
}

impl Pool2dConfig {
    /// Creates the layer for maps of `channels` channels.
    pub fn init<B: Backend>(&self, channels: usize, device: &B::Device) -> Pool2d<B> {
        match *self {
            Self::Max { kernel_size, stride } => {
                Pool2d::Max(MaxPool2dConfig::new(kernel_size).with_strides(stride).init())
            }
            Self::Average { kernel_size, stride } => {
                Pool2d::Average(AvgPool2dConfig::new(kernel_size).with_strides(stride).init())
            }
            Self::GlobalMax => Pool2d::GlobalMax(GlobalMaxPool2d::new()),
            Self::GlobalAverage => Pool2d::GlobalAverage(GlobalAvgPool2d::new()),
            Self::BlurredMax => Pool2d::BlurredMax(MaxBlurPool2d::new()),
            Self::Head(head) => Pool2d::Head(head.init(channels, device)),
        }
    }

    /// Returns whether it reduces each channel to one value.
    pub fn is_global(&self) -> bool {
        matches!(self, Self::GlobalMax | Self::GlobalAverage | Self::Head(_))
    }

    /// Returns the number of channels of the output for an input of `channels` channels.
    pub fn output_channels(&self, channels: usize) -> usize {
        if let Self::Head(head) = self { head.outputs(channels) } else { channels }
    }

    /// Returns height and width of the output for an input of height and width `input`; `[1, 1]` if it is global.
    ///
    /// # Errors
    /// [`WindowError`] if the kernel does not fit, or the kernel, the stride or the input is empty.
    pub fn output_size(&self, input: [usize; 2]) -> Result<[usize; 2], WindowError> {
        self.windows(input).iter().try_fold(input, |size, window| window.output_size(size))
    }

    /// Returns the windows that slide over an input of height and width `input`, one after the other.
    pub(super) fn windows(&self, input: [usize; 2]) -> Vec<Window> {
        let window = |what, kernel_size, stride| Window { what, kernel_size, stride, padding: [0, 0] };
        match *self {
            Self::Max { kernel_size, stride } | Self::Average { kernel_size, stride } => {
                vec![window("pooling kernel", kernel_size, stride)]
            }
            Self::GlobalMax | Self::GlobalAverage | Self::Head(_) => vec![Window::whole(input)],
            Self::BlurredMax => MaxBlurPool2dConfig::new().windows().to_vec(),
        }
    }
}

/// A pooling layer of any kind; created by [`Pool2dConfig::init`].
///
/// # Numbers
/// - On Flex and NdArray in `f32`, alone or under `Autodiff`, a window that holds NaN has NaN as its maximum. The
///   gradient goes to the first of equal maxima, or to the last NaN, as PyTorch's `max_pool2d` has it. On Flex that holds
///   in `f16` and `bf16` too. In `f64` and on other backends Burn's max pooling may miss a NaN.
/// - On Flex and NdArray in `f32`, means keep what rounding takes from their sum, and do not overflow.
/// - NdArray has `f32` and `f64`, Flex `f16` and `bf16` as well; what is not `f32` is never fused.
/// - Under `Autodiff<Autodiff<B>>`, Burn 0.21 panics in the backward pass of max and average windows, for it has no
///   second derivative of them; global pooling has one.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant, reason = "a network has few")]
pub enum Pool2d<B: Backend> {
    /// The largest value of each window.
    Max(MaxPool2d),
    /// The mean of each window.
    Average(AvgPool2d),
    /// The largest value of each channel.
    GlobalMax(GlobalMaxPool2d),
    /// The mean of each channel.
    GlobalAverage(GlobalAvgPool2d),
    /// The largest value of each window, blurred.
    BlurredMax(MaxBlurPool2d),
    /// Another global pooling.
    Head(HeadPool2d<B>),
}

impl<B: Backend> Pooling<B> for Pool2d<B> {
    fn pool(&self, input: Tensor<B, 4>) -> Result<Tensor<B, 4>, WindowError> {
        self.try_forward(input)
    }
}

impl<B: Backend> Pool2d<B> {
    /// Pools every channel.
    ///
    /// # Shapes
    /// - input: `[batch, channels, height, width]`
    /// - output: `[batch, channels, pooled height, pooled width]`; global: `[batch, channels, 1, 1]`, of
    ///   [`Head::Concatenated`] twice the channels
    ///
    /// # Panics
    /// If [`try_forward`](Self::try_forward) returns an error; [`Pool2dConfig::output_size`] tells beforehand.
    pub fn forward(&self, input: Tensor<B, 4>) -> Tensor<B, 4> {
        expect(self.try_forward(input))
    }

    /// Does the same, or returns why it cannot.
    ///
    /// # Errors
    /// [`WindowError`] if the kernel does not fit, or the kernel, the stride or the input is empty.
    pub fn try_forward(&self, input: Tensor<B, 4>) -> Result<Tensor<B, 4>, WindowError> {
        let [batch, channels, height, width] = input.dims();
        let global = |pooled: Tensor<B, 2>| pooled.reshape([batch, channels, 1, 1]);
        Ok(match self {
            Self::Max(pool) => {
                max_window(pool).output_size([height, width])?;
                max_pool(pool, input)
            }
            Self::Average(pool) => {
                average_window(pool).output_size([height, width])?;
                average_pool(pool, input)
            }
            Self::GlobalMax(pool) => global(pool.try_forward(input)?),
            Self::GlobalAverage(pool) => global(pool.try_forward(input)?),
            Self::BlurredMax(pool) => pool.try_forward(input)?,
            Self::Head(pool) => pool.try_forward(input)?,
        })
    }

    /// Returns the size of the output for an input of height and width `input`.
    pub(super) fn output_size(&self, input: [usize; 2]) -> Result<[usize; 2], WindowError> {
        match self {
            Self::Max(pool) => max_window(pool).output_size(input),
            Self::Average(pool) => average_window(pool).output_size(input),
            Self::GlobalMax(_) | Self::GlobalAverage(_) | Self::Head(_) => Window::whole(input).output_size(input),
            Self::BlurredMax(pool) => pool.output_size(input),
        }
    }

    /// Returns the pooling that the fused operation does, if it can; of a blurred maximum, the maximum, and none before a
    /// head that is not a reduction; with the parameter of each filter, or that of all.
    pub(super) fn fused(&self, device: &B::Device) -> Option<(cpu::Pool, Option<Tensor<B, 1>>)> {
        let window = |size, stride| cpu::Window { size, stride };
        let pool = match self {
            Self::Max(pool) | Self::BlurredMax(MaxBlurPool2d { pool, .. }) if is_plain_max(pool) => {
                cpu::Pool::Max(window(pool.kernel_size, pool.stride))
            }
            Self::Average(pool) if is_plain_average(pool) => cpu::Pool::Average(window(pool.kernel_size, pool.stride)),
            Self::GlobalMax(_) => cpu::Pool::GlobalMax,
            Self::GlobalAverage(_) => cpu::Pool::GlobalAverage,
            Self::Head(pool) => {
                return Some(match pool.reduction(device) {
                    Some((reduction, parameters)) => (cpu::Pool::Reduced(reduction), parameters),
                    None => (cpu::Pool::None { stride: [1, 1], depthwise: false }, None),
                });
            }
            Self::Max(_) | Self::BlurredMax(_) | Self::Average(_) => return None,
        };
        Some((pool, None))
    }
}
