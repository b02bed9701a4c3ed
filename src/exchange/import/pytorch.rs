//! PyTorch's `.pt` and `.pth` files.

use std::path::Path;

use burn_store::TensorSnapshot;
use burn_store::pytorch::PytorchReader;

use super::file::Import;
use super::layer::layers_of;
use crate::contain::contain;
use crate::exchange::error::ExchangeError;
use crate::exchange::layout::Layout;
use crate::exchange::operations::EPSILON;
use crate::exchange::weights::NamedTensor;

/// What training scripts call the state dict in a checkpoint of several things; last, a file that is one itself.
const KEYS: [Option<&str>; 5] = [Some("state_dict"), Some("model_state_dict"), Some("model"), Some("net"), None];

impl Import {
    /// Reads a state dict, or a checkpoint with one, from a file that `torch.save` wrote. No code in it is run.
    ///
    /// # Errors
    /// [`ExchangeError`] if it cannot be read, holds no state dict, or holds layers of other kinds.
    pub fn pytorch(path: &Path) -> Result<Self, ExchangeError> {
        let mut errors = Vec::new();
        for key in KEYS {
            match tensors(path, key) {
                Ok(tensors) if tensors.is_empty() => {}
                Ok(tensors) => {
                    let layers = layers_of(tensors, EPSILON)?;
                    return Ok(Self { layers, stages: None, layout: Some(Layout::PyTorch) });
                }
                Err(error) => errors.push(error),
            }
        }
        let found = errors.pop().unwrap_or_else(|| "no tensors".to_owned());
        Err(ExchangeError::Content { expected: "a file of PyTorch with a state dict (model.state_dict())", found })
    }
}

/// Reads the tensors of numbers with a fraction.
fn tensors(path: &Path, key: Option<&str>) -> Result<Vec<NamedTensor>, String> {
    // The reader panics on some files that are cut off.
    let read = contain(|| {
        let reader = match key {
            None => PytorchReader::new(path),
            Some(key) => PytorchReader::with_top_level_key(path, key),
        };
        let tensors = reader.map_err(|error| error.to_string())?.into_tensors();
        let is_number = |(_, tensor): &(String, TensorSnapshot)| tensor.dtype.is_float();
        tensors.into_iter().filter(is_number).map(|(name, tensor)| named(name, &tensor)).collect()
    });
    read.unwrap_or_else(|panic| Err(panic.message))
}

fn named(name: String, tensor: &TensorSnapshot) -> Result<NamedTensor, String> {
    let data = tensor.to_data().map_err(|error| format!("{name}: {error:?}"))?.convert::<f32>();
    let values = data.to_vec().map_err(|error| format!("{name}: {error:?}"))?;
    let shape: Vec<usize> = tensor.shape.to_vec();
    match shape.iter().product::<usize>() == values.len() {
        true => Ok(NamedTensor { name, shape, values }),
        false => Err(format!("{name}: {} values of shape {shape:?}", values.len())),
    }
}
