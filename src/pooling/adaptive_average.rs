//! Adaptive average pooling: the mean of as many windows as the output is to have values.
//!
//! PyTorch's and Burn's `AdaptiveAvgPool2d`; on the CPU backends this one is one operation in both directions.

use burn::module::Module;
use burn::tensor::{Tensor, backend::Backend};

use super::error::WindowError;
use super::layer::{Pooling, forward_methods};
use super::pool_window::PoolWindow;
use super::reduce::mean;

/// Reduces a map of any size to one of `output_size` by the mean of windows that cover it.
///
/// The windows are those of [`AdaptiveMaxPool2d`](super::AdaptiveMaxPool2d).
///
/// ```
/// # #[cfg(feature = "flex")] {
/// use burn::tensor::Tensor;
/// use burn_pooling::pooling::AdaptiveAvgPool2d;
///
/// let map = Tensor::<burn_flex::Flex, 4>::from_floats([[[[1.0, 7.0, 3.0, 5.0]]]], &Default::default());
/// let pooled = AdaptiveAvgPool2d::new([1, 2]).forward(map);
/// assert_eq!(pooled.into_data().to_vec::<f32>().unwrap(), [4.0, 4.0]);
/// # }
/// ```
#[derive(Module, Clone, Debug)]
pub struct AdaptiveAvgPool2d {
    /// Height and width of the output.
    pub output_size: [usize; 2],
}

impl AdaptiveAvgPool2d {
    /// Creates the layer.
    pub fn new(output_size: [usize; 2]) -> Self {
        Self { output_size }
    }

    forward_methods!(generic);
}

impl<B: Backend> Pooling<B> for AdaptiveAvgPool2d {
    fn pool(&self, input: Tensor<B, 4>) -> Result<Tensor<B, 4>, WindowError> {
        mean(&PoolWindow::Adaptive { output_size: self.output_size }, input)
    }
}
