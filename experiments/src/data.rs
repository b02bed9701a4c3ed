//! The data sets: MNIST, a smaller second one, or a folder.

use std::path::Path;

use anyhow::Context;
use burn_pooling::mnist::{ImageDataset, ImageSets, read_images, read_labels};
use serde::{Deserialize, Serialize};

use crate::images::enlarged;
use crate::options::folder_name;

/// The images that the experiments train and test with.
#[derive(Clone, Debug)]
pub struct DataSet {
    /// Its name, and its digest.
    pub key: DataKey,
    /// The images.
    pub sets: ImageSets,
}

/// What tells data sets apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataKey {
    /// The name, in prose.
    pub name: String,
    /// The SHA-256 of all images and labels.
    pub sha256: String,
}

/// How many times each pixel of the 8x8 digits is repeated down and across: the networks need room for their windows.
const ENLARGEMENT: usize = 2;

impl DataSet {
    /// The bundled 28x28 digits: 60,000 for training, 10,000 for testing (LeCun et al. 1998).
    ///
    /// # Errors
    /// If the library was built without them.
    pub fn mnist() -> anyhow::Result<Self> {
        Ok(Self::of("MNIST", ImageSets::load(None)?))
    }

    /// The 1,797 digits of 8x8 pixels that scikit-learn ships (Alpaydin and Kaynak 1998), every pixel as 2x2 pixels.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn digits() -> anyhow::Result<Self> {
        macro_rules! file {
            ($name:literal) => {
                (&include_bytes!(concat!("../../data/digits/", $name))[..], $name)
            };
        }
        let set = |(images, images_name), (labels, labels_name)| -> anyhow::Result<ImageDataset> {
            let images = ImageDataset::new(read_images(images, images_name)?, read_labels(labels, labels_name)?)?;
            enlarged(&images, ENLARGEMENT)
        };
        let train = set(file!("train-images-idx3-ubyte.gz"), file!("train-labels-idx1-ubyte.gz"))?;
        let test = set(file!("t10k-images-idx3-ubyte.gz"), file!("t10k-labels-idx1-ubyte.gz"))?;
        Ok(Self::of("digits", ImageSets { train, test }))
    }

    /// The IDX set in a folder, under the folder's name.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn folder(folder: &Path) -> anyhow::Result<Self> {
        let sets = ImageSets::load(Some(folder)).with_context(|| folder.display().to_string())?;
        Ok(Self::of(&folder_name(folder)?, sets))
    }

    /// The first images only, for a quick run.
    pub fn shortened(self, train: usize, test: usize) -> Self {
        let first = |set: &ImageDataset, count: usize| set.select(&(0..count.min(set.len())).collect::<Vec<_>>());
        let sets = ImageSets { train: first(&self.sets.train, train), test: first(&self.sets.test, test) };
        Self::of(&self.key.name, sets)
    }

    fn of(name: &str, sets: ImageSets) -> Self {
        Self { key: DataKey { name: name.to_owned(), sha256: sets.digest() }, sets }
    }
}
