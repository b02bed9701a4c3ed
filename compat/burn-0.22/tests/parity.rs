//! The runs of the crate for Burn 0.21 compute here what they compute there.

mod common;

use std::fs;
use std::path::Path;

use burn::nn::loss::CrossEntropyLossConfig;
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::{Device, Int, Tensor};
use burn_pooling_compat::model::{PoolingCnn, PoolingCnnConfig, Variant};
use burn_pooling_compat::run::load_run;
use common::{CLASSES, PIXELS, class, images_of, logits, test_images};
use safetensors::SafeTensors;

const TOLERANCE: f32 = 1e-4;

/// Compares the classes of all images and the logits of the first 100.
fn compare(name: &str) {
    let folder = Path::new("../runs").join(name);
    let found = logits(&load_run(&folder, &Default::default()).unwrap().1, &test_images());
    let bytes = fs::read(folder.join("expected.safetensors")).unwrap();
    let expected = SafeTensors::deserialize(&bytes).unwrap();
    let classes: Vec<u8> = found.chunks(CLASSES).map(class).collect();
    assert_eq!(classes.len(), 10_000);
    assert!(classes == expected.tensor("classes").unwrap().data(), "{name}: other classes");
    let expected = expected.tensor("logits").unwrap().data().as_chunks::<4>().0;
    assert_eq!(expected.len(), 100 * CLASSES);
    for (place, (&expected, found)) in expected.iter().zip(found).enumerate() {
        let expected = f32::from_le_bytes(expected);
        assert!((found - expected).abs() < TOLERANCE, "{name}, logit {place}: expected {expected}, found {found}");
    }
}

#[test]
fn max_computes_the_same() {
    compare("max");
}

#[test]
fn average_computes_the_same() {
    compare("average");
}

#[test]
fn global_max_computes_the_same() {
    compare("gmp");
}

#[test]
fn global_average_computes_the_same() {
    compare("gap");
}

#[test]
fn the_four_configurations_are_those_of_the_runs() {
    for variant in Variant::ALL {
        let folder = Path::new("../runs").join(variant.name());
        let (config, _) = load_run(&folder, &Default::default()).unwrap();
        assert_eq!(PoolingCnnConfig::new(variant), config.model);
    }
}

/// One step of gradient descent lowers the loss: the networks train here as well. It begins with trained weights, so that chance
/// decides nothing.
#[test]
fn the_four_networks_train() {
    let device = Device::default().autodiff();
    for variant in Variant::ALL {
        let (_, model) = load_run(&Path::new("../runs").join(variant.name()), &device).unwrap();
        let images = images_of(&test_images()[..64 * PIXELS], &device);
        let targets = Tensor::<1, Int>::full([64], 7, &device);
        let loss = |model: &PoolingCnn| {
            CrossEntropyLossConfig::new().init(&device).forward(model.forward(images.clone()), targets.clone())
        };
        let before = loss(&model);
        let gradients = GradientsParams::from_grads(before.backward(), &model);
        let model = SgdConfig::new().init().step(0.05, model, gradients);
        let (before, after) = (before.into_scalar::<f32>(), loss(&model).into_scalar::<f32>());
        assert!(after < before, "{variant:?}: {before} {after}");
    }
}

/// Normalisation, padding, strides, other activations, no pooling, a blur, and windows that overlap and are not square.
#[test]
fn what_the_four_lack_computes_the_same() {
    compare("mixed");
}
