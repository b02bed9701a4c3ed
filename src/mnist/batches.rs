//! From bytes to tensors: the only place where pixels are scaled.

use burn::tensor::{Tensor, TensorData, backend::Backend};
use rayon::prelude::*;

use super::dataset::ImageDataset;
use crate::data::{Batch, Data};

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

impl ImageDataset {
    /// Gathers the images with the given indices and scales their bytes from 0..255 to 0..1.
    ///
    /// # Shapes
    /// - output: `[batch, channels, height, width]`
    ///
    /// # Panics
    /// If an index is not in the data set.
    pub fn images<B: Backend>(&self, indices: &[usize], device: &B::Device) -> Tensor<B, 4> {
        let [height, width] = self.image_size();
        let shape = [indices.len(), self.channels(), height, width];
        let mut pixels = vec![0.0; shape.iter().product()];
        let images = pixels.par_chunks_mut((self.channels() * height * width).max(1)).zip(indices);
        images.with_min_len(16).for_each(|(image, &index)| {
            for (pixel, &byte) in image.iter_mut().zip(self.pixels(index)) {
                *pixel = GREY[usize::from(byte)];
            }
        });
        Tensor::from_data(TensorData::new(pixels, shape), device)
    }
}

impl<B: Backend> Data<B, Tensor<B, 4>> for ImageDataset {
    fn len(&self) -> usize {
        self.labels().len()
    }

    fn gather(&self, indices: &[usize], device: &B::Device) -> Batch<Tensor<B, 4>> {
        Batch {
            inputs: self.images(indices, device),
            labels: indices.iter().map(|&index| self.labels()[index].into()).collect(),
        }
    }
}
