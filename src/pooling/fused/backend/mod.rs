//! The backends that have the fused operation.

#[cfg(feature = "flex")]
pub(super) mod flex;
#[cfg(feature = "ndarray")]
pub(super) mod ndarray;

use std::borrow::Cow;

use burn::tensor::{Tensor, TensorPrimitive, backend::Backend, ops::FloatTensor};

use super::Inputs;
use crate::cpu::conv_pool::{Level, Problem, infer};

/// A backend whose tensors lie in memory.
pub(crate) trait CpuBackend: Backend {
    /// The values in row-major order, copied only if they lie otherwise; nothing if they are no `f32`.
    fn values(tensor: &FloatTensor<Self>) -> Option<Cow<'_, [f32]>>;

    /// A tensor of values in row-major order.
    fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> FloatTensor<Self>;
}

/// A backend with the fused operation.
pub(super) trait Fused: Backend {
    /// The output; nothing if the numbers are no `f32`.
    fn conv_pool(inputs: Inputs<Self>, problem: &Problem) -> Option<Tensor<Self, 4>>;
}

/// The inputs as the backend's own tensors.
pub(super) struct Primitives<B: Backend> {
    pub input: FloatTensor<B>,
    pub weight: FloatTensor<B>,
    pub bias: Option<FloatTensor<B>>,
}

impl<B: Backend> From<Inputs<B>> for Primitives<B> {
    fn from(inputs: Inputs<B>) -> Self {
        Self {
            input: inputs.input.into_primitive().tensor(),
            weight: inputs.weight.into_primitive().tensor(),
            bias: inputs.bias.map(|bias| bias.into_primitive().tensor()),
        }
    }
}

/// The tensor that a backend's own is inside of.
pub(super) fn wrap<B: Backend>(tensor: FloatTensor<B>) -> Tensor<B, 4> {
    Tensor::from_primitive(TensorPrimitive::Float(tensor))
}

/// Shape of the output.
pub(super) fn output_shape(problem: &Problem) -> [usize; 4] {
    let [height, width] = problem.output_size();
    [problem.batch, problem.filters, height, width]
}

/// The output alone, for a backend that computes no gradients.
fn infer_on<B: CpuBackend>(inputs: Inputs<B>, problem: &Problem) -> Option<Tensor<B, 4>> {
    let inputs = Primitives::from(inputs);
    let bias = match &inputs.bias {
        Some(bias) => Some(B::values(bias)?),
        None => None,
    };
    let output = infer(
        Level::current(),
        problem,
        &B::values(&inputs.input)?,
        &B::values(&inputs.weight)?,
        bias.as_deref(),
    );
    Some(wrap(B::tensor(output, output_shape(problem))))
}
