//! Labelled grey images, in memory once, as bytes.

use burn_dataset::Dataset;

use super::idx::Images;

/// Grey images of one size, each with its label.
///
/// Implements Burn's [`Dataset`]; [`gather`](super::gather) makes batches of it without going through items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageDataset {
    images: Images,
    labels: Vec<u8>,
}

/// One image and its label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageItem {
    /// The pixels, `[row, column]`, 0 to 255.
    pub pixels: Vec<u8>,
    /// Height and width.
    pub size: [usize; 2],
    /// The class.
    pub label: u8,
}

impl ImageDataset {
    /// Images and labels that belong together.
    ///
    /// # Errors
    /// The number of images and of labels, if they differ (a remainder of an image counts as one).
    pub fn new(images: Images, labels: Vec<u8>) -> Result<Self, (usize, usize)> {
        let count = images.pixels.len().div_ceil(images.size.iter().product::<usize>().max(1));
        if count != labels.len() || count * images.size[0] * images.size[1] != images.pixels.len() {
            return Err((count, labels.len()));
        }
        Ok(Self { images, labels })
    }

    /// The images with the given indices, in that order, as a data set of their own.
    ///
    /// # Panics
    /// If an index is not in the data set.
    pub fn select(&self, indices: &[usize]) -> Self {
        Self {
            images: Images {
                size: self.images.size,
                pixels: indices
                    .iter()
                    .flat_map(|&index| self.pixels(index).iter().copied())
                    .collect(),
            },
            labels: indices.iter().map(|&index| self.labels[index]).collect(),
        }
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Height and width of every image.
    pub fn image_size(&self) -> [usize; 2] {
        self.images.size
    }

    /// Number of classes: the largest label plus one.
    pub fn classes(&self) -> usize {
        self.labels.iter().max().map_or(0, |&label| usize::from(label) + 1)
    }

    /// The labels, in order.
    pub fn labels(&self) -> &[u8] {
        &self.labels
    }

    /// The pixels of one image, `[row, column]`.
    ///
    /// # Panics
    /// If there is no image `index`.
    pub fn pixels(&self, index: usize) -> &[u8] {
        let pixels = self.images.size[0] * self.images.size[1];
        &self.images.pixels[index * pixels..][..pixels]
    }
}

impl Dataset<ImageItem> for ImageDataset {
    fn get(&self, index: usize) -> Option<ImageItem> {
        let &label = self.labels.get(index)?;
        Some(ImageItem { pixels: self.pixels(index).to_vec(), size: self.images.size, label })
    }

    fn len(&self) -> usize {
        self.labels.len()
    }
}
