//! Adaptive max pooling: the maximum of as many windows as the output is to have values.
//!
//! PyTorch's `AdaptiveMaxPool2d`; the maximum of Burn's `AdaptiveAvgPool2d`.

use burn::module::Module;
use burn::tensor::{Tensor, backend::Backend};

use super::error::WindowError;
use super::layer::{Pooling, forward_methods};
use super::pool_window::PoolWindow;
use super::reduce::largest;

/// Reduces a map of any size to one of `output_size` by the maximum of windows that cover it.
///
/// Window `i` of `n` over `length` positions begins at `i length / n`, rounded down, and ends before
/// `(i + 1) length / n`, rounded up; so neighbours overlap where `n` does not divide the length. Equal maxima and NaN are
/// as [`GlobalMaxPool2d`](super::GlobalMaxPool2d) has them.
///
/// ```
/// # #[cfg(feature = "flex")] {
/// use burn::tensor::Tensor;
/// use burn_pooling::pooling::AdaptiveMaxPool2d;
///
/// let map = Tensor::<burn_flex::Flex, 4>::from_floats([[[[1.0, 7.0, 3.0, 5.0]]]], &Default::default());
/// let pooled = AdaptiveMaxPool2d::new([1, 2]).forward(map);
/// assert_eq!(pooled.into_data().to_vec::<f32>().unwrap(), [7.0, 5.0]);
/// # }
/// ```
#[derive(Module, Clone, Debug)]
pub struct AdaptiveMaxPool2d {
    /// Height and width of the output.
    pub output_size: [usize; 2],
}

impl AdaptiveMaxPool2d {
    /// Creates the layer.
    pub fn new(output_size: [usize; 2]) -> Self {
        Self { output_size }
    }

    forward_methods!(generic);
}

impl<B: Backend> Pooling<B> for AdaptiveMaxPool2d {
    fn pool(&self, input: Tensor<B, 4>) -> Result<Tensor<B, 4>, WindowError> {
        largest(&PoolWindow::Adaptive { output_size: self.output_size }, input)
    }
}
