//! Pooling of sequences: any of the layers, along one axis.

use std::marker::PhantomData;

use burn::module::Module;
use burn::tensor::{Tensor, backend::Backend};

use super::error::{WindowError, expect};
use super::layer::Pooling;

/// Pools sequences, `[batch, channels, length]`, as maps of height 1: windows, and filters of a blur, have height 1 too.
///
/// ```
/// # #[cfg(feature = "flex")] {
/// use burn::tensor::Tensor;
/// use burn_pooling::pooling::{LpPool2d, Pool1d, PoolWindow};
///
/// let sequence = Tensor::<burn_flex::Flex, 3>::from_floats([[[3.0, 4.0, 5.0, 12.0]]], &Default::default());
/// let pooled = Pool1d::new(LpPool2d::new(PoolWindow::sliding([1, 2]), 2.0)).forward(sequence);
/// assert_eq!(pooled.into_data().to_vec::<f32>().unwrap(), [5.0, 13.0]);
/// # }
/// ```
#[derive(Module, Debug)]
pub struct Pool1d<B: Backend, P> {
    /// The layer, whose windows have height 1.
    pub pool: P,
    backend: PhantomData<B>,
}

impl<B: Backend, P: Pooling<B> + Module<B>> Pool1d<B, P> {
    /// Creates the layer of one that pools maps.
    pub fn new(pool: P) -> Self {
        Self { pool, backend: PhantomData }
    }

    /// Pools every channel.
    ///
    /// # Shapes
    /// - input: `[batch, channels, length]`
    /// - output: `[batch, channels, pooled length]`
    ///
    /// # Panics
    /// If [`try_forward`](Self::try_forward) returns an error.
    #[track_caller]
    pub fn forward(&self, input: Tensor<B, 3>) -> Tensor<B, 3> {
        expect(self.try_forward(input))
    }

    /// Does the same, or returns why it cannot.
    ///
    /// # Errors
    /// [`WindowError`] if the layer does not take maps of height 1, this length and number of channels, or returns higher
    /// ones.
    pub fn try_forward(&self, input: Tensor<B, 3>) -> Result<Tensor<B, 3>, WindowError> {
        let pooled = self.pool.pool(input.unsqueeze_dim(2))?; // [batch, channels, 1, pooled length]
        match pooled.dims()[2] {
            1 => Ok(pooled.flatten(2, 3)),
            found => Err(WindowError::Height { found }),
        }
    }
}
