//! A run's folder: what lies where, and how it is written so that a crash at any moment loses nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use burn::module::{AutodiffModule, Module};
use burn::optim::Optimizer;
use burn::tensor::backend::{AutodiffBackend, Backend};
use serde::{Serialize, de::DeserializeOwned};

use super::creation::Creation;
use super::lock::Lock;
use super::manifest::Manifest;
use super::names::{CHECKPOINT, CONFIG, METRICS, MODEL, REPORT};
use super::storage::{StorageError, io_error, read, replace};
use super::weights::{load_weights, save_weights};
use crate::training::{EpochMetrics, Learner};

/// How often a manifest is read again that another process may have been replacing while it was checked.
const ATTEMPTS: usize = 5;

/// The folder of one training run, of any model.
///
/// | file | holds |
/// | --- | --- |
/// | `config.json` | the configuration: network, hyperparameters, data |
/// | `metrics.jsonl` | one line per epoch: [`EpochMetrics`](crate::training::EpochMetrics) |
/// | `model.safetensors` | the weights of the best epoch |
/// | `checkpoint/state.mpk` | weights, optimizer and position: what is needed to resume |
/// | `report.json` | the final figures |
/// | `manifest.sha256` | what the others hold; `sha256sum --check` reads it |
/// | `lock` | nothing: the process that writes into the folder has locked it |
///
/// Each file is written under another name, flushed and renamed: a crash leaves the old one or the new one.
/// The checkpoint is written first, and the others can be made from it; so every folder can be resumed.
///
/// The first call that writes locks the folder against other processes, until this and its clones are dropped.
#[derive(Clone, Debug)]
pub struct RunFolder {
    path: PathBuf,
    lock: Arc<OnceLock<Arc<Lock>>>,
    is_verified: bool,
}

impl RunFolder {
    /// Creates the folder of a new run, with its configuration and its first checkpoint in it from the start.
    ///
    /// # Errors
    /// [`StorageError::Exists`] if `path` is there and not empty; [`StorageError::Io`].
    pub fn create<B: AutodiffBackend, M: AutodiffModule<B>, O: Optimizer<M, B>>(
        path: &Path, config: &impl Serialize, learner: &Learner<B, M, O>,
    ) -> Result<Self, StorageError> {
        // Without `.` at its end, which cannot be renamed.
        let path = &path.components().collect::<PathBuf>();
        let creation = Creation::start(path)?;
        let config = json(CONFIG, config)?;
        let files = files_of(learner)?;
        let mut manifest = Manifest::default();
        for (name, bytes) in &files {
            replace(&creation.path().join(name), bytes)?;
            manifest.set(name, bytes);
        }
        manifest.set(CONFIG, &config);
        manifest.write(creation.path())?;
        // The last: with it, the folder is a run.
        replace(&creation.path().join(CONFIG), &config)?;
        let lock = creation.finish(path)?;
        Ok(Self { path: path.to_owned(), lock: Arc::new(lock.into()), is_verified: true })
    }

    /// Opens the folder of an existing run, and checks its files against the manifest.
    ///
    /// # Errors
    /// [`StorageError::NoRun`] if there is no configuration in it; [`StorageError::Changed`] if a file is not what was
    /// written.
    pub fn open(path: &Path) -> Result<Self, StorageError> {
        let mut folder = Self::open_unverified(path)?;
        folder.is_verified = verify(path)?;
        Ok(folder)
    }

    /// Opens the folder of a run whose files were changed on purpose, without the manifest.
    ///
    /// # Errors
    /// [`StorageError::NoRun`] if there is no configuration in it.
    pub fn open_unverified(path: &Path) -> Result<Self, StorageError> {
        match is_there(&path.join(CONFIG))? {
            true => Ok(Self { path: path.to_owned(), lock: Arc::default(), is_verified: false }),
            false => Err(StorageError::NoRun(path.to_owned())),
        }
    }

    /// Returns whether the files were checked: not if the run was opened unverified, or is of a version that wrote no
    /// manifest.
    pub fn is_verified(&self) -> bool {
        self.is_verified
    }

