//! From bytes to tensors: the only place where pixels are scaled.

use burn::tensor::{Int, Tensor, TensorData, backend::Backend};

use super::ImageDataset;

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
    let mut pixels = Vec::with_capacity(indices.len() * height * width);
    for &index in indices {
        let bytes = dataset.pixels(index).iter();
        pixels.extend(bytes.map(|&byte| f32::from(byte) / 255.0));
    }
    let labels: Vec<u8> = indices
        .iter()
        .map(|&index| dataset.labels()[index])
        .collect();
    let targets: Vec<i64> = labels.iter().map(|&label| label.into()).collect();
    let shape = [indices.len(), 1, height, width];
    Batch {
        images: Tensor::from_data(TensorData::new(pixels, shape), device),
        targets: Tensor::from_data(TensorData::new(targets, [indices.len()]), device),
        labels,
    }
}
