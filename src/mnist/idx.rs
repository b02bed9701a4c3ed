//! The IDX format (<http://yann.lecun.com/exdb/mnist/>), plain or gzipped.
//!
//! A big-endian header (a magic number, then one `u32` for each dimension), then one byte for each value.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;

const IMAGES_MAGIC: u32 = 0x0000_0803;
const LABELS_MAGIC: u32 = 0x0000_0801;
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// What can be wrong with a data set's files.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// A file is absent.
    #[error(
        "{folder}: expected a file {name} or {name}.gz, found neither; a data set has four files: {}",
        super::files::NAMES.join(", ")
    )]
    Missing {
        /// The folder.
        folder: String,
        /// The file's name without `.gz`.
        name: &'static str,
    },
    /// A file cannot be read, or its gzip stream is broken.
    #[error("{file}: cannot be read as an IDX file, plain or gzipped; fetch it again")]
    Read {
        /// The file.
        file: String,
        /// What the system or the decoder says.
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
    #[error(
        "{file}: expected {expected} bytes after the header (it says {dimensions:?}), found {found}"
    )]
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
    /// A label for each image is wanting.
    #[error(
        "{labels_file}: expected {images} labels, as many as images in {images_file}, found {labels}"
    )]
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
    /// Training and test images differ in size.
    #[error(
        "{test_file}: expected images of {}x{}, as in {train_file}, found {}x{}",
        train[0], train[1], test[0], test[1]
    )]
    Size {
        /// The file of the training images.
        train_file: String,
        /// Their height and width.
        train: [usize; 2],
        /// The file of the test images.
        test_file: String,
        /// Their height and width.
        test: [usize; 2],
    },
    /// This build holds no data.
    #[error(
        "MNIST is not bundled in this build; name a folder with its files (--data-dir), \
         or build with the feature `bundled-mnist`"
    )]
    NotBundled,
}

/// Grey images, one byte a pixel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Images {
    /// Height and width of each image.
    pub size: [usize; 2],
    /// The pixels, `[image, row, column]`, 0 to 255.
    pub pixels: Vec<u8>,
}

/// Reads an IDX file of images; `file` names it in errors.
///
/// # Errors
/// [`DataError`] if it is no such file, is empty, or holds more or less than its header says. Memory is
/// taken for what is there, never for what a header promises.
pub fn read_images(reader: impl Read, file: &str) -> Result<Images, DataError> {
    let ([_, height, width], pixels) = read(reader, file, "images", IMAGES_MAGIC)?;
    Ok(Images { size: [height, width], pixels })
}

/// Reads an IDX file of labels; `file` names it in errors.
///
/// # Errors
/// As [`read_images`].
pub fn read_labels(reader: impl Read, file: &str) -> Result<Vec<u8>, DataError> {
    let ([_], labels) = read(reader, file, "labels", LABELS_MAGIC)?;
    Ok(labels)
}

/// Reads a file of `D` dimensions, unpacking it where it is gzipped.
fn read<const D: usize>(
    reader: impl Read,
    file: &str,
    kind: &'static str,
    magic: u32,
) -> Result<([usize; D], Vec<u8>), DataError> {
    let mut reader = BufReader::with_capacity(1 << 16, reader);
    let start = reader.fill_buf().map_err(|source| unreadable(file, source))?;
    if start.starts_with(&GZIP_MAGIC) {
        read_plain(MultiGzDecoder::new(reader), file, kind, magic)
    } else {
        read_plain(reader, file, kind, magic)
    }
}

fn read_plain<const D: usize>(
    mut reader: impl Read,
    file: &str,
    kind: &'static str,
    magic: u32,
) -> Result<([usize; D], Vec<u8>), DataError> {
    let found = read_u32(&mut reader, file)?;
    if found != magic {
        return Err(DataError::Magic { file: file.to_owned(), kind, expected: magic, found });
    }
    let mut dimensions = [0; D];
    for dimension in &mut dimensions {
        *dimension = read_u32(&mut reader, file)?;
    }
    if dimensions.contains(&0) {
        return Err(DataError::Empty { file: file.to_owned(), dimensions: dimensions.to_vec() });
    }
    let values = read_values(reader, file, &dimensions)?;
    Ok((dimensions.map(|dimension| dimension as usize), values))
}

fn read_values(reader: impl Read, file: &str, dimensions: &[u32]) -> Result<Vec<u8>, DataError> {
    let expected: u128 = dimensions.iter().map(|&dimension| u128::from(dimension)).product();
    let limit = u64::try_from(expected).unwrap_or(u64::MAX);
    let mut values = Vec::new();
    // One byte beyond the end tells an over-long file, and has gzip check its sum.
    reader
        .take(limit.saturating_add(1))
        .read_to_end(&mut values)
        .map_err(|source| unreadable(file, source))?;
    if values.len() as u128 != expected {
        let found = match (values.len() as u128) < expected {
            true => format!("only {}", values.len()),
            false => "more".to_owned(),
        };
        return Err(DataError::Length {
            file: file.to_owned(),
            dimensions: dimensions.to_vec(),
            expected,
            found,
        });
    }
    values.shrink_to_fit();
    Ok(values)
}

fn read_u32(reader: &mut impl Read, file: &str) -> Result<u32, DataError> {
    let mut bytes = [0; 4];
    reader.read_exact(&mut bytes).map_err(|source| unreadable(file, source))?;
    Ok(u32::from_be_bytes(bytes))
}

fn unreadable(file: &str, source: io::Error) -> DataError {
    DataError::Read { file: file.to_owned(), source }
}
