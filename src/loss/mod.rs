//! Losses of a classifier's logits: cross-entropy, and a trait for your own.
//!
//! ```
//! # #[cfg(feature = "flex")] {
//! use burn::tensor::{Tensor, backend::Backend};
//! use burn_pooling::backend::Flex;
//! use burn_pooling::loss::{CrossEntropy, Loss, targets};
//!
//! /// The mean squared error of the logits against one-hot targets.
//! struct SquaredError;
//!
//! impl<B: Backend> Loss<B> for SquaredError {
//!     fn forward(&self, logits: Tensor<B, 2>, labels: &[usize]) -> Tensor<B, 1> {
//!         let one_hot = targets(labels, &logits.device()).one_hot(logits.dims()[1]).float();
//!         (logits - one_hot).square().mean()
//!     }
//! }
//!
//! let logits = Tensor::<Flex, 2>::from_floats([[1.0, 0.0], [1.0, 0.0]], &Default::default());
//! let squared_error: f32 = SquaredError.forward(logits.clone(), &[0, 1]).into_scalar();
//! assert_eq!(squared_error, 0.5); // (0 + 0 + 1 + 1) / 4
//! let cross_entropy: f32 = CrossEntropy::new().forward(logits, &[0, 1]).into_scalar();
//! assert!((cross_entropy - 0.8133).abs() < 1e-4); // (ln(1 + 1/e) + ln(1 + e)) / 2
//! # }
//! ```

mod cross_entropy;
mod logits;

use burn::tensor::{Int, Tensor, TensorData, backend::Backend};

pub use cross_entropy::{CrossEntropy, CrossEntropyError};
pub use logits::{LabelError, Logits};

/// A loss of logits, which training makes small.
pub trait Loss<B: Backend> {
    /// Returns the mean loss of a batch.
    ///
    /// # Shapes
    /// - logits: `[batch, classes]`
    /// - labels: `[batch]`, each below the number of classes
    /// - output: `[1]`
    fn forward(&self, logits: Tensor<B, 2>, labels: &[usize]) -> Tensor<B, 1>;

    /// Returns the same loss computed on the host, if it can be: training and evaluation read the logits anyway, so
    /// this saves the operations of [`forward`](Self::forward).
    fn on_host(&self) -> Option<&dyn HostLoss> {
        None
    }
}

/// A loss and its gradient, computed from logits on the host.
pub trait HostLoss {
    /// Returns the mean loss of a batch; `labels` are below the number of classes.
    fn mean(&self, logits: &Logits, labels: &[usize]) -> f64;

    /// Returns the gradient of the mean by the logits: `[batch, classes]`.
    fn gradient(&self, logits: &Logits, labels: &[usize]) -> TensorData;
}

/// Returns labels as a tensor: `[batch]`.
pub fn targets<B: Backend>(labels: &[usize], device: &B::Device) -> Tensor<B, 1, Int> {
    let values: Vec<i64> = labels.iter().map(|&label| label as i64).collect();
    Tensor::from_data(TensorData::new(values, [labels.len()]), device)
}
