//! Every sample counted once: loss, accuracy, confusion matrix.

use burn::tensor::{Tensor, backend::Backend};
use serde::{Deserialize, Serialize};

use crate::cpu::threads::keep_workers_awake;
use crate::logits::{Logits, argmax, cross_entropy};
use crate::mnist::{ImageDataset, gather};
use crate::model::Classifier;

/// What a classifier does on a data set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Share of samples classified correctly, 0 to 1.
    pub accuracy: f64,
    /// Mean cross-entropy, in nats.
    pub loss: f64,
    /// Samples classified correctly.
    pub correct: usize,
    /// All samples.
    pub count: usize,
    /// Wilson's 95 % interval of the accuracy: lower and upper end.
    pub interval95: [f64; 2],
    /// Samples by true class (row) and predicted class (column).
    pub confusion: Vec<Vec<usize>>,
    /// Accuracy on the samples of each class; nothing for a class without samples.
    pub per_class_accuracy: Vec<Option<f64>>,
}

/// Evaluates `model` on the samples of `dataset` with the given indices, `batch_size` at a time.
///
/// # Errors
/// [`LabelError`] if a sample's class is not among the model's.
///
/// # Panics
/// If `batch_size` is 0, or an index is not in the data set.
pub fn evaluate<B: Backend, M: Classifier<B, Input = Tensor<B, 4>>>(
    model: &M,
    dataset: &ImageDataset,
    indices: &[usize],
    batch_size: usize,
    device: &B::Device,
) -> Result<Evaluation, LabelError> {
    let mut tally = Tally::default();
    for indices in indices.chunks(batch_size) {
        let (logits, labels) = keep_workers_awake::<B, _>(|| {
            let batch = gather::<B>(dataset, indices, device);
            (Logits::read(model.logits(batch.images)), batch.labels)
        });
        tally.add(&logits, &labels)?;
    }
    Ok(tally.evaluation())
}

/// A sample whose class the model does not know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("label {label}: expected a class from 0 to {}, as the model has {classes} classes", classes - 1)]
pub struct LabelError {
    /// The sample's class.
    pub label: u8,
    /// Number of the model's classes.
    pub classes: usize,
}

/// Counts predictions against the truth, batch by batch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    loss_sum: f64,
    /// `[true class][predicted class]`; as large as the largest number of classes so far.
    confusion: Vec<Vec<usize>>,
}

impl Tally {
    /// Counts one batch and returns its mean cross-entropy, in nats.
    ///
    /// # Errors
    /// [`LabelError`] if a label is not among the classes; then nothing is counted.
    pub fn add(&mut self, logits: &Logits, labels: &[u8]) -> Result<f64, LabelError> {
        let classes = logits.classes();
        if let Some(&label) = labels.iter().find(|&&label| usize::from(label) >= classes) {
            return Err(LabelError { label, classes });
        }
        if self.confusion.len() < classes {
            self.confusion.resize(classes, Vec::new());
            (self.confusion.iter_mut()).for_each(|row| row.resize(classes, 0));
        }
        let mut batch_loss = 0.0;
        for (row, &label) in logits.rows().zip(labels) {
            let target = usize::from(label);
            batch_loss += cross_entropy(row, target);
            self.confusion[target][argmax(row)] += 1;
        }
        self.loss_sum += batch_loss;
        Ok(batch_loss / labels.len() as f64)
    }

    /// Number of samples so far.
    pub fn count(&self) -> usize {
        self.confusion.iter().flatten().sum()
    }

    /// How many of them were classified correctly.
    pub fn correct(&self) -> usize {
        (0..self.confusion.len()).map(|class| self.confusion[class][class]).sum()
    }

    /// Mean cross-entropy so far, in nats; NaN without samples.
    pub fn loss(&self) -> f64 {
        self.loss_sum / self.count() as f64
    }

    /// Share of correct predictions so far, 0 to 1; NaN without samples.
    pub fn accuracy(&self) -> f64 {
        self.correct() as f64 / self.count() as f64
    }

    /// Everything that was counted.
    pub fn evaluation(self) -> Evaluation {
        let class_accuracy = |(class, row): (usize, &Vec<usize>)| {
            let count: usize = row.iter().sum();
            (count > 0).then(|| row[class] as f64 / count as f64)
        };
        Evaluation {
            accuracy: self.accuracy(),
            loss: self.loss(),
            correct: self.correct(),
            count: self.count(),
            interval95: wilson95(self.correct(), self.count()),
            per_class_accuracy: self.confusion.iter().enumerate().map(class_accuracy).collect(),
            confusion: self.confusion,
        }
    }
}

/// Wilson's score interval at 95 % for `correct` out of `count`.
///
/// Wilson: *Probable inference, the law of succession, and statistical inference* (1927). Unlike the
/// normal interval it stays within 0 to 1 and is not empty at the ends. Without samples: 0 to 1.
pub fn wilson95(correct: usize, count: usize) -> [f64; 2] {
    if count == 0 {
        return [0.0, 1.0];
    }
    const Z: f64 = 1.959_963_984_540_054; // the normal distribution's 97.5 % point
    let n = count as f64;
    let share = correct as f64 / n;
    let center = (share + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
    let half = Z / (1.0 + Z * Z / n) * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    [(center - half).max(0.0), (center + half).min(1.0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wilson_matches_published_values() {
        // Newcombe: Two-sided confidence intervals for the single proportion (1998), table I, method 3.
        for (correct, count, expected) in [
            (81, 263, [0.2553, 0.3662]),
            (15, 148, [0.0624, 0.1605]),
            (0, 20, [0.0, 0.1611]),
            (1, 29, [0.0061, 0.1718]),
        ] {
            let found = wilson95(correct, count);
            for end in 0..2 {
                assert!((found[end] - expected[end]).abs() < 5e-5, "{correct}/{count}: {found:?}");
            }
        }
    }
}
