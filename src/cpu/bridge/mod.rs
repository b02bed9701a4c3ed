//! The bridge between Burn's tensors and plain slices, on the backends whose tensors lie in the memory of the host.
//!
//! A backend is recognised by its type, so that layers generic over the backend can ask for a fast path and get
//! `None` where there is none. [`apply`] runs an [`Operation`] on slices, and records it in Burn's graph of gradients.

#[cfg(feature = "flex")]
mod flex;
#[cfg(feature = "ndarray")]
mod ndarray;
#[cfg(any(feature = "flex", feature = "ndarray"))]
mod operation;
#[cfg(any(feature = "flex", feature = "ndarray"))]
mod recorded;

use std::any::{Any, TypeId};
use std::borrow::Cow;

use burn::tensor::{Shape, Tensor, TensorData, backend::Backend, ops::FloatTensor};
use burn_autodiff::Autodiff;
use burn_autodiff::checkpoint::strategy::{BalancedCheckpointing, NoCheckpointing};

#[cfg(any(feature = "flex", feature = "ndarray"))]
pub use operation::{Operation, apply};

/// A backend whose tensors lie in the memory of the host.
pub trait CpuBackend: Backend {
    /// Returns the values in row-major order, copied only if they lie in another; `None` unless the dtype is `f32`.
    fn values(tensor: &FloatTensor<Self>) -> Option<Cow<'_, [f32]>>;

    /// Returns a tensor that owns these values, given in row-major order.
    fn tensor(values: Vec<f32>, shape: Shape) -> FloatTensor<Self>;
}

/// Returns whether `B` is a CPU backend, without gradients.
pub fn is_cpu<B: Backend>() -> bool {
    types().iter().any(|types| types[0] == TypeId::of::<B>())
}

/// Returns whether [`apply`] runs operations on `B`: on the CPU backends, alone or under `Autodiff`.
pub fn is_supported<B: Backend>() -> bool {
    types().as_flattened().contains(&TypeId::of::<B>())
}

/// Returns the types of each CPU backend: alone, and under `Autodiff` with each way of checkpointing.
fn types() -> Vec<[TypeId; 3]> {
    vec![
        #[cfg(feature = "flex")]
        types_of::<burn_flex::Flex>(),
        #[cfg(feature = "ndarray")]
        types_of::<burn_ndarray::NdArray>(),
    ]
}

#[allow(dead_code, reason = "used if a CPU backend is compiled in")]
fn types_of<A: Backend>() -> [TypeId; 3] {
    [
        TypeId::of::<A>(),
        TypeId::of::<Autodiff<A, NoCheckpointing>>(),
        TypeId::of::<Autodiff<A, BalancedCheckpointing>>(),
    ]
}

/// Returns a tensor that owns its values; [`Tensor::from_data`] may only borrow them, and then copies with each clone.
pub fn tensor<B: Backend, const D: usize>(
    values: Vec<f32>,
    shape: [usize; D],
    device: &B::Device,
) -> Tensor<B, D> {
    #[cfg(feature = "ndarray")]
    if TypeId::of::<B>() == TypeId::of::<burn_ndarray::NdArray>() {
        use burn::tensor::TensorPrimitive;

        let tensor = burn_ndarray::NdArray::tensor(values, shape.into());
        let tensor = same(tensor).expect("the backend was just compared");
        return Tensor::from_primitive(TensorPrimitive::Float(tensor));
    }
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// Returns the value itself if `To` is its type.
#[allow(dead_code, reason = "used if a CPU backend is compiled in")]
fn same<From: 'static, To: 'static>(value: From) -> Option<To> {
    let mut value = Some(value);
    let value: &mut dyn Any = &mut value;
    value.downcast_mut::<Option<To>>()?.take()
}
