//! Blur pooling: a low-pass filter before positions are left out.
//!
//! Zhang: *Making Convolutional Networks Shift-Invariant Again* (2019), whose `antialiased-cnns` this computes alike.

use std::fmt;

use burn::config::Config;
use burn::module::Module;
use burn::tensor::{Tensor, TensorData, backend::Backend, module::conv2d, ops::ConvOptions};
use serde::{Deserialize, Serialize};

use super::error::{WindowError, expect};
use super::layer::Pooling;
use super::window::Window;
use crate::cpu::conv_pool::{self as cpu, Problem, conv_pool};

/// The largest filter of the paper.
const LARGEST_FILTER: usize = 7;

/// What a blur sees beyond the border of a map.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlurPadding {
    /// The map in a mirror whose plane is the border value, which is not repeated: `c b | a b c | b a`.
    Reflect,
    /// Zeros, which darken the border: `0 0 | a b c | 0 0`.
    #[default]
    Zero,
    /// The border value again and again: `a a | a b c | c c`.
    Replicate,
}

impl BlurPadding {
    /// Returns the position in a row of `length` values that a position of the padded row stands for, if it is no zero.
    fn source(self, padded: usize, before: usize, length: usize) -> Option<usize> {
        match self {
            Self::Reflect => {
                let distance = padded.abs_diff(before);
                Some(distance.min(2 * (length - 1) - distance))
            }
            Self::Zero => padded.checked_sub(before).filter(|&position| position < length),
            Self::Replicate => Some(padded.saturating_sub(before).min(length - 1)),
        }
    }
}

/// Writes the name in lower case, as [`Activation`](super::Activation) does: it is no layer of its own.
impl fmt::Debug for BlurPadding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(formatter) // its name in files
    }
}

/// Configuration of a [`BlurPool2d`]: by default a 3x3 filter with stride 2 and zero padding.
///
/// `antialiased-cnns` has `[4, 4]` and [`BlurPadding::Reflect`] as its defaults, timm `[3, 3]` and the same padding.
#[derive(Config, Debug, Copy, PartialEq, Eq)]
pub struct BlurPool2dConfig {
    /// Height and width of the filter, 1 to 7 each; 1 does not blur along its axis.
    #[config(default = "[3, 3]")]
    pub filter_size: [usize; 2],
    /// Vertical and horizontal stride; 1 leaves out nothing along its axis.
    #[config(default = "[2, 2]")]
    pub stride: [usize; 2],
    /// What surrounds the map.
    #[config(default = "BlurPadding::Zero")]
    pub padding: BlurPadding,
}

impl Default for BlurPool2dConfig {
    fn default() -> Self {
        Self::new()
    }
}

impl BlurPool2dConfig {
    /// Creates the layer.
    pub fn init(&self) -> BlurPool2d {
        let &Self { filter_size, stride, padding } = self;
        BlurPool2d { filter_size, stride, padding }
    }

    /// Returns height and width of the output for a map of height and width `input`: `input / stride`, rounded up.
    ///
    /// # Errors
    /// [`WindowError`] if the filter is not one of 1 to 7, the stride or the input is 0, or the reflection is wider
    /// than the map.
    pub fn output_size(&self, input: [usize; 2]) -> Result<[usize; 2], WindowError> {
        let &Self { filter_size, padding, .. } = self;
        if filter_size.iter().any(|size| !(1..=LARGEST_FILTER).contains(size)) {
            return Err(WindowError::Filter { filter_size, largest: LARGEST_FILTER });
        }
        let window = self.window();
        let output = window.output_size(input)?;
        let is_too_wide = (0..2).any(|side| window.padding[side] >= input[side]);
        if padding == BlurPadding::Reflect && is_too_wide {
            return Err(WindowError::Reflection { padding: window.padding, input });
        }
        Ok(output)
    }

    /// Returns what slides; an even filter as an odd one that starts with a zero, as its padding before is one less.
    pub(super) fn window(&self) -> Window {
        let padding = self.filter_size.map(|size| size / 2);
        Window { what: "blur kernel", kernel_size: padding.map(|half| 2 * half + 1), stride: self.stride, padding }
    }

