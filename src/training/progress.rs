//! What training tells while it works, and what it is told.

use serde::{Deserialize, Serialize};

/// What [`fit`](super::fit) reports while it works.
#[derive(Clone, Copy, Debug)]
pub enum Progress<'a> {
    /// A step is done.
    Step {
        /// The epoch, from 1.
        epoch: usize,
        /// The step within the epoch, from 1.
        step: usize,
        /// Steps in an epoch.
        steps: usize,
        /// Mean cross-entropy over the epoch so far, in nats.
        loss: f64,
        /// Accuracy over the epoch so far, 0 to 1.
        accuracy: f64,
        /// Training images a second over the epoch so far.
        images_per_second: f64,
    },
    /// An epoch is done, validated and saved.
    Epoch(&'a EpochMetrics),
}

/// Whether to go on; the answer to each [`Progress`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// Go on.
    Continue,
    /// Save and return.
    Stop,
}

/// What an epoch brought.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochMetrics {
    /// The epoch, from 1.
    pub epoch: usize,
    /// Mean cross-entropy over the epoch's steps, while the weights changed, in nats.
    pub train_loss: f64,
    /// Accuracy over the epoch's steps, while the weights changed, 0 to 1.
    pub train_accuracy: f64,
    /// Cross-entropy on the validation images after the epoch, in nats; nothing without validation images.
    pub valid_loss: Option<f64>,
    /// Accuracy on the validation images after the epoch, 0 to 1; nothing without validation images.
    pub valid_accuracy: Option<f64>,
    /// Training images a second: gather, forward, backward and optimizer step, without validation.
    pub images_per_second: f64,
}
