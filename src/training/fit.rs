//! The training loop.

use std::error::Error;

use burn::lr_scheduler::LrScheduler;
use burn::module::AutodiffModule;
use burn::optim::Optimizer;
use burn::tensor::backend::AutodiffBackend;
use web_time::Instant;

use super::augment::{Augment, Unchanged};
use super::config::{ConfigError, TrainingConfig};
use super::event::{CallbackResult, Control, Event};
use super::learner::{Learner, largest_weight};
use super::order::Split;
use super::schedule::Schedule;
use crate::data::Data;
use crate::evaluation::evaluate_with;
use crate::loss::{CrossEntropy, LabelError, Loss};
use crate::model::Classifier;
use crate::random::Random;

/// How a model is trained: hyperparameters, learning rate schedule, loss, augmentation.
#[derive(Clone, Debug)]
pub struct Training<S = Schedule, L = CrossEntropy, A = Unchanged> {
    /// The hyperparameters.
    pub config: TrainingConfig,
    /// The learning rate of each step: any Burn scheduler.
    pub scheduler: S,
    /// The loss, for training and for validation.
    pub loss: L,
    /// What happens to the training batches before the model sees them.
    pub augmentation: A,
}

impl Training {
    /// Returns a training with a constant learning rate, the cross-entropy, and no augmentation.
    pub fn new(config: TrainingConfig) -> Self {
        let scheduler = Schedule::constant(config.learning_rate);
        Self { config, scheduler, loss: CrossEntropy::new(), augmentation: Unchanged }
    }
}

impl<S, L, A> Training<S, L, A> {
    /// Replaces the learning rate schedule; the configuration's learning rate is then unused.
    pub fn with_scheduler<T: LrScheduler>(self, scheduler: T) -> Training<T, L, A> {
        Training { config: self.config, scheduler, loss: self.loss, augmentation: self.augmentation }
    }

    /// Replaces the loss.
    pub fn with_loss<T>(self, loss: T) -> Training<S, T, A> {
        Training { config: self.config, scheduler: self.scheduler, loss, augmentation: self.augmentation }
    }

    /// Replaces the augmentation: a function of a batch and random numbers, or a ready-made one.
    pub fn with_augmentation<T>(self, augmentation: T) -> Training<S, L, T> {
        Training { config: self.config, scheduler: self.scheduler, loss: self.loss, augmentation }
    }
}

/// How [`fit`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All epochs are done.
    Finished,
    /// The last epochs, as many as the patience, brought nothing better.
    StoppedEarly,
    /// The callback stopped it, after the checkpoint.
    Interrupted,
}

/// Why training failed.
#[derive(Debug, thiserror::Error)]
pub enum TrainingError {
    /// The configuration does not suit the data.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A label is not among the model's classes.
    #[error(transparent)]
    Label(#[from] LabelError),
    /// The loss, or a weight, is infinite or not a number.
    #[error(
        "the {what} is not finite ({value}) at step {step} of epoch {epoch}; \
         the checkpoint before it is kept: try a smaller learning rate"
    )]
    NotFinite {
        /// What is not finite.
        what: &'static str,
        /// Its value.
        value: f64,
        /// The step within the epoch, from 1.
        step: usize,
        /// The epoch, from 1.
        epoch: usize,
    },
    /// The callback failed.
    #[error(transparent)]
    Callback(Box<dyn Error + Send + Sync>),
}

/// Trains until all epochs are done, from wherever `learner` is.
///
/// Every step, checkpoint and epoch is told to `callback`, which may stop it: the step is finished, the checkpoint is
/// announced, and a later call continues from there to exactly the weights that it would have reached without the stop.
/// The seed decides the order of the samples and the augmentation of each step; the scheduler is taken at its
/// beginning, and advanced by the steps that the learner has done.
///
/// # Errors
/// [`TrainingError`] if the configuration does not suit the data, the loss is no longer finite, or the callback fails.
///
/// # Panics
/// If the model does not take the inputs of the data set.
pub fn fit<B, M, O, D, S, L, A>(
    learner: &mut Learner<B, M, O>, data: &D, training: &Training<S, L, A>, device: &B::Device,
    mut callback: impl FnMut(Event<'_, Learner<B, M, O>>) -> CallbackResult,
) -> Result<Outcome, TrainingError>
where
    B: AutodiffBackend,
    M: AutodiffModule<B> + Classifier<B>,
    M::InnerModule: Classifier<B::InnerBackend>,
    O: Optimizer<M, B>,
    D: Data<B, M::Input> + Data<B::InnerBackend, <M::InnerModule as Classifier<B::InnerBackend>>::Input>,
    S: LrScheduler,
    L: Loss<B> + Loss<B::InnerBackend>,
    A: Augment<M::Input>,
{
    let config = &training.config;
    let samples = Data::<B, M::Input>::len(data);
    config.check(samples)?;
    let split = Split::new(samples, config.valid_size, config.seed);
    let mut scheduler = training.scheduler.clone();
    for _ in 0..learner.iterations() {
        scheduler.step();
    }
    let mut tell = |event: Event<'_, _>| callback(event).map_err(TrainingError::Callback);

    while learner.history().len() < config.epochs {
        let epoch = learner.history().len();
        if config.patience.is_some_and(|patience| epoch.saturating_sub(learner.best_epoch()) >= patience) {
            return Ok(Outcome::StoppedEarly);
        }
        let order = split.shuffled(config.seed, epoch);
        let steps = order.len().div_ceil(config.batch_size);
        for indices in order.chunks(config.batch_size).skip(learner.steps_done()) {
            let start = Instant::now();
            let mut random = Random::of_step(config.seed, epoch, learner.steps_done());
            let batch = training.augmentation.augment(data.gather(indices, device), &mut random);
            learner.add_time(start.elapsed());
            let loss = learner.step(batch, scheduler.step(), &training.loss)?;
            refuse_infinite("loss", loss, learner)?;
            if tell(Event::Step(learner.progress(steps)))? == Control::Stop {
                refuse_infinite("largest weight", largest_weight(learner.model()), learner)?;
                tell(Event::Checkpoint(learner))?;
                return Ok(Outcome::Interrupted);
            }
        }
        refuse_infinite("largest weight", largest_weight(learner.model()), learner)?;
        let validate = || {
            let (model, batch_size) = (learner.model().valid(), config.batch_size);
            evaluate_with(&model, data, &split.valid, batch_size, &training.loss, device)
        };
        let validation = (!split.valid.is_empty()).then(validate).transpose()?;
        learner.finish_epoch(validation.as_ref(), config.best_by);
        let mut stop = tell(Event::Checkpoint(learner))? == Control::Stop;
        if let Some(metrics) = learner.history().last() {
            stop |= tell(Event::Epoch { metrics, learner })? == Control::Stop;
        }
        if stop && learner.history().len() < config.epochs {
            return Ok(Outcome::Interrupted);
        }
    }
    Ok(Outcome::Finished)
}

fn refuse_infinite<B: AutodiffBackend, M: AutodiffModule<B>, O: Optimizer<M, B>>(
    what: &'static str, value: f64, learner: &Learner<B, M, O>,
) -> Result<(), TrainingError> {
    let (step, epoch) = (learner.steps_done(), learner.history().len() + 1);
    match value.is_finite() {
        true => Ok(()),
        false => Err(TrainingError::NotFinite { what, value, step, epoch }),
    }
}
