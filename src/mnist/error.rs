//! What can be wrong with the files of a data set.

use std::io;

/// What can be wrong with a data set's files.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// A file is absent.
    #[error(
        "{folder}: expected a file {name} or {name}.gz, found neither; a data set has four files: {}",
        names.join(", ")
    )]
    Missing {
        /// The folder.
        folder: String,
        /// The file's name without `.gz`.
        name: &'static str,
        /// The names of all four files.
        names: [&'static str; 4],
    },
    /// A file cannot be read, or its gzip stream is broken.
    #[error("{file}: cannot be read as an IDX file, plain or gzipped; fetch it again")]
    Read {
        /// The file.
        file: String,
        /// The I/O or decoder error.
        source: io::Error,
    },
    /// Not the kind of file that it should be.
    #[error("{file}: expected the magic number {expected:#010x} ({kind}), found {found:#010x}")]
    Magic {
        /// The file.
        file: String,
        /// `images` or `labels`.
        kind: &'static str,
        /// The magic number of that kind.
        expected: u32,
        /// The file's first four bytes.
        found: u32,
    },
    /// More or fewer bytes than the header says.
    #[error("{file}: expected {expected} bytes after the header (it says {dimensions:?}), found {found}")]
    Length {
        /// The file.
        file: String,
        /// The header's dimensions.
        dimensions: Vec<u32>,
        /// Their product.
        expected: u128,
        /// What follows the header: `truncated` or `more`, with the number of bytes.
        found: String,
    },
    /// No images, no pixels or no labels.
    #[error("{file}: expected at least one item, found dimensions {dimensions:?}")]
    Empty {
        /// The file.
        file: String,
        /// The header's dimensions.
        dimensions: Vec<u32>,
    },
    /// Label and image counts differ.
    #[error("{labels_file}: expected {images} labels, as many as images in {images_file}, found {labels}")]
    Count {
        /// The file of the images.
        images_file: String,
        /// How many it holds.
        images: usize,
        /// The file of the labels.
        labels_file: String,
        /// How many it holds.
        labels: usize,
    },
    /// Training and test images differ in shape.
    #[error(
        "{test_file}: expected images of {}x{}x{} (channels, height, width), as in {train_file}, found {}x{}x{}",
        train[0], train[1], train[2], test[0], test[1], test[2]
    )]
    Shape {
        /// The file of the training images.
        train_file: String,
        /// Their channels, height and width.
        train: [usize; 3],
        /// The file of the test images.
        test_file: String,
        /// Their channels, height and width.
        test: [usize; 3],
    },
    /// This build holds no data.
    #[error(
        "MNIST is not bundled in this build: name a folder with its files, or build with the feature `bundled-mnist`"
    )]
    NotBundled,
}
