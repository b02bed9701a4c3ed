//! The hyperparameters of a training run.

use serde::{Deserialize, Serialize};

/// Which validation figure decides the best epoch; of equal epochs the first is the best.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BestBy {
    /// The highest accuracy.
    #[default]
    Accuracy,
    /// The lowest loss.
    Loss,
}

/// The hyperparameters of [`fit`](super::fit).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainingConfig {
    /// Number of epochs; 5 by default.
    pub epochs: usize,
    /// Batch size; 128 by default.
    pub batch_size: usize,
    /// Learning rate, the highest one of a schedule; 0.001 by default.
    pub learning_rate: f64,
    /// Decides the initial weights, the validation samples, the order of the training samples, and the augmentation;
    /// 42 by default.
    pub seed: u64,
    /// Number of samples kept from training for validation; 5,000 by default, 0 for none.
    pub valid_size: usize,
    /// Number of epochs without a better one after which training stops; `None`, the default: it never does.
    #[serde(default)]
    pub patience: Option<usize>,
    /// Which validation figure decides the best epoch; accuracy by default.
    #[serde(default)]
    pub best_by: BestBy,
}

impl Default for TrainingConfig {
    fn default() -> Self {
        Self {
            epochs: 5,
            batch_size: 128,
            learning_rate: 1e-3,
            seed: 42,
            valid_size: 5000,
            patience: None,
            best_by: BestBy::default(),
        }
    }
}

/// A hyperparameter that does not suit the data.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ConfigError {
    /// A count that must be at least 1 is 0.
    #[error("{0}: expected at least 1, found 0")]
    Zero(&'static str),
    /// The learning rate is not a positive number, or 0 or infinite in the 32 bits in which weights are updated.
    #[error("learning rate: expected a finite number above 0, also in 32 bits (1e-45 to 3e38), found {0:e}")]
    LearningRate(f64),
    /// Validation would take every sample.
    #[error("validation size: expected fewer than the {samples} training images, found {valid_size}")]
    ValidSize {
        /// Number of validation samples asked for.
        valid_size: usize,
        /// Number of samples in the data set.
        samples: usize,
    },
    /// Early stopping has nothing to judge by.
    #[error("patience: expected a validation size of at least 1 to judge the epochs by, found 0")]
    Patience,
}

impl TrainingConfig {
    /// Checks every value for a training set of `samples` samples.
    ///
    /// # Errors
    /// [`ConfigError`], the first that is found.
    pub fn check(&self, samples: usize) -> Result<(), ConfigError> {
        let counts =
            [("epochs", self.epochs), ("batch size", self.batch_size), ("patience", self.patience.unwrap_or(1))];
        if let Some((name, _)) = counts.iter().find(|(_, count)| *count == 0) {
            return Err(ConfigError::Zero(name));
        }
        let in_32_bits = self.learning_rate as f32;
        if !(in_32_bits.is_finite() && in_32_bits > 0.0) {
            return Err(ConfigError::LearningRate(self.learning_rate));
        }
        if self.valid_size >= samples {
            return Err(ConfigError::ValidSize { valid_size: self.valid_size, samples });
        }
        if self.patience.is_some() && self.valid_size == 0 {
            return Err(ConfigError::Patience);
        }
        Ok(())
    }
}
