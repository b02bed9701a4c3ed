//! Learners and weights as bytes.

use std::path::Path;

use burn::module::{AutodiffModule, Module};
use burn::optim::{Optimizer, adaptor::OptimizerAdaptor};
use burn::record::{FullPrecisionSettings, NamedMpkBytesRecorder, Recorder};
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn_store::{ModuleSnapshot, SafetensorsStore};

use super::adam::Adam;
use super::learner::{Learner, Position};
use super::storage::{StorageError, read};
use crate::model::Classifier;

/// Model, best model, optimizer, and the position as JSON.
type State<B, M> = (
    <M as Module<B>>::Record,
    <M as Module<B>>::Record,
    <OptimizerAdaptor<Adam, M, B> as Optimizer<M, B>>::Record,
    String,
);

type StateRecorder = NamedMpkBytesRecorder<FullPrecisionSettings>;

/// Everything that `learner` needs to go on, in one piece: it cannot be torn.
pub(super) fn encode<B, M>(learner: &Learner<B, M>) -> Vec<u8>
where
    B: AutodiffBackend,
    M: AutodiffModule<B>,
{
    let state: State<B, M> = (
        learner.model.clone().into_record(),
        learner.best.clone().into_record(),
        learner.optimizer.to_record(),
        serde_json::to_string(&learner.position).expect("a position is plain numbers"),
    );
    Recorder::<B>::record(&StateRecorder::new(), state, ()).expect("writing to memory")
}

/// The opposite of [`encode`]; the error says what is wrong with the bytes.
pub(super) fn decode<B, M>(
    bytes: Vec<u8>,
    fresh: Learner<B, M>,
    device: &B::Device,
) -> Result<Learner<B, M>, String>
where
    B: AutodiffBackend,
    M: AutodiffModule<B> + Classifier<B>,
{
    let (model, best, optimizer, position): State<B, M> =
        StateRecorder::new().load(bytes, device).map_err(|error| error.to_string())?;
    let position: Position = serde_json::from_str(&position).map_err(|error| error.to_string())?;
    let expected = shapes(&fresh.model);
    let learner = Learner {
        model: fresh.model.load_record(model),
        best: fresh.best.load_record(best),
        optimizer: fresh.optimizer.load_record(optimizer),
        position,
    };
    for found in [shapes(&learner.model), shapes(&learner.best)] {
        if found != expected {
            return Err(format!("weights of shapes {found:?}, not {expected:?}"));
        }
    }
    Ok(learner)
}

/// The path and shape of every weight.
fn shapes<B: Backend, M: Module<B>>(module: &M) -> Vec<(String, Vec<usize>)> {
    let snapshots = module.collect(None, None, false);
    let named =
        |snapshot: &burn_store::TensorSnapshot| (snapshot.full_path(), snapshot.shape.to_vec());
    snapshots.iter().map(named).collect()
}

/// A module's weights in the safetensors format, named by their paths in the module.
pub fn save_weights<B: Backend, M: Module<B>>(module: &M) -> Vec<u8> {
    // Several entries of metadata would come in a random order: the same weights are to be the same bytes.
    let mut store = SafetensorsStore::from_bytes(None)
        .clear_metadata()
        .metadata("producer", env!("CARGO_PKG_NAME"));
    (module.save_into(&mut store)).and_then(|()| store.get_bytes()).expect("writing to memory")
}

/// Loads a safetensors file such as a run's `model.safetensors` into `module`, which gives the architecture.
///
/// # Errors
/// [`StorageError`] if the file cannot be read, or its weights are not those of `module`: other names, others
/// shapes, some missing, some left over.
pub fn load_weights<B: Backend, M: Module<B>>(
    mut module: M,
    path: &Path,
) -> Result<M, StorageError> {
    let content_error = |found: String| StorageError::Content {
        path: path.to_owned(),
        expected: "safetensors weights that fit the configuration",
        found,
    };
    let mut store = SafetensorsStore::from_bytes(Some(read(path)?));
    let result =
        (module.load_from(&mut store)).map_err(|error| content_error(error.to_string()))?;
    match result.unused.is_empty() {
        true => Ok(module),
        false => Err(content_error(format!("also {}", result.unused.join(", ")))),
    }
}
