//! Lp pooling: the p-norm of each window.
//!
//! Gülçehre, Cho, Pascanu, Bengio: *Learned-Norm Pooling for Deep Feedforward and Recurrent Neural Networks* (2014);
//! PyTorch's `LPPool2d`.

use burn::module::Module;
use burn::tensor::{Tensor, backend::Backend};

use super::error::WindowError;
use super::layer::{Pooling, forward_methods};
use super::pool_window::PoolWindow;
use super::reduce::{Reducing, Unfolded, largest, reduce_by};
use crate::cpu::reduce::Reduction;

/// Reduces each window to `sum(|x|^p)^(1/p)`.
///
/// The powers are taken of quotients by the largest value, so none overflows. A window of zeros gets no gradient. A window
/// that reaches outside of the map counts as if it were full of its own mean, as PyTorch has it; unlike here, PyTorch
/// takes no absolute values, so that there an odd power of negative values may sum to a negative number, whose root is
/// NaN.
///
/// ```
/// # #[cfg(feature = "flex")] {
/// use burn::tensor::Tensor;
/// use burn_pooling::pooling::{LpPool2d, PoolWindow};
///
/// let map = Tensor::<burn_flex::Flex, 4>::from_floats([[[[3.0, -4.0]]]], &Default::default());
/// let pooled = LpPool2d::new(PoolWindow::Global, 2.0).forward(map);
/// assert!((pooled.into_scalar() - 5.0).abs() < 1e-6);
/// # }
/// ```
#[derive(Module, Clone, Debug)]
pub struct LpPool2d {
    /// The windows.
    pub window: PoolWindow,
    /// The power `p`: at least 1, or infinite for the largest absolute value.
    pub p: f32,
}

impl LpPool2d {
    /// Creates the layer.
    pub fn new(window: PoolWindow, p: f32) -> Self {
        Self { window, p }
    }

    forward_methods!(generic);
}

impl<B: Backend> Reducing<B> for LpPool2d {
    fn window(&self) -> PoolWindow {
        self.window
    }

    fn reduction(&self) -> Result<Reduction, WindowError> {
        if self.p.is_nan() || self.p < 1.0 {
            return Err(WindowError::Power { found: self.p.to_string() });
        }
        Ok(Reduction::Norm { p: self.p })
    }

    fn compose(&self, unfolded: Unfolded<B>) -> Tensor<B, 4> {
        compose(&unfolded, self.p)
    }
}

impl<B: Backend> Pooling<B> for LpPool2d {
    fn pool(&self, input: Tensor<B, 4>) -> Result<Tensor<B, 4>, WindowError> {
        if self.p == f32::INFINITY {
            return largest(&self.window, input.abs());
        }
        reduce_by(self, input)
    }

    fn pool_window(&self) -> Option<PoolWindow> {
        Some(self.window)
    }
}

fn compose<B: Backend>(unfolded: &Unfolded<B>, p: f32) -> Tensor<B, 4> {
    let values = unfolded.or(0.0);
    let zero = values.clone().equal_elem(0.0);
    // Of a zero the logarithm is infinite, and so is its gradient.
    let sizes = values.abs().mask_fill(zero.clone(), 1.0);
    let largest = sizes.clone().mask_fill(zero.clone(), f32::MIN_POSITIVE).max_dim(3).detach();
    let powers = ((sizes / largest.clone()).log() * p).exp().mask_fill(zero, 0.0);
    let sum = powers.sum_dim(3) * unfolded.taps / unfolded.count.clone();
    let nothing = sum.clone().equal_elem(0.0);
    let root = (sum.mask_fill(nothing.clone(), 1.0).log() / p).exp();
    (root * largest).mask_fill(nothing, 0.0)
}
