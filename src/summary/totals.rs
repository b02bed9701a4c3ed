//! The sums under a summary.

use std::collections::HashSet;

use burn::module::ParamId;
use serde::Serialize;

use super::row::ParameterCount;
use super::tree::ModuleTensor;

/// The sums under a summary, for its batch size. Sizes are in bytes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Totals {
    /// All parameters, each counted once.
    pub parameters: ParameterCount,
    /// Those of them that the forward pass never uses.
    pub unused_parameters: usize,
    /// What the trainable ones take.
    pub trainable_bytes: usize,
    /// What the others take.
    pub non_trainable_bytes: usize,
    /// Multiply-adds of a forward pass.
    pub forward_multiply_adds: u64,
    /// What the inputs take.
    pub input_bytes: usize,
    /// What all results take together, one for each row.
    pub activation_bytes: usize,
    /// The most that inputs and results take at one moment of an inference pass.
    pub peak_activation_bytes: usize,
    /// What training costs; `None` for a model on [`Trace`](super::Trace), or if the backward
    /// pass cannot be run.
    pub training: Option<Training>,
}

impl Totals {
    /// What all parameters take.
    pub fn parameter_bytes(&self) -> usize {
        self.trainable_bytes + self.non_trainable_bytes
    }

    /// An estimate of what a training step with Adam takes: parameters, their gradients, Adam's
    /// two moments, and the activations kept for the backward pass.
    pub fn adam_training_bytes(&self) -> Option<usize> {
        let training = self.training.as_ref()?;
        Some(
            self.parameter_bytes()
                + training.gradient_bytes
                + training.adam_bytes
                + training.kept_bytes,
        )
    }
}

/// What training costs beyond a forward pass.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Training {
    /// Multiply-adds of the forward and the backward pass.
    pub multiply_adds: u64,
    /// What the forward pass keeps for the backward pass: inputs and activations.
    pub kept_bytes: usize,
    /// The gradients of the parameters.
    pub gradient_bytes: usize,
    /// Adam's first and second moments.
    pub adam_bytes: usize,
}

/// The module's parameters, and the bytes of the trainable and of the other ones.
pub(super) fn parameters(tensors: &[ModuleTensor]) -> (ParameterCount, usize, usize) {
    let mut seen: HashSet<ParamId> = HashSet::new();
    let (mut count, mut trainable, mut others) = (ParameterCount::default(), 0, 0);
    for tensor in tensors.iter().filter(|tensor| seen.insert(tensor.parameter)) {
        if tensor.trainable {
            count.trainable += tensor.elements();
            trainable += tensor.bytes();
        } else {
            count.non_trainable += tensor.elements();
            others += tensor.bytes();
        }
    }
    (count, trainable, others)
}
