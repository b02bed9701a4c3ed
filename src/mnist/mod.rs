//! MNIST and every image set in its format: reading, checking, batching.
//!
//! ```
//! use burn_pooling::mnist::ImageSets;
//!
//! # #[cfg(feature = "bundled-mnist")] {
//! let sets = ImageSets::load(None)?; // bundled; Some(folder) reads any other IDX set
//! assert_eq!((sets.train.len(), sets.test.len()), (60_000, 10_000));
//! assert_eq!((sets.image_size(), sets.classes()), ([28, 28], 10));
//! # }
//! # Ok::<(), burn_pooling::mnist::DataError>(())
//! ```

mod batches;
mod dataset;
mod digest;
mod error;
mod files;
mod gzip;
mod idx;
mod names;

pub use dataset::{CountMismatch, ImageDataset, ImageItem};
pub use digest::MNIST_DIGEST;
pub use error::DataError;
pub use files::ImageSets;
pub use idx::{Images, read_images, read_labels};
