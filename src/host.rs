//! Tensors of the CPU backends as vectors of numbers, without a copy.

use std::any::TypeId;

use burn::tensor::{Tensor, TensorData, backend::Backend};

/// Whether the backend's tensors lie in the memory of the host.
pub(crate) fn holds<B: Backend>() -> bool {
    let backend = TypeId::of::<B>();
    let known: &[TypeId] = &[
        #[cfg(feature = "flex")]
        TypeId::of::<burn_flex::Flex>(),
        #[cfg(feature = "ndarray")]
        TypeId::of::<burn_ndarray::NdArray>(),
    ];
    known.contains(&backend)
}

/// A tensor that owns its values; [`Tensor::from_data`] may only borrow them, and then copies with each clone.
pub(crate) fn tensor<B: Backend, const D: usize>(
    values: Vec<f32>,
    shape: [usize; D],
    device: &B::Device,
) -> Tensor<B, D> {
    #[cfg(feature = "ndarray")]
    if TypeId::of::<B>() == TypeId::of::<burn_ndarray::NdArray>() {
        use crate::pooling::fused::CpuBackend;
        use burn::tensor::TensorPrimitive;

        let tensor = TensorPrimitive::Float(burn_ndarray::NdArray::tensor(values, shape));
        let tensor = Tensor::<burn_ndarray::NdArray, D>::from_primitive(tensor);
        return same(tensor).expect("the backend was just compared");
    }
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// The value itself, if `To` is its type.
#[cfg(any(feature = "flex", feature = "ndarray"))]
pub(crate) fn same<From: 'static, To: 'static>(value: From) -> Option<To> {
    let mut value = Some(value);
    let value: &mut dyn std::any::Any = &mut value;
    value.downcast_mut::<Option<To>>()?.take()
}
