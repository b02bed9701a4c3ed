//! The operation on tensors.

use burn::tensor::{Shape, Tensor, backend::Backend};

use super::backward::backward;
use super::forward::{forward, infer};
use super::gradients::Wanted;
use super::problem::{Pool, Problem};
use super::saved::Saved;
use crate::cpu::bridge::{self, Operation, apply};
use crate::cpu::simd::Level;

/// Returns convolution, bias, ReLU and pooling of the input; `None` where the backend has no such operation.
///
/// # Shapes
/// - input: `[batch, channels, height, width]`
/// - weight: `[filters, channels, kernel height, kernel width]`
/// - bias: `[filters]`
/// - output: `[batch, filters, pooled height, pooled width]`
pub fn conv_pool<B: Backend>(
    problem: &Problem, input: Tensor<B, 4>, weight: Tensor<B, 4>, bias: Option<Tensor<B, 1>>,
) -> Option<Tensor<B, 4>> {
    if !problem.is_valid() {
        return None;
    }
    let bias = bias.unwrap_or_else(|| bridge::tensor(vec![0.0; problem.filters], [problem.filters], &input.device()));
    let [input, weight] = [input, weight].map(|tensor| tensor.into_primitive().tensor());
    apply(problem, [input, weight, bias.into_primitive().tensor()])
}

impl Operation<3> for Problem {
    type Saved = Saved;

    fn needs_output(&self) -> bool {
        false
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

    fn infer(&self, [input, weight, bias]: [&[f32]; 3]) -> Vec<f32> {
        infer(Level::current(), self, input, weight, Some(bias))
    }

    fn forward(&self, [input, weight, bias]: [&[f32]; 3]) -> (Vec<f32>, Saved) {
        forward(Level::current(), self, input, weight, Some(bias))
    }

    fn backward(
        &self, saved: &Saved, inputs: [&[f32]; 3], _: &[f32], gradient: &[f32],
        [of_input, of_weight, of_bias]: [bool; 3],
    ) -> [Option<Vec<f32>>; 3] {
        let wanted = Wanted { input: of_input, filters: of_weight || of_bias };
        let found = backward(self, inputs, saved, gradient, wanted);
        [found.input, found.weight, found.bias]
    }
}
