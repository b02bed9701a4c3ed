//! A run's folder: what lies where, and how it is written so that a crash at any moment loses nothing.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use burn::module::AutodiffModule;
use burn::tensor::backend::AutodiffBackend;
use serde::{Serialize, de::DeserializeOwned};

use super::checkpoint::{decode, encode, save_weights};
use super::learner::Learner;
use super::storage::{StorageError, io_error, read, replace};
use crate::model::Classifier;

const CONFIG: &str = "config.json";
const METRICS: &str = "metrics.jsonl";
const MODEL: &str = "model.safetensors";
const CHECKPOINT: &str = "checkpoint/state.mpk";
const REPORT: &str = "report.json";

/// The folder of one training run.
///
/// | file | holds |
/// | --- | --- |
/// | `config.json` | everything that the run was told |
/// | `metrics.jsonl` | a line an epoch: [`EpochMetrics`](super::EpochMetrics) |
/// | `model.safetensors` | the weights of the best epoch |
/// | `checkpoint/state.mpk` | weights, optimizer and position: what is needed to go on |
/// | `report.json` | the final figures |
///
/// Each file is written under another name, flushed and renamed: a crash leaves the old one or the new one.
/// The checkpoint is written first, and the others can be made from it; so a folder always goes on.
#[derive(Clone, Debug)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// Makes the folder of a new run, with its configuration and its first checkpoint in it from the start.
    ///
    /// # Errors
    /// [`StorageError::Exists`] if `path` is there and not empty; [`StorageError::Io`].
    pub fn create<B, M>(
        path: &Path,
        config: &impl Serialize,
        learner: &Learner<B, M>,
    ) -> Result<Self, StorageError>
    where
        B: AutodiffBackend,
        M: AutodiffModule<B> + Classifier<B, Input = burn::tensor::Tensor<B, 4>>,
    {
        if is_taken(path)? {
            return Err(StorageError::Exists(path.to_owned()));
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let staging =
            Self { path: path.with_file_name(format!(".{name}.{}.new", std::process::id())) };
        if staging.path.exists() {
            fs::remove_dir_all(&staging.path)
                .map_err(|source| io_error(&staging.path, "written", source))?;
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

    /// The folder of a run that is there.
    ///
    /// # Errors
    /// [`StorageError::NoRun`] if there is no configuration in it.
    pub fn open(path: &Path) -> Result<Self, StorageError> {
        match path.join(CONFIG).is_file() {
            true => Ok(Self { path: path.to_owned() }),
            false => Err(StorageError::NoRun(path.to_owned())),
        }
    }

    /// Where the folder lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether an epoch has ended: before, the weights are the initial ones.
    pub fn has_trained(&self) -> bool {
        (fs::metadata(self.path.join(METRICS))).is_ok_and(|metrics| metrics.len() > 0)
    }

    /// Where the weights of the best epoch lie; before the first has ended, the initial ones.
    pub fn model_path(&self) -> PathBuf {
        self.path.join(MODEL)
    }

    /// The run's configuration.
    ///
    /// # Errors
    /// [`StorageError`] if the file cannot be read or is not such a configuration.
    pub fn config<C: DeserializeOwned>(&self) -> Result<C, StorageError> {
        let path = self.path.join(CONFIG);
        serde_json::from_slice(&read(&path)?).map_err(|error| StorageError::Content {
            path,
            expected: "the configuration of a run",
            found: error.to_string(),
        })
    }

    /// Writes the run's configuration.
    ///
    /// # Errors
    /// [`StorageError::Io`].
    pub fn write_config(&self, config: &impl Serialize) -> Result<(), StorageError> {
        self.write(CONFIG, &json(config))
    }

    /// Writes the final figures.
    ///
    /// # Errors
    /// [`StorageError::Io`].
    pub fn write_report(&self, report: &impl Serialize) -> Result<(), StorageError> {
        self.write(REPORT, &json(report))
    }

    /// Saves everything that `learner` knows.
    ///
    /// # Errors
    /// [`StorageError::Io`].
    pub fn save<B, M>(&self, learner: &Learner<B, M>) -> Result<(), StorageError>
    where
        B: AutodiffBackend,
        M: AutodiffModule<B> + Classifier<B, Input = burn::tensor::Tensor<B, 4>>,
    {
        self.write(CHECKPOINT, &encode(learner))?;
        let lines = learner.history().iter().map(|metrics| {
            let mut line = serde_json::to_vec(metrics).expect("metrics are plain numbers");
            line.push(b'\n');
            line
        });
        self.write(METRICS, &lines.collect::<Vec<_>>().concat())?;
        self.write(MODEL, &save_weights(learner.best()))
    }

    /// The learner as it was last saved; `fresh` gives the architecture.
    ///
    /// # Errors
    /// [`StorageError`] if the checkpoint cannot be read, or is of another architecture.
    pub fn restore<B, M>(
        &self,
        fresh: Learner<B, M>,
        device: &B::Device,
    ) -> Result<Learner<B, M>, StorageError>
    where
        B: AutodiffBackend,
        M: AutodiffModule<B> + Classifier<B, Input = burn::tensor::Tensor<B, 4>>,
    {
        let path = self.path.join(CHECKPOINT);
        let learner =
            decode(read(&path)?, fresh, device).map_err(|found| StorageError::Content {
                path,
                expected: "a checkpoint of the run's configuration",
                found,
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
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Ok(true),
        Err(source) => Err(io_error(path, "read", source)),
    }
}

fn json(value: &impl Serialize) -> Vec<u8> {
    let mut text = serde_json::to_vec_pretty(value).expect("a run's records have text keys");
    text.push(b'\n');
    text
}
