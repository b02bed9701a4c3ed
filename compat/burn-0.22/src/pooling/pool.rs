//! A pooling layer chosen by configuration.

use burn::tensor::Tensor;
use burn::tensor::module::{avg_pool2d, max_pool2d};
use burn::tensor::ops::{AvgPoolOptions, MaxPoolOptions};
use serde::Deserialize;

use super::blur::{BLUR, MAX, max_blur_pool};
use super::window::{Window, WindowError};
use super::{GlobalAvgPool2d, GlobalMaxPool2d};

/// A pooling layer of any kind, as `config.json` describes it.
///
/// ```
/// use burn::tensor::Tensor;
/// use burn_pooling_compat::pooling::Pool2d;
///
/// let pool: Pool2d = serde_json::from_str(r#"{ "Max": { "kernel_size": [2, 2], "stride": [2, 2] } }"#)?;
/// let maps = Tensor::<4>::zeros([1, 32, 26, 26], &Default::default());
/// assert_eq!(pool.forward(maps).dims(), [1, 32, 13, 13]);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Pool2d {
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
    /// The largest value of each 2x2 window at stride 1, then a 3x3 binomial blur with stride 2.
    BlurredMax,
}

impl Pool2d {
    /// Returns whether it reduces each channel to one value.
    pub fn is_global(&self) -> bool {
        matches!(self, Self::GlobalMax | Self::GlobalAverage)
    }

    /// Pools every channel.
    ///
    /// # Shapes
    /// - input: `[batch, channels, height, width]`
    /// - output: `[batch, channels, pooled height, pooled width]`; global: `[batch, channels, 1, 1]`
    ///
    /// # Panics
    /// If the window does not fit the input, the stride is 0, or the input is empty.
    pub fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        match *self {
            Self::Max { kernel_size, stride } => {
                max_pool2d(input, MaxPoolOptions::new(kernel_size).with_stride(stride))
            }
            Self::Average { kernel_size, stride } => {
                avg_pool2d(input, AvgPoolOptions::new(kernel_size).with_stride(stride))
            }
            Self::GlobalMax => GlobalMaxPool2d::new().forward(input).unsqueeze_dims(&[2, 3]),
            Self::GlobalAverage => GlobalAvgPool2d::new().forward(input).unsqueeze_dims(&[2, 3]),
            Self::BlurredMax => max_blur_pool(input),
        }
    }

    /// Returns the sizes and strides that a file gave.
    pub(super) fn numbers(&self) -> Vec<usize> {
        match *self {
            Self::Max { kernel_size, stride } | Self::Average { kernel_size, stride } => [kernel_size, stride].concat(),
            Self::GlobalMax | Self::GlobalAverage | Self::BlurredMax => Vec::new(),
        }
    }

    /// Returns height and width of the output for an input of height and width `input`.
    pub(super) fn output_size(&self, input: [usize; 2]) -> Result<[usize; 2], WindowError> {
        match *self {
            Self::Max { kernel_size, stride } | Self::Average { kernel_size, stride } => {
                Window { kernel_size, stride, padding: [0, 0] }.output_size(input)
            }
            Self::GlobalMax | Self::GlobalAverage => Ok([1, 1]),
            Self::BlurredMax => BLUR.output_size(MAX.output_size(input)?),
        }
    }
}
