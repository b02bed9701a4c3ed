//! What all pooling layers have in common.

use burn::tensor::{Tensor, backend::Backend};

use super::error::WindowError;
use super::pool_window::PoolWindow;
use crate::layer_scope::run_layer;

/// A layer that pools feature maps: what [`Pool1d`](super::Pool1d) makes a layer of sequences.
pub trait Pooling<B: Backend> {
    /// Pools maps of `[batch, channels, height, width]`, or returns why it cannot.
    ///
    /// # Errors
    /// [`WindowError`] if the layer does not take maps of this size or number of channels.
    fn pool(&self, input: Tensor<B, 4>) -> Result<Tensor<B, 4>, WindowError>;

    /// Returns the windows, if they are of one kind: what a summary shows.
    fn pool_window(&self) -> Option<PoolWindow> {
        None
    }
}

/// Pools, and says so to whoever records the operations.
pub(super) fn run<B: Backend, L: Pooling<B>>(layer: &L, input: Tensor<B, 4>) -> Result<Tensor<B, 4>, WindowError> {
    let kernel = layer.pool_window().and_then(|window| window.kernel());
    run_layer::<L, _>(kernel, || layer.pool(input))
}

/// Writes the methods of a layer that implements [`Pooling`]; `generic` of one that is the same on every backend, `choice`
/// of one that is one of several others.
macro_rules! forward_methods {
    () => {
        $crate::pooling::layer::forward_methods!(@methods [] $crate::pooling::layer::run);
    };
    (choice) => {
        $crate::pooling::layer::forward_methods!(@methods [] $crate::pooling::layer::Pooling::pool);
    };
    (generic) => {
        $crate::pooling::layer::forward_methods!(
            @methods [<B: burn::tensor::backend::Backend>] $crate::pooling::layer::run
        );
    };
    (@methods [$($generics:tt)*] $run:path) => {
        /// Pools every channel.
        ///
        /// # Shapes
        /// - input: `[batch, channels, height, width]`
        /// - output: `[batch, channels, pooled height, pooled width]`; of one global window `[batch, channels, 1, 1]`
        ///
        /// # Panics
        /// If [`try_forward`](Self::try_forward) returns an error.
        #[track_caller]
        pub fn forward $($generics)* (&self, input: burn::tensor::Tensor<B, 4>) -> burn::tensor::Tensor<B, 4> {
            $crate::pooling::error::expect(self.try_forward(input))
        }

        /// Does the same, or returns why it cannot.
        ///
        /// # Errors
        /// [`WindowError`](crate::pooling::WindowError) if the layer does not take maps of this size or number of
        /// channels.
        pub fn try_forward $($generics)* (
            &self, input: burn::tensor::Tensor<B, 4>,
        ) -> Result<burn::tensor::Tensor<B, 4>, $crate::pooling::WindowError> {
            $run(self, input)
        }
    };
}
pub(super) use forward_methods;
