//! A linear layer and the ReLU behind it: one operation on the CPU backends, Burn's own elsewhere.
//!
//! Product, bias and ReLU fill the output once, and the backward pass reads the ReLU's side from the sign of the
//! output. Composed of Burn's operations they allocate a tensor each, forward and backward.

use burn::nn::Linear;
use burn::tensor::{Tensor, activation::relu, backend::Backend};

use crate::cpu::linear as cpu;

/// What follows the layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Activation {
    Identity,
    Relu,
}

/// The layer's output after its activation: `[batch, inputs]` to `[batch, outputs]`; composed of Burn's operations
/// unless `fused`.
pub(crate) fn forward<B: Backend>(
    layer: &Linear<B>,
    input: Tensor<B, 2>,
    activation: Activation,
    fused: bool,
) -> Tensor<B, 2> {
    if fused && let Some(bias) = &layer.bias {
        let (weight, bias) = (layer.weight.val(), bias.val());
        let relu = activation == Activation::Relu;
        if let Some(output) = cpu::linear(input.clone(), weight, bias, relu) {
            return output;
        }
    }
    let output = layer.forward(input);
    match activation {
        Activation::Identity => output,
        Activation::Relu => relu(output),
    }
}

#[cfg(all(test, any(feature = "flex", feature = "ndarray")))]
mod tests {
    use super::*;
    use burn::nn::LinearConfig;
    use burn::tensor::{Distribution, backend::AutodiffBackend};
    use burn_autodiff::Autodiff;
    use proptest::prelude::*;

    /// Output and gradients of input, weight and bias.
    fn run<B: AutodiffBackend>(
        layer: &Linear<B>,
        input: &Tensor<B, 2>,
        activation: Activation,
        fused: bool,
    ) -> [Vec<f32>; 4] {
        let input = input.clone().detach().require_grad();
        let output = forward(layer, input.clone(), activation, fused);
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
        let device = Default::default();
        let layer = LinearConfig::new(inputs, outputs).init::<B>(&device);
        let input = Tensor::random([batch, inputs], Distribution::Normal(0.0, 1.0), &device);
        let fused = run(&layer, &input, activation, true);
        let composed = run(&layer, &input, activation, false);
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
        let device = Default::default();
        let layer = LinearConfig::new(2, 3).init::<B>(&device);
        let input = Tensor::from_floats([[f32::NAN, 1.0]], &device);
        let output = forward(&layer, input, Activation::Relu, true);
        assert!(output.into_data().iter::<f32>().all(f32::is_nan));
    }

    macro_rules! on {
        ($name:ident: $backend:ty) => {
            mod $name {
                use super::*;

                proptest! {
                    #![proptest_config(ProptestConfig::with_cases(48))]

                    /// Fused and composed give the same, forward and backward, for any shape.
                    #[test]
                    fn agrees_with_burns_operations(size in [1usize..40, 1..70, 1..40], clipped: bool) {
                        let activation = if clipped { Activation::Relu } else { Activation::Identity };
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
