//! What training makes small.

use burn::tensor::{Int, Tensor, TensorData, backend::Backend};

use super::logits::Logits;

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
