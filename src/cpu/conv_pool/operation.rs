//! The operation on tensors.

use burn::tensor::{Shape, Tensor, backend::Backend};

use super::backward::backward;
use super::forward::{forward, infer};
use super::gradients::Wanted;
use super::problem::{Inputs, Pool, Problem};
use super::saved::Saved;
use crate::cpu::bridge::{self, Operation, apply};
use crate::cpu::simd::Level;

/// Returns convolution, bias, ReLU and pooling of the input; `None` where the backend has no such operation.
///
/// # Shapes
/// - input: `[batch, channels, height, width]`
/// - weight: `[filters, channels, kernel height, kernel width]`
/// - bias: `[filters]`
/// - parameters of a reduction: `[filters, parameters]` or `[1, parameters]`
/// - output: `[batch, filters, pooled height, pooled width]`
pub fn conv_pool<B: Backend>(
    problem: &Problem, input: Tensor<B, 4>, weight: Tensor<B, 4>, bias: Option<Tensor<B, 1>>,
    parameters: Option<Tensor<B, 2>>,
) -> Option<Tensor<B, 4>> {
    if !problem.is_valid()
        || parameters.as_ref().is_some_and(|tensor| ![1, problem.filters].contains(&tensor.dims()[0]))
    {
        return None;
    }
    let bias = bias.unwrap_or_else(|| bridge::tensor(vec![0.0; problem.filters], [problem.filters], &input.device()));
    let [input, weight] = [input, weight].map(|tensor| tensor.into_primitive().tensor());
    let bias = bias.into_primitive().tensor();
    match parameters {
        None => apply(problem, [input, weight, bias]),
        Some(parameters) => apply(problem, [input, weight, bias, parameters.into_primitive().tensor()]),
    }
}

/// The inputs are those of [`conv_pool`], with or without parameters.
impl<const N: usize> Operation<N> for Problem {
    type Saved = Saved;

    fn needs_output(&self) -> bool {
        matches!(self.pool, Pool::Reduced(_))
    }

    fn output_shape(&self) -> Shape {
        let [height, width] = self.output_size();
        [self.batch, self.filters, height, width].into()
    }

    fn name(&self) -> String {
        let Self { channels, image: [height, width], filters, kernel: [rows, columns], ref pool, .. } = *self;
        let kind = if self.is_depthwise() { "depthwise convolution" } else { "convolution" };
        let padding = if self.padding == [0, 0] { String::new() } else { format!(", padding {:?}", self.padding) };
        format!("{kind} {channels}x{height}x{width}, {filters} filters {rows}x{columns}{padding}, {pool}")
    }

    fn multiply_adds(&self) -> usize {
        let geometry = self.geometry();
        let positions = match self.pool {
            Pool::None { .. } => geometry.windows(),
            _ => geometry.positions[0] * geometry.positions[1],
        };
        let taps = if self.is_depthwise() { self.kernel[0] * self.kernel[1] } else { self.filter_len() };
        self.batch * self.filters * positions * taps
    }

    fn infer(&self, inputs: [&[f32]; N]) -> Vec<f32> {
        infer(Level::current(), self, Inputs::of(inputs))
    }

    fn forward(&self, inputs: [&[f32]; N]) -> (Vec<f32>, Saved) {
        forward(Level::current(), self, Inputs::of(inputs))
    }

    fn backward(
        &self, saved: &Saved, inputs: [&[f32]; N], output: &[f32], gradient: &[f32], wanted: [bool; N],
    ) -> [Option<Vec<f32>>; N] {
        let wanted = Wanted { input: wanted[0], filters: wanted[1] || wanted[2] };
        let found = backward(self, Inputs::of(inputs), saved, output, gradient, wanted);
        let mut found = [found.input, found.weight, found.bias, found.parameters].into_iter();
        std::array::from_fn(|_| found.next().flatten())
    }
}
