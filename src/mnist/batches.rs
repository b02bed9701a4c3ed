//! From bytes to tensors: the only place where pixels are scaled.

use burn::tensor::{Tensor, TensorData, backend::Backend};
use rayon::prelude::*;

use super::dataset::ImageDataset;
use super::idx::Images;
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
        scaled(self.image_shape(), indices.len(), |place| self.pixels(indices[place]), device)
    }
}

impl Images {
    /// Scales the bytes of all images from 0..255 to 0..1, as [`ImageDataset::images`] does with labelled ones.
    ///
    /// ```
    /// # #[cfg(feature = "flex")] {
    /// use burn_pooling::backend::Flex;
    /// use burn_pooling::mnist::Images;
    ///
    /// let images = Images { channels: 1, size: [1, 2], pixels: vec![0, 255, 51, 0] };
    /// let tensor = images.tensor::<Flex>(&Default::default());
    /// assert_eq!((tensor.dims(), tensor.max().into_scalar()), ([2, 1, 1, 2], 1.0));
    /// # }
    /// ```
    ///
    /// # Shapes
    /// - output: `[batch, channels, height, width]`; pixels behind the last whole image are left out
    pub fn tensor<B: Backend>(&self, device: &B::Device) -> Tensor<B, 4> {
        let [height, width] = self.size;
        let len = self.channels * height * width;
        let count = self.pixels.len() / len.max(1);
        scaled([self.channels, height, width], count, |place| &self.pixels[place * len..][..len], device)
    }
}

/// Scales the bytes of `count` images of one shape: channels, height, width.
pub(super) fn scaled<'a, B: Backend>(
    [channels, height, width]: [usize; 3], count: usize, bytes: impl Fn(usize) -> &'a [u8] + Sync, device: &B::Device,
) -> Tensor<B, 4> {
    let shape = [count, channels, height, width];
    let mut pixels = vec![0.0; shape.iter().product()];
    let images = pixels.par_chunks_mut((channels * height * width).max(1)).enumerate();
    images.with_min_len(16).for_each(|(place, image)| {
        for (pixel, &byte) in image.iter_mut().zip(bytes(place)) {
            *pixel = GREY[usize::from(byte)];
        }
    });
    Tensor::from_data(TensorData::new(pixels, shape), device)
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
