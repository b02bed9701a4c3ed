//! Every layer and network in every type of numbers that a CPU backend has, the fused operations stepping aside.
//!
//! The reference is the same in `f32`. NdArray has `f32` and `f64`; Flex `f16` and `bf16` as well.

#![cfg(any(feature = "flex", feature = "ndarray"))]

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{DType, FloatDType, Tensor, TensorData};
use burn_autodiff::Autodiff;
use burn_pooling::model::{PoolingCnnConfig, Variant};
use burn_pooling::pooling::{Activation, BlurPool2d, GlobalAvgPool2d, GlobalMaxPool2d, MaxBlurPool2d, Pool2dConfig};

/// Casts every parameter.
struct Cast(FloatDType);

impl<B: AutodiffBackend> ModuleMapper<B> for Cast {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        param.map(|tensor| Tensor::from_inner(tensor.inner().cast(self.0)).require_grad())
    }
}

fn maps<B: Backend>([batch, channels, height, width]: [usize; 4]) -> Tensor<B, 4> {
    let count = batch * channels * height * width;
    let values: Vec<f32> = (0..count).map(|i| (i.wrapping_mul(0x9e37_79b9) >> 20 & 0xff) as f32 / 256.0).collect();
    Tensor::from_data(TensorData::new(values, [batch, channels, height, width]), &Default::default())
}

fn values<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

/// Relative to the largest.
fn assert_near(found: &[f32], expected: &[f32], tolerance: f32, what: &str) {
    let scale = expected.iter().fold(1e-3f32, |scale, value| scale.max(value.abs()));
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= tolerance * scale, "{found} for {expected}: {what}");
    }
}

/// How far a type may be from `f32`.
fn tolerance(float: FloatDType) -> f32 {
    match float {
        FloatDType::F64 => 1e-5,
        FloatDType::F16 => 2e-2,
        _ => 1e-1,
    }
}

fn layers<B: AutodiffBackend>(float: FloatDType) {
    let pools = [
        Pool2dConfig::Max { kernel_size: [2, 2], stride: [2, 2] },
        Pool2dConfig::Average { kernel_size: [2, 2], stride: [2, 2] },
        Pool2dConfig::GlobalMax,
        Pool2dConfig::GlobalAverage,
        Pool2dConfig::BlurredMax,
    ];
    let run = |name: &str, layer: &dyn Fn(Tensor<B, 4>) -> Tensor<B, 4>| {
        let outcome = |float: FloatDType| {
            let input = maps::<B>([2, 3, 6, 7]).cast(float).require_grad();
            let output = layer(input.clone());
            assert_eq!(output.dtype(), DType::from(float), "{name}");
            let gradients = output.clone().sum().backward();
            [values(output), values(input.grad(&gradients).unwrap())]
        };
        let (found, expected) = (outcome(float), outcome(FloatDType::F32));
        for (found, expected) in found.iter().zip(&expected) {
            assert_near(found, expected, tolerance(float), &format!("{name} {float:?}"));
        }
    };
    for pool in pools {
        run(&format!("{pool:?}"), &|input| pool.init(3, &input.device()).forward(input));
    }
    run("relu", &|input| Activation::Relu.forward(input - 0.5));
    run("blur", &|input| BlurPool2d::new().forward(input));
    run("blurred max", &|input| MaxBlurPool2d::new().forward(input));
    run("global max", &|input| GlobalMaxPool2d::new().forward(input).unsqueeze());
    run("global average", &|input| GlobalAvgPool2d::new().forward(input).unsqueeze());
}

fn networks<B: AutodiffBackend>(float: FloatDType) {
    let device = Default::default();
    for variant in [Variant::Max, Variant::Average, Variant::GlobalMax, Variant::GlobalAverage] {
        let network = PoolingCnnConfig::new(variant).init::<B>(&device).unwrap();
        let expected = values(network.forward(maps([2, 1, 28, 28])));
        let network = network.map(&mut Cast(float));
        let images = maps::<B>([2, 1, 28, 28]).cast(float);
        if float != FloatDType::F32 {
            assert!(!network.stage1.is_fused_for(&images), "{variant:?}");
        }
        let logits = network.forward(images);
        assert_eq!(logits.dtype(), DType::from(float));
        let gradients = logits.clone().sum().backward();
        let of_weight = network.stage1.conv.weight.val().grad(&gradients).unwrap();
        assert!(values(of_weight).iter().all(|value| value.is_finite()));
        assert_near(&values(logits), &expected, tolerance(float), &format!("{variant:?} {float:?}"));
    }
}

macro_rules! on {
    ($name:ident: $backend:ty, $float:ident) => {
        mod $name {
            use super::*;

            #[test]
            fn every_layer_runs() {
                layers::<Autodiff<$backend>>(FloatDType::$float);
            }

            #[test]
            fn every_network_runs_unfused() {
                networks::<Autodiff<$backend>>(FloatDType::$float);
            }
        }
    };
}

#[cfg(feature = "flex")]
on!(flex_f64: burn_flex::Flex, F64);
#[cfg(feature = "flex")]
on!(flex_f16: burn_flex::Flex, F16);
#[cfg(feature = "flex")]
on!(flex_bf16: burn_flex::Flex, BF16);
#[cfg(feature = "ndarray")]
on!(ndarray_f64: burn_ndarray::NdArray, F64);
#[cfg(feature = "ndarray")]
on!(ndarray_of_f64: burn_ndarray::NdArray<f64>, F64);
