//! A backend that computes shapes and records operations, and does nothing else.
//!
//! [`Trace`] is Burn's router with a runner that holds no data: the router works out the shape of
//! every result and hands the operation over, and the runner writes it down. A tensor of a
//! billion elements costs as much as a tensor of one.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};

use burn::tensor::backend::{Backend, DTypeUsage, DTypeUsageSet, ExecutionError};
use burn::tensor::{DType, Shape, Tensor, TensorData};
use burn_autodiff::Autodiff;
use burn_ir::{CustomOpIr, OperationIr, TensorId, TensorIr};
use burn_router::{BackendRouter, MultiBackendBridge, RouterTensor, RunnerChannel, RunnerClient};

use super::recording::{TraceDevice, record};

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

    /// Describes a float tensor as the recording knows it.
    fn float_ir(tensor: Self::FloatTensorPrimitive) -> TensorIr;

    /// Runs the backward pass, where there is one, and hands the gradients to `inspect` alive.
    fn backward(loss: Tensor<Self, 1>, inspect: &mut dyn FnMut());
}

impl TraceBackend for Trace {
    const DIFFERENTIABLE: bool = false;

    fn float_ir(tensor: Self::FloatTensorPrimitive) -> TensorIr {
        tensor.into_ir()
    }

    fn backward(_loss: Tensor<Self, 1>, _inspect: &mut dyn FnMut()) {}
}

impl TraceBackend for TraceGrad {
    const DIFFERENTIABLE: bool = true;

    fn float_ir(tensor: Self::FloatTensorPrimitive) -> TensorIr {
        tensor.primitive.into_ir()
    }

    fn backward(loss: Tensor<Self, 1>, inspect: &mut dyn FnMut()) {
        let gradients = loss.backward();
        inspect();
        drop(gradients);
    }
}

/// Identifies tensors across all recordings: a tensor that outlives its recording can never be
/// taken for one of another.
static NEXT_TENSOR: AtomicU64 = AtomicU64::new(0);

/// The runner behind [`Trace`]: writes operations down.
#[derive(Clone, Debug)]
pub struct TraceClient {
    device: TraceDevice,
}

impl TraceClient {
    fn uninitialised(&self, shape: Shape, dtype: DType) -> RouterTensor<Self> {
        RouterTensor::new(self.create_empty_handle(), shape, dtype, self.clone())
    }
}

impl RunnerClient for TraceClient {
    type Device = TraceDevice;

    fn register_op(&self, op: OperationIr) {
        record(self.device, |recording| recording.register(op));
    }

    fn read_tensor_async(
        &self, tensor: TensorIr,
    ) -> Pin<Box<dyn Future<Output = Result<TensorData, ExecutionError>> + Send>> {
        record(self.device, |recording| {
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

    fn dtype_usage(&self, _dtype: DType) -> DTypeUsageSet {
        DTypeUsage::general()
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
        client: &TraceClient, handle: TensorIr, shape: Shape, dtype: DType,
    ) -> RouterTensor<TraceClient> {
        let out = client.uninitialised(shape.clone(), dtype);
        let moved = TensorIr::uninit(out.clone().into_ir().id, shape, dtype);
        client.register_op(OperationIr::Custom(CustomOpIr::new("ToDevice", &[handle], &[moved])));
        out
    }
}

macro_rules! unchanged {
    ($($name:ident),+) => {
        $(fn $name(tensor: TensorIr, _shape: Shape, _device: &TraceDevice) -> TensorIr { tensor })+
    };
}

/// Moves a tensor from one trace device to another, which takes its description alone.
#[derive(Debug)]
pub struct TraceBridge;

impl MultiBackendBridge for TraceBridge {
    type TensorHandle = TensorIr;
    type Device = TraceDevice;

    unchanged!(change_backend_float, change_backend_int, change_backend_bool);
}
