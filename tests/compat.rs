//! What the crates in `compat/` are compared with is what this crate computes from the same files.
//!
//! `max`, `average`, `gmp` and `gap` are runs of `burn-pooling --variant NAME --epochs 3`, `gmp` with `--seed 6` and `gap`
//! with `--seed 2`: for no image are the two largest logits so close that rounding could change the class. `mixed` has
//! what the four lack. With `UPDATE_GOLDEN` set, `mixed` is trained again, and what is expected is written, not compared.

#![cfg(all(feature = "flex", feature = "bundled-mnist"))]

use std::fs;
use std::path::{Path, PathBuf};

use burn_pooling::backend::{Autodiff, Flex};
use burn_pooling::mnist::{ImageDataset, ImageSets};
use burn_pooling::model::{PoolingCnn, PoolingCnnConfig, Variant};
use burn_pooling::pooling::{Activation, ConvPool2dConfig, Pool2dConfig};
use burn_pooling::run::{RunFolder, save_weights};
use burn_pooling::training::{Control, Learner, Training, TrainingConfig, fit, glorot_uniform};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde::Deserialize;

const CLASSES: usize = 10;
/// How many images have their logits in the file, not only their class.
const WITH_LOGITS: usize = 100;
const TOLERANCE: f32 = 1e-4;

/// The part of `config.json` that makes the network.
#[derive(Deserialize)]
struct Config {
    model: PoolingCnnConfig,
}

fn run(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("compat/runs").join(name)
}

fn is_update() -> bool {
    std::env::var_os("UPDATE_GOLDEN").is_some()
}

fn load(path: &Path) -> PoolingCnn<Flex> {
    let folder = RunFolder::open(path).unwrap();
    let config: Config = folder.config().unwrap();
    folder.load_model(config.model.init(&Default::default()).unwrap()).unwrap()
}

/// Returns the logits of all images, one row of classes after the other.
fn logits(model: &PoolingCnn<Flex>, images: &ImageDataset) -> Vec<f32> {
    let indices: Vec<usize> = (0..images.len()).collect();
    let of_batch = |batch: &[usize]| {
        let logits = model.forward(images.images(batch, &Default::default())); // [batch, classes]
        logits.into_data().to_vec::<f32>().unwrap()
    };
    indices.chunks(500).flat_map(of_batch).collect()
}

fn class(logits: &[f32]) -> u8 {
    let best = (0..CLASSES).max_by(|&a, &b| logits[a].total_cmp(&logits[b]));
    best.unwrap() as u8
}

/// A file of the classes of all images and the logits of the first.
fn expected_file(logits: &[f32]) -> Vec<u8> {
    let classes: Vec<u8> = logits.chunks(CLASSES).map(class).collect();
    let first: Vec<u8> = logits[..WITH_LOGITS * CLASSES].iter().flat_map(|logit| logit.to_le_bytes()).collect();
    let tensors = [
        ("classes", TensorView::new(Dtype::U8, vec![classes.len()], &classes).unwrap()),
        ("logits", TensorView::new(Dtype::F32, vec![WITH_LOGITS, CLASSES], &first).unwrap()),
    ];
    safetensors::serialize(tensors, None).unwrap()
}

fn compare(name: &str) {
    let found = logits(&load(&run(name)), &ImageSets::load(None).unwrap().test);
    let path = run(name).join("expected.safetensors");
    if is_update() {
        fs::write(&path, expected_file(&found)).unwrap();
    }
    let bytes = fs::read(&path).unwrap();
    let expected = SafeTensors::deserialize(&bytes).unwrap();
    let classes: Vec<u8> = found.chunks(CLASSES).map(class).collect();
    assert_eq!(classes, expected.tensor("classes").unwrap().data(), "{name}");
    let expected = expected.tensor("logits").unwrap().data().as_chunks::<4>().0;
    assert_eq!(expected.len(), WITH_LOGITS * CLASSES);
    for (place, (&expected, found)) in expected.iter().zip(found).enumerate() {
        let expected = f32::from_le_bytes(expected);
        assert!((found - expected).abs() < TOLERANCE, "{name}, logit {place}: expected {expected}, found {found}");
    }
}

/// Trains a network of every kind of stage that the four have not: normalisation, padding, strides, other activations,
/// no pooling, a blur, and windows that overlap and are not square.
fn train_mixed(path: &Path) {
    let stages = [
        (ConvPool2dConfig::new(4, [3, 3]).with_padding([1, 1]).with_batch_norm(true))
            .with_activation(Activation::Gelu)
            .blurred_max_pool(), // [4, 14, 14]
        ConvPool2dConfig::new(6, [3, 2]).with_stride([1, 2]).with_activation(Activation::Tanh), // [6, 12, 7]
        (ConvPool2dConfig::new(6, [2, 2]).with_activation(Activation::Sigmoid))
            .with_pool(Some(Pool2dConfig::Average { kernel_size: [3, 2], stride: [2, 1] })), // [6, 5, 5]
        (ConvPool2dConfig::new(8, [3, 3]).with_padding([0, 1]).with_activation(Activation::Identity))
            .with_pool(Some(Pool2dConfig::Max { kernel_size: [2, 3], stride: [1, 2] })), // [8, 2, 2]
    ];
    let config = PoolingCnnConfig::new(Variant::Max).with_name("mixed").with_stages(stages);
    let (images, device) = (ImageSets::load(None).unwrap().train, Default::default());
    let images = images.select(&(0..12_000).collect::<Vec<_>>());
    let mut learner = Learner::new(glorot_uniform(config.init::<Autodiff<Flex>>(&device).unwrap(), 1));
    let training = Training::new(TrainingConfig { epochs: 4, valid_size: 2_000, ..Default::default() });
    fit(&mut learner, &images, &training, &device, |_| Ok(Control::Continue)).unwrap();
    fs::create_dir_all(path).unwrap();
    let config = serde_json::json!({ "model": config });
    fs::write(path.join("config.json"), format!("{config:#}\n")).unwrap();
    fs::write(path.join("model.safetensors"), save_weights(learner.best())).unwrap();
}

#[test]
fn the_four_networks_compute_what_the_files_hold() {
    ["max", "average", "gmp", "gap"].into_iter().for_each(compare);
}

#[test]
fn a_network_of_every_other_stage_computes_what_the_file_holds() {
    if is_update() {
        train_mixed(&run("mixed"));
    }
    compare("mixed");
}
