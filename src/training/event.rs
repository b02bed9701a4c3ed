//! What [`fit`](super::fit) tells its callback, and what it is answered.

use std::error::Error;

use serde::{Deserialize, Serialize};

/// What happened; `L` is the [`Learner`](super::Learner).
#[derive(Clone, Copy, Debug)]
pub enum Event<'a, L> {
    /// A training step is done.
    Step(Step),
    /// Something is there to be saved: after every epoch, and before an interrupted [`fit`](super::fit) returns.
    Checkpoint(&'a L),
    /// An epoch is done, validated and saved.
    Epoch {
        /// The figures of the epoch.
        metrics: &'a EpochMetrics,
        /// The learner, for metrics of your own.
        learner: &'a L,
    },
}

/// The figures of an epoch so far.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// The epoch, from 1.
    pub epoch: usize,
    /// The step within the epoch, from 1.
    pub step: usize,
    /// Number of steps in an epoch.
    pub steps: usize,
    /// Mean loss over the epoch so far.
    pub loss: f64,
    /// Accuracy over the epoch so far, 0 to 1.
    pub accuracy: f64,
    /// Training images per second over the epoch so far.
    pub images_per_second: f64,
}

/// Whether training continues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// Continue.
    Continue,
    /// Save and return.
    Stop,
}

/// What a callback returns; an error ends the training.
pub type CallbackResult = Result<Control, Box<dyn Error + Send + Sync>>;

/// The figures of an epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochMetrics {
    /// The epoch, from 1.
    pub epoch: usize,
    /// Mean loss over the epoch's steps, while the weights changed.
    pub train_loss: f64,
    /// Accuracy over the epoch's steps, while the weights changed, 0 to 1.
    pub train_accuracy: f64,
    /// Mean loss on the validation samples after the epoch; `None` without validation.
    pub valid_loss: Option<f64>,
    /// Accuracy on the validation samples after the epoch, 0 to 1; `None` without validation.
    pub valid_accuracy: Option<f64>,
    /// Training images per second: gather, augmentation, forward, backward and optimizer step, without validation.
    pub images_per_second: f64,
}
