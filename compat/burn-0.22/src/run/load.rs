//! From a folder to a network.

use std::path::{Path, PathBuf};
use std::{fs, io};

use burn::tensor::Device;
use serde::Deserialize;

use super::weights::{WeightsError, load_weights};
use crate::model::{ConfigError, PoolingCnn, PoolingCnnConfig};

/// What a network needs of a run's `config.json`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct RunConfig {
    /// The network.
    pub model: PoolingCnnConfig,
}

/// Why a run's network cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file cannot be read.
    #[error("{}: expected a file of a run, found none that can be read ({source}); name the folder of a run", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The I/O error.
        source: io::Error,
    },
    /// The configuration is no JSON, or has other fields.
    #[error(
        "{}: expected the configuration of a run, found something else: {source}; restore it from a copy, or train the \
         network with the current burn-pooling", path.display()
    )]
    Json {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The configuration describes no network.
    #[error("{}: {source}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: ConfigError,
    },
    /// The weights are not those of the network.
    #[error("{}: {source}; restore the run from a copy", path.display())]
    Weights {
        /// The file.
        path: PathBuf,
        /// What is wrong with them.
        source: WeightsError,
    },
}

/// Loads the network of the run in `folder`, with what its configuration says of it; two files are read, `config.json`
/// and `model.safetensors`, and not compared with the manifest.
///
/// # Errors
/// [`LoadError`] if a file cannot be read, the configuration has anything in `model` that this crate does not know, or
/// the weights are not exactly those of the configuration, all of them finite.
pub fn load_run(folder: &Path, device: &Device) -> Result<(RunConfig, PoolingCnn), LoadError> {
    let (path, bytes) = read(folder, "config.json")?;
    let config: RunConfig = match serde_json::from_slice(&bytes) {
        Ok(config) => config,
        Err(source) => return Err(LoadError::Json { path, source }),
    };
    let model = config.model.init(device).map_err(|source| LoadError::Config { path, source })?;
    let (path, bytes) = read(folder, "model.safetensors")?;
    let model = load_weights(model, &bytes).map_err(|source| LoadError::Weights { path, source })?;
    Ok((config, model))
}

fn read(folder: &Path, name: &str) -> Result<(PathBuf, Vec<u8>), LoadError> {
    let path = folder.join(name);
    match fs::read(&path) {
        Ok(bytes) => Ok((path, bytes)),
        Err(source) => Err(LoadError::Read { path, source }),
    }
}
