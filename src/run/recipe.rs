//! How the command trains: optimizer, learning rate schedule, loss and augmentation, as they stand in `config.json`.

use burn::optim::{SgdConfig, decay::WeightDecayConfig, momentum::MomentumConfig};
use serde::{Deserialize, Serialize};

use crate::loss::{CrossEntropy, CrossEntropyError};
use crate::training::{
    AdamConfig, AugmentationError, ImageAugmentation, Schedule, ScheduleKind, Training, TrainingConfig,
};

/// The optimizers that a run can have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OptimizerKind {
    /// Adam; weight decay is added to the gradient.
    #[default]
    Adam,
    /// Adam with decoupled weight decay.
    AdamW,
    /// Stochastic gradient descent.
    Sgd,
}

/// Optimizer, learning rate schedule, loss and augmentation of a run; the defaults are plain Adam.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Recipe {
    /// The optimizer.
    pub optimizer: OptimizerKind,
    /// Momentum of stochastic gradient descent.
    pub momentum: f64,
    /// Weight decay.
    pub weight_decay: f32,
    /// How the learning rate changes.
    pub schedule: ScheduleKind,
    /// Number of epochs in which the learning rate rises to its value.
    pub warmup_epochs: usize,
    /// Label smoothing of the cross-entropy.
    pub label_smoothing: f32,
    /// Augmentation of the training images.
    pub augmentation: ImageAugmentation,
}

/// A recipe that no training can follow.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RecipeError {
    /// The momentum is out of range, or the optimizer has none.
    #[error("momentum: expected a number from 0 up to, not including, 1, and more than 0 with sgd only, found {0}")]
    Momentum(f64),
    /// The weight decay is out of range.
    #[error("weight decay: expected a finite number of at least 0, found {0}")]
    WeightDecay(f32),
    /// The warm-up is as long as the training, or the schedule has a warm-up of its own.
    #[error(
        "warm-up: expected fewer than the {epochs} epochs of the training, and none with the one-cycle schedule, \
         found {warmup_epochs}"
    )]
    Warmup {
        /// Epochs of the warm-up.
        warmup_epochs: usize,
        /// Epochs of the training.
        epochs: usize,
    },
    /// The label smoothing is out of range.
    #[error(transparent)]
    Loss(#[from] CrossEntropyError),
    /// The augmentation is out of range.
    #[error(transparent)]
    Augmentation(#[from] AugmentationError),
}

impl Recipe {
    /// Checks every value for a training of `epochs` epochs.
    ///
    /// # Errors
    /// [`RecipeError`], the first that is found.
    pub fn check(&self, epochs: usize) -> Result<(), RecipeError> {
        let Self { momentum, weight_decay, warmup_epochs, .. } = *self;
        let is_sgd = self.optimizer == OptimizerKind::Sgd;
        if !(0.0..1.0).contains(&momentum) || (momentum > 0.0 && !is_sgd) {
            return Err(RecipeError::Momentum(momentum));
        }
        if !(weight_decay.is_finite() && weight_decay >= 0.0) {
            return Err(RecipeError::WeightDecay(weight_decay));
        }
        let has_own = self.schedule == ScheduleKind::OneCycle;
        if warmup_epochs > 0 && (warmup_epochs >= epochs || has_own) {
            return Err(RecipeError::Warmup { warmup_epochs, epochs });
        }
        CrossEntropy::new().with_label_smoothing(self.label_smoothing)?;
        Ok(self.augmentation.check()?)
    }

    /// Returns the training of `samples` samples with this recipe.
    ///
    /// # Errors
    /// [`RecipeError`] as [`check`](Self::check) does.
    pub fn training(
        &self, config: &TrainingConfig, samples: usize,
    ) -> Result<Training<Schedule, CrossEntropy, ImageAugmentation>, RecipeError> {
        self.check(config.epochs)?;
        let train = samples.saturating_sub(config.valid_size);
        let steps = |epochs| train.div_ceil(config.batch_size.max(1)).saturating_mul(epochs);
        let schedule = Schedule::new(self.schedule, config.learning_rate, steps(config.epochs))
            .with_warmup(steps(self.warmup_epochs));
        Ok(Training::new(config.clone())
            .with_scheduler(schedule)
            .with_loss(CrossEntropy::new().with_label_smoothing(self.label_smoothing)?)
            .with_augmentation(self.augmentation))
    }

    /// Returns the configuration of Adam, with or without decoupled weight decay.
    pub fn adam(&self) -> AdamConfig {
        AdamConfig::new().with_weight_decay(self.weight_decay).with_decoupled(self.optimizer == OptimizerKind::AdamW)
    }

    /// Returns the configuration of stochastic gradient descent; its dampening is 0, as PyTorch's is.
    pub fn sgd(&self) -> SgdConfig {
        let momentum =
            (self.momentum > 0.0).then(|| MomentumConfig::new().with_momentum(self.momentum).with_dampening(0.0));
        let decay = (self.weight_decay > 0.0).then(|| WeightDecayConfig::new(self.weight_decay));
        SgdConfig::new().with_momentum(momentum).with_weight_decay(decay)
    }
}
