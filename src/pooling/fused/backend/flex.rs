//! Flex.

use std::borrow::Cow;

use burn::tensor::{Bytes, DType, Tensor, backend::Backend};
use burn_autodiff::Autodiff;
use burn_autodiff::checkpoint::strategy::{BalancedCheckpointing, NoCheckpointing};
use burn_flex::{Flex, FlexTensor, Layout};

use super::{CpuBackend, Fused, infer_on};
use crate::cpu::conv_pool::Problem;
use crate::pooling::fused::{Attempt, Inputs, attempt};

/// Flex alone, and with gradients.
pub(in crate::pooling::fused) fn attempts<B: Backend>() -> [Attempt<B>; 3] {
    [
        attempt::<B, Flex>,
        attempt::<B, Autodiff<Flex, NoCheckpointing>>,
        attempt::<B, Autodiff<Flex, BalancedCheckpointing>>,
    ]
}

impl CpuBackend for Flex {
    fn values(tensor: &FlexTensor) -> Option<Cow<'_, [f32]>> {
        if tensor.dtype() != DType::F32 {
            return None;
        }
        Some(match tensor.as_slice() {
            Some(values) => Cow::Borrowed(values),
            None => Cow::Owned(tensor.to_contiguous().storage().to_vec()),
        })
    }

    fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> FlexTensor {
        let layout = Layout::contiguous(shape.into());
        FlexTensor::new(Bytes::from_elems(values), layout, DType::F32)
    }
}

impl Fused for Flex {
    fn conv_pool(inputs: Inputs<Self>, problem: &Problem) -> Option<Tensor<Self, 4>> {
        infer_on(inputs, problem)
    }
}
