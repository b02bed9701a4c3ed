//! Grey values, and which of them are ink.

use image::{GrayImage, RgbImage, imageops};

/// Returns the luma of a picture: 0.2126 red + 0.7152 green + 0.0722 blue (ITU-R BT.709).
pub fn grey(picture: &RgbImage) -> GrayImage {
    imageops::grayscale(picture)
}

/// Returns the picture with black and white exchanged.
pub fn inverted(picture: &GrayImage) -> GrayImage {
    let mut picture = picture.clone();
    imageops::invert(&mut picture);
    picture
}

/// Returns whether a picture shows dark ink on a bright background: whether the median of its border is above the middle
/// of its darkest and its brightest grey value. A picture of one grey value alone is not.
pub fn is_dark_on_bright(picture: &GrayImage) -> bool {
    let mut around: Vec<u8> =
        border(picture.width(), picture.height()).map(|(x, y)| picture.get_pixel(x, y)[0]).collect();
    around.sort_unstable();
    let extremes = picture.iter().min().zip(picture.iter().max());
    let (Some(&median), Some((&darkest, &brightest))) = (around.get(around.len() / 2), extremes) else { return false };
    2 * u32::from(median) > u32::from(darkest) + u32::from(brightest)
}

/// The outermost pixels, as `(x, y)`.
pub fn border(width: u32, height: u32) -> impl Iterator<Item = (u32, u32)> {
    let rows = (0..width).flat_map(move |x| [(x, 0), (x, height.saturating_sub(1))]);
    let columns = (0..height).flat_map(move |y| [(0, y), (width.saturating_sub(1), y)]);
    rows.chain(columns).filter(move |_| width > 0 && height > 0)
}
