//! Recordings: the operations that a thread runs on a device of its own.
//!
//! Each recording has a [`TraceDevice`] of its own, so recordings on different threads never mix.
//! A tensor made on `TraceDevice::default()` joins the recording of the thread that made it.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use burn::tensor::backend::{DeviceId, DeviceOps};
use burn_ir::{ModuleOperationIr, OperationIr};

use super::error::is_countable;
use crate::layer_scope::{LayerRun, current};

/// Where a recording is kept. The default device belongs to whichever recording runs on the
/// calling thread, and to none when there is none.
#[derive(Clone, Copy, Debug, Default)]
pub struct TraceDevice {
    slot: u16,
}

impl TraceDevice {
    /// Returns the number of the recording that the device belongs to.
    fn recording(self) -> u16 {
        if self.slot == 0 { CURRENT.get() } else { self.slot }
    }
}

/// Devices of one recording are the same: Burn refuses to mix tensors of two devices.
impl PartialEq for TraceDevice {
    fn eq(&self, other: &Self) -> bool {
        self.recording() == other.recording()
    }
}

impl Eq for TraceDevice {}

impl burn::prelude::DeviceOps for TraceDevice {
    fn from_id(id: DeviceId) -> Self {
        Self { slot: id.index_id }
    }

    fn to_id(&self) -> DeviceId {
        DeviceId::new(0, self.slot)
    }
}

impl DeviceOps for TraceDevice {}

/// What was recorded on one device.
#[derive(Debug, Default)]
pub(super) struct Recording {
    /// Every operation, in the order in which it was registered, drops included.
    pub operations: Vec<OperationIr>,
    /// The layer that ran at each of them, where it said so.
    pub layers: Vec<Option<LayerRun>>,
    /// The shape of the first tensor whose values were asked for.
    pub read_back: Option<Vec<usize>>,
    /// The first operands whose shapes do not match.
    pub mismatch: Option<String>,
    /// The shape of the first tensor whose elements cannot be counted.
    pub too_large: Option<Vec<usize>>,
}

impl Recording {
    pub fn register(&mut self, operation: OperationIr) {
        // Nothing may compute with it: what follows would be wrong, and the recording is refused.
        if let Some(tensor) = operation.outputs().find(|tensor| !is_countable(&tensor.shape)) {
            self.too_large.get_or_insert_with(|| tensor.shape.to_vec());
            return;
        }
        self.mismatch = self.mismatch.take().or_else(|| mismatch(&operation));
        self.operations.push(operation);
        self.layers.push(current());
    }
}

/// Returns what does not match, if the operands' shapes do not. Burn itself checks convolutions and
/// matrix products, but leaves linear layers to the backend.
fn mismatch(operation: &OperationIr) -> Option<String> {
    let OperationIr::Module(ModuleOperationIr::Linear(linear)) = operation else { return None };
    let (input, weight) = (&linear.x.shape, &linear.weight.shape);
    let (found, expected) = (input.last()?, weight.first()?);
    (found != expected).then(|| {
        format!("a linear layer expected {expected} features, found {found} in an input of shape {:?}", input.to_vec())
    })
}

/// The recordings in progress, by device. Finished ones are taken out, so nothing accumulates.
static RECORDINGS: Mutex<BTreeMap<u16, Recording>> = Mutex::new(BTreeMap::new());

/// The slot that was taken last; changed only while the recordings are locked.
static LAST_SLOT: AtomicU16 = AtomicU16::new(0);

thread_local! {
    static CURRENT: Cell<u16> = const { Cell::new(0) };
}

fn recordings() -> MutexGuard<'static, BTreeMap<u16, Recording>> {
    // A panic inside the model is expected and contained; the table stays whole, because nothing
    // that can panic runs while the lock is held.
    RECORDINGS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Hands the device's recording to `record`; does nothing if it is over.
pub(super) fn record(device: TraceDevice, record: impl FnOnce(&mut Recording)) {
    if let Some(recording) = recordings().get_mut(&device.recording()) {
        record(recording);
    }
}

/// A recording in progress on this thread; dropped, it leaves nothing behind.
pub(super) struct Recorder {
    slot: u16,
    outer: u16,
}

impl Recorder {
    /// Starts a recording on a device of its own; `None` if 65,535 are in progress.
    pub fn start() -> Option<Self> {
        let mut recordings = recordings();
        // Not the lowest free one: a tensor that is dropped late would be recorded by whoever took its slot.
        let last = LAST_SLOT.load(Ordering::Relaxed);
        let mut slots = (1..=u16::MAX).chain([0]).map(|step| last.wrapping_add(step));
        let slot = slots.find(|slot| *slot != 0 && !recordings.contains_key(slot))?;
        LAST_SLOT.store(slot, Ordering::Relaxed);
        recordings.insert(slot, Recording::default());
        Some(Self { slot, outer: CURRENT.replace(slot) })
    }

    pub fn device(&self) -> TraceDevice {
        TraceDevice { slot: self.slot }
    }

    /// Takes the operations recorded so far.
    pub fn take(&self) -> Vec<OperationIr> {
        self.take_with_layers().0
    }

    /// Takes them with the layers that ran.
    pub fn take_with_layers(&self) -> (Vec<OperationIr>, Vec<Option<LayerRun>>) {
        self.with(|recording| (std::mem::take(&mut recording.operations), std::mem::take(&mut recording.layers)))
    }

    pub fn with<T>(&self, f: impl FnOnce(&mut Recording) -> T) -> T {
        f(recordings().entry(self.slot).or_default())
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        recordings().remove(&self.slot);
        CURRENT.set(self.outer);
    }
}
