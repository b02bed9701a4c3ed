//! From bytes to tensors: the only place where pixels are scaled.

use burn::tensor::{Int, Tensor, TensorData, backend::Backend};
use rayon::prelude::*;

use super::ImageDataset;

/// The grey value of each byte: a look-up is faster than a division, and as exact.
const GREY: [f32; 256] = {
    let mut values = [0.0; 256];
    let mut byte = 0;
    while byte < 256 {
        values[byte] = byte as f32 / 255.0;
        byte += 1;
    }
    values
};

/// Some images of a data set, ready for a model.
#[derive(Clone, Debug)]
pub struct Batch<B: Backend> {
    /// Grey values 0 to 1: `[batch, 1, height, width]`.
    pub images: Tensor<B, 4>,
    /// The classes: `[batch]`.
    pub targets: Tensor<B, 1, Int>,
    /// The same classes, on the host.
    pub labels: Vec<u8>,
}

/// Gathers the images with the given indices and scales them from 0..255 to 0..1.
///
/// # Panics
/// If an index is not in the data set.
pub fn gather<B: Backend>(
    dataset: &ImageDataset,
    indices: &[usize],
    device: &B::Device,
) -> Batch<B> {
    let [height, width] = dataset.image_size();
    let mut pixels = vec![0.0; indices.len() * height * width];
    let images = pixels.par_chunks_mut((height * width).max(1)).zip(indices);
    images.with_min_len(16).for_each(|(image, &index)| {
        for (pixel, &byte) in image.iter_mut().zip(dataset.pixels(index)) {
            *pixel = GREY[usize::from(byte)];
        }
    });
    let labels: Vec<u8> = indices.iter().map(|&index| dataset.labels()[index]).collect();
    let targets: Vec<i64> = labels.iter().map(|&label| label.into()).collect();
    let shape = [indices.len(), 1, height, width];
    Batch {
        images: Tensor::from_data(TensorData::new(pixels, shape), device),
        targets: Tensor::from_data(TensorData::new(targets, [indices.len()]), device),
        labels,
    }
}
