//! Logits on the host, read from the device once: for the loss, its gradient, and the predictions.

use burn::tensor::{Tensor, backend::Backend};

/// The logits of a batch, on the host.
#[derive(Clone, Debug)]
pub struct Logits {
    values: Vec<f32>,
    shape: [usize; 2],
}

/// Labels that do not belong to the logits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LabelError {
    /// A label is not among the model's classes.
    #[error(
        "expected labels below {classes}, the model's number of classes, found {label}: use a model with more classes"
    )]
    Class {
        /// The label.
        label: usize,
        /// The model's number of classes.
        classes: usize,
    },
    /// Label and sample counts of a batch differ.
    #[error(
        "expected a label for each of the {samples} samples of a batch, found {labels}: check how the data make batches"
    )]
    Count {
        /// Number of labels.
        labels: usize,
        /// Number of samples.
        samples: usize,
    },
}

impl Logits {
    /// Reads logits back from the device; waits for it.
    ///
    /// # Shapes
    /// - logits: `[batch, classes]`
    pub fn read<B: Backend>(logits: Tensor<B, 2>) -> Self {
        let shape = logits.dims();
        let data = logits.into_data().convert::<f32>();
        Self { values: data.into_vec().expect("just converted to f32"), shape }
    }

    /// Returns the dimensions, `[batch, classes]`.
    pub fn dims(&self) -> [usize; 2] {
        self.shape
    }

    /// Returns the number of classes.
    pub fn classes(&self) -> usize {
        self.shape[1]
    }

    /// Returns the logits of one sample after the other.
    pub fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.classes().max(1))
    }

    /// Returns the class with the largest logit of each sample, the first of equals.
    pub fn predictions(&self) -> impl Iterator<Item = usize> {
        self.rows().map(argmax)
    }

    /// Checks that each sample has a label, and that each label is one of the classes.
    ///
    /// # Errors
    /// [`LabelError`] with what is wrong first.
    pub fn check_labels(&self, labels: &[usize]) -> Result<(), LabelError> {
        let [samples, classes] = self.shape;
        if labels.len() != samples {
            return Err(LabelError::Count { labels: labels.len(), samples });
        }
        let wrong = labels.iter().find(|&&label| label >= classes);
        wrong.map_or(Ok(()), |&label| Err(LabelError::Class { label, classes }))
    }
}

/// The first of the largest.
fn argmax(logits: &[f32]) -> usize {
    let better = |best, class| if logits[class] > logits[best] { class } else { best };
    (1..logits.len()).fold(0, better)
}

#[cfg(test)]
#[path = "../../tests/unit/logits.rs"]
mod tests;
