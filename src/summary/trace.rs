//! A backend that computes shapes and records operations, and does nothing else.
//!
//! [`Trace`] is Burn's router with a runner that holds no data: the router works out the shape of
//! every result and hands the operation over, and the runner writes it down. A tensor of a
//! billion elements costs as much as a tensor of one.
//!
//! Each recording has a [`TraceDevice`] of its own, so recordings on different threads never mix.
//! A tensor made on `TraceDevice::default()` joins the recording of the thread that made it.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use burn::tensor::backend::{Backend, DeviceId, DeviceOps, ExecutionError};
use burn::tensor::{DType, Shape, Tensor, TensorData};
use burn_autodiff::Autodiff;
use burn_ir::{CustomOpIr, OperationIr, TensorId, TensorIr};
use burn_router::{BackendRouter, MultiBackendBridge, RouterTensor, RunnerChannel, RunnerClient};

use super::check::misfit;

/// Computes shapes and records operations; holds no values. A forward pass on it is an inference
/// pass: dropout does nothing, batch normalisation uses its running statistics.
pub type Trace = BackendRouter<TraceChannel>;

/// [`Trace`] with automatic differentiation: a forward pass on it is a training pass, and the
/// backward pass can be counted.
pub type TraceGrad = Autodiff<Trace>;

/// A backend that a summary can be made on: [`Trace`] or [`TraceGrad`].
pub trait TraceBackend:
    Backend<
        Device = TraceDevice,
        IntTensorPrimitive = RouterTensor<TraceClient>,
        BoolTensorPrimitive = RouterTensor<TraceClient>,
    >
{
    /// Whether the backend has a backward pass.
    const DIFFERENTIABLE: bool;

    /// The identity of a float tensor in the recording.
    fn float_id(tensor: Self::FloatTensorPrimitive) -> TensorId;

    /// Runs the backward pass, where there is one, and hands the gradients to `inspect` alive.
    fn backward(loss: Tensor<Self, 1>, inspect: &mut dyn FnMut());
}

impl TraceBackend for Trace {
    const DIFFERENTIABLE: bool = false;

    fn float_id(tensor: Self::FloatTensorPrimitive) -> TensorId {
        tensor.into_ir().id
    }

    fn backward(_loss: Tensor<Self, 1>, _inspect: &mut dyn FnMut()) {}
}

impl TraceBackend for TraceGrad {
    const DIFFERENTIABLE: bool = true;

    fn float_id(tensor: Self::FloatTensorPrimitive) -> TensorId {
        tensor.primitive.into_ir().id
    }

    fn backward(loss: Tensor<Self, 1>, inspect: &mut dyn FnMut()) {
        let gradients = loss.backward();
        inspect();
        drop(gradients);
    }
}

/// Where a recording is kept. The default device belongs to whichever recording runs on the
/// calling thread, and to none when there is none.
#[derive(Clone, Copy, Debug, Default)]
pub struct TraceDevice {
    slot: u16,
}

impl TraceDevice {
    /// The number of the recording that the device belongs to.
    fn recording(self) -> u16 {
        match self.slot {
            0 => CURRENT.get(),
            slot => slot,
        }
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
    /// The shape of the first tensor whose values were asked for.
    pub read_back: Option<Vec<usize>>,
    /// The first operands that do not fit together.
    pub misfit: Option<String>,
}

/// The recordings under way, by device. Finished ones are taken out, so nothing accumulates.
static RECORDINGS: Mutex<BTreeMap<u16, Recording>> = Mutex::new(BTreeMap::new());

/// Identifies tensors across all recordings: a tensor that outlives its recording can never be
/// taken for one of another.
static NEXT_TENSOR: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static CURRENT: Cell<u16> = const { Cell::new(0) };
}

fn recordings() -> MutexGuard<'static, BTreeMap<u16, Recording>> {
    // A panic inside the model is expected and contained; the table stays whole, because nothing
    // that can panic runs while the lock is held.
    RECORDINGS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A recording under way on this thread; dropped, it leaves nothing behind.
pub(super) struct Recorder {
    device: TraceDevice,
    outer: u16,
}

impl Recorder {
    /// Starts a recording on a device of its own; `None` when 65,535 of them are under way.
    pub fn start() -> Option<Self> {
        let mut recordings = recordings();
        let slot = (1..=u16::MAX).find(|slot| !recordings.contains_key(slot))?;
        recordings.insert(slot, Recording::default());
        let outer = CURRENT.replace(slot);
        Some(Self { device: TraceDevice { slot }, outer })
    }

    pub fn device(&self) -> TraceDevice {
        self.device
    }

