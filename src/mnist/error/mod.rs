//! What can be wrong with the files of a data set.

mod array;
#[cfg(feature = "pictures")]
mod class_folder;
mod magic;

use std::io;

pub use array::ArrayError;
#[cfg(feature = "pictures")]
pub use class_folder::ClassFolderError;
use magic::{format, found_kind};

/// What can be wrong with a data set's files.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// A file is absent.
    #[error(
        "{folder}: expected a file {name} or {name}.gz, found neither; a data set has four files, such as {}",
        names.join(", ")
    )]
    Missing {
        /// The folder.
        folder: String,
        /// The file's name without `.gz`.
        name: String,
        /// The usual names of all four files.
        names: [&'static str; 4],
    },
    /// A folder holds more than one data set, and none under the usual names.
    #[error(
        "{folder}: expected the four files of one data set, found several sets ({}); \
         move the four files of the one to use into a folder of their own", sets.join(", ")
    )]
    SeveralSets {
        /// The folder.
        folder: String,
        /// The usual name of each set's training images.
        sets: Vec<String>,
    },
    /// Something else has a file's name.
    #[error("{file}: expected a file, found {found}")]
    NotAFile {
        /// Its path.
        file: String,
        /// What it is.
        found: &'static str,
    },
    /// A file or folder cannot be read, or a file is damaged: it ends too early, or what is packed in it is
    /// broken.
    #[error("{file}: {}", unreadable(source))]
    Read {
        /// The file or folder.
        file: String,
        /// The I/O or decoder error.
        source: io::Error,
    },
    /// Not the kind of file that it should be.
    #[error("{file}: expected {kind} ({}), found {}", format(*expected), found_kind(*found))]
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
        dimensions: Vec<u64>,
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
        dimensions: Vec<u64>,
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
    /// A folder holds nothing that looks like a data set.
    #[error(
        "{folder}: expected a data set, found none; name a folder with four IDX files, such as {}, a folder with class \
         folders of pictures (train/CLASS and test/CLASS), or an .npz file", names.join(", ")
    )]
    NoSet {
        /// The folder.
        folder: String,
        /// The usual names of the four IDX files.
        names: [&'static str; 4],
    },
    /// More than so small a file should hold; it was not unpacked.
    #[error(
        "{file}: expected at most {most} bytes out of {packed} packed ones, found {found}; use smaller images, or save an \
         .npz file unpacked, with `numpy.savez`"
    )]
    TooLarge {
        /// The file, or the folder.
        file: String,
        /// Its bytes as they are.
        packed: u64,
        /// The most bytes that are unpacked of it: a gigabyte, or a hundred times as many.
        most: u64,
        /// The bytes that it says it holds.
        found: u128,
    },
    /// What is wrong with an array of an `.npz` file.
    #[error(transparent)]
    Array(#[from] ArrayError),
    /// What is wrong with class folders of pictures.
    #[cfg(feature = "pictures")]
    #[error(transparent)]
    ClassFolder(#[from] ClassFolderError),
    /// This build reads no such data set.
    #[error("{path}: found {found}, which this build does not read; build with the feature `{feature}`")]
    NotBuilt {
        /// The file or folder.
        path: String,
        /// What it looks like.
        found: &'static str,
        /// The feature that reads it.
        feature: &'static str,
    },
    /// This build holds no data.
    #[error(
        "MNIST is not bundled in this build: name a folder with its files, or build with the feature `bundled-mnist`"
    )]
    NotBundled,
}

fn unreadable(error: &io::Error) -> &'static str {
    use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    match error.kind() {
        InvalidData | InvalidInput | UnexpectedEof => {
            "damaged: it ends too early, or cannot be unpacked; fetch it again"
        }
        _ => "cannot be read",
    }
}
