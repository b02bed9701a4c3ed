//! Global average pooling.
//!
//! Lin, Chen, Yan: *Network In Network* (2014), section 3.2.

use burn::module::Module;
use burn::tensor::Tensor;

use super::window::check_maps;

/// Reduces each channel to its mean, whatever the size of the image.
///
/// ```
/// use burn::tensor::Tensor;
/// use burn_pooling_compat::pooling::GlobalAvgPool2d;
///
/// let image = Tensor::<4>::from_floats([[[[1.0, 7.0], [3.0, 5.0]]]], &Default::default());
/// assert_eq!(GlobalAvgPool2d::new().forward(image).into_scalar::<f32>(), 4.0);
/// ```
#[derive(Module, Debug, Default)]
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
    pub fn forward(&self, input: Tensor<4>) -> Tensor<2> {
        check_maps(&input);
        // Row by row: a sum of so many values, one after the other in `f32`, would lose digits.
        input.mean_dim(3).mean_dim(2).squeeze_dims(&[2, 3])
    }
}
