//! A training run of the command: what it was told, what it learned, what came out.

use std::path::{Path, PathBuf};

use burn::tensor::backend::Backend;
use serde::{Deserialize, Serialize};

use crate::evaluation::Evaluation;
use crate::mnist::ImageSets;
use crate::model::{ModelError, PoolingCnn, PoolingCnnConfig, Variant};
use crate::training::{RunFolder, StorageError, TrainingConfig, load_weights};

/// A run's `config.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunConfig {
    /// The network.
    pub model: PoolingCnnConfig,
    /// The hyperparameters.
    pub training: TrainingConfig,
    /// The backend's name.
    pub backend: String,
    /// The data.
    pub data: DataConfig,
}

/// Which data a run learned from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataConfig {
    /// The folder of the IDX files; nothing for bundled MNIST.
    pub folder: Option<PathBuf>,
    /// Number of training images, validation images included.
    pub train: usize,
    /// Number of test images.
    pub test: usize,
    /// Height and width of the images.
    pub image_size: [usize; 2],
    /// Number of classes.
    pub classes: usize,
}

impl DataConfig {
    /// Describes `sets`, which were loaded from `folder`.
    pub fn of(sets: &ImageSets, folder: Option<&Path>) -> Self {
        Self {
            folder: folder.map(|folder| folder.canonicalize().unwrap_or(folder.to_owned())),
            train: sets.train.len(),
            test: sets.test.len(),
            image_size: sets.image_size(),
            classes: sets.classes(),
        }
    }

    /// The configuration of a network for this data.
    pub fn model(&self, variant: Variant) -> PoolingCnnConfig {
        PoolingCnnConfig::new(variant).with_image_size(self.image_size).with_classes(self.classes)
    }
}

/// A run's `report.json`: the final figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The network's name.
    pub variant: String,
    /// The backend's name.
    pub backend: String,
    /// The seed.
    pub seed: u64,
    /// Epochs trained.
    pub epochs: usize,
    /// The epoch whose weights were kept and tested, from 1.
    pub best_epoch: usize,
    /// Number of parameters.
    pub parameters: usize,
    /// Median over the epochs of training images a second.
    pub train_images_per_second: f64,
    /// The figures on the test images.
    pub test: Evaluation,
}

/// Why a run's model cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The folder, the configuration or the weights.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The configuration describes no network.
    #[error(transparent)]
    Model(#[from] ModelError),
}

/// Loads the trained network of the run in `folder`, with the run's configuration.
///
/// # Errors
/// [`LoadError`] if the folder is no run, or its weights do not fit its configuration.
pub fn load_run<B: Backend>(
    folder: &Path,
    device: &B::Device,
) -> Result<(RunConfig, PoolingCnn<B>), LoadError> {
    let folder = RunFolder::open(folder)?;
    let config: RunConfig = folder.config()?;
    let model = load_weights(config.model.init(device)?, &folder.model_path())?;
    Ok((config, model))
}
