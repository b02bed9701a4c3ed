//! The linear layer as one operation against Burn's own operations.

#![cfg(any(feature = "flex", feature = "ndarray"))]

use burn::module::Param;
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{Tensor, TensorData};
use burn_pooling::backend::{self, Autodiff};
use burn_pooling::model::Linear;
use burn_pooling::pooling::Activation;
use proptest::prelude::*;
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

/// As PyTorch's ReLU does, which blocks the gradient of values that are at most zero: NaN is not.
fn nan_in_nan_out<B: AutodiffBackend>() {
    let layer = layer::<B>(2, 3, Activation::Relu);
    let input = Tensor::from_floats([[f32::NAN, 1.0]], &Default::default());
    let [output, .., of_bias] = run(&layer, &input);
    assert!(output.into_iter().chain(of_bias).all(f32::is_nan));
}

macro_rules! on {
    ($name:ident: $backend:ty) => {
        mod $name {
            use super::*;

            proptest! {
                #![proptest_config(ProptestConfig::with_cases(48))]

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
                nan_in_nan_out::<Autodiff<$backend>>();
            }
        }
    };
}

#[cfg(feature = "flex")]
on!(flex: backend::Flex);
#[cfg(feature = "ndarray")]
on!(ndarray: backend::NdArray);
