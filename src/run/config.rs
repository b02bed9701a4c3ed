//! The configuration of a run.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::recipe::Recipe;
use crate::mnist::ImageSets;
use crate::model::{PoolingCnnConfig, Variant};
use crate::training::TrainingConfig;

/// A run's `config.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunConfig {
    /// The network.
    pub model: PoolingCnnConfig,
    /// The hyperparameters of the training loop.
    pub training: TrainingConfig,
    /// Optimizer, learning rate schedule, loss and augmentation.
    #[serde(default)]
    pub recipe: Recipe,
    /// The backend's name.
    pub backend: String,
    /// The data.
    pub data: DataConfig,
}

/// The data of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataConfig {
    /// The folder of the IDX files; `None` for bundled MNIST.
    pub folder: Option<PathBuf>,
    /// Number of training images, validation images included.
    pub train: usize,
    /// Number of test images.
    pub test: usize,
    /// Number of channels of the images.
    #[serde(default = "one")]
    pub channels: usize,
    /// Height and width of the images.
    pub image_size: [usize; 2],
    /// Number of classes.
    pub classes: usize,
    /// Whether rows and columns of every image were swapped.
    #[serde(default)]
    pub transpose: bool,
}

fn one() -> usize {
    1
}

impl DataConfig {
    /// Describes `sets`, which were loaded from `folder`.
    pub fn of(sets: &ImageSets, folder: Option<&Path>) -> Self {
        Self {
            folder: folder.map(|folder| folder.canonicalize().unwrap_or(folder.to_owned())),
            train: sets.train.len(),
            test: sets.test.len(),
            channels: sets.channels(),
            image_size: sets.image_size(),
            classes: sets.classes(),
            transpose: false,
        }
    }

    /// Returns the configuration of a variant for this data.
    pub fn model(&self, variant: Variant) -> PoolingCnnConfig {
        PoolingCnnConfig::new(variant)
            .with_channels(self.channels)
            .with_image_size(self.image_size)
            .with_classes(self.classes)
    }
}
