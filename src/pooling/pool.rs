//! A pooling layer chosen by configuration.

use burn::module::Module;
use burn::nn::pool::{AvgPool2d, AvgPool2dConfig, MaxPool2d, MaxPool2dConfig};
use burn::tensor::{Tensor, backend::Backend};
use serde::{Deserialize, Serialize};

use super::{GlobalAvgPool2d, GlobalMaxPool2d};
use crate::cpu::conv_pool::{Pool, Window};
use burn::nn::PaddingConfig2d;

/// A window that no image of the given size can hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WindowError {
    /// The window is larger than what it slides over.
    #[error(
        "a {}x{} {what} does not fit {}x{} positions; use a smaller {what} or a larger image",
        window[0], window[1], positions[0], positions[1]
    )]
    TooLarge {
        /// What slides: a kernel, a pool window.
        what: &'static str,
        /// Height and width of the window.
        window: [usize; 2],
        /// Height and width of the image or feature map, with its padding.
        positions: [usize; 2],
    },
    /// A side of the window or a stride is 0.
    #[error("a {what} has a side of 0: expected at least 1, found {}x{}", size[0], size[1])]
    Zero {
        /// What is empty: a kernel, a pool window, a stride, an image.
        what: &'static str,
        /// Height and width as given.
        size: [usize; 2],
    },
}

/// Which pooling, with which window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pool2dConfig {
    /// The largest value of each window.
    Max {
        /// Height and width of the window.
        window: [usize; 2],
        /// Steps between windows, down and across.
        stride: [usize; 2],
    },
    /// The mean of each window.
    Average {
        /// Height and width of the window.
        window: [usize; 2],
        /// Steps between windows, down and across.
        stride: [usize; 2],
    },
    /// The largest value of each channel.
    GlobalMax,
    /// The mean of each channel.
    GlobalAverage,
}

impl Pool2dConfig {
    /// The layer.
    pub fn init(&self) -> Pool2d {
        match *self {
            Self::Max { window, stride } => {
                Pool2d::Max(MaxPool2dConfig::new(window).with_strides(stride).init())
            }
            Self::Average { window, stride } => {
                Pool2d::Average(AvgPool2dConfig::new(window).with_strides(stride).init())
            }
            Self::GlobalMax => Pool2d::GlobalMax(GlobalMaxPool2d::new()),
            Self::GlobalAverage => Pool2d::GlobalAverage(GlobalAvgPool2d::new()),
        }
    }

    /// Height and width after pooling `positions`; `[1, 1]` for the global ones.
    ///
    /// # Errors
    /// [`WindowError`] if a window does not fit, or a window, a stride or the input is empty.
    pub fn output_size(&self, positions: [usize; 2]) -> Result<[usize; 2], WindowError> {
        match *self {
            Self::Max { window, stride } | Self::Average { window, stride } => {
                slide("pool window", window, stride, positions)
            }
            Self::GlobalMax | Self::GlobalAverage => {
                refuse_zero("feature map", positions)?;
                Ok([1, 1])
            }
        }
    }
}

/// Number of positions that a window takes, down and across.
pub(super) fn slide(
    what: &'static str,
    window: [usize; 2],
    stride: [usize; 2],
    positions: [usize; 2],
) -> Result<[usize; 2], WindowError> {
    refuse_zero(what, window)?;
    refuse_zero("stride", stride)?;
    if window[0] > positions[0] || window[1] > positions[1] {
        return Err(WindowError::TooLarge { what, window, positions });
    }
    Ok([0, 1].map(|side| (positions[side] - window[side]) / stride[side] + 1))
}

fn refuse_zero(what: &'static str, size: [usize; 2]) -> Result<(), WindowError> {
    if size.contains(&0) {
        return Err(WindowError::Zero { what, size });
    }
    Ok(())
}

/// One of four pooling layers; made by [`Pool2dConfig::init`].
#[derive(Module, Clone, Debug)]
pub enum Pool2d {
    /// The largest value of each window.
    Max(MaxPool2d),
    /// The mean of each window.
    Average(AvgPool2d),
    /// The largest value of each channel.
    GlobalMax(GlobalMaxPool2d),
    /// The mean of each channel.
    GlobalAverage(GlobalAvgPool2d),
}

impl Pool2d {
    /// Pools every channel.
    ///
    /// # Shapes
    /// - input: `[batch, channels, height, width]`
    /// - output: `[batch, channels, pooled height, pooled width]`; global: `[batch, channels, 1, 1]`
    ///
    /// # Panics
    /// If the window does not fit the input; [`Pool2dConfig::output_size`] tells beforehand.
    pub fn forward<B: Backend>(&self, input: Tensor<B, 4>) -> Tensor<B, 4> {
        let [batch, channels, ..] = input.dims();
        match self {
            Self::Max(pool) => pool.forward(input),
            Self::Average(pool) => pool.forward(input),
            Self::GlobalMax(pool) => pool.forward(input).reshape([batch, channels, 1, 1]),
            Self::GlobalAverage(pool) => pool.forward(input).reshape([batch, channels, 1, 1]),
        }
    }
}

impl Pool2d {
    /// How the fused operation calls it, if it knows it.
    pub(super) fn fused(&self) -> Option<Pool> {
        let window = |size, stride| Window { size, stride };
        match self {
            Self::Max(pool) => (pool.padding == PaddingConfig2d::Valid
                && pool.dilation == [1, 1]
                && !pool.ceil_mode)
                .then(|| Pool::Max(window(pool.kernel_size, pool.stride))),
            Self::Average(pool) => (pool.padding == PaddingConfig2d::Valid && !pool.ceil_mode)
                .then(|| Pool::Average(window(pool.kernel_size, pool.stride))),
            Self::GlobalMax(_) => Some(Pool::GlobalMax),
            Self::GlobalAverage(_) => Some(Pool::GlobalAverage),
        }
    }
}
