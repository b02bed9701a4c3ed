//! A run's folder: what lies where, and how it is written so that a crash at any moment loses nothing.

use std::path::{Path, PathBuf};
use std::{fs, io};

use burn::module::{AutodiffModule, Module};
use burn::optim::Optimizer;
use burn::tensor::backend::{AutodiffBackend, Backend};
use serde::{Serialize, de::DeserializeOwned};

use super::storage::{StorageError, io_error, read, replace};
use super::weights::{load_weights, save_weights};
use crate::training::Learner;

const CONFIG: &str = "config.json";
const METRICS: &str = "metrics.jsonl";
const MODEL: &str = "model.safetensors";
const CHECKPOINT: &str = "checkpoint/state.mpk";
const REPORT: &str = "report.json";

/// The folder of one training run, of any model.
///
/// | file | holds |
/// | --- | --- |
/// | `config.json` | the configuration: network, hyperparameters, data |
/// | `metrics.jsonl` | one line per epoch: [`EpochMetrics`](crate::training::EpochMetrics) |
/// | `model.safetensors` | the weights of the best epoch |
/// | `checkpoint/state.mpk` | weights, optimizer and position: what is needed to resume |
/// | `report.json` | the final figures |
///
/// Each file is written under another name, flushed and renamed: a crash leaves the old one or the new one.
/// The checkpoint is written first, and the others can be made from it; so every folder can be resumed.
#[derive(Clone, Debug)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// Creates the folder of a new run, with its configuration and its first checkpoint in it from the start.
    ///
    /// # Errors
    /// [`StorageError::Exists`] if `path` is there and not empty; [`StorageError::Io`].
    pub fn create<B: AutodiffBackend, M: AutodiffModule<B>, O: Optimizer<M, B>>(
        path: &Path, config: &impl Serialize, learner: &Learner<B, M, O>,
    ) -> Result<Self, StorageError> {
        if is_taken(path)? {
            return Err(StorageError::Exists(path.to_owned()));
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = format!(".{name}.{}.new", std::process::id());
        let staging = Self { path: path.with_file_name(name) };
        if staging.path.exists() {
            fs::remove_dir_all(&staging.path).map_err(|source| io_error(&staging.path, "written", source))?;
        }
        staging.write_config(config)?;
        staging.save(learner)?;
        fs::rename(&staging.path, path).map_err(|source| {
            // Another run may have taken the name meanwhile; what was staged is of no use then.
            let _ = fs::remove_dir_all(&staging.path);
            match source.kind() {
                io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists => {
                    StorageError::Exists(path.to_owned())
                }
                _ => io_error(path, "written", source),
            }
        })?;
        Ok(Self { path: path.to_owned() })
    }

    /// Opens the folder of an existing run.
    ///
    /// # Errors
    /// [`StorageError::NoRun`] if there is no configuration in it.
    pub fn open(path: &Path) -> Result<Self, StorageError> {
        match path.join(CONFIG).is_file() {
            true => Ok(Self { path: path.to_owned() }),
            false => Err(StorageError::NoRun(path.to_owned())),
        }
    }

    /// Returns the path of the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns whether an epoch has ended: before, the weights are the initial ones.
    pub fn has_trained(&self) -> bool {
        (fs::metadata(self.path.join(METRICS))).is_ok_and(|metrics| metrics.len() > 0)
    }

    /// Returns the path of the weights of the best epoch; before the first has ended, the initial ones.
    pub fn model_path(&self) -> PathBuf {
        self.path.join(MODEL)
    }

    /// Loads the weights of the best epoch into `model`, which gives the architecture; before the first epoch has ended,
    /// the initial ones.
    ///
    /// # Errors
    /// [`StorageError`] if the file cannot be read, or its weights do not fit the model.
    pub fn load_model<B: Backend, M: Module<B>>(&self, model: M) -> Result<M, StorageError> {
        load_weights(model, &self.model_path())
    }

    /// Reads the run's configuration.
    ///
    /// # Errors
    /// [`StorageError`] if the file cannot be read or is not such a configuration.
    pub fn config<C: DeserializeOwned>(&self) -> Result<C, StorageError> {
        let (path, expected) = (self.path.join(CONFIG), "the configuration of a run");
        serde_json::from_slice(&read(&path)?).map_err(|error| StorageError::Content {
            path,
            expected,
            found: error.to_string(),
        })
    }

    /// Writes the run's configuration; fails with [`StorageError::Io`].
    pub fn write_config(&self, config: &impl Serialize) -> Result<(), StorageError> {
        self.write(CONFIG, &json(config))
    }

    /// Writes the final figures, of any type; fails with [`StorageError::Io`].
    pub fn write_report(&self, report: &impl Serialize) -> Result<(), StorageError> {
        self.write(REPORT, &json(report))
    }

    /// Saves the checkpoint, the metrics and the weights of the best epoch; fails with [`StorageError::Io`].
    pub fn save<B: AutodiffBackend, M: AutodiffModule<B>, O: Optimizer<M, B>>(
        &self, learner: &Learner<B, M, O>,
    ) -> Result<(), StorageError> {
        self.write(CHECKPOINT, &learner.checkpoint())?;
        let line = |metrics| serde_json::to_string(metrics).expect("metrics are plain numbers") + "\n";
        let lines: String = learner.history().iter().map(line).collect();
        self.write(METRICS, lines.as_bytes())?;
        self.write(MODEL, &save_weights(learner.best()))
    }

    /// Returns the learner as it was last saved; `fresh` gives the architecture and the optimizer's hyperparameters.
    ///
    /// # Errors
    /// [`StorageError`] if the checkpoint cannot be read, or is of another architecture.
    pub fn restore<B: AutodiffBackend, M: AutodiffModule<B>, O: Optimizer<M, B>>(
        &self, fresh: Learner<B, M, O>, device: &B::Device,
    ) -> Result<Learner<B, M, O>, StorageError> {
        let path = self.path.join(CHECKPOINT);
        let expected = "a checkpoint of the run's configuration";
        let learner = (fresh.restore(read(&path)?, device)).map_err(|error| StorageError::Content {
            path,
            expected,
            found: error.0,
        })?;
        // A crash may have come between the checkpoint and what is made from it.
        self.save(&learner)?;
        Ok(learner)
    }

    /// Replaces a file as a whole or not at all.
    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), StorageError> {
        replace(&self.path.join(name), bytes)
    }
}

fn is_taken(path: &Path) -> Result<bool, StorageError> {
    match fs::read_dir(path) {
        Ok(mut entries) => Ok(entries.next().is_some()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory && path.is_file() => Ok(true),
        Err(source) => Err(io_error(path, "read", source)),
    }
}

fn json(value: &impl Serialize) -> Vec<u8> {
    let text = serde_json::to_string_pretty(value).expect("a run's records have text keys");
    (text + "\n").into_bytes()
}
