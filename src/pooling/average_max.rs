//! Half the sum of maximum and mean.
//!
//! timm's `avgmax`; [`MixedPool2d`](super::MixedPool2d) learns the share.

use burn::module::Module;
use burn::tensor::{Tensor, backend::Backend};

use super::error::WindowError;
use super::layer::{Pooling, forward_methods};
use super::pool_window::PoolWindow;
use super::reduce::{Reducing, Unfolded, reduce_by};
use crate::cpu::reduce::Reduction;

/// Reduces each window to `(max(x) + mean(x)) / 2`.
///
/// ```
/// # #[cfg(feature = "flex")] {
/// use burn::tensor::Tensor;
/// use burn_pooling::pooling::{AvgMaxPool2d, PoolWindow};
///
/// let map = Tensor::<burn_flex::Flex, 4>::from_floats([[[[1.0, 7.0]]]], &Default::default());
/// let pooled = AvgMaxPool2d::new(PoolWindow::Global).forward(map);
/// assert_eq!(pooled.into_scalar(), 5.5);
/// # }
/// ```
#[derive(Module, Clone, Debug)]
pub struct AvgMaxPool2d {
    /// The windows.
    pub window: PoolWindow,
}

impl AvgMaxPool2d {
    /// Creates the layer.
    pub fn new(window: PoolWindow) -> Self {
        Self { window }
    }

    forward_methods!(generic);
}

impl<B: Backend> Reducing<B> for AvgMaxPool2d {
    fn window(&self) -> PoolWindow {
        self.window
    }

    fn reduction(&self) -> Result<Reduction, WindowError> {
        Ok(Reduction::Mixed)
    }

    fn parameters(&self, device: &B::Device) -> Option<Tensor<B, 1>> {
        Some(Tensor::full([1], 0.5, device))
    }

    fn compose(&self, unfolded: Unfolded<B>) -> Tensor<B, 4> {
        let half = unfolded.count.full_like(0.5);
        unfolded.mixed(half)
    }
}

impl<B: Backend> Pooling<B> for AvgMaxPool2d {
    fn pool(&self, input: Tensor<B, 4>) -> Result<Tensor<B, 4>, WindowError> {
        reduce_by(self, input)
    }

    fn pool_window(&self) -> Option<PoolWindow> {
        Some(self.window)
    }
}
