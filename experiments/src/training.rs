//! One network, trained with one seed.

use burn::module::AutodiffModule;
use burn::tensor::backend::Backend;
use burn_autodiff::Autodiff;
use burn_flex::Flex;
use burn_pooling::mnist::ImageDataset;
use burn_pooling::model::{PoolingCnn, PoolingCnnConfig};
use burn_pooling::training::{Control, EpochMetrics, Learner, Training, TrainingConfig, fit, glorot_uniform};
use serde::{Deserialize, Serialize};

/// How long and on what a network trains, with Adam.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// The most epochs.
    pub epochs: usize,
    /// Epochs without a better validation accuracy after which training stops; none: never.
    pub patience: Option<usize>,
    /// Epoch whose weights are kept as well, for a comparison at equal epochs.
    pub snapshot: Option<usize>,
    /// Images kept from training for validation; 0 for none: then the last epoch's weights are the best.
    pub valid_size: usize,
    /// Learning rate.
    pub learning_rate: f64,
    /// Batch size.
    pub batch_size: usize,
}

impl Schedule {
    /// All `epochs`, with 0.001 as learning rate and batches of 128.
    pub fn fixed(epochs: usize, valid_size: usize) -> Self {
        Self { epochs, patience: None, snapshot: None, valid_size, learning_rate: 1e-3, batch_size: 128 }
    }

    /// At most `epochs`, fewer once `patience` of them bring nothing.
    pub fn until_converged(epochs: usize, patience: usize, valid_size: usize) -> Self {
        Self { patience: Some(patience), ..Self::fixed(epochs, valid_size) }
    }

    /// Other batches: with few images, smaller ones make more steps of an epoch.
    pub fn with_batch_size(self, batch_size: usize) -> Self {
        Self { batch_size, ..self }
    }

    /// Keeps the weights after `epoch` too.
    pub fn with_snapshot(self, epoch: usize) -> Self {
        Self { snapshot: Some(epoch), ..self }
    }
}

/// Schedules by what converges how fast.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Schedules {
    /// Of networks whose features keep their places.
    pub flattening: Schedule,
    /// Of networks that pool whole channels: they converge slowly, and an epoch of theirs is short.
    pub global: Schedule,
}

impl Schedules {
    /// The one of this network.
    pub fn of(&self, network: &PoolingCnnConfig) -> &Schedule {
        match network.is_global() {
            true => &self.global,
            false => &self.flattening,
        }
    }
}

/// A network that has been trained.
#[derive(Clone, Debug)]
pub struct Trained {
    /// Which network.
    pub config: PoolingCnnConfig,
    /// What decided weights, validation images and order.
    pub seed: u64,
    /// The weights of the best epoch by validation accuracy.
    pub network: PoolingCnn<Flex>,
    /// Those of the schedule's snapshot, if training came that far.
    pub snapshot: Option<PoolingCnn<Flex>>,
    /// The metrics of every epoch.
    pub history: Vec<EpochMetrics>,
    /// The best epoch, from 1.
    pub best_epoch: usize,
}

impl Trained {
    /// Validation accuracy after each epoch, 0 to 1; empty without validation images.
    pub fn valid_curve(&self) -> Vec<f64> {
        (self.history.iter()).filter_map(|epoch| epoch.valid_accuracy).collect()
    }

    /// Whether training ended with the schedule's last epoch, and might have gone on to a better one.
    pub fn is_cut_short(&self, schedule: &Schedule) -> bool {
        let idle = self.history.len() - self.best_epoch;
        (schedule.patience).is_some_and(|patience| idle < patience)
    }

    /// The same with the snapshot's weights, the best ones if there is none.
    pub fn at_snapshot(&self) -> Self {
        let network = self.snapshot.as_ref().unwrap_or(&self.network);
        Self { network: network.clone(), ..self.clone() }
    }
}

/// The network that [`train`] begins with.
///
/// # Errors
/// If the network cannot be built.
pub fn untrained(config: &PoolingCnnConfig, seed: u64) -> anyhow::Result<Trained> {
    Ok(Trained {
        config: config.clone(),
        seed,
        network: initial(config, seed, &Default::default())?,
        snapshot: None,
        history: Vec::new(),
        best_epoch: 0,
    })
}

/// The network with the weights that `seed` decides.
fn initial<B: Backend>(config: &PoolingCnnConfig, seed: u64, device: &B::Device) -> anyhow::Result<PoolingCnn<B>> {
    Ok(glorot_uniform(config.init(device)?, seed))
}

/// Trains; the same arguments give the same weights, bit for bit, on one machine.
///
/// # Errors
/// If the network cannot be built, or the schedule does not suit the images.
pub fn train(
    config: &PoolingCnnConfig, images: &ImageDataset, schedule: &Schedule, seed: u64,
) -> anyhow::Result<Trained> {
    let device = Default::default();
    let mut learner = Learner::new(initial::<Autodiff<Flex>>(config, seed, &device)?);
    let mut train_to = |epochs, patience| -> anyhow::Result<PoolingCnn<Flex>> {
        let training = Training::new(TrainingConfig {
            epochs,
            patience,
            seed,
            valid_size: schedule.valid_size,
            batch_size: schedule.batch_size,
            learning_rate: schedule.learning_rate,
            ..TrainingConfig::default()
        });
        fit(&mut learner, images, &training, &device, |_| Ok(Control::Continue))?;
        Ok(learner.model().valid())
    };
    // A snapshot is asked for at a certain epoch, so it is waited for.
    let snapshot = schedule.snapshot.filter(|&epoch| epoch <= schedule.epochs);
    let snapshot = snapshot.map(|epoch| train_to(epoch, None)).transpose()?;
    train_to(schedule.epochs, schedule.patience)?;
    Ok(Trained {
        config: config.clone(),
        seed,
        network: learner.best().valid(),
        snapshot,
        history: learner.history().to_vec(),
        best_epoch: learner.best_epoch(),
    })
}
