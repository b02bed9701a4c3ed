//! The trained network of a run.

use std::path::Path;

use burn::tensor::backend::Backend;

use super::config::RunConfig;
use super::folder::RunFolder;
use super::storage::StorageError;
use crate::model::{ModelError, PoolingCnn};

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

/// Loads the trained network of the command's run in `folder`, with the run's configuration; for a model of your own,
/// see [`RunFolder::load_model`].
///
/// # Errors
/// [`LoadError`] if the folder is no run, or its weights do not fit its configuration.
pub fn load_run<B: Backend>(folder: &Path, device: &B::Device) -> Result<(RunConfig, PoolingCnn<B>), LoadError> {
    let folder = RunFolder::open(folder)?;
    let config: RunConfig = folder.config()?;
    folder.check_size(config.model.parameters()?)?;
    let model = folder.load_model(config.model.init(device)?)?;
    Ok((config, model))
}
