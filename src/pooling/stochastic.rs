//! Stochastic pooling: while training, one value of each window, drawn with a probability in proportion to it.
//!
//! Zeiler, Fergus: *Stochastic Pooling for Regularization of Deep Convolutional Neural Networks* (2013).

use burn::module::Module;
use burn::tensor::{Distribution, Tensor, backend::Backend};

use super::error::WindowError;
use super::layer::{Pooling, forward_methods};
use super::pool_window::PoolWindow;
use super::reduce::{Unfolded, reduce, unfold, widened};
use crate::cpu::reduce::Reduction;

/// Draws one value of each window on an `Autodiff` backend; on one without gradients, such as the module's `valid()` is on,
/// takes what it would draw on average, `sum(x^2) / sum(x)`.
///
/// Values of 0 and less are never drawn, so it belongs behind a ReLU; a window without a positive value is reduced to 0.
/// The backend's seed decides what is drawn.
///
/// ```
/// # #[cfg(feature = "flex")] {
/// use burn::tensor::Tensor;
/// use burn_pooling::pooling::{PoolWindow, StochasticPool2d};
///
/// let map = Tensor::<burn_flex::Flex, 4>::from_floats([[[[1.0, 3.0]]]], &Default::default());
/// let pooled = StochasticPool2d::new(PoolWindow::Global).forward(map);
/// assert_eq!(pooled.into_scalar(), 2.5); // 1 with probability 1/4, 3 with 3/4
/// # }
/// ```
#[derive(Module, Clone, Debug)]
pub struct StochasticPool2d {
    /// The windows.
    pub window: PoolWindow,
}

impl StochasticPool2d {
    /// Creates the layer.
    pub fn new(window: PoolWindow) -> Self {
        Self { window }
    }

    forward_methods!(generic);

    /// Draws one value of each window, also on a backend without gradients.
    ///
    /// # Shapes
    /// - input: `[batch, channels, height, width]`
    /// - output: `[batch, channels, pooled height, pooled width]`
    ///
    /// # Errors
    /// [`WindowError`] if the windows do not fit the input.
    pub fn draw<B: Backend>(&self, input: Tensor<B, 4>) -> Result<Tensor<B, 4>, WindowError> {
        let [batch, channels, height, width] = input.dims();
        let taps = self.window.taps([height, width])?;
        let [rows, columns] = taps.outputs();
        if taps.values()[0] == 0 {
            return Err(WindowError::Nothing);
        }
        if batch * channels == 0 {
            return Ok(input.reshape([batch, channels, rows, columns]));
        }
        let dtype = input.dtype();
        let values = unfold(&taps, widened(&input)).values.clamp_min(0.0); // [batch, channels, windows, values]
        let drawn = values.clone().gather(3, places(values.detach()));
        Ok(drawn.reshape([batch, channels, rows, columns]).cast(dtype))
    }
}

/// Returns a place in each window, drawn in proportion to its value, `[batch, channels, windows, 1]`.
fn places<B: Backend>(values: Tensor<B, 4>) -> Tensor<B, 4, burn::tensor::Int> {
    let [batch, channels, windows, taps] = values.dims();
    let sums = values.cumsum(3);
    let total = sums.clone().narrow(3, taps - 1, 1);
    let shape = [batch, channels, windows, 1];
    let point = Tensor::<B, 4>::random(shape, Distribution::Default, &sums.device()).cast(sums.dtype()) * total.clone();
    // A point that rounding has put at the end belongs to the last positive value.
    let point = point.clone().mask_where(point.greater_equal(total.clone()), total * (1.0 - 1e-6));
    let passed = sums.lower_equal(point.expand([batch, channels, windows, taps])).int().sum_dim(3);
    passed.clamp_max(taps as i64 - 1)
}

impl<B: Backend> Pooling<B> for StochasticPool2d {
    fn pool(&self, input: Tensor<B, 4>) -> Result<Tensor<B, 4>, WindowError> {
        if B::ad_enabled(&input.device()) {
            return self.draw(input);
        }
        let composed = |unfolded: Unfolded<B>| {
            let positive = unfolded.values.clamp_min(0.0);
            let largest = positive.clone().max_dim(3).clamp_min(f32::MIN_POSITIVE);
            let shares = positive / largest.clone();
            let total = shares.clone().sum_dim(3).clamp_min(f32::MIN_POSITIVE);
            shares.powi_scalar(2).sum_dim(3) / total * largest
        };
        reduce(&self.window, Reduction::Expected, input, None, composed)
    }

    fn pool_window(&self) -> Option<PoolWindow> {
        Some(self.window)
    }
}
