//! Mixed pooling: a learned share of the maximum, the rest of the mean.
//!
//! Lee, Gallagher, Tu: *Generalizing Pooling Functions in Convolutional Neural Networks: Mixed, Gated, and Tree* (2016),
//! section 3.1.

use burn::config::Config;
use burn::module::{Module, Param};
use burn::tensor::{Tensor, backend::Backend};

use super::error::WindowError;
use super::layer::{Pooling, forward_methods};
use super::pool_window::PoolWindow;
use super::reduce::{Reducing, Unfolded, beside, reduce_by};
use crate::cpu::reduce::Reduction;

/// Configuration of a [`MixedPool2d`].
#[derive(Config, Debug, Copy, PartialEq)]
pub struct MixedPool2dConfig {
    /// The windows.
    pub window: PoolWindow,
    /// The share of the maximum, or what it starts from.
    #[config(default = 0.5)]
    pub share: f32,
    /// Whether the share is learned.
    #[config(default = true)]
    pub is_learned: bool,
    /// Channels, for a share of each; otherwise all have the same.
    pub channels: Option<usize>,
}

impl MixedPool2dConfig {
    /// Creates the layer.
    pub fn init<B: Backend>(&self, device: &B::Device) -> MixedPool2d<B> {
        let share = Tensor::full([self.channels.unwrap_or(1)], self.share, device);
        let share = Param::from_tensor(share).set_require_grad(self.is_learned);
        MixedPool2d { window: self.window, share }
    }
}

/// Reduces each window to `a max(x) + (1 - a) mean(x)`.
///
/// Nothing keeps a learned share `a` between 0 and 1, as in the paper.
///
/// ```
/// # #[cfg(feature = "flex")] {
/// use burn::tensor::Tensor;
/// use burn_pooling::pooling::{MixedPool2dConfig, PoolWindow};
///
/// let device = Default::default();
/// let map = Tensor::<burn_flex::Flex, 4>::from_floats([[[[1.0, 7.0]]]], &device);
/// let pooled = MixedPool2dConfig::new(PoolWindow::Global).with_share(0.75).init(&device).forward(map);
/// assert_eq!(pooled.into_scalar(), 6.25); // 0.75 * 7 + 0.25 * 4
/// # }
/// ```
#[derive(Module, Debug)]
pub struct MixedPool2d<B: Backend> {
    /// The windows.
    #[module(skip)]
    pub window: PoolWindow,
    /// The share `a` of the maximum, `[1]` or `[channels]`.
    pub share: Param<Tensor<B, 1>>,
}

impl<B: Backend> MixedPool2d<B> {
    forward_methods!();
}

impl<B: Backend> Reducing<B> for MixedPool2d<B> {
    fn window(&self) -> PoolWindow {
        self.window
    }

    fn reduction(&self) -> Result<Reduction, WindowError> {
        Ok(Reduction::Mixed)
    }

    fn parameters(&self, _: &B::Device) -> Option<Tensor<B, 1>> {
        Some(self.share.val())
    }

    fn compose(&self, unfolded: Unfolded<B>) -> Tensor<B, 4> {
        unfolded.mixed(beside(self.share.val(), &unfolded.values))
    }
}

impl<B: Backend> Pooling<B> for MixedPool2d<B> {
    fn pool(&self, input: Tensor<B, 4>) -> Result<Tensor<B, 4>, WindowError> {
        reduce_by(self, input)
    }

    fn pool_window(&self) -> Option<PoolWindow> {
        Some(self.window)
    }
}
