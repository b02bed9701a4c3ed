//! Every sample counted once: loss, accuracy, confusion matrix; and whether probabilities mean what they say.
//!
//! ```
//! # #[cfg(all(feature = "flex", feature = "bundled-mnist"))] {
//! use burn_pooling::backend::Flex;
//! use burn_pooling::evaluation::evaluate;
//! use burn_pooling::mnist::ImageSets;
//! use burn_pooling::model::{PoolingCnnConfig, Variant};
//!
//! let device = Default::default();
//! let model = PoolingCnnConfig::new(Variant::Max).init::<Flex>(&device)?; // untrained
//! let test = ImageSets::load(None)?.test;
//! let indices: Vec<usize> = (0..500).collect();
//! let evaluation = evaluate(&model, &test, &indices, 100, &device)?;
//! assert_eq!((evaluation.count, evaluation.confusion.len()), (500, 10));
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod calibration;

pub use calibration::{Calibration, CalibrationBin};

use burn::tensor::{ElementConversion, Tensor, backend::Backend};
use serde::{Deserialize, Serialize};

use crate::cpu::threads::keep_workers_awake;
use crate::data::{Batch, Data};
use crate::loss::{CrossEntropy, LabelError, Logits, Loss};
use crate::model::Classifier;
use crate::statistics::wilson95;

/// The figures of a classifier on a data set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Share of samples classified correctly, 0 to 1.
    pub accuracy: f64,
    /// Mean loss; the cross-entropy is in nats.
    pub loss: f64,
    /// Samples classified correctly.
    pub correct: usize,
    /// All samples.
    pub count: usize,
    /// Wilson's 95 % interval of the accuracy: lower and upper end.
    pub interval95: [f64; 2],
    /// Samples by true class (row) and predicted class (column).
    pub confusion: Vec<Vec<usize>>,
    /// Accuracy on the samples of each class; `None` for a class without samples.
    pub per_class_accuracy: Vec<Option<f64>>,
}

/// Evaluates `model` with the cross-entropy on the samples of `data` with the given indices, `batch_size` at a time.
///
/// # Errors
/// [`LabelError`] if a label is not among the model's classes.
///
/// # Panics
/// If an index is not in the data set, or the model does not take its inputs.
pub fn evaluate<B: Backend, M: Classifier<B>, D: Data<B, M::Input>>(
    model: &M, data: &D, indices: &[usize], batch_size: usize, device: &B::Device,
) -> Result<Evaluation, LabelError> {
    evaluate_with(model, data, indices, batch_size, &CrossEntropy::new(), device)
}

/// Evaluates with any loss; otherwise, with its errors and panics too, as [`evaluate`] does.
pub fn evaluate_with<B: Backend, M: Classifier<B>, D: Data<B, M::Input>, L: Loss<B>>(
    model: &M, data: &D, indices: &[usize], batch_size: usize, loss: &L, device: &B::Device,
) -> Result<Evaluation, LabelError> {
    let mut tally = Tally::default();
    for indices in indices.chunks(batch_size.max(1)) {
        keep_workers_awake::<B, _>(|| {
            let Batch { inputs, labels } = data.gather(indices, device);
            let logits = model.logits(inputs); // [batch, classes]
            let on_host = Logits::read(logits.clone());
            on_host.check_labels(&labels)?;
            let value = match loss.on_host() {
                Some(loss) => loss.mean(&on_host, &labels),
                None => scalar(loss.forward(logits, &labels)),
            };
            tally.add(&on_host, &labels, value)
        })?;
    }
    Ok(tally.evaluation())
}

pub(crate) fn scalar<B: Backend>(loss: Tensor<B, 1>) -> f64 {
    loss.into_scalar().elem()
}

/// Counts predictions against labels, batch by batch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    loss_sum: f64,
    /// `[true class][predicted class]`; as large as the largest number of classes so far.
    confusion: Vec<Vec<usize>>,
}

impl Tally {
    /// Counts one batch, whose mean loss is `loss`.
    ///
    /// # Errors
    /// [`LabelError`] if a label is not among the classes; then nothing is counted.
    pub fn add(&mut self, logits: &Logits, labels: &[usize], loss: f64) -> Result<(), LabelError> {
        logits.check_labels(labels)?;
        let classes = logits.classes();
        if self.confusion.len() < classes {
            self.confusion.resize(classes, Vec::new());
            self.confusion.iter_mut().for_each(|row| row.resize(classes, 0));
        }
        for (prediction, &label) in logits.predictions().zip(labels) {
            self.confusion[label][prediction] += 1;
        }
        self.loss_sum += loss * labels.len() as f64;
        Ok(())
    }

    /// Returns whether every class has a count for every class, and no sum of them overflows.
    pub(crate) fn is_consistent(&self) -> bool {
        let classes = self.confusion.len();
        let sum = self.confusion.iter().flatten().try_fold(0_usize, |sum, &count| sum.checked_add(count));
        sum.is_some() && self.confusion.iter().all(|row| row.len() == classes)
    }

    /// Returns the number of samples so far.
    pub fn count(&self) -> usize {
        self.confusion.iter().flatten().sum()
    }

    /// Returns the number of correct predictions so far.
    pub fn correct(&self) -> usize {
        (0..self.confusion.len()).map(|class| self.confusion[class][class]).sum()
    }

    /// Returns the mean loss so far; NaN without samples.
    pub fn loss(&self) -> f64 {
        self.loss_sum / self.count() as f64
    }

    /// Returns the share of correct predictions so far, 0 to 1; NaN without samples.
    pub fn accuracy(&self) -> f64 {
        self.correct() as f64 / self.count() as f64
    }

    /// Returns the figures of everything that was counted.
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
