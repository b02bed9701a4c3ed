//! Generalised-mean pooling: from the mean to the maximum by a power.
//!
//! Radenović, Tolias, Chum: *Fine-tuning CNN image retrieval with no human annotation* (2018), equation 3.

use burn::config::Config;
use burn::module::{Module, Param};
use burn::tensor::{Tensor, backend::Backend};

use super::error::WindowError;
use super::layer::{Pooling, forward_methods};
use super::pool_window::PoolWindow;
use super::reduce::{Reducing, Unfolded, beside, reduce_by};
use crate::cpu::reduce::Reduction;

/// Configuration of a [`GemPool2d`].
#[derive(Config, Debug, Copy, PartialEq)]
pub struct GemPool2dConfig {
    /// The windows.
    #[config(default = "PoolWindow::Global")]
    pub window: PoolWindow,
    /// The power `p`, or what it starts from: 1 is the mean, large the maximum.
    #[config(default = 3.0)]
    pub power: f32,
    /// Whether the power is learned.
    #[config(default = true)]
    pub is_learned: bool,
    /// Channels, for a power of each; otherwise all have the same.
    pub channels: Option<usize>,
    /// Smaller values count as this one; positive.
    #[config(default = 1e-6)]
    pub epsilon: f32,
}

impl GemPool2dConfig {
    /// Creates the layer.
    pub fn init<B: Backend>(&self, device: &B::Device) -> GemPool2d<B> {
        let power = Tensor::full([self.channels.unwrap_or(1)], self.power, device);
        let power = Param::from_tensor(power).set_require_grad(self.is_learned);
        GemPool2d { window: self.window, epsilon: self.epsilon, power }
    }
}

/// Reduces each window to `mean(max(x, epsilon)^p)^(1/p)`.
///
/// The powers are taken of quotients by the largest value, so for large `p` none overflows and not all vanish. Values of
/// `epsilon` and less get no gradient.
///
/// ```
/// # #[cfg(feature = "flex")] {
/// use burn::tensor::Tensor;
/// use burn_pooling::pooling::GemPool2dConfig;
///
/// let device = Default::default();
/// let map = Tensor::<burn_flex::Flex, 4>::from_floats([[[[1.0, 7.0]]]], &device);
/// let pooled = GemPool2dConfig::new().with_power(2.0).init(&device).forward(map);
/// assert!((pooled.into_scalar() - 5.0).abs() < 1e-5); // the root of (1 + 49) / 2
/// # }
/// ```
#[derive(Module, Debug)]
pub struct GemPool2d<B: Backend> {
    /// The windows.
    #[module(skip)]
    pub window: PoolWindow,
    /// Smaller values count as this one; positive.
    #[module(skip)]
    pub epsilon: f32,
    /// The power `p`, `[1]` or `[channels]`; positive.
    pub power: Param<Tensor<B, 1>>,
}

impl<B: Backend> GemPool2d<B> {
    forward_methods!();
}

impl<B: Backend> Reducing<B> for GemPool2d<B> {
    fn window(&self) -> PoolWindow {
        self.window
    }

    fn reduction(&self) -> Result<Reduction, WindowError> {
        if self.epsilon.is_nan() || self.epsilon <= 0.0 {
            return Err(WindowError::Epsilon { found: self.epsilon.to_string() });
        }
        Ok(Reduction::PowerMean { least: self.epsilon })
    }

    fn parameters(&self, _: &B::Device) -> Option<Tensor<B, 1>> {
        Some(self.power.val())
    }

    fn compose(&self, unfolded: Unfolded<B>) -> Tensor<B, 4> {
        let power = beside(self.power.val(), &unfolded.values);
        let small = unfolded.values.clone().lower_equal_elem(self.epsilon);
        let logarithms = unfolded.values.clone().mask_fill(small, self.epsilon).log();
        let largest = logarithms.clone().max_dim(3).detach(); // [batch, channels, windows, 1]
        let powers = ((logarithms - largest.clone()) * power.clone()).exp();
        (unfolded.mean(powers).log() / power + largest).exp()
    }
}

impl<B: Backend> Pooling<B> for GemPool2d<B> {
    fn pool(&self, input: Tensor<B, 4>) -> Result<Tensor<B, 4>, WindowError> {
        reduce_by(self, input)
    }

    fn pool_window(&self) -> Option<PoolWindow> {
        Some(self.window)
    }
}
