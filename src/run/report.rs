//! The final figures of a run.

use serde::{Deserialize, Serialize};

use crate::evaluation::Evaluation;

/// A run's `report.json`: the final figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The network's name.
    #[serde(rename = "variant")]
    pub network: String,
    /// The backend's name.
    pub backend: String,
    /// The seed.
    pub seed: u64,
    /// Epochs trained.
    pub epochs: usize,
    /// The epoch whose weights were kept and tested, from 1.
    pub best_epoch: usize,
    /// Number of parameters.
    pub parameters: usize,
    /// Median over the epochs of training images per second.
    pub train_images_per_second: f64,
    /// The figures on the test images.
    pub test: Evaluation,
}
