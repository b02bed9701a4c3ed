//! The backends whose tensors lie in the memory of the host.

use std::any::{Any, TypeId};
use std::borrow::Cow;

use burn::tensor::{Shape, Tensor, TensorData, backend::Backend, ops::FloatTensor};

/// A backend whose tensors lie in the memory of the host.
#[allow(dead_code, reason = "used if a CPU backend is compiled in")]
pub trait CpuBackend: Backend {
    /// Returns the values in row-major order, copied only if they lie in another; `None` unless the dtype is `f32`.
    fn values(tensor: &FloatTensor<Self>) -> Option<Cow<'_, [f32]>>;

    /// Returns a tensor that owns these values, given in row-major order.
    fn tensor(values: Vec<f32>, shape: Shape) -> FloatTensor<Self>;
}

/// Returns whether `B` is a CPU backend, without gradients.
pub fn is_cpu<B: Backend>() -> bool {
    let backends: &[TypeId] = &[
        #[cfg(feature = "flex")]
        TypeId::of::<burn_flex::Flex>(),
        #[cfg(feature = "ndarray")]
        TypeId::of::<burn_ndarray::NdArray>(),
    ];
    backends.contains(&TypeId::of::<B>())
}

/// Returns a tensor that owns its values; [`Tensor::from_data`] may only borrow them, and then copies with each clone.
pub fn tensor<B: Backend, const D: usize>(values: Vec<f32>, shape: [usize; D], device: &B::Device) -> Tensor<B, D> {
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
pub fn same<From: 'static, To: 'static>(value: From) -> Option<To> {
    let mut value = Some(value);
    let value: &mut dyn Any = &mut value;
    value.downcast_mut::<Option<To>>()?.take()
}
