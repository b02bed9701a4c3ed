//! Max pooling without aliasing: maxima at stride 1, of which a blur leaves out positions.
//!
//! Zhang: *Making Convolutional Networks Shift-Invariant Again* (2019).

use burn::config::Config;
use burn::module::Module;
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::tensor::{Tensor, backend::Backend};

use super::blur::{BlurPool2d, BlurPool2dConfig};
use super::error::{WindowError, expect};
use super::layer::Pooling;
use super::sliding::{max_pool, max_window};
use super::window::Window;

/// Configuration of a [`MaxBlurPool2d`]: by default maxima of 2x2 windows, and the default blur.
#[derive(Config, Debug, Copy, PartialEq, Eq)]
pub struct MaxBlurPool2dConfig {
    /// Height and width of the windows.
    #[config(default = "[2, 2]")]
    pub kernel_size: [usize; 2],
    /// The blur, which has the stride.
    #[config(default = "BlurPool2dConfig::new()")]
    pub blur: BlurPool2dConfig,
}

impl Default for MaxBlurPool2dConfig {
    fn default() -> Self {
        Self::new()
    }
}

impl MaxBlurPool2dConfig {
    /// Creates the layer.
    pub fn init(&self) -> MaxBlurPool2d {
        let pool = MaxPool2dConfig::new(self.kernel_size).with_strides([1, 1]).init();
        MaxBlurPool2d { pool, blur: self.blur.init() }
    }

    /// Returns height and width of the output for a map of height and width `input`.
    ///
    /// # Errors
    /// [`WindowError`] if the window does not fit, a size or a stride is 0, or the blur does not take the maxima.
    pub fn output_size(&self, input: [usize; 2]) -> Result<[usize; 2], WindowError> {
        let [maximum, _] = self.windows();
        self.blur.output_size(maximum.output_size(input)?)
    }

    /// Returns what slides: the maximum, then the blur.
    pub(super) fn windows(&self) -> [Window; 2] {
        let Self { kernel_size, .. } = *self;
        [Window { what: "pooling kernel", kernel_size, stride: [1, 1], padding: [0, 0] }, self.blur.window()]
    }
}

/// Max pooling with stride 1, then [`BlurPool2d`]: max pooling without aliasing.
///
/// What [`Pool2d`](super::Pool2d) says of NaN and of backends holds here too, and what [`BlurPool2d`] says of NaN.
///
/// ```
/// # #[cfg(feature = "flex")] {
/// use burn::tensor::Tensor;
/// use burn_pooling::pooling::{BlurPool2dConfig, MaxBlurPool2dConfig};
///
/// let row = Tensor::<burn_flex::Flex, 4>::from_floats([[[[0.0, 4.0, 8.0, 2.0]]]], &Default::default());
/// let blur = BlurPool2dConfig::new().with_filter_size([1, 2]).with_stride([1, 2]);
/// let layer = MaxBlurPool2dConfig::new().with_kernel_size([1, 2]).with_blur(blur).init();
/// let pooled = layer.forward(row); // maxima 4, 8, 8, and a zero behind them: (4 + 8) / 2, (8 + 0) / 2
/// assert_eq!(pooled.into_data().to_vec::<f32>().unwrap(), [6.0, 4.0]);
/// # }
/// ```
#[derive(Module, Clone, Debug)]
pub struct MaxBlurPool2d {
    /// The maximum, which by default keeps all but one row and column.
    pub pool: MaxPool2d,
    /// The blur, which by default halves height and width.
    pub blur: BlurPool2d,
}

impl Default for MaxBlurPool2d {
    fn default() -> Self {
        Self::new()
    }
}

impl MaxBlurPool2d {
    /// Creates the layer with the default options.
    pub fn new() -> Self {
        MaxBlurPool2dConfig::new().init()
    }

    /// Takes maxima, then blurs them.
    ///
    /// # Shapes
    /// - input: `[batch, channels, height, width]`, at least as large as the window
    /// - output: `[batch, channels, (height - rows + 1) / stride, (width - columns + 1) / stride]`, rounded up, for
    ///   windows of `rows` and `columns`; `[batch, channels, height / 2, width / 2]`, rounded down, by default
    ///
    /// # Panics
    /// If [`try_forward`](Self::try_forward) returns an error; [`MaxBlurPool2dConfig::output_size`] tells beforehand.
    #[track_caller]
    pub fn forward<B: Backend>(&self, input: Tensor<B, 4>) -> Tensor<B, 4> {
        expect(self.try_forward(input))
    }

    /// Does the same, or returns why it cannot.
    ///
    /// # Errors
    /// [`WindowError`] if the input is smaller than the window, a size or a stride is 0, or the blur does not take the
    /// maxima.
    pub fn try_forward<B: Backend>(&self, input: Tensor<B, 4>) -> Result<Tensor<B, 4>, WindowError> {
        let [_, _, height, width] = input.dims();
        self.output_size([height, width])?;
        self.blur.try_forward(max_pool(&self.pool, input))
    }

    /// Returns the size of the output for an input of height and width `input`.
    pub(super) fn output_size(&self, input: [usize; 2]) -> Result<[usize; 2], WindowError> {
        self.blur.output_size(max_window(&self.pool).output_size(input)?)
    }
}

impl<B: Backend> Pooling<B> for MaxBlurPool2d {
    fn pool(&self, input: Tensor<B, 4>) -> Result<Tensor<B, 4>, WindowError> {
        self.try_forward(input)
    }
}
