//! MNIST's test images, and what a network makes of them.

use std::fs::File;
use std::io::Read;

use burn::tensor::{Device, Tensor, TensorData};
use burn_pooling_compat::model::PoolingCnn;
use flate2::read::GzDecoder;

pub const CLASSES: usize = 10;
pub const PIXELS: usize = 28 * 28;

/// MNIST's 10,000 test images, one byte for each pixel.
pub fn test_images() -> Vec<u8> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/mnist/t10k-images-idx3-ubyte.gz");
    let mut bytes = Vec::new();
    GzDecoder::new(File::open(path).unwrap()).read_to_end(&mut bytes).unwrap();
    bytes.split_off(16) // behind magic number, count, height and width
}

/// Returns grey values 0 to 1: `[batch, 1, 28, 28]`.
pub fn images_of(bytes: &[u8], device: &Device) -> Tensor<4> {
    let values: Vec<f32> = bytes.iter().map(|&byte| f32::from(byte) / 255.0).collect();
    Tensor::from_data(TensorData::new(values, [bytes.len() / PIXELS, 1, 28, 28]), device)
}

/// Returns the logits of images of one byte for each pixel, one row of classes after the other.
pub fn logits(model: &PoolingCnn, images: &[u8]) -> Vec<f32> {
    let of_batch = |batch: &[u8]| {
        let logits = model.forward(images_of(batch, &Default::default())); // [batch, classes]
        logits.into_data().try_to_vec::<f32>().unwrap()
    };
    images.chunks(500 * PIXELS).flat_map(of_batch).collect()
}

/// Returns the class of the largest logit.
pub fn class(logits: &[f32]) -> u8 {
    let best = (0..logits.len()).max_by(|&a, &b| logits[a].total_cmp(&logits[b]));
    best.unwrap() as u8
}
