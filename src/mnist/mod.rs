//! MNIST, and image sets of one's own: reading, checking, batching.
//!
//! ```
//! use burn_pooling::mnist::ImageSets;
//!
//! # #[cfg(feature = "bundled-mnist")] {
//! let sets = ImageSets::load(None)?; // bundled; Some(path) reads another set
//! assert_eq!((sets.train.len(), sets.test.len()), (60_000, 10_000));
//! assert_eq!((sets.image_size(), sets.classes()), ([28, 28], 10));
//! # }
//! # Ok::<(), burn_pooling::mnist::DataError>(())
//! ```
//!
//! # Layouts
//!
//! [`ImageSets::load`] tells them apart by what is there:
//!
//! | path | holds | feature |
//! | --- | --- | --- |
//! | folder | the four IDX files of a set, as MNIST, Fashion-MNIST and EMNIST have them | |
//! | file | the four arrays of Keras' `mnist.npz`, saved by `numpy.savez` or `numpy.savez_compressed` | `npz` |
//! | folder | `train/CLASS/*.png` and `test/CLASS/*.png`, as torchvision's `ImageFolder` takes each of the two | `pictures` |
//!
//! **IDX**: four files, plain or with `.gz`, under the usual names (`train-images-idx3-ubyte`, `train-labels-idx1-ubyte`,
//! `t10k-images-idx3-ubyte`, `t10k-labels-idx1-ubyte`), with a dot before `idx`, or with the set's own name before them,
//! as EMNIST has it (`emnist-letters-train-images-idx3-ubyte`, `emnist-letters-test-images-idx3-ubyte`, ...). A folder
//! that holds such a file is read as IDX, whatever else is in it.
//!
//! **`.npz`**: images `x_train` and `x_test` of `[n, height, width]` or, channels last, `[n, height, width, channels]`;
//! labels `y_train` and `y_test` of `[n]` or `[n, 1]`. The values are integers from 0 to 255, of any size and byte order,
//! in C or Fortran order. Floats are refused: whether their white is 1 or 255 would be a guess.
//!
//! **Pictures**: PNG and JPEG files, all of one height and width, up to 4096x4096. The classes are the names of the
//! folders, sorted by their characters (`10` comes before `2`); both parts have the same, and a picture of each. The test
//! set's folder may also be called `val` or `valid`; of several, the first in this order is read.
//!
//! As in torchvision, the extension tells a picture (`.png`, `.JPG`, ...), other files are ignored, and links are followed.
//! These rules differ from torchvision's:
//!
//! - Hidden files and folders are ignored.
//! - A folder within a class folder is an error, and so is a picture that is neither PNG nor JPEG (`.bmp`, `.webp`, ...).
//! - If red, green and blue are equal in every pixel of every picture, the images have one channel, else all have three.
//! - A transparent picture is put on a background, one with an EXIF orientation is set upright (both by
//!   `picture::decode`), and values of 16 bits are scaled to 8, rounded; torchvision drops transparency and orientation,
//!   and cuts off values above 255.

mod batcher;
mod batches;
mod dataset;
mod digest;
mod error;
mod files;
mod gzip;
mod idx;
mod kind;
#[cfg(any(feature = "npz", feature = "pictures"))]
mod limit;
mod names;
#[cfg(feature = "npz")]
mod npz;
#[cfg(feature = "pictures")]
mod pictures;
mod sets;
mod values;

pub use batcher::ImageBatcher;
pub use dataset::{CountMismatch, ImageDataset, ImageItem};
pub use digest::MNIST_DIGEST;
#[cfg(feature = "pictures")]
pub use error::ClassFolderError;
pub use error::{ArrayError, DataError};
pub use idx::{Images, read_images, read_labels};
#[cfg(feature = "npz")]
pub use npz::read_npz;
pub use sets::ImageSets;
