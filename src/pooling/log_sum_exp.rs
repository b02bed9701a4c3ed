//! Log-sum-exp pooling: from the mean to the maximum by a sharpness.
//!
//! Pinheiro, Collobert: *From Image-level to Pixel-level Labeling with Convolutional Networks* (2015), section 3.

use burn::config::Config;
use burn::module::{Module, Param};
use burn::tensor::{DType, Tensor, backend::Backend};

use super::error::WindowError;
use super::layer::{Pooling, forward_methods};
use super::pool_window::PoolWindow;
use super::reduce::{Reducing, Unfolded, beside, reduce_by};
use crate::cpu::reduce::Reduction;

/// Configuration of a [`LogSumExpPool2d`].
#[derive(Config, Debug, Copy, PartialEq)]
pub struct LogSumExpPool2dConfig {
    /// The windows.
    #[config(default = "PoolWindow::Global")]
    pub window: PoolWindow,
    /// The sharpness `r`, or what it starts from: 0 is the mean, large the maximum.
    #[config(default = 1.0)]
    pub sharpness: f32,
    /// Whether the sharpness is learned.
    #[config(default = true)]
    pub is_learned: bool,
    /// Channels, for a sharpness of each; otherwise all have the same.
    pub channels: Option<usize>,
}

impl LogSumExpPool2dConfig {
    /// Creates the layer.
    pub fn init<B: Backend>(&self, device: &B::Device) -> LogSumExpPool2d<B> {
        let sharpness = Tensor::full([self.channels.unwrap_or(1)], self.sharpness, device);
        let sharpness = Param::from_tensor(sharpness).set_require_grad(self.is_learned);
        LogSumExpPool2d { window: self.window, sharpness }
    }
}

/// Reduces each window to `ln(mean(exp(r x))) / r`; with a sharpness `r` of 0 to its mean, with a negative one towards its
/// minimum.
///
/// The exponentials are taken of differences, so none overflows.
///
/// ```
/// # #[cfg(feature = "flex")] {
/// use burn::tensor::Tensor;
/// use burn_pooling::pooling::LogSumExpPool2dConfig;
///
/// let device = Default::default();
/// let map = Tensor::<burn_flex::Flex, 4>::from_floats([[[[0.0, 3.0_f32.ln()]]]], &device);
/// let pooled = LogSumExpPool2dConfig::new().init(&device).forward(map);
/// let expected = 2.0_f32.ln(); // of the mean of 1 and 3
/// assert!((pooled.into_scalar() - expected).abs() < 1e-6);
/// # }
/// ```
#[derive(Module, Debug)]
pub struct LogSumExpPool2d<B: Backend> {
    /// The windows.
    #[module(skip)]
    pub window: PoolWindow,
    /// The sharpness `r`, `[1]` or `[channels]`.
    pub sharpness: Param<Tensor<B, 1>>,
}

impl<B: Backend> LogSumExpPool2d<B> {
    forward_methods!();
}

impl<B: Backend> Reducing<B> for LogSumExpPool2d<B> {
    fn window(&self) -> PoolWindow {
        self.window
    }

    fn reduction(&self) -> Result<Reduction, WindowError> {
        Ok(Reduction::LogSumExp)
    }

    fn parameters(&self, _: &B::Device) -> Option<Tensor<B, 1>> {
        Some(self.sharpness.val())
    }

    fn compose(&self, unfolded: Unfolded<B>) -> Tensor<B, 4> {
        compose(unfolded, self.sharpness.val())
    }
}

impl<B: Backend> Pooling<B> for LogSumExpPool2d<B> {
    fn pool(&self, input: Tensor<B, 4>) -> Result<Tensor<B, 4>, WindowError> {
        reduce_by(self, input)
    }

    fn pool_window(&self) -> Option<PoolWindow> {
        Some(self.window)
    }
}

fn compose<B: Backend>(unfolded: Unfolded<B>, sharpness: Tensor<B, 1>) -> Tensor<B, 4> {
    let r = beside(sharpness, &unfolded.values);
    let largest = unfolded.largest().detach(); // [batch, channels, windows, 1]
    let smallest = unfolded.or(f32::INFINITY).min_dim(3).detach();
    // Where exponentials are nearly equal, a series has more digits than their logarithm.
    let bound = if r.dtype() == DType::F64 { 1e-3 } else { 0.1 };
    let spread = (largest.clone() - smallest.clone()) * r.clone().detach().abs();
    let close = spread.lower_elem(bound);
    let falls = r.clone().lower_elem(0.0).expand(largest.dims());
    let centre = largest.mask_where(falls, smallest);
    let from_centre = unfolded.without(unfolded.values.clone() - centre.clone(), 0.0);

    let safe = r.clone().expand(centre.dims()).mask_fill(close.clone(), 1.0);
    let mean = unfolded.mean((from_centre.clone() * safe.clone()).exp());
    let above = (mean.log() / safe).mask_where(close, series(&unfolded, from_centre, r));
    above + centre
}

/// Returns the first terms of a series in the sharpness `r`, by the values' cumulants.
fn series<B: Backend>(unfolded: &Unfolded<B>, values: Tensor<B, 4>, r: Tensor<B, 4>) -> Tensor<B, 4> {
    let mean = unfolded.mean(values.clone());
    let from_mean = values - mean.clone();
    let square = from_mean.clone() * from_mean.clone();
    let second = unfolded.mean(square.clone());
    let third = unfolded.mean(square.clone() * from_mean);
    let fourth = unfolded.mean(square.clone() * square) - second.clone() * second.clone() * 3.0;
    mean + r.clone() * (second / 2.0 + r.clone() * (third / 6.0 + r * fourth / 24.0))
}
