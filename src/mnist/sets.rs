//! A training set and a test set that belong together.

use super::dataset::ImageDataset;
use super::error::DataError;
use super::idx::Images;

/// A training set and a test set of images of the same shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageSets {
    /// For training and validation.
    pub train: ImageDataset,
    /// For the final figures only.
    pub test: ImageDataset,
}

/// A data set, and what errors call it.
pub(super) type NamedDataset = (ImageDataset, String);

impl ImageSets {
    /// Joins a training set and a test set, of images of one shape.
    pub(super) fn joined(
        (train, train_file): NamedDataset, (test, test_file): NamedDataset,
    ) -> Result<Self, DataError> {
        match (train.image_shape(), test.image_shape()) {
            (of_train, of_test) if of_train == of_test => Ok(Self { train, test }),
            (train, test) => Err(DataError::Shape { train_file, train, test_file, test }),
        }
    }

    /// Returns the number of channels of every image.
    pub fn channels(&self) -> usize {
        self.train.channels()
    }

    /// Returns height and width of every image.
    pub fn image_size(&self) -> [usize; 2] {
        self.train.image_size()
    }

    /// Returns the number of classes: the largest label, in either set, plus one, or the number of their names if that
    /// is larger.
    pub fn classes(&self) -> usize {
        self.train.classes().max(self.test.classes())
    }

    /// Returns the names of the classes, in the order of their labels; none where the data set came without.
    pub fn class_names(&self) -> &[String] {
        self.train.class_names()
    }

    /// Returns the classes without an image in either set: one stray label makes all below it classes.
    pub fn unused_classes(&self) -> Vec<usize> {
        let mut used = [false; 256];
        let labels = self.train.labels().iter().chain(self.test.labels());
        labels.for_each(|&label| used[usize::from(label)] = true);
        (0..self.classes()).filter(|&class| !used[class]).collect()
    }

    /// Swaps rows and columns of every image, as EMNIST needs, whose images lie on their sides.
    pub fn transposed(self) -> Self {
        Self { train: self.train.transposed(), test: self.test.transposed() }
    }
}

/// Joins images and their labels, each with what errors call it.
pub(super) fn labelled(
    (images, images_file): (Images, String), (labels, labels_file): (Vec<u8>, String),
) -> Result<NamedDataset, DataError> {
    match ImageDataset::new(images, labels) {
        Ok(dataset) => Ok((dataset, images_file)),
        Err(counts) => {
            let (images, labels) = (counts.images, counts.labels);
            Err(DataError::Count { images_file, images, labels_file, labels })
        }
    }
}
