//! What can be wrong with the files of a data set.

use std::io;

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
    /// A file or folder cannot be read, or a file is damaged: it ends too early, or its gzip stream is broken.
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

fn unreadable(error: &io::Error) -> &'static str {
    use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    match error.kind() {
        InvalidData | InvalidInput | UnexpectedEof => {
            "damaged: cannot be read as an IDX file, plain or gzipped; fetch it again"
        }
        _ => "cannot be read",
    }
}

/// Describes a magic number: two zeros, the type of the values, the number of dimensions.
fn format(magic: u32) -> String {
    let [_, _, code, dimensions] = magic.to_be_bytes();
    let plural = if dimensions == 1 { "" } else { "s" };
    let values = value_type(code).unwrap_or("unknown values");
    format!("an IDX file of {values} with {dimensions} dimension{plural}, magic number {magic:#010x}")
}

fn found_kind(magic: u32) -> String {
    let known = matches!(magic.to_be_bytes(), [0, 0, code, 1..=u8::MAX] if value_type(code).is_some());
    match magic {
        0x803 | 0x804 => format!("images ({})", format(magic)),
        0x801 => format!("labels ({})", format(magic)),
        _ if known => format!("{}; convert it", format(magic)),
        _ => format!("no IDX file, but one that begins with {magic:#010x}"),
    }
}

fn value_type(code: u8) -> Option<&'static str> {
    Some(match code {
        0x08 => "unsigned bytes",
        0x09 => "signed bytes",
        0x0B => "16-bit integers",
        0x0C => "32-bit integers",
        0x0D => "32-bit floats",
        0x0E => "64-bit floats",
        _ => return None,
    })
}
