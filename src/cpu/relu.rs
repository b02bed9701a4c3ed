//! ReLU by itself. Burn's on the CPU backends turns NaN into zero.

use burn::tensor::{Shape, Tensor, TensorMetadata, backend::Backend};
use rayon::prelude::*;

use super::bridge::{Operation, apply};

/// Values that one thread works on at a time.
const CHUNK: usize = 1 << 14;

/// `max(x, 0)` of each value, which is NaN where `x` is.
#[derive(Clone, Debug)]
struct Relu {
    shape: Shape,
}

/// Returns the activations; `None` where the backend has no such operation.
pub fn relu<B: Backend, const D: usize>(input: &Tensor<B, D>) -> Option<Tensor<B, D>> {
    let input = input.clone().into_primitive().tensor();
    apply(&Relu { shape: input.shape() }, [input])
}

impl Operation<1> for Relu {
    type Saved = ();

    fn needs_output(&self) -> bool {
        true
    }

    fn output_shape(&self) -> Shape {
        self.shape.clone()
    }

    fn name(&self) -> String {
        "ReLU".to_owned()
    }

    fn multiply_adds(&self) -> usize {
        0
    }

    fn infer(&self, [input]: [&[f32]; 1]) -> Vec<f32> {
        input.par_iter().with_min_len(CHUNK).map(|&x| if x < 0.0 { 0.0 } else { x }).collect()
    }

    fn forward(&self, inputs: [&[f32]; 1]) -> (Vec<f32>, ()) {
        (self.infer(inputs), ())
    }

    fn backward(
        &self, (): &(), _: [&[f32]; 1], output: &[f32], gradient: &[f32], _: [bool; 1],
    ) -> [Option<Vec<f32>>; 1] {
        let values = gradient.par_iter().zip(output).with_min_len(CHUNK);
        [Some(values.map(|(&gradient, &output)| if output == 0.0 { 0.0 } else { gradient }).collect())]
    }
}