    /// Locks the folder for this process, as the first call that writes does otherwise.
    ///
    /// # Errors
    /// [`StorageError::Locked`] if another process has it.
    pub fn lock(&self) -> Result<(), StorageError> {
        if self.lock.get().is_none() {
            let lock = Lock::of(&self.path)?;
            // Another thread may have been faster: it then has the same lock.
            let _ = self.lock.set(lock);
        }
        Ok(())
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

    /// Checks that the saved weights are as many as a model of `parameters` parameters has, before memory is taken for
    /// the model.
    ///
    /// # Errors
    /// [`StorageError`] if a file of them is too small.
    pub fn check_size(&self, parameters: u64) -> Result<(), StorageError> {
        // A weight has two bytes at least; the checkpoint holds the last weights and the best ones, in four bytes each.
        for (name, bytes) in [(MODEL, 2), (CHECKPOINT, 8)] {
            let path = self.path.join(name);
            let found = fs::metadata(&path).map_err(|source| io_error(&path, "read", source))?.len();
            if found < parameters.saturating_mul(bytes) {
                let found = format!("{found} bytes, too few for {parameters} parameters");
                return Err(StorageError::Content { path, expected: "the weights of the configuration", found });
            }
        }
        Ok(())
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
        parsed(self.path.join(CONFIG), "the configuration of a run")
    }

    /// Reads the metrics of every epoch so far, in order.
    ///
    /// # Errors
    /// [`StorageError`] if the file cannot be read or holds something else.
    pub fn metrics(&self) -> Result<Vec<EpochMetrics>, StorageError> {
        let path = self.path.join(METRICS);
        let lines = read(&path)?;
        let metrics = serde_json::Deserializer::from_slice(&lines).into_iter().collect::<Result<_, _>>();
        metrics.map_err(|error| StorageError::Content {
            path,
            expected: "the metrics of an epoch on each line",
            found: error.to_string(),
        })
    }

    /// Writes the run's configuration.
    ///
    /// # Errors
    /// [`StorageError`] if it cannot be written.
    pub fn write_config(&self, config: &impl Serialize) -> Result<(), StorageError> {
        self.write(&[(CONFIG, json(CONFIG, config)?)])
    }

    /// Writes the final figures, of any type.
    ///
    /// # Errors
    /// As [`write_config`](Self::write_config).
    pub fn write_report(&self, report: &impl Serialize) -> Result<(), StorageError> {
        self.write(&[(REPORT, json(REPORT, report)?)])
    }

    /// Reads the final figures; `None` before the training has ended.
    ///
    /// # Errors
    /// [`StorageError`] if the file cannot be read or holds something else.
    pub fn report<R: DeserializeOwned>(&self) -> Result<Option<R>, StorageError> {
        let path = self.path.join(REPORT);
        match is_there(&path)? {
            true => parsed(path, "the final figures of a run").map(Some),
            false => Ok(None),
        }
    }

    /// Saves the checkpoint, the metrics and the weights of the best epoch.
    ///
    /// # Errors
    /// As [`write_config`](Self::write_config).
    pub fn save<B: AutodiffBackend, M: AutodiffModule<B>, O: Optimizer<M, B>>(
        &self, learner: &Learner<B, M, O>,
    ) -> Result<(), StorageError> {
        self.write(&files_of(learner)?)
    }

    /// Returns the learner as it was last saved; `fresh` gives the architecture and the optimizer's hyperparameters.
    ///
    /// # Errors
    /// [`StorageError`] if the checkpoint cannot be read, or is of another architecture.
    pub fn restore<B: AutodiffBackend, M: AutodiffModule<B>, O: Optimizer<M, B>>(
        &self, fresh: Learner<B, M, O>, device: &B::Device,
    ) -> Result<Learner<B, M, O>, StorageError> {
        self.lock()?;
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

    /// Replaces files one after the other, each as a whole or not at all; see [`Manifest`] for the order.
    fn write(&self, files: &[(&str, Vec<u8>)]) -> Result<(), StorageError> {
        self.lock()?;
        let result = self.write_locked(files);
        // Somebody who removes the folder may come at any moment: then nothing counts, whatever the calls returned.
        match self.is_in_place()? {
            true => result,
            false => Err(StorageError::Gone(self.path.clone())),
        }
    }

    fn write_locked(&self, files: &[(&str, Vec<u8>)]) -> Result<(), StorageError> {
        let mut manifest = Manifest::read(&self.path)?.map_or_else(|| Manifest::of(&self.path), Ok)?;
        for (name, bytes) in files {
            manifest.allow(name, bytes);
        }
        manifest.write(&self.path)?;
        for (name, bytes) in files {
            replace(&self.path.join(name), bytes)?;
            manifest.set(name, bytes);
        }
        manifest.write(&self.path)
    }

    fn is_in_place(&self) -> Result<bool, StorageError> {
        let has_lock = self.lock.get().is_some_and(|lock| lock.is_of(&self.path));
        Ok(is_there(&self.path.join(CONFIG))? && has_lock)
    }
}

fn parsed<T: DeserializeOwned>(path: PathBuf, expected: &'static str) -> Result<T, StorageError> {
    serde_json::from_slice(&read(&path)?).map_err(|error| StorageError::Content {
        path,
        expected,
        found: error.to_string(),
    })
}

fn is_there(path: &Path) -> Result<bool, StorageError> {
    path.try_exists().map_err(|source| io_error(path, "read", source))
}

/// Checks the files of a folder; returns false if it has no manifest.
fn verify(path: &Path) -> Result<bool, StorageError> {
    let mut manifest = Manifest::read(path)?;
    for _ in 0..ATTEMPTS {
        let Some(read) = &manifest else { return Ok(false) };
        let result = read.verify(path);
        // The process that trains the run may have saved meanwhile.
        let again = Manifest::read(path)?;
        if result.is_ok() || again == manifest {
            return result.map(|()| true);
        }
        manifest = again;
    }
    Err(StorageError::Locked(path.to_owned()))
}

/// The files that a learner is saved in; the first is the one that the others can be made from.
fn files_of<B: AutodiffBackend, M: AutodiffModule<B>, O: Optimizer<M, B>>(
    learner: &Learner<B, M, O>,
) -> Result<[(&'static str, Vec<u8>); 3], StorageError> {
    let mut metrics = Vec::new();
    for epoch in learner.history() {
        metrics.extend(serde_json::to_vec(epoch).map_err(|error| unwritable(METRICS, &error))?);
        metrics.push(b'\n');
    }
    Ok([(CHECKPOINT, learner.checkpoint()), (METRICS, metrics), (MODEL, save_weights(learner.best()))])
}

fn json(name: &str, value: &impl Serialize) -> Result<Vec<u8>, StorageError> {
    let text = serde_json::to_string_pretty(value).map_err(|error| unwritable(name, &error))?;
    Ok((text + "\n").into_bytes())
}

fn unwritable(name: &str, error: &serde_json::Error) -> StorageError {
    StorageError::Content { path: name.into(), expected: "values that JSON can hold", found: error.to_string() }
}
