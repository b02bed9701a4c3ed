//! Adam and AdamW against Burn's, in place (f32) and composed of Burn's operations (f64).

#![cfg(feature = "flex")]

use burn::optim::decay::WeightDecayConfig;
use burn::optim::{AdamConfig as BurnAdam, AdamWConfig as BurnAdamW, SimpleOptimizer};
use burn::tensor::{DType, Tensor};
use burn_pooling::backend::Flex;
use burn_pooling::training::AdamConfig;

/// Values that one thread updates at a time: `CHUNK` of src/cpu/adam.rs.
const CHUNK: usize = 1 << 14;

/// Fifty steps with gradients of several sizes, zero among them.
fn after_fifty_steps(optimizer: &impl SimpleOptimizer<Flex>, dtype: DType) -> Vec<f64> {
    let device = Default::default();
    let start = Tensor::<Flex, 2>::from_floats([[0.5, -2.0, 1e-3], [0.0, 3.0, 1.0]], &device);
    let scale = Tensor::<Flex, 2>::from_floats([[1.0, 1e-6, 1e3], [1.0, 0.0, -1.0]], &device);
    let [start, scale] = [start, scale].map(|tensor| tensor.cast(dtype));
    let (mut weights, mut state) = (start.clone(), None);
    for step in 1..=50 {
        let gradient = start.clone() * f64::from(step).sin() * scale.clone();
        (weights, state) = optimizer.step(1e-2, weights, gradient, state);
    }
    weights.into_data().iter::<f64>().collect()
}

fn agrees(config: AdamConfig, burns: &impl SimpleOptimizer<Flex>) {
    let expected = after_fifty_steps(burns, DType::F64);
    for dtype in [DType::F32, DType::F64] {
        let found = after_fifty_steps(&config.build(), dtype);
        for (found, expected) in found.iter().zip(&expected) {
            assert!((found - expected).abs() < 1e-5, "{dtype:?}: {found} instead of {expected}");
        }
    }
}

#[test]
fn agrees_with_burns_adam() {
    agrees(AdamConfig::new(), &BurnAdam::new().with_epsilon(1e-7).build());
}

#[test]
fn agrees_with_burns_adamw() {
    let burns = BurnAdamW::new().with_epsilon(1e-7).with_weight_decay(0.1).build();
    agrees(AdamConfig::new().with_weight_decay(0.1), &burns);
}

#[test]
fn coupled_weight_decay_is_that_of_burns_adam() {
    let decay = WeightDecayConfig::new(0.1);
    let burns = BurnAdam::new().with_epsilon(1e-7).with_weight_decay(Some(decay)).build();
    agrees(AdamConfig::new().with_weight_decay(0.1).with_decoupled(false), &burns);
}

/// The moments of a weight whose gradients have ended end too, instead of lingering as subnormal numbers.
#[test]
fn moments_without_gradients_become_zero() {
    let device = Default::default();
    let mut weights = Tensor::<Flex, 1>::from_floats([1.0], &device);
    let mut state = None;
    for step in 0..1_000 {
        let gradient = Tensor::from_floats([if step == 0 { 1e-3 } else { 0.0 }], &device);
        (weights, state) = AdamConfig::new().build().step(1e-3, weights, gradient, state);
    }
    assert_eq!(state.unwrap().moment_1.into_scalar(), 0.0);
}

/// A tensor that several threads update is updated as a small one is, to its last value.
#[test]
fn large_tensors_are_updated_like_small_ones() {
    let device = Default::default();
    let step = |count: usize| {
        let ones = Tensor::<Flex, 1>::ones([count], &device);
        let (weights, _) = AdamConfig::new().build().step(1e-3, ones.clone(), ones * 0.5, None);
        weights.into_data().to_vec::<f32>().unwrap()
    };
    let small = step(1)[0];
    assert!(small < 1.0);
    assert_eq!(step(2 * CHUNK + 3), vec![small; 2 * CHUNK + 3]);
}
