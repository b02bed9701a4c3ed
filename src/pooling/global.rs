//! Global pooling: one number for each channel, whatever the size of the image.
//!
//! Lin, Chen, Yan: *Network In Network* (2014), section 3.2, introduced the average; the maximum
//! is its counterpart (Oquab et al.: *Is object localization for free?*, 2015).

use burn::module::Module;
use burn::tensor::{Tensor, backend::Backend};

/// The largest value of each channel, over height and width.
///
/// The gradient goes to one position of each channel: the one that holds the maximum.
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
    /// The layer; it has neither parameters nor options.
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
        let positions: Tensor<B, 3> = input.flatten(2, 3); // [batch, channels, height * width]
        positions.max_dim(2).flatten(1, 2) // [batch, channels]
    }
}

/// The mean of each channel, over height and width.
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
    /// The layer; it has neither parameters nor options.
    pub fn new() -> Self {
        Self {}
    }

    /// Takes the mean over height and width.
    ///
    /// # Shapes
    /// - input: `[batch, channels, height, width]`
    /// - output: `[batch, channels]`
    pub fn forward<B: Backend>(&self, input: Tensor<B, 4>) -> Tensor<B, 2> {
        let positions: Tensor<B, 3> = input.flatten(2, 3); // [batch, channels, height * width]
        positions.mean_dim(2).flatten(1, 2) // [batch, channels]
    }
}
