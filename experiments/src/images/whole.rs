//! Whole sets: some of their images, other sizes, as numbers.

use anyhow::Context;
use burn_pooling::mnist::{ImageDataset, Images};
use burn_pooling::training::Split;
use image::GrayImage;
use image::imageops::{FilterType, resize};

use crate::matrix::Matrix;

/// `count` images that `seed` draws (all, if there are no more), in ascending order.
pub fn subset(images: &ImageDataset, count: usize, seed: u64) -> ImageDataset {
    images.select(&Split::new(images.len(), count, seed).valid)
}

/// Grey values from 0 to 1: a row for each image.
pub fn grey(images: &ImageDataset) -> Matrix {
    let [height, width] = images.image_size();
    let pixels = (0..images.len()).flat_map(|index| images.pixels(index));
    Matrix { values: pixels.map(|&pixel| f32::from(pixel) / 255.0).collect(), columns: height * width }
}

/// One black image.
///
/// # Errors
/// If the library refuses it.
pub fn black(size: [usize; 2]) -> anyhow::Result<ImageDataset> {
    dataset(vec![0; size[0] * size[1]], size, &[0])
}

/// Every image scaled to `size`, by bilinear interpolation.
///
/// # Errors
/// If the images have several channels.
pub fn scaled(images: &ImageDataset, size: [usize; 2]) -> anyhow::Result<ImageDataset> {
    let [height, width] = images.image_size();
    let mut pixels = Vec::with_capacity(images.len() * size[0] * size[1]);
    for index in 0..images.len() {
        let image = GrayImage::from_raw(width as u32, height as u32, images.pixels(index).to_vec());
        let image = image.with_context(|| format!("expected grey images, found {} channels", images.channels()))?;
        pixels.extend(resize(&image, size[1] as u32, size[0] as u32, FilterType::Triangle).into_raw());
    }
    dataset(pixels, size, images.labels())
}

/// Every pixel as a square of `times` pixels down and across.
///
/// # Errors
/// If the library refuses the images.
pub fn enlarged(images: &ImageDataset, times: usize) -> anyhow::Result<ImageDataset> {
    let size @ [_, width] = images.image_size();
    let rows = (0..images.len()).flat_map(|index| images.pixels(index).chunks_exact(width));
    let mut pixels = Vec::with_capacity(images.len() * size[0] * width * times * times);
    for row in rows {
        let row: Vec<u8> = row.iter().flat_map(|&pixel| std::iter::repeat_n(pixel, times)).collect();
        (0..times).for_each(|_| pixels.extend_from_slice(&row));
    }
    dataset(pixels, size.map(|side| side * times), images.labels())
}

pub(super) fn dataset(pixels: Vec<u8>, size: [usize; 2], labels: &[u8]) -> anyhow::Result<ImageDataset> {
    Ok(ImageDataset::new(Images { channels: 1, size, pixels }, labels.to_vec())?)
}

/// One image for tests.
#[cfg(test)]
pub(super) fn one(pixels: &[u8], size: [usize; 2]) -> ImageDataset {
    dataset(pixels.to_vec(), size, &[3]).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pixel_becomes_a_square() {
        let image = enlarged(&one(&[1, 2, 3, 4], [2, 2]), 2).unwrap();
        assert_eq!(image.pixels(0), [1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4]);
    }

    #[test]
    fn a_scaled_image_has_its_grey_values() {
        let image = scaled(&one(&[10, 10, 10, 10], [2, 2]), [4, 6]).unwrap();
        assert_eq!((image.image_size(), image.pixels(0)), ([4, 6], &[10; 24][..]));
    }
}
