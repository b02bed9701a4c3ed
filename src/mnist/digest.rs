//! The digest of a data set: two that differ in anything differ in it.

use std::thread;

use sha2::{Digest, Sha256};

use super::dataset::ImageDataset;
use super::sets::ImageSets;
use crate::hash::hex;

/// The digest of MNIST as published, as [`ImageSets::digest`] returns it.
pub const MNIST_DIGEST: &str = "a5a86af499fda938bd8df7245c047bc60d32c64119da89df54bf1155284111cd";

impl ImageSets {
    /// Returns a SHA-256 of everything that both sets hold, in lower-case hexadecimal digits.
    ///
    /// It is the SHA-256 of two others, one after the other: that of the training set and that of the test set. Each of
    /// these is over the numbers of images, channels, rows and columns (64 bits, little-endian), the pixels, and the
    /// labels. It does not depend on how the files were packed or named.
    pub fn digest(&self) -> String {
        let (train, test) = thread::scope(|scope| {
            let test = scope.spawn(|| digest_one(&self.test));
            (digest_one(&self.train), test.join().expect("hashing does not panic"))
        });
        hex(Sha256::new().chain_update(train).chain_update(test))
    }
}

fn digest_one(dataset: &ImageDataset) -> [u8; 32] {
    let [channels, height, width] = dataset.image_shape();
    let mut hasher = Sha256::new();
    // Every length comes first: where the pixels end and the labels begin is no guess.
    for number in [dataset.len(), channels, height, width] {
        hasher.update((number as u64).to_le_bytes());
    }
    hasher.update(dataset.all_pixels());
    hasher.update(dataset.labels());
    hasher.finalize().into()
}
