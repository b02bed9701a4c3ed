//! The IDX format (<http://yann.lecun.com/exdb/mnist/>), plain or gzipped.
//!
//! A big-endian header (a magic number, then one `u32` for each dimension), then one byte for each value. Images have
//! the dimensions `[image, row, column]`, or `[image, channel, row, column]` where they have several channels.

use std::io::{BufRead, BufReader, Read};

use super::error::DataError;
use super::gzip::Unpacked;
use super::values::{read_values, unreadable};

const IMAGES_MAGIC: u32 = 0x0000_0803;
const CHANNELS_MAGIC: u32 = 0x0000_0804;
const LABELS_MAGIC: u32 = 0x0000_0801;
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Images of one size, one byte for each pixel and channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Images {
    /// Number of channels: 1 for grey, 3 for colour.
    pub channels: usize,
    /// Height and width of each image.
    pub size: [usize; 2],
    /// The pixels, `[image, channel, row, column]`, 0 to 255.
    pub pixels: Vec<u8>,
}

/// Reads an IDX file of images; `file` names it in errors.
///
/// # Errors
/// [`DataError`] if it is no such file, is empty, or holds more or less than its header says. Memory is taken for what
/// is there, never for what a header promises.
pub fn read_images(reader: impl Read, file: &str) -> Result<Images, DataError> {
    let (dimensions, pixels) = read(reader, file, "images", &[IMAGES_MAGIC, CHANNELS_MAGIC])?;
    let (channels, size) = match dimensions[..] {
        [_, channels, height, width] => (channels, [height, width]),
        [.., height, width] => (1, [height, width]),
        _ => unreachable!("an image file has three or four dimensions"),
    };
    Ok(Images { channels, size, pixels })
}

/// Reads an IDX file of labels; `file` names it in errors.
///
/// # Errors
/// As [`read_images`].
pub fn read_labels(reader: impl Read, file: &str) -> Result<Vec<u8>, DataError> {
    Ok(read(reader, file, "labels", &[LABELS_MAGIC])?.1)
}

/// Reads dimensions and values of a file with one of the magic numbers, unpacking it where it is gzipped.
fn read(reader: impl Read, file: &str, kind: &'static str, magic: &[u32]) -> Result<(Vec<usize>, Vec<u8>), DataError> {
    let mut reader = BufReader::with_capacity(1 << 16, reader);
    let start = reader.fill_buf().map_err(|source| unreadable(file, source))?;
    let mut reader: Box<dyn Read + '_> = match start.starts_with(&GZIP_MAGIC) {
        true => Box::new(Unpacked::new(reader)),
        false => Box::new(reader),
    };
    let found = read_u32(&mut reader, file)?;
    if !magic.contains(&found) {
        return Err(DataError::Magic { file: file.to_owned(), kind, expected: magic[0], found });
    }
    // The last byte of a magic number is the number of dimensions.
    let dimension = |_| read_u32(&mut reader, file).map(u64::from);
    let dimensions = (0..found & 0xff).map(dimension).collect::<Result<Vec<_>, _>>()?;
    let values = read_values(reader, file, &dimensions, 1)?;
    Ok((dimensions.into_iter().map(|dimension| dimension as usize).collect(), values))
}

fn read_u32(reader: &mut impl Read, file: &str) -> Result<u32, DataError> {
    let mut bytes = [0; 4];
    reader.read_exact(&mut bytes).map_err(|source| unreadable(file, source))?;
    Ok(u32::from_be_bytes(bytes))
}
