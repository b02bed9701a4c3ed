//! A linear layer and its activation.

use burn::module::{Initializer, Module, Param};
use burn::tensor::{Tensor, backend::Backend, module::linear};

use crate::cpu;
use crate::pooling::Activation;

/// A linear layer and its activation: Burn's `Linear` by name, parameters and layout, with a switch of its own.
///
/// ```
/// # #[cfg(feature = "flex")] {
/// use burn::tensor::Tensor;
/// use burn_pooling::{model::Linear, pooling::Activation};
///
/// let device = Default::default();
/// let layer = Linear::<burn_flex::Flex>::new(800, 128, Activation::Relu, &device);
/// assert_eq!(layer.forward(Tensor::ones([2, 800], &device)).dims(), [2, 128]);
/// # }
/// ```
#[derive(Module, Debug)]
pub struct Linear<B: Backend> {
    /// The weights, `[inputs, outputs]`.
    pub weight: Param<Tensor<B, 2>>,
    /// The bias, `[outputs]`.
    pub bias: Option<Param<Tensor<B, 1>>>,
    /// The activation.
    #[module(skip)]
    pub activation: Activation,
    /// Whether [`forward`](Self::forward) is one operation where the backend allows; true unless changed.
    #[module(skip)]
    pub fused: bool,
}

impl<B: Backend> Linear<B> {
    /// Creates the layer: weights Glorot-uniform, biases zero.
    pub fn new(inputs: usize, outputs: usize, activation: Activation, device: &B::Device) -> Self {
        let glorot = Initializer::XavierUniform { gain: 1.0 };
        Self {
            weight: glorot.init_with([inputs, outputs], Some(inputs), Some(outputs), device),
            bias: Some(Initializer::Zeros.init([outputs], device)),
            activation,
            fused: true,
        }
    }

    /// Multiplies by the weights, adds the bias, and activates.
    ///
    /// On Flex and NdArray in `f32`, alone or under `Autodiff`, this is one operation if [`fused`](Self::fused) is on,
    /// there is a bias, and the activation is a ReLU or the identity; elsewhere it is composed of Burn's.
    ///
    /// # Shapes
    /// - input: `[batch, inputs]`
    /// - output: `[batch, outputs]`
    ///
    /// # Panics
    /// If the input's width differs from the weights'.
    pub fn forward(&self, input: Tensor<B, 2>) -> Tensor<B, 2> {
        self.forward_fused(&input).unwrap_or_else(|| {
            let bias = self.bias.as_ref().map(|bias| bias.val());
            self.activation.forward(linear(input, self.weight.val(), bias))
        })
    }

    /// Returns whether [`forward`](Self::forward) of this input is one operation; computes it to find out.
    pub fn is_fused_for(&self, input: &Tensor<B, 2>) -> bool {
        self.forward_fused(input).is_some()
    }

    /// Returns the output of the fused operation, if there is one.
    fn forward_fused(&self, input: &Tensor<B, 2>) -> Option<Tensor<B, 2>> {
        let relu = match self.activation {
            Activation::Relu => true,
            Activation::Identity => false,
            _ => return None,
        };
        let bias = self.bias.as_ref().filter(|_| self.fused)?;
        cpu::linear::linear(input.clone(), self.weight.val(), bias.val(), relu)
    }
}

#[cfg(all(test, any(feature = "flex", feature = "ndarray")))]
mod tests {
    use super::*;
    use burn::tensor::{TensorData, backend::AutodiffBackend};
    use burn_autodiff::Autodiff;
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;
    use rand::{RngExt, SeedableRng};

    /// Values in -1..1 that the seed decides.
    fn values<B: Backend, const D: usize>(shape: [usize; D], seed: u64) -> Tensor<B, D> {
        let mut generator = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        let count = shape.iter().product();
        let values: Vec<f32> = (0..count).map(|_| generator.random_range(-1.0..1.0)).collect();
        Tensor::from_data(TensorData::new(values, shape), &Default::default())
    }

    fn layer<B: Backend>(inputs: usize, outputs: usize, activation: Activation) -> Linear<B> {
        let mut layer = Linear::new(inputs, outputs, activation, &Default::default());
        layer.weight = Param::from_tensor(values([inputs, outputs], 1));
        layer.bias = Some(Param::from_tensor(values([outputs], 2)));
        layer
    }

    /// Output and gradients of input, weight and bias.
    fn run<B: AutodiffBackend>(layer: &Linear<B>, input: &Tensor<B, 2>) -> [Vec<f32>; 4] {
        let input = input.clone().detach().require_grad();
        let output = layer.forward(input.clone());
        let gradients = (output.clone() * output.clone().detach().add_scalar(0.5)).sum().backward();
        let bias = layer.bias.as_ref().map(|bias| bias.val().grad(&gradients));
        [
            output.into_data().to_vec().unwrap(),
            input.grad(&gradients).unwrap().into_data().to_vec().unwrap(),
            layer.weight.val().grad(&gradients).unwrap().into_data().to_vec().unwrap(),
            bias.flatten().unwrap().into_data().to_vec().unwrap(),
        ]
    }

    fn agrees<B: AutodiffBackend>([batch, inputs, outputs]: [usize; 3], activation: Activation) {
        let mut layer = layer::<B>(inputs, outputs, activation);
        let input = values([batch, inputs], 3);
        assert!(layer.is_fused_for(&input));
        let fused = run(&layer, &input);
        layer.fused = false;
        assert!(!layer.is_fused_for(&input));
        let composed = run(&layer, &input);
        for (fused, composed) in fused.iter().zip(&composed) {
            // At least one, as large as the terms are: a sum that nearly cancels keeps their rounding.
            let scale = composed.iter().fold(1.0f32, |scale, value| scale.max(value.abs()));
            assert_eq!(fused.len(), composed.len());
            for (fused, composed) in fused.iter().zip(composed) {
                assert!((fused - composed).abs() <= 2e-5 * scale, "{fused} instead of {composed}");
            }
        }
    }

    fn nan_in_nan_out<B: Backend>() {
        let layer = layer::<B>(2, 3, Activation::Relu);
        let output = layer.forward(Tensor::from_floats([[f32::NAN, 1.0]], &Default::default()));
        assert!(output.into_data().iter::<f32>().all(f32::is_nan));
    }

    macro_rules! on {
        ($name:ident: $backend:ty) => {
            mod $name {
                use super::*;

                proptest! {
                    #![proptest_config(ProptestConfig {
                        rng_seed: RngSeed::Fixed(8),
                        ..ProptestConfig::with_cases(48)
                    })]

                    /// Fused and composed give the same, forward and backward, for any shape.
                    #[test]
                    fn agrees_with_burns_operations(size in [1usize..40, 1..70, 1..40], relu: bool) {
                        let activation = if relu { Activation::Relu } else { Activation::Identity };
                        agrees::<Autodiff<$backend>>(size, activation);
                    }
                }

                #[test]
                fn large_products_agree_too() {
                    agrees::<Autodiff<$backend>>([128, 800, 128], Activation::Relu);
                }

                #[test]
                fn nan_is_not_lost() {
                    nan_in_nan_out::<$backend>();
                }
            }
        };
    }

    #[cfg(feature = "flex")]
    on!(flex: burn_flex::Flex);
    #[cfg(feature = "ndarray")]
    on!(ndarray: burn_ndarray::NdArray);
}