    /// Returns the matrix `[output, length]` that pads, blurs and takes a stride along one side.
    fn matrix<B: Backend>(&self, length: usize, output: usize, side: usize, device: &B::Device) -> Tensor<B, 2> {
        let (weights, stride) = (weights(self.filter_size[side]), self.stride[side]);
        let before = (weights.len() - 1) / 2;
        let mut matrix = vec![0.0; output * length];
        for (place, row) in matrix.chunks_exact_mut(length).enumerate() {
            for (tap, weight) in weights.iter().enumerate() {
                if let Some(source) = self.padding.source(place * stride + tap, before, length) {
                    row[source] += weight;
                }
            }
        }
        Tensor::from_data(TensorData::new(matrix, [output, length]), device)
    }
}

/// Blurs each channel with a binomial filter, and keeps the values of every stride.
///
/// The filter of size `n` is `w[i] w[j]` with `w[i] = (n - 1 choose i) / 2^(n - 1)`: 1 2 1 by 1 2 1, over 16, for 3. Of
/// the padding, `(n - 1) / 2` values lie above and left, rounded down, and below and right, rounded up.
///
/// This is also average pooling without aliasing: in the paper's networks the blur takes its place. Max pooling becomes
/// [`MaxBlurPool2d`](super::MaxBlurPool2d), a convolution with a stride [`BlurConv2d`](super::BlurConv2d).
///
/// ```
/// # #[cfg(feature = "flex")] {
/// use burn::tensor::Tensor;
/// use burn_pooling::pooling::{BlurPadding, BlurPool2d, BlurPool2dConfig};
///
/// let maps = Tensor::<burn_flex::Flex, 4>::ones([1, 1, 4, 4], &Default::default());
/// let blurred = BlurPool2d::new().forward(maps); // the zeros around the map darken its border
/// assert_eq!(blurred.into_data().to_vec::<f32>().unwrap(), [0.5625, 0.75, 0.75, 1.0]);
///
/// let row = Tensor::<burn_flex::Flex, 4>::from_floats([[[[0.0, 4.0, 8.0, 16.0]]]], &Default::default());
/// let along = BlurPool2dConfig::new().with_filter_size([1, 3]).with_stride([1, 2]).with_padding(BlurPadding::Reflect);
/// let blurred = along.init().forward(row); // (4 + 2 * 0 + 4) / 4, (4 + 2 * 8 + 16) / 4
/// assert_eq!(blurred.into_data().to_vec::<f32>().unwrap(), [2.0, 9.0]);
/// # }
/// ```
///
/// # Numbers
/// With the default options this is a convolution. With others it is a product of three matrices,
/// `rows · map · columns`, of which the outer ones hold padding, filter and stride: on a CPU several times as fast as a
/// convolution of the padded map. A NaN or an infinity then makes all of its channel's output NaN, for the zeros of the
/// matrices take part in each sum. The cost per value grows with the sides of the map, so it is made for maps of up to
/// some hundreds of rows.
#[derive(Module, Clone, Debug)]
pub struct BlurPool2d {
    /// Height and width of the filter.
    #[module(skip)]
    pub filter_size: [usize; 2],
    /// Vertical and horizontal stride.
    #[module(skip)]
    pub stride: [usize; 2],
    /// What surrounds the map.
    #[module(skip)]
    pub padding: BlurPadding,
}

impl Default for BlurPool2d {
    fn default() -> Self {
        Self::new()
    }
}

impl BlurPool2d {
    /// Creates the layer with a 3x3 filter, stride 2 and zero padding.
    pub fn new() -> Self {
        BlurPool2dConfig::new().init()
    }

    /// Blurs every channel by itself.
    ///
    /// # Shapes
    /// - input: `[batch, channels, height, width]`
    /// - output: `[batch, channels, height / stride, width / stride]`, rounded up
    ///
    /// # Panics
    /// If [`try_forward`](Self::try_forward) returns an error; [`BlurPool2dConfig::output_size`] tells beforehand.
    #[track_caller]
    pub fn forward<B: Backend>(&self, input: Tensor<B, 4>) -> Tensor<B, 4> {
        expect(self.try_forward(input))
    }

    /// Does the same, or returns why it cannot.
    ///
    /// # Errors
    /// [`WindowError`] if the filter is not one of 1 to 7, height, width or stride is 0, or the reflection is wider
    /// than the map.
    pub fn try_forward<B: Backend>(&self, input: Tensor<B, 4>) -> Result<Tensor<B, 4>, WindowError> {
        let [batch, channels, height, width] = input.dims();
        let [rows, columns] = self.options().output_size([height, width])?;
        Ok(if self.is_default() && channels > 0 {
            self.convolve(input)
        } else if batch * channels == 0 {
            input.slice([0..batch, 0..channels, 0..rows, 0..columns]) // as empty, and of the right size
        } else {
            self.multiply(input, [rows, columns])
        })
    }

