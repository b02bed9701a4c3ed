//! The mean of the largest values of each window.
//!
//! After the k-max pooling of Kalchbrenner, Grefenstette, Blunsom: *A Convolutional Neural Network for Modelling
//! Sentences* (2014), section 3.2, which keeps these values in order instead.

use burn::module::Module;
use burn::tensor::{Tensor, backend::Backend};

use super::error::WindowError;
use super::layer::{Pooling, forward_methods};
use super::pool_window::PoolWindow;
use super::reduce::{Reducing, Unfolded, reduce_by};
use crate::cpu::reduce::Reduction;

/// Reduces each window to the mean of its `count` largest values: with 1 the maximum, with all the mean.
///
/// ```
/// # #[cfg(feature = "flex")] {
/// use burn::tensor::Tensor;
/// use burn_pooling::pooling::{PoolWindow, TopKPool2d};
///
/// let map = Tensor::<burn_flex::Flex, 4>::from_floats([[[[1.0, 7.0, 3.0, 5.0]]]], &Default::default());
/// let pooled = TopKPool2d::new(PoolWindow::Global, 2).forward(map);
/// assert_eq!(pooled.into_scalar(), 6.0);
/// # }
/// ```
#[derive(Module, Clone, Debug)]
pub struct TopKPool2d {
    /// The windows.
    pub window: PoolWindow,
    /// How many of the largest values count: at least 1, and at most those of the smallest window.
    pub count: usize,
}

impl TopKPool2d {
    /// Creates the layer.
    pub fn new(window: PoolWindow, count: usize) -> Self {
        Self { window, count }
    }

    forward_methods!(generic);
}

/// Up to so many are found one by one: a GPU backend sorts on the CPU.
const MOST_MAXIMA: usize = 16;

impl<B: Backend> Reducing<B> for TopKPool2d {
    fn window(&self) -> PoolWindow {
        self.window
    }

    fn reduction(&self) -> Result<Reduction, WindowError> {
        Ok(Reduction::Largest(self.count))
    }

    fn compose(&self, unfolded: Unfolded<B>) -> Tensor<B, 4> {
        if self.count > MOST_MAXIMA {
            let sorted = unfolded.values.sort_descending(3); // [batch, channels, windows, values]
            return sorted.narrow(3, 0, self.count).mean_dim(3);
        }
        let mut rest = unfolded.values;
        let places = Tensor::arange(0..rest.dims()[3] as i64, &rest.device()).reshape([1, 1, 1, -1]);
        let mut sum = unfolded.count.zeros_like(); // [1, 1, windows, 1]
        for _ in 0..self.count {
            let (largest, place) = rest.clone().max_dim_with_indices(3);
            sum = sum + largest;
            let shape = rest.dims();
            rest = rest.mask_fill(places.clone().expand(shape).equal(place.expand(shape)), f32::NEG_INFINITY);
        }
        sum / self.count as f32
    }
}

impl<B: Backend> Pooling<B> for TopKPool2d {
    fn pool(&self, input: Tensor<B, 4>) -> Result<Tensor<B, 4>, WindowError> {
        reduce_by(self, input)
    }

    fn pool_window(&self) -> Option<PoolWindow> {
        Some(self.window)
    }
}
