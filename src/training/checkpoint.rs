//! Learners as bytes.

use std::marker::PhantomData;

use burn::module::{AutodiffModule, Module};
use burn::optim::Optimizer;
use burn::record::{FullPrecisionSettings, NamedMpkBytesRecorder, Recorder};
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn_store::ModuleSnapshot;

use super::learner::{Learner, Position, largest_weight};
use super::record::{Shapes, check};
use crate::contain::contain;

/// Model, best model, optimizer, and the position as JSON.
type State<B, M, O> = (<M as Module<B>>::Record, <M as Module<B>>::Record, <O as Optimizer<M, B>>::Record, String);

type StateRecorder = NamedMpkBytesRecorder<FullPrecisionSettings>;

/// Bytes that are no checkpoint of a learner's model and optimizer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a checkpoint of this model and optimizer, found something else: {0}")]
pub struct CheckpointError(pub String);

impl<B: AutodiffBackend, M: AutodiffModule<B>, O: Optimizer<M, B>> Learner<B, M, O> {
    /// Returns everything that training needs to continue, as one piece.
    pub fn checkpoint(&self) -> Vec<u8> {
        let state: State<B, M, O> = (
            self.model.clone().into_record(),
            self.best.clone().into_record(),
            self.optimizer.to_record(),
            serde_json::to_string(&self.position).expect("a position is plain numbers"),
        );
        Recorder::<B>::record(&StateRecorder::new(), state, ()).expect("writing to memory")
    }

    /// Returns the learner of a checkpoint; `self` gives the architecture and the optimizer's hyperparameters.
    ///
    /// The bytes may be anything: they are checked before memory is taken for what they describe.
    ///
    /// # Errors
    /// [`CheckpointError`] if the bytes are no checkpoint, or of another architecture; if what the optimizer keeps for a
    /// parameter has another shape than the parameter; or if a weight is infinite or not a number.
    pub fn restore(self, checkpoint: Vec<u8>, device: &B::Device) -> Result<Self, CheckpointError> {
        let expected = shapes(&self.model);
        check(&checkpoint, &expected).map_err(CheckpointError)?;
        // What the check cannot know, such as the fields of another module, Burn finds: by an error or by a panic.
        let learner = contain(|| self.load(checkpoint, device)).map_err(|panic| CheckpointError(panic.message))??;
        let found = [shapes(&learner.model), shapes(&learner.best)];
        if let Some(found) = found.into_iter().find(|found| *found != expected) {
            return Err(CheckpointError(format!("weights of shapes {found:?}, not {expected:?}")));
        }
        let is_finite = [&learner.model, &learner.best].into_iter().all(|model| largest_weight(model).is_finite());
        match is_finite {
            true => Ok(learner),
            false => Err(CheckpointError("a weight that is infinite or not a number".to_owned())),
        }
    }

    fn load(self, checkpoint: Vec<u8>, device: &B::Device) -> Result<Self, CheckpointError> {
        let (model, best, optimizer, position): State<B, M, O> =
            StateRecorder::new().load(checkpoint, device).map_err(|error| CheckpointError(error.to_string()))?;
        let position: Position = serde_json::from_str(&position).map_err(|error| CheckpointError(error.to_string()))?;
        position.check().map_err(CheckpointError)?;
        Ok(Self {
            model: self.model.load_record(model),
            best: self.best.load_record(best),
            optimizer: self.optimizer.load_record(optimizer),
            position,
            backend: PhantomData,
        })
    }
}

/// The path and shape of every weight.
fn shapes<B: Backend, M: Module<B>>(module: &M) -> Shapes {
    let snapshots = module.collect(None, None, false);
    let named = |snapshot: &burn_store::TensorSnapshot| (snapshot.full_path(), snapshot.shape.to_vec());
    snapshots.iter().map(named).collect()
}
