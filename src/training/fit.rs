//! The training loop.

use std::time::Instant;

use burn::module::AutodiffModule;
use burn::tensor::Tensor;
use burn::tensor::backend::AutodiffBackend;

use super::config::{ConfigError, TrainingConfig};
use super::folder::RunFolder;
use super::learner::Learner;
use super::order::Split;
use super::progress::{Control, Progress};
use super::storage::StorageError;
use crate::evaluation::{LabelError, evaluate};
use crate::mnist::{ImageDataset, gather};
use crate::model::Classifier;

/// How [`fit`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All epochs are done.
    Finished,
    /// It was told to stop; what was learned is saved.
    Stopped,
}

/// Why training ended early.
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
    /// The run's folder cannot be written.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Trains until `config.epochs` epochs are done, from wherever `learner` is.
///
/// After each epoch it validates and saves to `folder`, if there is one. Every step and every epoch is
/// told to `report`, which may stop it: the step is finished, everything is saved, and a later call goes on
/// from there to exactly the weights that it would have reached without the stop.
///
/// # Errors
/// [`TrainingError`] if the configuration does not suit the data, the loss is no longer finite, or saving fails.
///
/// # Panics
/// If the model does not take images of the data set's size.
pub fn fit<B, M>(
    learner: &mut Learner<B, M>,
    dataset: &ImageDataset,
    config: &TrainingConfig,
    folder: Option<&RunFolder>,
    device: &B::Device,
    mut report: impl FnMut(Progress<'_>) -> Control,
) -> Result<Outcome, TrainingError>
where
    B: AutodiffBackend,
    M: AutodiffModule<B> + Classifier<B, Input = Tensor<B, 4>>,
    M::InnerModule: Classifier<B::InnerBackend, Input = Tensor<B::InnerBackend, 4>>,
{
    config.check(dataset.len())?;
    let split = Split::new(dataset.len(), config.valid_size, config.seed);
    let save = |learner: &Learner<B, M>| folder.map_or(Ok(()), |folder| folder.save(learner));

    while learner.history().len() < config.epochs {
        let order = split.shuffled(config.seed, learner.history().len());
        let steps = order.len().div_ceil(config.batch_size);
        for indices in order.chunks(config.batch_size).skip(learner.steps_done()) {
            let start = Instant::now();
            let loss = learner.step(gather(dataset, indices, device), config.learning_rate)?;
            learner.add_seconds(start.elapsed());
            refuse_infinite("loss", loss, learner)?;
            if report(learner.progress(steps)) == Control::Stop {
                save(learner)?;
                return Ok(Outcome::Stopped);
            }
        }
        refuse_infinite("largest weight", learner.largest_weight(), learner)?;
        let validation = match split.valid.is_empty() {
            true => None,
            false => Some(evaluate(
                &learner.model().valid(),
                dataset,
                &split.valid,
                config.batch_size,
                device,
            )?),
        };
        learner.finish_epoch(validation);
        save(learner)?;
        if let Some(metrics) = learner.history().last()
            && report(Progress::Epoch(metrics)) == Control::Stop
            && learner.history().len() < config.epochs
        {
            return Ok(Outcome::Stopped);
        }
    }
    Ok(Outcome::Finished)
}

fn refuse_infinite<B, M>(
    what: &'static str,
    value: f64,
    learner: &Learner<B, M>,
) -> Result<(), TrainingError>
where
    B: AutodiffBackend,
    M: AutodiffModule<B> + Classifier<B, Input = Tensor<B, 4>>,
{
    if value.is_finite() {
        return Ok(());
    }
    Err(TrainingError::NotFinite {
        what,
        value,
        step: learner.steps_done(),
        epoch: learner.history().len() + 1,
    })
}
