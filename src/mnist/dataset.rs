//! Labelled images, in memory once, as bytes.

use burn_dataset::Dataset;
use rayon::prelude::*;

use super::idx::Images;

/// Images of one shape, each with its label.
///
/// Implements Burn's [`Dataset`], and [`Data`](crate::data::Data), which makes batches without going through items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageDataset {
    images: Images,
    labels: Vec<u8>,
    /// Of all classes, or none.
    class_names: Vec<String>,
}

/// One image and its label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageItem {
    /// The pixels, `[channel, row, column]`, 0 to 255.
    pub pixels: Vec<u8>,
    /// Number of channels.
    pub channels: usize,
    /// Height and width.
    pub size: [usize; 2],
    /// The class.
    pub label: u8,
}

/// Label and image counts differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a label for each of the {images} images, found {labels} labels")]
pub struct CountMismatch {
    /// Number of images; part of an image counts as one.
    pub images: usize,
    /// Number of labels.
    pub labels: usize,
}

impl ImageDataset {
    /// Joins images and labels that belong together.
    ///
    /// # Errors
    /// [`CountMismatch`] if the counts of images and labels differ.
    pub fn new(images: Images, labels: Vec<u8>) -> Result<Self, CountMismatch> {
        let len = images.size[0].saturating_mul(images.size[1]).saturating_mul(images.channels);
        let count = images.pixels.len().div_ceil(len.max(1));
        match count == labels.len() && count.saturating_mul(len) == images.pixels.len() {
            true => Ok(Self { images, labels, class_names: Vec::new() }),
            false => Err(CountMismatch { images: count, labels: labels.len() }),
        }
    }

    /// Copies the images with the given indices, in that order, as a data set of their own, of the same class names.
    ///
    /// # Panics
    /// If an index is not in the data set.
    pub fn select(&self, indices: &[usize]) -> Self {
        let pixels = indices.iter().flat_map(|&index| self.pixels(index)).copied().collect();
        let labels = indices.iter().map(|&index| self.labels[index]).collect();
        Self { images: Images { pixels, ..self.images }, labels, class_names: self.class_names.clone() }
    }

    /// Names the classes, in the order of their labels; those beyond the names keep their numbers.
    pub fn with_class_names(self, class_names: Vec<String>) -> Self {
        Self { class_names, ..self }
    }

    /// Swaps rows and columns of every image.
    pub fn transposed(mut self) -> Self {
        let [height, width] = self.images.size;
        let transpose = |plane: &mut [u8]| {
            let before = plane.to_vec();
            for (row, pixels) in before.chunks_exact(width).enumerate() {
                pixels.iter().enumerate().for_each(|(column, &pixel)| plane[column * height + row] = pixel);
            }
        };
        self.images.pixels.par_chunks_exact_mut((height * width).max(1)).for_each(transpose);
        self.images.size = [width, height];
        self
    }

    /// Returns the number of images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Returns whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Returns the number of channels of every image.
    pub fn channels(&self) -> usize {
        self.images.channels
    }

    /// Returns channels, height and width of every image.
    pub fn image_shape(&self) -> [usize; 3] {
        let [height, width] = self.images.size;
        [self.images.channels, height, width]
    }

    /// Returns height and width of every image.
    pub fn image_size(&self) -> [usize; 2] {
        self.images.size
    }

    /// Returns the number of classes: the largest label plus one, or the number of their names if that is larger.
    pub fn classes(&self) -> usize {
        let of_labels = self.labels.iter().max().map_or(0, |&label| usize::from(label) + 1);
        of_labels.max(self.class_names.len())
    }

    /// Returns the names of the classes, in the order of their labels; none where the data set came without.
    pub fn class_names(&self) -> &[String] {
        &self.class_names
    }

    /// Returns the labels, in order.
    pub fn labels(&self) -> &[u8] {
        &self.labels
    }

    /// Returns the pixels of one image, `[channel, row, column]`.
    ///
    /// # Panics
    /// If there is no image `index`.
    pub fn pixels(&self, index: usize) -> &[u8] {
        let pixels: usize = self.image_shape().iter().product();
        &self.images.pixels[index * pixels..][..pixels]
    }

    /// Returns whether the images look like dark ink on a bright background, where MNIST is the opposite: whether they are
    /// grey, and the mean of their outermost pixels is above the middle of the range, 127.5.
    ///
    /// ```
    /// use burn_pooling::mnist::{ImageDataset, Images};
    ///
    /// let grey = |pixels: [u8; 9]| ImageDataset::new(Images { channels: 1, size: [3, 3], pixels: pixels.into() }, vec![0]);
    /// assert!(grey([255, 255, 255, 255, 0, 255, 255, 255, 255])?.looks_inverted());
    /// assert!(!grey([0, 0, 0, 0, 255, 0, 0, 0, 0])?.looks_inverted());
    /// # Ok::<(), burn_pooling::mnist::CountMismatch>(())
    /// ```
    pub fn looks_inverted(&self) -> bool {
        let [channels, height, width] = self.image_shape();
        let is_border = |place: usize| {
            let (row, column) = (place / width, place % width);
            row == 0 || row + 1 == height || column == 0 || column + 1 == width
        };
        let border: Vec<usize> = (0..height * width).filter(|&place| is_border(place)).collect();
        let image_sum = |index| border.iter().map(|&place| u64::from(self.pixels(index)[place])).sum::<u64>();
        let sum: u64 = (0..self.len()).map(image_sum).sum();
        channels == 1 && 2 * sum > 255 * (border.len() * self.len()) as u64
    }

    /// The pixels of all images, one after the other.
    pub(super) fn all_pixels(&self) -> &[u8] {
        &self.images.pixels
    }
}

impl Dataset<ImageItem> for ImageDataset {
    fn get(&self, index: usize) -> Option<ImageItem> {
        let &label = self.labels.get(index)?;
        let Images { channels, size, .. } = self.images;
        Some(ImageItem { pixels: self.pixels(index).to_vec(), channels, size, label })
    }

    fn len(&self) -> usize {
        self.labels.len()
    }
}
