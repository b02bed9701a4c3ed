//! A training loop for any [`Classifier`](crate::model::Classifier): the same seed gives the same weights,
//! and a run that was broken off goes on as if it had not been.

mod adam;
mod checkpoint;
mod config;
mod fit;
mod folder;
mod initialize;
mod learner;
mod order;
mod progress;
mod storage;

pub use adam::{Adam, AdamState};
pub use checkpoint::{load_weights, save_weights};
pub use config::{ConfigError, TrainingConfig};
pub use fit::{Outcome, TrainingError, fit};
pub use folder::RunFolder;
pub use initialize::glorot_uniform;
pub use learner::Learner;
pub use order::Split;
pub use progress::{Control, EpochMetrics, Progress};
pub use storage::StorageError;
