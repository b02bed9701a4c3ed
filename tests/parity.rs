//! Logits, loss and every gradient against PyTorch and Keras: `tests/reference/parity.py` made the numbers.

#![cfg(all(feature = "flex", feature = "bundled-mnist"))]

mod common;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{Tensor, TensorData};
use burn_autodiff::Autodiff;
use burn_pooling::data::Data;
use burn_pooling::loss::{CrossEntropy, HostLoss, Logits, targets};
use burn_pooling::model::{PoolingCnnConfig, Variant};
use common::few_images;
use safetensors::SafeTensors;

const TOLERANCE: f32 = 1e-4;
const FIXTURE: &[u8] = include_bytes!("reference/parity.safetensors");
/// The parameters in the order in which the script numbers them.
const NAMES: [&str; 8] = [
    "stage1.conv.weight",
    "stage1.conv.bias",
    "stage2.conv.weight",
    "stage2.conv.bias",
    "hidden.weight",
    "hidden.bias",
    "output.weight",
    "output.bias",
];

fn expected(name: &str) -> Vec<f32> {
    let fixture = SafeTensors::deserialize(FIXTURE).unwrap();
    let tensor = fixture.tensor(name).unwrap_or_else(|_| panic!("{name} is not in the fixture"));
    let bytes = tensor.data().as_chunks::<4>().0;
    bytes.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect()
}

/// The script's splitmix64.
fn hash(x: u64) -> u64 {
    let z = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Sets every parameter to the values of the script's formula.
#[derive(Default)]
struct Formula {
    path: Vec<String>,
}

impl<B: Backend> ModuleMapper<B> for Formula {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        const SEED: u64 = 254;
        let number = NAMES.iter().position(|&name| name == self.path.join(".")).unwrap();
        param.map(|tensor| {
            let shape = tensor.dims();
            let bound = match shape[..] {
                [a, b, ref kernel @ ..] => (6.0 / ((a + b) * kernel.iter().product::<usize>()) as f64).sqrt(),
                _ => 0.1,
            };
            let value = |i: usize| {
                let h = hash((SEED << 48) + ((number as u64) << 32) + i as u64);
                ((2.0 * ((h >> 11) as f64 * 2f64.powi(-53)) - 1.0) * bound) as f32
            };
            let values: Vec<f32> = (0..shape.iter().product()).map(value).collect();
            Tensor::from_data(TensorData::new(values, shape), &tensor.device()).require_grad()
        })
    }
}

/// Compares each parameter's gradient with the fixture's.
struct Gradients<'a, B: AutodiffBackend> {
    variant: &'a str,
    gradients: &'a B::Gradients,
    path: Vec<String>,
    seen: usize,
}

impl<B: AutodiffBackend> ModuleVisitor<B> for Gradients<'_, B> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        let _: ParamId = param.id;
        let gradient = param.val().grad(self.gradients).unwrap();
        let name = format!("{}.gradient.{}", self.variant, self.path.join("."));
        assert_close(&name, &gradient.into_data().to_vec::<f32>().unwrap());
        self.seen += 1;
    }
}

/// The largest difference, relative to the largest expected value.
fn assert_close(name: &str, found: &[f32]) {
    let expected = expected(name);
    assert_eq!(found.len(), expected.len(), "{name}");
    let largest = |values: &mut dyn Iterator<Item = f32>| values.map(f32::abs).fold(0.0, f32::max);
    let scale = largest(&mut expected.iter().copied());
    let differences = &mut found.iter().zip(&expected).map(|(found, expected)| found - expected);
    let error = largest(differences) / scale;
    assert!(found.iter().all(|value| value.is_finite()), "{name}");
    assert!(error < TOLERANCE, "{name}: relative error {error}");
}

fn matches_the_reference<B: AutodiffBackend>(variant: Variant, name: &str) {
    let device = Default::default();
    let model = PoolingCnnConfig::new(variant).init::<B>(&device).unwrap();
    let model = model.map(&mut Formula::default());
    let batch = Data::<B, _>::gather(&few_images(1, 8).test, &[0, 1, 2, 3, 4, 5, 6, 7], &device);

    let logits = model.forward(batch.inputs);
    assert_close(&format!("{name}.logits"), &logits.to_data().to_vec::<f32>().unwrap());
    let host_loss = CrossEntropy::new().mean(&Logits::read(logits.clone()), &batch.labels);
    assert_close(&format!("{name}.loss"), &[host_loss as f32]);

    let loss = CrossEntropyLossConfig::new().init(&device).forward(logits, targets(&batch.labels, &device));
    assert_close(&format!("{name}.loss"), &loss.to_data().to_vec::<f32>().unwrap());
    let gradients = loss.backward();
    let mut comparison = Gradients::<B> { variant: name, gradients: &gradients, path: Vec::new(), seen: 0 };
    model.visit(&mut comparison);
    assert_eq!(comparison.seen, if variant.is_global() { 6 } else { 8 });
}

macro_rules! on {
    ($backend:ident: $type:ty) => {
        mod $backend {
            use super::*;

            #[test]
            fn max() {
                matches_the_reference::<Autodiff<$type>>(Variant::Max, "max");
            }

            #[test]
            fn average() {
                matches_the_reference::<Autodiff<$type>>(Variant::Average, "average");
            }

            #[test]
            fn global_max() {
                matches_the_reference::<Autodiff<$type>>(Variant::GlobalMax, "global-max");
            }

            #[test]
            fn global_average() {
                matches_the_reference::<Autodiff<$type>>(Variant::GlobalAverage, "global-average");
            }
        }
    };
}

on!(flex: burn_flex::Flex);
#[cfg(feature = "ndarray")]
on!(ndarray: burn_ndarray::NdArray);
#[cfg(feature = "wgpu")]
on!(wgpu: burn_wgpu::Wgpu);
