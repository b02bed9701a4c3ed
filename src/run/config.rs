//! The configuration of a run.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::path;
use super::recipe::Recipe;
use crate::mnist::{ImageSets, MNIST_DIGEST};
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
    /// Number of threads; `None` in runs of earlier versions.
    #[serde(default)]
    pub threads: Option<usize>,
    /// The data.
    pub data: DataConfig,
    /// What was changed when the run was resumed.
    #[serde(default)]
    pub history: Vec<Change>,
    /// The file that the first weights were imported from, if they were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

/// A file of another framework, which a run's first weights come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Origin {
    /// The file's name, without its folder.
    pub file: String,
    /// SHA-256 of the file.
    pub sha256: String,
    /// The layout of its weights.
    pub layout: String,
    /// The mean that was subtracted from the pixels in its training, for each channel or one for all; empty: none.
    pub mean: Vec<f32>,
    /// The standard deviation that they were divided by.
    pub std: Vec<f32>,
}

/// A setting that was changed when a run was resumed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The number of epochs that the run had trained.
    pub epoch: usize,
    /// The setting: its path in the configuration.
    pub setting: String,
    /// What it was.
    pub from: Value,
    /// What it is since then.
    pub to: Value,
}

/// The settings that may change when a run is resumed.
const CHANGEABLE: [&str; 4] = ["training/epochs", "training/learning_rate", "backend", "threads"];

impl RunConfig {
    /// Adds to the history what differs from the configuration `before` the run was resumed after `epoch` epochs.
    pub fn note_changes(&mut self, before: &Self, epoch: usize) {
        let [old, new] = [before, self].map(|config| serde_json::to_value(config).unwrap_or_default());
        for setting in CHANGEABLE {
            let [from, to] = [&old, &new].map(|config| config.pointer(&format!("/{setting}")).cloned());
            let (from, to) = (from.unwrap_or_default(), to.unwrap_or_default());
            if from != to {
                self.history.push(Change { epoch, setting: setting.to_owned(), from, to });
            }
        }
    }
}

/// The data of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataConfig {
    /// The folder or file that the data were loaded from; `None` for bundled MNIST.
    #[serde(with = "path")]
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
    /// The names of the classes, in the order of their labels; empty where the data came without.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub class_names: Vec<String>,
    /// SHA-256 of images and labels, by [`ImageSets::digest`]; `None` in runs of earlier versions.
    #[serde(default)]
    pub digest: Option<String>,
    /// Whether rows and columns of every image were swapped.
    #[serde(default)]
    pub transpose: bool,
}

fn one() -> usize {
    1
}

impl DataConfig {
    /// Describes `sets`, which were loaded from `folder`, or a file.
    pub fn of(sets: &ImageSets, folder: Option<&Path>) -> Self {
        Self {
            folder: folder.map(|folder| folder.canonicalize().unwrap_or(folder.to_owned())),
            train: sets.train.len(),
            test: sets.test.len(),
            channels: sets.channels(),
            image_size: sets.image_size(),
            classes: sets.classes(),
            class_names: sets.class_names().to_vec(),
            digest: Some(sets.digest()),
            transpose: false,
        }
    }

    /// Returns whether this is MNIST itself, bundled or from a folder.
    pub fn is_mnist(&self) -> bool {
        match &self.digest {
            Some(digest) => digest == MNIST_DIGEST,
            None => self.folder.is_none(), // a run of an earlier version, on the bundled files
        }
    }

    /// Returns a class's number, and its name behind it where it has another one: `3 cat`.
    pub fn class_title(&self, class: usize) -> String {
        let number = class.to_string();
        match self.class_names.get(class) {
            Some(name) if *name != number => format!("{number} {name}"),
            _ => number,
        }
    }

    /// Returns how other data differ from these, in words; empty if they are the same. The folder does not matter, nor do
    /// names of classes that only one of them has.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let size = |[height, width]: [usize; 2]| format!("{height}x{width}");
        let figures = [
            ("training images", self.train.to_string(), other.train.to_string()),
            ("test images", self.test.to_string(), other.test.to_string()),
            ("channels", self.channels.to_string(), other.channels.to_string()),
            ("pixels (height x width)", size(self.image_size), size(other.image_size)),
            ("classes", self.classes.to_string(), other.classes.to_string()),
            ("transposed", self.transpose.to_string(), other.transpose.to_string()),
        ];
        let differing = figures.into_iter().filter(|(_, expected, found)| expected != found);
        let mut differences: Vec<_> =
            differing.map(|(what, expected, found)| format!("{what}: expected {expected}, found {found}")).collect();
        let names = [&self.class_names, &other.class_names];
        if names.iter().all(|names| !names.is_empty()) && names[0] != names[1] {
            let [expected, found] = names.map(|names| names.join(", "));
            differences.push(format!("names of classes: expected {expected}, found {found}"));
        }
        let digests = self.digest.as_ref().zip(other.digest.as_ref());
        if differences.is_empty() && digests.is_some_and(|(expected, found)| expected != found) {
            differences.push("a pixel or a label, or their order, has changed".to_owned());
        }
        differences
    }

    /// Returns the configuration of a variant for this data.
    pub fn model(&self, variant: Variant) -> PoolingCnnConfig {
        PoolingCnnConfig::new(variant)
            .with_channels(self.channels)
            .with_image_size(self.image_size)
            .with_classes(self.classes)
    }
}
