//! The runs of the crate for Burn 0.21 compute here what they compute there.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::sync::LazyLock;

use burn::tensor::{Tensor, TensorData};
use burn_pooling_compat::model::PoolingCnn;
use burn_pooling_compat::run::load_run;
use flate2::read::GzDecoder;
use safetensors::SafeTensors;

const CLASSES: usize = 10;
const PIXELS: usize = 28 * 28;
const TOLERANCE: f32 = 1e-4;

/// MNIST's 10,000 test images, one byte for each pixel.
static IMAGES: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let file = File::open("../../data/mnist/t10k-images-idx3-ubyte.gz").unwrap();
    let mut bytes = Vec::new();
    GzDecoder::new(file).read_to_end(&mut bytes).unwrap();
    bytes.split_off(16) // behind magic number, count, height and width
});

/// Returns the logits of all images, one row of classes after the other.
fn logits(model: &PoolingCnn) -> Vec<f32> {
    let of_batch = |batch: &[u8]| {
        let pixels: Vec<f32> = batch.iter().map(|&byte| f32::from(byte) / 255.0).collect();
        let data = TensorData::new(pixels, [batch.len() / PIXELS, 1, 28, 28]);
        let logits = model.forward(Tensor::from_data(data, &Default::default())); // [batch, classes]
        logits.into_data().try_to_vec::<f32>().unwrap()
    };
    IMAGES.chunks(500 * PIXELS).flat_map(of_batch).collect()
}

fn class(logits: &[f32]) -> u8 {
    let best = (0..CLASSES).max_by(|&a, &b| logits[a].total_cmp(&logits[b]));
    best.unwrap() as u8
}

/// Compares the classes of all images and the logits of the first 100.
fn compare(name: &str) {
    let folder = Path::new("../runs").join(name);
    let found = logits(&load_run(&folder, &Default::default()).unwrap().1);
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

/// Normalisation, padding, strides, other activations, no pooling, a blur, and windows that overlap and are not square.
#[test]
fn what_the_four_lack_computes_the_same() {
    compare("mixed");
}
