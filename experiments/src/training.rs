//! One network, trained with one seed.

use burn::module::AutodiffModule;
use burn::tensor::backend::Backend;
use burn_autodiff::Autodiff;
use burn_flex::Flex;
use burn_pooling::mnist::ImageDataset;
use burn_pooling::model::{PoolingCnn, PoolingCnnConfig};
use burn_pooling::training::{
    Control, ImageAugmentation, Learner, Schedule, ScheduleKind, Training, TrainingConfig, fit, glorot_uniform,
};
use serde::{Deserialize, Serialize};

use crate::costs::Costs;
use crate::dropout::WithDropout;
use crate::images::subset;

/// Batch size of every training.
pub const BATCH_SIZE: usize = 128;

/// How a network is trained: Adam, batches of 128, and a learning rate that falls to 0 by half a cosine.
///
/// The last epoch's weights count: with a rate that falls to 0 no epoch has to be chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The network.
    pub network: PoolingCnnConfig,
    /// Number of training images, drawn by the seed.
    pub train_images: usize,
    /// Number of validation images, drawn by the seed from the other training images.
    pub valid_images: usize,
    /// Number of epochs.
    pub epochs: usize,
    /// The learning rate of the first step.
    pub learning_rate: f64,
    /// Random changes of every training image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub augmentation: Option<ImageAugmentation>,
    /// The probability that a hidden unit is dropped in a step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dropout: Option<f64>,
}

impl Plan {
    /// Multiply-adds of the whole training, roughly: what is long should start first.
    ///
    /// # Errors
    /// If the network cannot be built.
    pub fn multiply_adds(&self) -> anyhow::Result<u64> {
        let images = (self.epochs * self.train_images) as u64;
        Ok(images.saturating_mul(Costs::of(&self.network)?.training_multiply_adds))
    }
}

/// What a training showed of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// Mean loss of the training images over each epoch.
    pub train_loss: Vec<f32>,
    /// Mean loss of the validation images after each epoch; empty without such.
    pub valid_loss: Vec<f32>,
    /// Share of validation images classified correctly after each epoch.
    pub valid_accuracy: Vec<f32>,
}

impl History {
    /// The last validation loss; NaN without validation.
    pub fn final_valid_loss(&self) -> f64 {
        self.valid_loss.last().map_or(f64::NAN, |&loss| loss.into())
    }

    /// The last validation accuracy, 0 to 1; NaN without validation.
    pub fn final_valid_accuracy(&self) -> f64 {
        self.valid_accuracy.last().map_or(f64::NAN, |&accuracy| accuracy.into())
    }
}

/// A network that has been trained.
#[derive(Clone, Debug)]
pub struct Trained {
    /// Which network.
    pub config: PoolingCnnConfig,
    /// The weights.
    pub network: PoolingCnn<Flex>,
    /// How training went; nothing of an untrained network.
    pub history: History,
}

/// The network that [`train`] begins with.
///
/// # Errors
/// If the network cannot be built.
pub fn untrained(config: &PoolingCnnConfig, seed: u64) -> anyhow::Result<Trained> {
    Ok(Trained {
        config: config.clone(),
        network: initial(config, seed, &Default::default())?,
        history: History { train_loss: vec![], valid_loss: vec![], valid_accuracy: vec![] },
    })
}

/// The network with the weights that `seed` decides.
fn initial<B: Backend>(config: &PoolingCnnConfig, seed: u64, device: &B::Device) -> anyhow::Result<PoolingCnn<B>> {
    Ok(glorot_uniform(config.init(device)?, seed))
}

/// Trains on some of `images`; the same arguments give the same weights, bit for bit, on one machine.
///
/// # Errors
/// If the network cannot be built, or the plan does not suit the images.
pub fn train(plan: &Plan, images: &ImageDataset, seed: u64) -> anyhow::Result<Trained> {
    let device = Default::default();
    let images = subset(images, plan.train_images + plan.valid_images, seed);
    let steps = plan.epochs * plan.train_images.div_ceil(BATCH_SIZE);
    let training = Training::new(TrainingConfig {
        epochs: plan.epochs,
        batch_size: BATCH_SIZE,
        learning_rate: plan.learning_rate,
        seed,
        valid_size: plan.valid_images,
        ..TrainingConfig::default()
    })
    .with_scheduler(Schedule::new(ScheduleKind::Cosine, plan.learning_rate, steps));
    let network = initial::<Autodiff<Flex>>(&plan.network, seed, &device)?;
    let mut learner = Learner::new(WithDropout::new(network, plan.dropout.unwrap_or(0.0), seed));
    match plan.augmentation {
        None => fit(&mut learner, &images, &training, &device, |_| Ok(Control::Continue))?,
        Some(augmentation) => {
            let training = training.with_augmentation(augmentation);
            fit(&mut learner, &images, &training, &device, |_| Ok(Control::Continue))?
        }
    };
    let epochs = learner.history();
    Ok(Trained {
        config: plan.network.clone(),
        network: learner.model().network.valid(),
        history: History {
            train_loss: epochs.iter().map(|epoch| epoch.train_loss as f32).collect(),
            valid_loss: epochs.iter().filter_map(|epoch| epoch.valid_loss.map(|loss| loss as f32)).collect(),
            valid_accuracy: epochs.iter().filter_map(|epoch| epoch.valid_accuracy.map(|share| share as f32)).collect(),
        },
    })
}
