//! NdArray, with its default element types.

use std::borrow::Cow;

use burn::tensor::Shape;
use burn_ndarray::{NdArray, NdArrayTensor, SharedArray};

use super::backend::CpuBackend;

impl CpuBackend for NdArray {
    fn values(tensor: &NdArrayTensor) -> Option<Cow<'_, [f32]>> {
        let NdArrayTensor::F32(storage) = tensor else {
            return None;
        };
        let view = storage.view();
        Some(match view.to_slice() {
            Some(values) => Cow::Borrowed(values),
            None => Cow::Owned(view.iter().copied().collect()),
        })
    }

    fn tensor(values: Vec<f32>, shape: Shape) -> NdArrayTensor {
        // An array of its own: one made of bytes would be copied with every clone.
        SharedArray::from_shape_vec(shape.to_vec(), values).expect("as many values as the shape says").into()
    }
}
