//! From the bytes of a file to an opaque, upright picture.

use std::io::Cursor;

use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, RgbImage, guess_format};

use super::error::PictureError;
use super::transparency::flatten;

/// What a picture may take at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the file.
    pub bytes: usize,
    /// Width, and height.
    pub side: u32,
    /// Width times height.
    pub pixels: u64,
}

impl Default for Limits {
    /// A file of 256 MiB, and 64 million pixels, as the cameras of phones have them: at most 0.8 GB while decoding.
    fn default() -> Self {
        Self { bytes: 256 << 20, side: 32_768, pixels: 64_000_000 }
    }
}

/// Decodes a PNG or JPEG file, told by its content: upright by its EXIF orientation, with 8 bits per channel, and opaque.
///
/// A transparent picture is put on the mean colour of its border where that is visible. Otherwise it is put on white if
/// its visible pixels are dark, and on black if they are bright: so black ink stays visible, whatever colour the
/// transparent pixels hide.
///
/// # Errors
/// [`PictureError`] if the file is of another format, damaged, or beyond the limits; these are checked before memory is
/// taken for pixels.
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<RgbImage, PictureError> {
    if bytes.len() > limits.bytes {
        return Err(PictureError::TooLong { most: limits.bytes });
    }
    let (format, name) = format_of(bytes)?;
    let damaged = |error: ImageError| PictureError::Damaged { format: name, reason: error.to_string() };
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(decoder_limits(limits));
    let mut decoder = reader.into_decoder().map_err(damaged)?;
    check_size(decoder.dimensions(), limits)?;
    if format == ImageFormat::Jpeg && is_cut(bytes) {
        return Err(PictureError::Damaged { format: name, reason: "its end is missing".to_owned() });
    }
    let orientation = decoder.orientation().map_err(damaged)?;
    let picture = DynamicImage::from_decoder(decoder).map_err(damaged)?;
    let opaque = match picture.color().has_alpha() {
        true => flatten(&picture.into_rgba8()),
        false => picture.into_rgb8(),
    };
    let mut upright = DynamicImage::from(opaque);
    upright.apply_orientation(orientation);
    Ok(upright.into_rgb8())
}

fn format_of(bytes: &[u8]) -> Result<(ImageFormat, &'static str), PictureError> {
    let format = guess_format(bytes);
    let found = match format {
        Ok(ImageFormat::Png) => return Ok((ImageFormat::Png, "PNG")),
        Ok(ImageFormat::Jpeg) => return Ok((ImageFormat::Jpeg, "JPEG")),
        Ok(other) => format!("{other:?}"),
        Err(_) if bytes.is_empty() => "an empty file".to_owned(),
        Err(_) => "a file of another kind".to_owned(),
    };
    Err(PictureError::Format { found })
}

fn check_size((width, height): (u32, u32), limits: &Limits) -> Result<(), PictureError> {
    let &Limits { side: most_side, pixels: most_pixels, .. } = limits;
    let is_small = width.max(height) <= most_side && u64::from(width) * u64::from(height) <= most_pixels;
    match is_small {
        true => Ok(()),
        false => Err(PictureError::TooLarge { most_side, most_pixels, width, height }),
    }
}

/// Whether a JPEG has no end-of-image marker behind its first scan: its decoder fills the missing part with grey. The
/// segments before the scan are skipped, as a thumbnail within one of them has such a marker of its own.
fn is_cut(jpeg: &[u8]) -> bool {
    let mut place = 2; // behind the marker that all begin with
    while let Some(&[0xff, marker, high, low]) = jpeg.get(place..place + 4) {
        match marker {
            0xda => return !jpeg[place..].windows(2).any(|pair| pair == [0xff, 0xd9]),
            0xff => place += 1, // filling
            _ => place += 2 + usize::from(u16::from_be_bytes([high, low])),
        }
    }
    false // the decoder may know better
}

/// For what a decoder reads beside the pixels, such as a compressed colour profile.
fn decoder_limits(limits: &Limits) -> image::Limits {
    let mut of_decoder = image::Limits::default();
    of_decoder.max_alloc = Some(limits.pixels.saturating_mul(8)); // four channels of 16 bits
    of_decoder
}
