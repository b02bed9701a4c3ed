//! Weights alone, in the safetensors format.

use std::collections::BTreeMap;
use std::path::Path;

use burn::module::{Module, ParamId};
use burn::tensor::{DType, TensorData, backend::Backend};
use burn_store::{ModuleSnapshot, SafetensorsStore, TensorSnapshot};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use super::storage::{StorageError, read};

/// Returns a module's weights in the safetensors format, named by their paths in the module, in Burn's layouts.
pub fn save_weights<B: Backend, M: Module<B>>(module: &M) -> Vec<u8> {
    // Making a record writes the running statistics of batch normalisation back into the module.
    let _ = module.clone().into_record();
    // Several entries of metadata would come in a random order: the same weights are to be the same bytes.
    let mut store = SafetensorsStore::from_bytes(None).clear_metadata().metadata("producer", env!("CARGO_PKG_NAME"));
    (module.save_into(&mut store)).and_then(|()| store.get_bytes()).expect("writing to memory")
}

/// Bytes that are not the weights of a module.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected safetensors weights that fit the module, found something else: {0}")]
pub struct WeightsError(pub String);

/// Loads a safetensors file such as a run's `model.safetensors` into `module`, which gives the architecture.
///
/// `F16`, `BF16` and `F64` are converted to the dtype of the module.
///
/// # Errors
/// [`StorageError`] if the file cannot be read, or where [`read_weights`] fails.
pub fn load_weights<B: Backend, M: Module<B>>(module: M, path: &Path) -> Result<M, StorageError> {
    read_weights(module, &read(path)?).map_err(|error| StorageError::Content {
        path: path.to_owned(),
        expected: "safetensors weights that fit the configuration",
        found: error.0,
    })
}

/// Reads what [`save_weights`] returns, or any safetensors file, into `module`, which gives the architecture.
///
/// # Errors
/// [`WeightsError`] if the weights are not those of `module`: other names, shapes or dtypes, some missing, some left
/// over; or if a weight is infinite or not a number.
pub fn read_weights<B: Backend, M: Module<B>>(module: M, bytes: &[u8]) -> Result<M, WeightsError> {
    apply(module, bytes).map_err(WeightsError)
}

/// Everything is checked before Burn gets it: a panic while weights are applied would leave a module that is dropped
/// twice (`burn_store::ModuleSnapshot::apply` moves the module out of its place meanwhile).
fn apply<B: Backend, M: Module<B>>(mut module: M, bytes: &[u8]) -> Result<M, String> {
    let file = SafeTensors::deserialize(bytes).map_err(|error| error.to_string())?;
    let mut tensors: BTreeMap<String, TensorView<'_>> = file.tensors().into_iter().collect();
    let mut snapshots = Vec::new();
    for expected in module.collect(None, None, false) {
        let name = expected.full_path();
        let tensor = tensors.remove(&name).ok_or_else(|| format!("no {name}"))?;
        let data = checked(&tensor, &expected).map_err(|found| format!("{name}: {found}"))?;
        let place = name.split('.').map(str::to_owned).collect();
        snapshots.push(TensorSnapshot::from_data(data, place, Vec::new(), ParamId::new()));
    }
    if !tensors.is_empty() {
        return Err(format!("also {}", tensors.into_keys().collect::<Vec<_>>().join(", ")));
    }
    let result = module.apply(snapshots, None, None, false);
    match result.is_success() && result.missing.is_empty() {
        true => Ok(module),
        false => Err(result.to_string()),
    }
}

/// Returns a tensor's values in the dtype that the module has.
fn checked(tensor: &TensorView<'_>, expected: &TensorSnapshot) -> Result<TensorData, String> {
    let (shape, expected_shape) = (tensor.shape(), expected.shape.to_vec());
    if shape != expected_shape {
        return Err(format!("shape {shape:?} instead of {expected_shape:?}"));
    }
    let dtype = match (tensor.dtype(), expected.dtype.is_float()) {
        (Dtype::F32, true) => DType::F32,
        (Dtype::F64, true) => DType::F64,
        (Dtype::F16, true) => DType::F16,
        (Dtype::BF16, true) => DType::BF16,
        (Dtype::I64, false) if expected.dtype == DType::I64 => DType::I64,
        (Dtype::I32, false) if expected.dtype == DType::I32 => DType::I32,
        (found, _) => return Err(format!("dtype {found:?} instead of {:?}", expected.dtype)),
    };
    let data = TensorData::from_bytes_vec(tensor.data().to_vec(), shape, dtype).convert_dtype(expected.dtype);
    match !dtype.is_float() || data.iter::<f64>().all(f64::is_finite) {
        true => Ok(data),
        false => Err("a weight that is infinite or not a number".to_owned()),
    }
}
