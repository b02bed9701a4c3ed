//! A linear layer and its ReLU as one operation.
//!
//! Product, bias and ReLU fill the output once, and the backward pass reads from it where the ReLU passes gradients.
//! Composed of Burn's operations they allocate a tensor each, forward and backward.

use std::borrow::Cow;

use burn::tensor::{Shape, Tensor, backend::Backend};

use super::bridge::{Operation, apply};
use super::matrix::Matrix;

/// The sizes of the layer, and whether a ReLU follows.
#[derive(Clone, Copy, Debug)]
struct Linear {
    batch: usize,
    inputs: usize,
    outputs: usize,
    relu: bool,
}

/// Returns `input * weight + bias`, through a ReLU if there is one; `None` where the backend has no such operation.
///
/// # Shapes
/// - input: `[batch, inputs]`
/// - weight: `[inputs, outputs]`
/// - bias: `[outputs]`
/// - output: `[batch, outputs]`
pub fn linear<B: Backend>(
    input: Tensor<B, 2>, weight: Tensor<B, 2>, bias: Tensor<B, 1>, relu: bool,
) -> Option<Tensor<B, 2>> {
    let [batch, width] = input.dims();
    let [inputs, outputs] = weight.dims();
    if width != inputs || bias.dims() != [outputs] || batch * inputs * outputs == 0 {
        return None;
    }
    let operation = Linear { batch, inputs, outputs, relu };
    let [input, weight] = [input, weight].map(|tensor| tensor.into_primitive().tensor());
    apply(&operation, [input, weight, bias.into_primitive().tensor()])
}

impl Operation<3> for Linear {
    type Saved = ();

    fn needs_output(&self) -> bool {
        self.relu
    }

    fn output_shape(&self) -> Shape {
        [self.batch, self.outputs].into()
    }

    fn name(&self) -> String {
        format!("linear {} to {}{}", self.inputs, self.outputs, if self.relu { ", ReLU" } else { "" })
    }

    fn multiply_adds(&self) -> usize {
        self.batch * self.inputs * self.outputs
    }

    fn infer(&self, [input, weight, bias]: [&[f32]; 3]) -> Vec<f32> {
        let mut output = bias.repeat(self.batch); // [batch, outputs]
        Matrix::new(input, [self.batch, self.inputs])
            .multiply_onto(Matrix::new(weight, [self.inputs, self.outputs]), &mut output);
        if self.relu {
            for value in &mut output {
                // Not `max`, which would lose a NaN.
                *value = if *value < 0.0 { 0.0 } else { *value };
            }
        }
        output
    }

    fn forward(&self, inputs: [&[f32]; 3]) -> (Vec<f32>, ()) {
        (self.infer(inputs), ())
    }

    fn backward(
        &self, _: &(), [input, weight, _]: [&[f32]; 3], output: &[f32], gradient: &[f32],
        [of_input, of_weight, of_bias]: [bool; 3],
    ) -> [Option<Vec<f32>>; 3] {
        let &Self { batch, inputs, outputs, relu } = self;
        let gradient: Cow<[f32]> = match relu {
            true => {
                let values = gradient.iter().zip(output);
                values.map(|(&gradient, &output)| if output == 0.0 { 0.0 } else { gradient }).collect()
            }
            false => gradient.into(),
        };
        let matrix = Matrix::new(&gradient, [batch, outputs]);
        [
            of_input.then(|| matrix.multiply(Matrix::new(weight, [inputs, outputs]).transposed())),
            of_weight.then(|| Matrix::new(input, [batch, inputs]).transposed().multiply(matrix)),
            of_bias.then(|| {
                let mut sums = vec![0.0; outputs];
                for row in gradient.chunks_exact(outputs) {
                    sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
                }
                sums
            }),
        ]
    }
}
