//! Global max pooling.
//!
//! Oquab, Bottou, Laptev, Sivic: *Is object localization for free?* (2015).

use burn::module::Module;
use burn::tensor::Tensor;

use super::window::check_maps;

/// Reduces each channel to its largest value, whatever the size of the image.
///
/// ```
/// use burn::tensor::Tensor;
/// use burn_pooling_compat::pooling::GlobalMaxPool2d;
///
/// let image = Tensor::<4>::from_floats([[[[1.0, 7.0], [3.0, 5.0]]]], &Default::default());
/// assert_eq!(GlobalMaxPool2d::new().forward(image).into_scalar::<f32>(), 7.0);
/// ```
#[derive(Module, Debug, Default)]
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
    pub fn forward(&self, input: Tensor<4>) -> Tensor<2> {
        check_maps(&input);
        input.max_dims(&[2, 3]).squeeze_dims(&[2, 3])
    }
}
