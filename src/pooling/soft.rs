//! Softmax-weighted pooling.
//!
//! Stergiou, Poppe, Kalliatakis: *Refining activation downsampling with SoftPool* (2021).

use burn::module::Module;
use burn::tensor::{Tensor, activation::softmax, backend::Backend};

use super::error::WindowError;
use super::layer::{Pooling, forward_methods};
use super::pool_window::PoolWindow;
use super::reduce::{Reducing, Unfolded, reduce_by};
use crate::cpu::reduce::Reduction;

/// Sums the values of each window, each weighted by the softmax over the window.
///
/// The exponentials are taken of differences from the largest value, so none overflows.
///
/// ```
/// # #[cfg(feature = "flex")] {
/// use burn::tensor::Tensor;
/// use burn_pooling::pooling::{PoolWindow, SoftPool2d};
///
/// let map = Tensor::<burn_flex::Flex, 4>::from_floats([[[[0.0, 3.0_f32.ln()]]]], &Default::default());
/// let pooled = SoftPool2d::new(PoolWindow::Global).forward(map); // weights 1/4 and 3/4
/// assert!((pooled.into_scalar() - 0.75 * 3.0_f32.ln()).abs() < 1e-6);
/// # }
/// ```
#[derive(Module, Clone, Debug)]
pub struct SoftPool2d {
    /// The windows.
    pub window: PoolWindow,
}

impl SoftPool2d {
    /// Creates the layer.
    pub fn new(window: PoolWindow) -> Self {
        Self { window }
    }

    forward_methods!(generic);
}

impl<B: Backend> Reducing<B> for SoftPool2d {
    fn window(&self) -> PoolWindow {
        self.window
    }

    fn reduction(&self) -> Result<Reduction, WindowError> {
        Ok(Reduction::Softmax)
    }

    fn compose(&self, unfolded: Unfolded<B>) -> Tensor<B, 4> {
        let largest = unfolded.largest().detach();
        let above = unfolded.or(0.0) - largest.clone();
        (softmax(unfolded.values, 3) * above).sum_dim(3) + largest
    }
}

impl<B: Backend> Pooling<B> for SoftPool2d {
    fn pool(&self, input: Tensor<B, 4>) -> Result<Tensor<B, 4>, WindowError> {
        reduce_by(self, input)
    }

    fn pool_window(&self) -> Option<PoolWindow> {
        Some(self.window)
    }
}
