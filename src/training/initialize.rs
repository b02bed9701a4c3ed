//! Initial weights that the seed alone decides.

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Tensor, TensorData, backend::Backend};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::random::{Purpose, generator};

/// Redraws every float parameter of two or more dimensions Glorot-uniformly and sets one-dimensional biases to zero.
///
/// Burn draws initial weights from a generator that the whole process shares, and each backend has another. This one
/// depends on `seed` alone: the same weights on every backend, whatever else runs.
///
/// The bound is `sqrt(6 / (fan in + fan out))`, with Burn's layouts: convolution
/// `[out channels, in channels, kernel height, kernel width]`, linear `[inputs, outputs]`. One-dimensional parameters
/// named `bias` become zero; others, such as those of a normalisation, stay as they are. Glorot, Bengio:
/// *Understanding the difficulty of training deep feedforward neural networks* (2010).
pub fn glorot_uniform<B: Backend, M: Module<B>>(module: M, seed: u64) -> M {
    module.map(&mut Redraw { generator: generator(seed, Purpose::Weights), name: String::new() })
}

struct Redraw {
    generator: ChaCha8Rng,
    /// The field that was entered last: the parameter's own, when it is mapped.
    name: String,
}

impl<B: Backend> ModuleMapper<B> for Redraw {
    fn enter_module(&mut self, name: &str, _container: &str) {
        name.clone_into(&mut self.name);
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        if D < 2 && self.name != "bias" {
            return param;
        }
        param.map(|tensor| {
            let shape = tensor.dims();
            let values = self.draw(&shape);
            let drawn = Tensor::from_data(TensorData::new(values, shape), &tensor.device());
            drawn.set_require_grad(tensor.is_require_grad())
        })
    }
}

impl Redraw {
    fn draw(&mut self, shape: &[usize]) -> Vec<f32> {
        let count = shape.iter().product();
        let &[a, b, ref kernel @ ..] = shape else {
            return vec![0.0; count];
        };
        let positions: usize = kernel.iter().product();
        let bound = (6.0 / ((a + b) * positions) as f64).sqrt();
        (0..count).map(|_| (self.generator.random_range(-bound..bound)) as f32).collect()
    }
}
