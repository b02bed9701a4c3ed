//! Gated pooling: each window decides by its values how much of the maximum counts, and how much of the mean.
//!
//! Lee, Gallagher, Tu: *Generalizing Pooling Functions in Convolutional Neural Networks: Mixed, Gated, and Tree* (2016),
//! section 3.2.

use burn::config::Config;
use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::activation::sigmoid;
use burn::tensor::{Tensor, backend::Backend};

use super::error::WindowError;
use super::layer::{Pooling, forward_methods};
use super::pool_window::PoolWindow;
use super::reduce::{Unfolded, check_channels, reduce};
use crate::cpu::reduce::Reduction;

/// Configuration of a [`GatedPool2d`].
#[derive(Config, Debug, Copy, PartialEq, Eq)]
pub struct GatedPool2dConfig {
    /// Height and width of the window.
    pub kernel_size: [usize; 2],
    /// Vertical and horizontal stride.
    pub stride: [usize; 2],
    /// Channels, for a gate of each; otherwise all have the same.
    pub channels: Option<usize>,
}

impl GatedPool2dConfig {
    /// Creates the layer; the weights are zero, so that it starts from half the maximum and half the mean.
    pub fn init<B: Backend>(&self, device: &B::Device) -> GatedPool2d<B> {
        let [rows, columns] = self.kernel_size;
        let weight = Initializer::Zeros.init([self.channels.unwrap_or(1), rows, columns], device);
        GatedPool2d { stride: self.stride, weight }
    }
}

/// Reduces each window to `a max(x) + (1 - a) mean(x)`, where `a` is the sigmoid of the window's sum weighted by the gate.
///
/// ```
/// # #[cfg(feature = "flex")] {
/// use burn::tensor::Tensor;
/// use burn_pooling::pooling::GatedPool2dConfig;
///
/// let device = Default::default();
/// let map = Tensor::<burn_flex::Flex, 4>::from_floats([[[[1.0, 7.0]]]], &device);
/// let pooled = GatedPool2dConfig::new([1, 2], [1, 2]).init(&device).forward(map);
/// assert_eq!(pooled.into_scalar(), 5.5); // 0.5 * 7 + 0.5 * 4
/// # }
/// ```
#[derive(Module, Debug)]
pub struct GatedPool2d<B: Backend> {
    /// Vertical and horizontal stride.
    #[module(skip)]
    pub stride: [usize; 2],
    /// The gate, `[1 or channels, kernel height, kernel width]`.
    pub weight: Param<Tensor<B, 3>>,
}

impl<B: Backend> GatedPool2d<B> {
    forward_methods!();

    fn window(&self) -> PoolWindow {
        let [_, rows, columns] = self.weight.dims();
        PoolWindow::sliding([rows, columns]).with_stride(self.stride)
    }
}

impl<B: Backend> Pooling<B> for GatedPool2d<B> {
    fn pool(&self, input: Tensor<B, 4>) -> Result<Tensor<B, 4>, WindowError> {
        let weight = self.weight.val();
        let [gates, rows, columns] = weight.dims();
        check_channels(gates, &input)?;
        let window = self.window();
        let weight: Tensor<B, 2> = weight.flatten(1, 2); // [gates, taps]
        let composed = |unfolded: Unfolded<B>| {
            let weight = weight.clone().cast(unfolded.values.dtype()).reshape([1, gates, 1, rows * columns]);
            let share = sigmoid((unfolded.values.clone() * weight).sum_dim(3));
            unfolded.mixed(share)
        };
        reduce(&window, Reduction::Gated, input, Some(weight.clone()), composed)
    }

    fn pool_window(&self) -> Option<PoolWindow> {
        Some(self.window())
    }
}