    /// Blurs the output of a ReLU, whose gradient does not pass where it is zero.
    ///
    /// On the CPU backends this is one operation of convolution, ReLU and pooling: its kernel keeps the channels apart
    /// by zeros, which is wasteful and yet faster. Its own ReLU changes no value, as none is negative.
    pub(super) fn forward_after_relu<B: Backend>(&self, input: Tensor<B, 4>) -> Tensor<B, 4> {
        if !self.is_default() {
            return self.forward(input);
        }
        let ([batch, channels, height, width], device) = (input.dims(), input.device());
        let (image, filters) = ([height, width], channels);
        let Window { kernel_size: kernel, stride, padding, .. } = self.options().window();
        let pool = cpu::Pool::None { stride, depthwise: true };
        let problem = Problem { batch, channels, image, filters, kernel, padding, pool, algorithm: None };
        let apart = Tensor::<B, 2>::eye(channels, &device).reshape([channels, channels, 1, 1]);
        conv_pool(&problem, input.clone(), apart * binomial(&device), None, None).unwrap_or_else(|| self.forward(input))
    }

    /// Returns the size of the output for an input of height and width `input`.
    pub(super) fn output_size(&self, input: [usize; 2]) -> Result<[usize; 2], WindowError> {
        self.options().output_size(input)
    }

    fn options(&self) -> BlurPool2dConfig {
        let &Self { filter_size, stride, padding } = self;
        BlurPool2dConfig { filter_size, stride, padding }
    }

    /// Returns whether the options are those whose numbers stored models rely on, to the bit.
    fn is_default(&self) -> bool {
        self.options() == BlurPool2dConfig::new()
    }

    fn convolve<B: Backend>(&self, input: Tensor<B, 4>) -> Tensor<B, 4> {
        let channels = input.dims()[1];
        let Window { stride, padding, .. } = self.options().window();
        let kernel = binomial(&input.device()).cast(input.dtype()).repeat_dim(0, channels); // [channels, 1, 3, 3]
        conv2d(input, kernel, None, ConvOptions::new(stride, padding, [1, 1], channels))
    }

    fn multiply<B: Backend>(&self, input: Tensor<B, 4>, [rows, columns]: [usize; 2]) -> Tensor<B, 4> {
        let ([batch, channels, height, width], kind, device) = (input.dims(), input.dtype(), input.device());
        let vertical = self.options().matrix::<B>(height, rows, 0, &device).cast(kind);
        let horizontal = self.options().matrix::<B>(width, columns, 1, &device).cast(kind);
        // One large product is faster than many small ones.
        let narrow = input.reshape([batch * channels * height, width]).matmul(horizontal.transpose());
        vertical.unsqueeze::<4>().matmul(narrow.reshape([batch, channels, height, columns]))
    }
}

impl<B: Backend> Pooling<B> for BlurPool2d {
    fn pool(&self, input: Tensor<B, 4>) -> Result<Tensor<B, 4>, WindowError> {
        self.try_forward(input)
    }
}

/// Returns the default filter, row by row; it sums to 1.
pub(crate) fn blur_filter() -> [[f32; 3]; 3] {
    const WEIGHTS: [f32; 3] = [0.25, 0.5, 0.25];
    WEIGHTS.map(|row| WEIGHTS.map(|column| row * column))
}

/// Returns the default filter, `[1, 1, 3, 3]`.
fn binomial<B: Backend>(device: &B::Device) -> Tensor<B, 4> {
    Tensor::from_floats([[blur_filter()]], device)
}

/// Returns a filter along one side: the mean of a smaller one and of the same, one place further.
fn weights(size: usize) -> Vec<f32> {
    let further = |row: Vec<f32>| -> Vec<f32> {
        let [before, after] = [[&[0.0], &row[..]].concat(), [&row[..], &[0.0]].concat()];
        before.iter().zip(&after).map(|(before, after)| (before + after) / 2.0).collect()
    };
    (1..size).fold(vec![1.0], |row, _| further(row))
}
