//! What a training run is told.

use burn::config::Config;

/// Hyperparameters of a training run; the optimizer is Adam with betas 0.9 and 0.999 and epsilon 1e-7.
#[derive(Config, Debug, Copy, PartialEq)]
pub struct TrainingConfig {
    /// Passes over the training images.
    #[config(default = 5)]
    pub epochs: usize,
    /// Images a step.
    #[config(default = 128)]
    pub batch_size: usize,
    /// Adam's step size.
    #[config(default = 1e-3)]
    pub learning_rate: f64,
    /// Decides the initial weights, the validation images and the order of the training images.
    #[config(default = 42)]
    pub seed: u64,
    /// Images kept from training for validation; 0 for none.
    #[config(default = 5000)]
    pub valid_size: usize,
}

/// A hyperparameter that no run can have.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ConfigError {
    /// A count that must be at least 1 is 0.
    #[error("{0}: expected at least 1, found 0")]
    Zero(&'static str),
    /// The learning rate is not a positive number.
    #[error("learning rate: expected a finite number above 0, found {0}")]
    LearningRate(f64),
    /// Validation would take every image.
    #[error(
        "validation size: expected fewer than the {images} training images, found {valid_size}"
    )]
    ValidSize {
        /// Images asked for.
        valid_size: usize,
        /// Images there are.
        images: usize,
    },
}

impl TrainingConfig {
    /// Checks every value for a training set of `images` images.
    ///
    /// # Errors
    /// [`ConfigError`], the first that is found.
    pub fn check(&self, images: usize) -> Result<(), ConfigError> {
        for (name, count) in [("epochs", self.epochs), ("batch size", self.batch_size)] {
            if count == 0 {
                return Err(ConfigError::Zero(name));
            }
        }
        if !(self.learning_rate.is_finite() && self.learning_rate > 0.0) {
            return Err(ConfigError::LearningRate(self.learning_rate));
        }
        if self.valid_size >= images {
            return Err(ConfigError::ValidSize { valid_size: self.valid_size, images });
        }
        Ok(())
    }
}
