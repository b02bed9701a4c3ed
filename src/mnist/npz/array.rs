//! An array of an archive, and what it becomes: images or labels.

use std::io::Read;

use super::header::{Header, read_header};
use crate::mnist::error::{ArrayError, DataError};
use crate::mnist::idx::Images;
use crate::mnist::limit::check_size;
use crate::mnist::values::{bytes_of, read_values};

/// An array of bytes.
pub(super) struct Array {
    /// What it is called in errors.
    pub file: String,
    shape: Vec<u64>,
    fortran_order: bool,
    values: Vec<u8>,
}

impl Array {
    /// Reads an array that takes so many `packed` bytes, with all that lies in front of it.
    pub fn read(mut reader: impl Read, file: String, packed: u64) -> Result<Self, DataError> {
        let Header { values: integer, fortran_order, shape } = read_header(&mut reader, &file)?;
        check_size(&file, packed, bytes_of(&shape, integer.size))?;
        let values = read_values(reader, &file, &shape, integer.size)?;
        match integer.bytes(values) {
            Ok(values) => Ok(Self { file, shape, fortran_order, values }),
            Err(found) => Err(ArrayError::Value { file, found }.into()),
        }
    }

    /// Images: `[image, row, column]`, or `[image, row, column, channel]`.
    pub fn into_images(self) -> Result<(Images, String), ArrayError> {
        // Their product is the number of values, which fits.
        let shape: Vec<usize> = self.shape.iter().map(|&dimension| dimension as usize).collect();
        let shape = match shape[..] {
            [images, height, width] => [images, height, width, 1],
            // Four rows and more channels are images of which the channels come first.
            [images, height, width, channels] if height > 4 || channels <= 4 => [images, height, width, channels],
            _ => {
                return Err(self.of_other_shape(
                    "images [n, height, width] or [n, height, width, channels], which `.transpose(0, 2, 3, 1)` makes of \
                     channels first",
                ));
            }
        };
        let [_, height, width, channels] = shape;
        let pixels = match channels == 1 && !self.fortran_order {
            true => self.values,
            false => channels_first(&self.values, shape, self.fortran_order),
        };
        Ok((Images { channels, size: [height, width], pixels }, self.file))
    }

    /// Labels: `[label]`, or `[label, 1]`.
    pub fn into_labels(self) -> Result<(Vec<u8>, String), ArrayError> {
        match self.shape[..] {
            [_] | [_, 1] => Ok((self.values, self.file)),
            _ => {
                Err(self.of_other_shape("labels [n] or [n, 1], which `.argmax(1)` makes of one column for each class"))
            }
        }
    }

    fn of_other_shape(self, expected: &'static str) -> ArrayError {
        ArrayError::Shape { file: self.file, expected, found: self.shape }
    }
}

/// Reorders values `[image, row, column, channel]` to `[image, channel, row, column]`.
fn channels_first(values: &[u8], [images, height, width, channels]: [usize; 4], fortran_order: bool) -> Vec<u8> {
    let [image_stride, row_stride, column_stride, channel_stride] = match fortran_order {
        true => [1, images, images * height, images * height * width],
        false => [height * width * channels, width * channels, channels, 1],
    };
    let mut pixels = Vec::with_capacity(values.len());
    for image in 0..images {
        for channel in 0..channels {
            for row in 0..height {
                let start = image * image_stride + channel * channel_stride + row * row_stride;
                pixels.extend((0..width).map(|column| values[start + column * column_stride]));
            }
        }
    }
    pixels
}
