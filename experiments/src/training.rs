//! One network, trained with one seed.

use burn::module::AutodiffModule;
use burn_autodiff::Autodiff;
use burn_flex::Flex;
use burn_pooling::mnist::ImageDataset;
use burn_pooling::training::{EpochMetrics, Learner, TrainingConfig, fit};
use serde::{Deserialize, Serialize};

use crate::network::{Network, NetworkConfig};

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
        Self {
            epochs,
            patience: None,
            snapshot: None,
            valid_size,
            learning_rate: 1e-3,
            batch_size: 128,
        }
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
    pub fn of(&self, network: &NetworkConfig) -> &Schedule {
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
    pub config: NetworkConfig,
    /// What decided weights, validation images and order.
    pub seed: u64,
    /// The weights of the best epoch by validation accuracy.
    pub network: Network<Flex>,
    /// Those of the schedule's snapshot, if training came that far.
    pub snapshot: Option<Network<Flex>>,
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
pub fn untrained(config: &NetworkConfig, seed: u64) -> anyhow::Result<Trained> {
    Ok(Trained {
        config: config.clone(),
        seed,
        network: config.init::<Flex>(seed, &Default::default())?,
        snapshot: None,
        history: Vec::new(),
        best_epoch: 0,
    })
}

/// Trains; the same arguments give the same weights, bit for bit, on one machine.
///
/// # Errors
/// If the network cannot be built, or the schedule does not suit the images.
pub fn train(
    config: &NetworkConfig,
    images: &ImageDataset,
    schedule: &Schedule,
    seed: u64,
) -> anyhow::Result<Trained> {
    let device = Default::default();
    let mut learner = Learner::new(config.init::<Autodiff<Flex>>(seed, &device)?);
    let mut snapshot = None;
    for epochs in 1..=schedule.epochs {
        let training = TrainingConfig::new()
            .with_epochs(epochs)
            .with_seed(seed)
            .with_valid_size(schedule.valid_size)
            .with_batch_size(schedule.batch_size)
            .with_learning_rate(schedule.learning_rate);
        fit(&mut learner, images, &training, None, &device, |_| {
            burn_pooling::training::Control::Continue
        })?;
        if schedule.snapshot == Some(epochs) {
            snapshot = Some(learner.model().valid());
        }
        let idle = epochs - learner.best_epoch();
        // A snapshot is asked for at a certain epoch, so it is waited for.
        if schedule.patience.is_some_and(|patience| idle >= patience)
            && schedule.snapshot.is_none_or(|snapshot| epochs >= snapshot)
        {
            break;
        }
    }
    Ok(Trained {
        config: config.clone(),
        seed,
        network: learner.best().valid(),
        snapshot,
        history: learner.history().to_vec(),
        best_epoch: learner.best_epoch(),
    })
}
