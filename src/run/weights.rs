//! Weights alone, in the safetensors format.

use std::path::Path;

use burn::module::Module;
use burn::tensor::backend::Backend;
use burn_store::{ModuleSnapshot, SafetensorsStore};

use super::storage::{StorageError, read};

/// Returns a module's weights in the safetensors format, named by their paths in the module, in Burn's layouts.
pub fn save_weights<B: Backend, M: Module<B>>(module: &M) -> Vec<u8> {
    // Making a record writes the running statistics of batch normalisation back into the module.
    let _ = module.clone().into_record();
    // Several entries of metadata would come in a random order: the same weights are to be the same bytes.
    let mut store = SafetensorsStore::from_bytes(None).clear_metadata().metadata("producer", env!("CARGO_PKG_NAME"));
    (module.save_into(&mut store)).and_then(|()| store.get_bytes()).expect("writing to memory")
}

/// Loads a safetensors file such as a run's `model.safetensors` into `module`, which gives the architecture.
///
/// # Errors
/// [`StorageError`] if the file cannot be read, or its weights are not those of `module`: other names, other
/// shapes, some missing, some left over.
pub fn load_weights<B: Backend, M: Module<B>>(mut module: M, path: &Path) -> Result<M, StorageError> {
    let content_error = |found: String| StorageError::Content {
        path: path.to_owned(),
        expected: "safetensors weights that fit the configuration",
        found,
    };
    let mut store = SafetensorsStore::from_bytes(Some(read(path)?));
    let result = (module.load_from(&mut store)).map_err(|error| content_error(error.to_string()))?;
    match result.unused.is_empty() {
        true => Ok(module),
        false => Err(content_error(format!("also {}", result.unused.join(", ")))),
    }
}
