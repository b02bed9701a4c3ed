//! Global max pooling.
//!
//! Oquab, Bottou, Laptev, Sivic: *Is object localization for free?* (2015).

use burn::module::Module;
use burn::tensor::{Tensor, backend::Backend};

use super::error::{WindowError, expect};
use super::pool_window::PoolWindow;
use super::reduce::on_cpu;
use crate::cpu::reduce::Reduction;

/// Reduces each channel to its largest value, whatever the size of the image.
///
/// The gradient goes to one position of each channel: the first that holds the maximum.
///
/// On Flex and NdArray in `f32`, NaN is larger than any number, and of several the last gets the gradient, as PyTorch's
/// `adaptive_max_pool2d` has it. In other types of numbers, and on other backends, Burn's maximum may miss a NaN.
///
/// ```
/// # #[cfg(feature = "flex")] {
/// use burn::tensor::Tensor;
/// use burn_pooling::pooling::GlobalMaxPool2d;
///
/// let image = Tensor::<burn_flex::Flex, 4>::from_floats([[[[1.0, 7.0], [3.0, 5.0]]]], &Default::default());
/// let pooled = GlobalMaxPool2d::new().forward(image);
/// assert_eq!(pooled.into_data().to_vec::<f32>().unwrap(), [7.0]);
/// # }
/// ```
#[derive(Module, Clone, Debug, Default)]
pub struct GlobalMaxPool2d {}

impl GlobalMaxPool2d {
    /// Creates the layer; it has neither parameters nor options.
    pub fn new() -> Self {
        Self {}
    }

    /// Takes the maximum over height and width.
    ///
    /// # Shapes
    /// - input: `[batch, channels, height, width]`
    /// - output: `[batch, channels]`
    ///
    /// # Panics
    /// If height or width is 0: there is no maximum of nothing.
    pub fn forward<B: Backend>(&self, input: Tensor<B, 4>) -> Tensor<B, 2> {
        expect(self.try_forward(input))
    }

    /// Does the same, or returns why it cannot.
    ///
    /// # Errors
    /// [`WindowError::Zero`] if height or width is 0.
    pub fn try_forward<B: Backend>(&self, input: Tensor<B, 4>) -> Result<Tensor<B, 2>, WindowError> {
        let pooled = on_cpu(&PoolWindow::Global, Reduction::Max, &input, None)?.map(|pooled| pooled.flatten(1, 3));
        Ok(pooled.unwrap_or_else(|| {
            let positions: Tensor<B, 3> = input.flatten(2, 3); // [batch, channels, height * width]
            positions.max_dim(2).flatten(1, 2) // [batch, channels]
        }))
    }
}
