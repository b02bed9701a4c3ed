//! Blur pooling: a low-pass filter before every second position is left out.
//!
//! Zhang: *Making Convolutional Networks Shift-Invariant Again* (2019), with the 3x3 filter ("Triangle-3").

use burn::module::Module;
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::tensor::{Tensor, backend::Backend, module::conv2d, ops::ConvOptions};

use super::sliding::{max_pool, max_window};
use super::window::{Window, WindowError, expect};
use crate::cpu::conv_pool::{self as cpu, Problem, conv_pool};

/// What slides in [`MaxBlurPool2d`]: the maximum, then the blur.
pub(super) const WINDOWS: [Window; 2] = [
    Window { what: "pooling kernel", kernel_size: [2, 2], stride: [1, 1], padding: [0, 0] },
    Window { what: "blur kernel", kernel_size: [3, 3], stride: [2, 2], padding: [1, 1] },
];

/// Blurs each channel with a 3x3 binomial filter (1 2 1 by 1 2 1, over 16) with stride 2 and zero padding 1.
///
/// ```
/// # #[cfg(feature = "flex")] {
/// use burn::tensor::Tensor;
/// use burn_pooling::pooling::BlurPool2d;
///
/// let maps = Tensor::<burn_flex::Flex, 4>::ones([1, 1, 4, 4], &Default::default());
/// let blurred = BlurPool2d::new().forward(maps); // the zeros around the map darken its border
/// assert_eq!(blurred.into_data().to_vec::<f32>().unwrap(), [0.5625, 0.75, 0.75, 1.0]);
/// # }
/// ```
#[derive(Module, Clone, Debug, Default)]
pub struct BlurPool2d {}

impl BlurPool2d {
    /// Creates the layer; it has neither parameters nor options.
    pub fn new() -> Self {
        Self {}
    }

    /// Blurs every channel by itself.
    ///
    /// # Shapes
    /// - input: `[batch, channels, height, width]`
    /// - output: `[batch, channels, (height - 1) / 2 + 1, (width - 1) / 2 + 1]`
    ///
    /// # Panics
    /// If height or width is 0.
    pub fn forward<B: Backend>(&self, input: Tensor<B, 4>) -> Tensor<B, 4> {
        expect(self.try_forward(input))
    }

    /// Does the same, or returns why it cannot.
    ///
    /// # Errors
    /// [`WindowError::Zero`] if height or width is 0.
    pub fn try_forward<B: Backend>(&self, input: Tensor<B, 4>) -> Result<Tensor<B, 4>, WindowError> {
        let [_, channels, height, width] = input.dims();
        let [_, window @ Window { stride, padding, .. }] = WINDOWS;
        window.output_size([height, width])?;
        let kernel = binomial(&input.device()).cast(input.dtype()).repeat_dim(0, channels); // [channels, 1, 3, 3]
        Ok(conv2d(input, kernel, None, ConvOptions::new(stride, padding, [1, 1], channels)))
    }

    /// Blurs the output of a ReLU, whose gradient does not pass where it is zero.
    ///
    /// On the CPU backends this is one operation of convolution, ReLU and pooling: its kernel keeps the channels apart
    /// by zeros, which is wasteful and yet faster. Its own ReLU changes no value, as none is negative.
    pub(super) fn forward_after_relu<B: Backend>(&self, input: Tensor<B, 4>) -> Tensor<B, 4> {
        let ([batch, channels, height, width], device) = (input.dims(), input.device());
        let (image, filters) = ([height, width], channels);
        let [_, Window { kernel_size: kernel, stride, padding, .. }] = WINDOWS;
        let pool = cpu::Pool::None { stride, depthwise: true };
        let problem = Problem { batch, channels, image, filters, kernel, padding, pool, algorithm: None };
        let apart = Tensor::<B, 2>::eye(channels, &device).reshape([channels, channels, 1, 1]);
        conv_pool(&problem, input.clone(), apart * binomial(&device), None).unwrap_or_else(|| self.forward(input))
    }
}

/// Returns the filter, row by row; it sums to 1.
pub(crate) fn blur_filter() -> [[f32; 3]; 3] {
    const WEIGHTS: [f32; 3] = [0.25, 0.5, 0.25];
    WEIGHTS.map(|row| WEIGHTS.map(|column| row * column))
}

/// Returns the filter, `[1, 1, 3, 3]`.
fn binomial<B: Backend>(device: &B::Device) -> Tensor<B, 4> {
    Tensor::from_floats([[blur_filter()]], device)
}

/// Max pooling with 2x2 windows and stride 1, then [`BlurPool2d`]: max pooling without aliasing.
///
/// What [`Pool2d`](super::Pool2d) says of NaN and of backends holds here too.
#[derive(Module, Clone, Debug)]
pub struct MaxBlurPool2d {
    /// The maximum, which keeps all but one row and column.
    pub pool: MaxPool2d,
    /// The blur, which halves height and width.
    pub blur: BlurPool2d,
}

impl Default for MaxBlurPool2d {
    fn default() -> Self {
        Self::new()
    }
}

impl MaxBlurPool2d {
    /// Creates the layer; it has neither parameters nor options.
    pub fn new() -> Self {
        let [Window { kernel_size, stride, .. }, _] = WINDOWS;
        let pool = MaxPool2dConfig::new(kernel_size).with_strides(stride).init();
        Self { pool, blur: BlurPool2d::new() }
    }

    /// Takes maxima, then blurs them.
    ///
    /// # Shapes
    /// - input: `[batch, channels, height, width]`, at least 2x2
    /// - output: `[batch, channels, height / 2, width / 2]`
    ///
    /// # Panics
    /// If the input is smaller.
    pub fn forward<B: Backend>(&self, input: Tensor<B, 4>) -> Tensor<B, 4> {
        expect(self.try_forward(input))
    }

    /// Does the same, or returns why it cannot.
    ///
    /// # Errors
    /// [`WindowError`] if the input is smaller.
    pub fn try_forward<B: Backend>(&self, input: Tensor<B, 4>) -> Result<Tensor<B, 4>, WindowError> {
        let [_, _, height, width] = input.dims();
        self.output_size([height, width])?;
        self.blur.try_forward(max_pool(&self.pool, input))
    }

    /// Returns the size of the output for an input of height and width `input`.
    pub(super) fn output_size(&self, input: [usize; 2]) -> Result<[usize; 2], WindowError> {
        let [_, blur] = WINDOWS;
        blur.output_size(max_window(&self.pool).output_size(input)?)
    }
}
