//! Global average pooling.
//!
//! Lin, Chen, Yan: *Network In Network* (2014), section 3.2.

use burn::module::Module;
use burn::tensor::{Tensor, backend::Backend};

use super::error::{WindowError, expect};
use super::pool_window::PoolWindow;
use super::reduce::on_cpu;
use crate::cpu::reduce::Reduction;

/// Reduces each channel to its mean, whatever the size of the image.
///
/// ```
/// # #[cfg(feature = "flex")] {
/// use burn::tensor::Tensor;
/// use burn_pooling::pooling::GlobalAvgPool2d;
///
/// let image = Tensor::<burn_flex::Flex, 4>::from_floats([[[[1.0, 7.0], [3.0, 5.0]]]], &Default::default());
/// let pooled = GlobalAvgPool2d::new().forward(image);
/// assert_eq!(pooled.into_data().to_vec::<f32>().unwrap(), [4.0]);
/// # }
/// ```
#[derive(Module, Clone, Debug, Default)]
pub struct GlobalAvgPool2d {}

impl GlobalAvgPool2d {
    /// Creates the layer; it has neither parameters nor options.
    pub fn new() -> Self {
        Self {}
    }

    /// Takes the mean over height and width.
    ///
    /// # Shapes
    /// - input: `[batch, channels, height, width]`
    /// - output: `[batch, channels]`
    ///
    /// # Panics
    /// If height or width is 0: there is no mean of nothing.
    pub fn forward<B: Backend>(&self, input: Tensor<B, 4>) -> Tensor<B, 2> {
        expect(self.try_forward(input))
    }

    /// Does the same, or returns why it cannot.
    ///
    /// # Errors
    /// [`WindowError::Zero`] if height or width is 0.
    pub fn try_forward<B: Backend>(&self, input: Tensor<B, 4>) -> Result<Tensor<B, 2>, WindowError> {
        let pooled = on_cpu(&PoolWindow::Global, Reduction::Mean, &input, None)?.map(|pooled| pooled.flatten(1, 3));
        Ok(pooled.unwrap_or_else(|| {
            let positions: Tensor<B, 3> = input.flatten(2, 3); // [batch, channels, height * width]
            positions.mean_dim(2).flatten(1, 2) // [batch, channels]
        }))
    }
}