    /// How many operations were recorded so far.
    pub fn position(&self) -> usize {
        self.with(|recording| recording.operations.len())
    }

    /// The shape of the first tensor whose values were asked for.
    pub fn read_back(&self) -> Option<Vec<usize>> {
        self.with(|recording| recording.read_back.clone())
    }

    /// The first operands that do not fit together.
    pub fn misfit(&self) -> Option<String> {
        self.with(|recording| recording.misfit.clone())
    }

    /// Takes the operations recorded so far.
    pub fn take(&self) -> Vec<OperationIr> {
        self.with(|recording| std::mem::take(&mut recording.operations))
    }

    fn with<T>(&self, f: impl FnOnce(&mut Recording) -> T) -> T {
        f(recordings().entry(self.device.slot).or_default())
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        recordings().remove(&self.device.slot);
        CURRENT.set(self.outer);
    }
}

/// The runner behind [`Trace`]: writes operations down.
#[derive(Clone, Debug)]
pub struct TraceClient {
    device: TraceDevice,
}

impl TraceClient {
    fn record(&self, f: impl FnOnce(&mut Recording)) {
        if let Some(recording) = recordings().get_mut(&self.device.recording()) {
            f(recording);
        }
    }

    fn uninitialised(&self, shape: Shape, dtype: DType) -> RouterTensor<Self> {
        RouterTensor::new(self.create_empty_handle(), shape, dtype, self.clone())
    }
}

impl RunnerClient for TraceClient {
    type Device = TraceDevice;

    fn register_op(&self, op: OperationIr) {
        self.record(|recording| {
            if recording.misfit.is_none() {
                recording.misfit = misfit(&op);
            }
            recording.operations.push(op);
        });
    }

    fn read_tensor_async(
        &self,
        tensor: TensorIr,
    ) -> Pin<Box<dyn Future<Output = Result<TensorData, ExecutionError>> + Send>> {
        self.record(|recording| {
            recording.read_back.get_or_insert_with(|| tensor.shape.to_vec());
        });
        Box::pin(async {
            Err(ExecutionError::WithContext {
                reason: "a trace computes shapes only: this tensor has no values".to_string(),
            })
        })
    }

    fn sync(&self) -> Result<(), ExecutionError> {
        Ok(())
    }

    fn create_empty_handle(&self) -> TensorId {
        TensorId::new(NEXT_TENSOR.fetch_add(1, Ordering::Relaxed))
    }

    fn register_tensor_data(&self, data: TensorData) -> RouterTensor<Self> {
        self.uninitialised(data.shape.clone(), data.dtype)
    }

    fn device(&self) -> TraceDevice {
        self.device
    }

    fn seed(&self, _seed: u64) {}

    fn dtype_usage(&self, _dtype: DType) -> burn::tensor::backend::DTypeUsageSet {
        burn::tensor::backend::DTypeUsage::general()
    }
}

/// Connects Burn's router to [`TraceClient`].
#[derive(Clone, Debug)]
pub struct TraceChannel;

impl RunnerChannel for TraceChannel {
    type Device = TraceDevice;
    type Bridge = TraceBridge;
    type Client = TraceClient;
    type FloatElem = f32;
    type IntElem = i64;
    type BoolElem = bool;

    fn name(_device: &TraceDevice) -> String {
        "trace".to_string()
    }

    fn init_client(device: &TraceDevice) -> TraceClient {
        TraceClient { device: *device }
    }

    fn get_tensor_handle(tensor: &TensorIr, _client: &TraceClient) -> TensorIr {
        tensor.clone()
    }

    fn register_tensor(
        client: &TraceClient,
        handle: TensorIr,
        shape: Shape,
        dtype: DType,
    ) -> RouterTensor<TraceClient> {
        let out = client.uninitialised(shape.clone(), dtype);
        let moved = TensorIr::uninit(out.clone().into_ir().id, shape, dtype);
        client.register_op(OperationIr::Custom(CustomOpIr::new("ToDevice", &[handle], &[moved])));
        out
    }
}

/// Moves a tensor from one trace device to another, which takes its description alone.
#[derive(Debug)]
pub struct TraceBridge;

impl MultiBackendBridge for TraceBridge {
    type TensorHandle = TensorIr;
    type Device = TraceDevice;

    fn change_backend_float(tensor: TensorIr, _shape: Shape, _device: &TraceDevice) -> TensorIr {
        tensor
    }

    fn change_backend_int(tensor: TensorIr, _shape: Shape, _device: &TraceDevice) -> TensorIr {
        tensor
    }

    fn change_backend_bool(tensor: TensorIr, _shape: Shape, _device: &TraceDevice) -> TensorIr {
        tensor
    }
}
