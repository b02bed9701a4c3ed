//! NdArray, with its default types of numbers.

use std::borrow::Cow;

use burn::tensor::{Tensor, backend::Backend};
use burn_autodiff::Autodiff;
use burn_autodiff::checkpoint::strategy::{BalancedCheckpointing, NoCheckpointing};
use burn_ndarray::{NdArray, NdArrayTensor, SharedArray};

use super::{CpuBackend, Fused, infer_on};
use crate::cpu::conv_pool::Problem;
use crate::pooling::fused::{Attempt, Inputs, attempt};

/// NdArray alone, and with gradients.
pub(in crate::pooling::fused) fn attempts<B: Backend>() -> [Attempt<B>; 3] {
    [
        attempt::<B, NdArray>,
        attempt::<B, Autodiff<NdArray, NoCheckpointing>>,
        attempt::<B, Autodiff<NdArray, BalancedCheckpointing>>,
    ]
}

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

    fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> NdArrayTensor {
        // An array of its own: one made of bytes would be copied with every clone.
        SharedArray::from_shape_vec(shape.to_vec(), values)
            .expect("as many values as the shape says")
            .into()
    }
}

impl Fused for NdArray {
    fn conv_pool(inputs: Inputs<Self>, problem: &Problem) -> Option<Tensor<Self, 4>> {
        infer_on(inputs, problem)
    }
}
