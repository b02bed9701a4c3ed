//! What several test files need: small data sets of real images, and weights that a formula makes.
#![allow(dead_code, reason = "each test file uses its own part")]

#[cfg(all(feature = "cli", feature = "flex", feature = "bundled-mnist"))]
pub mod place;

#[cfg(all(feature = "pictures", feature = "flex", feature = "bundled-mnist"))]
pub mod pictures;

use std::fs;
use std::path::Path;

use burn_pooling::mnist::{ImageDataset, ImageSets};

/// The first `train` training and `test` test images of MNIST.
pub fn few_images(train: usize, test: usize) -> ImageSets {
    let all = ImageSets::load(None).expect("MNIST is bundled");
    ImageSets {
        train: all.train.select(&(0..train).collect::<Vec<_>>()),
        test: all.test.select(&(0..test).collect::<Vec<_>>()),
    }
}

/// An IDX file: magic number, dimensions, values.
pub fn idx(magic: u32, dimensions: &[u32], values: &[u8]) -> Vec<u8> {
    let header = [magic].into_iter().chain(dimensions.iter().copied());
    let mut bytes: Vec<u8> = header.flat_map(u32::to_be_bytes).collect();
    bytes.extend_from_slice(values);
    bytes
}

/// The IDX files of a data set: images and labels.
pub fn idx_files(dataset: &ImageDataset) -> [Vec<u8>; 2] {
    let [height, width] = dataset.image_size().map(|side| side as u32);
    let count = dataset.len() as u32;
    let pixels: Vec<u8> = (0..dataset.len()).flat_map(|index| dataset.pixels(index).to_vec()).collect();
    [idx(0x803, &[count, height, width], &pixels), idx(0x801, &[count], dataset.labels())]
}

/// Writes the four files of a data set under their usual names.
pub fn write_sets(folder: &Path, sets: &ImageSets) {
    for (prefix, dataset) in [("train", &sets.train), ("t10k", &sets.test)] {
        let [images, labels] = idx_files(dataset);
        fs::write(folder.join(format!("{prefix}-images-idx3-ubyte")), images).unwrap();
        fs::write(folder.join(format!("{prefix}-labels-idx1-ubyte")), labels).unwrap();
    }
}
