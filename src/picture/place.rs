//! A picture or its ink, placed into an image of the network's size.

use image::imageops::{self, FilterType};
use image::{GrayImage, Pixel, Rgb, RgbImage};

use super::grey::border;
use super::ink::{Ink, Rectangle};

/// Side of the box that MNIST's digits fit, of the images' 28 pixels.
const BOX: f64 = 20.0;
const IMAGE: f64 = 28.0;
/// The filter of all scaling; where it shrinks it averages over all that becomes one pixel.
const FILTER: FilterType = FilterType::Triangle;
/// The share of a digit's pixels that become white: those in the middle of its strokes, as in MNIST.
const WHITE: f64 = 0.05;

/// Places ink as MNIST does, into an image of any height and width: scaled, its ratio kept, into the box that is to the
/// image as 20x20 to 28x28, stretched to full contrast, and moved by whole pixels until its centre of mass is in the
/// middle of the image, or all of it is at the edge.
///
/// LeCun, Bottou, Bengio, Haffner: *Gradient-based learning applied to document recognition* (1998), section III.A.
///
/// # Panics
/// If there is no memory for such an image.
pub fn place_digit(ink: &Ink, size: [usize; 2]) -> GrayImage {
    let [height, width] = size.map(|side| side as u32);
    let Rectangle { x, y, width: ink_width, height: ink_height } = ink.bounds;
    let cut = imageops::crop_imm(&ink.picture, x, y, ink_width, ink_height);
    let fitted =
        fit([ink_height, ink_width], [height, width].map(|side| (f64::from(side) * BOX / IMAGE).ceil() as u32));
    let mut digit = imageops::resize(&*cut, fitted[1], fitted[0], FILTER);
    stretch(&mut digit);
    let mut image = GrayImage::new(width, height);
    let [row, column] = centre_of_mass(&digit);
    let offset = |side: u32, length: u32, centre: f64| {
        let offset = (f64::from(side) / 2.0 - centre).round() as i64;
        offset.min(i64::from(side) - i64::from(length)).max(0)
    };
    let [x, y] = [offset(width, fitted[1], column), offset(height, fitted[0], row)];
    imageops::replace(&mut image, &digit, x, y);
    image
}

/// Places a whole picture: scaled to the image's height or width, its ratio kept, in the middle of an image of the median
/// colour of the picture's border.
///
/// # Panics
/// If there is no memory for such an image.
pub fn place_whole(picture: &RgbImage, size: [usize; 2]) -> RgbImage {
    let [height, width] = size.map(|side| side as u32);
    let mut image = RgbImage::from_pixel(width, height, border_colour(picture));
    if picture.is_empty() {
        return image;
    }
    let fitted = fit([picture.height(), picture.width()], [height, width]);
    let scaled = imageops::resize(picture, fitted[1], fitted[0], FILTER);
    let [y, x] = [height.saturating_sub(fitted[0]) / 2, width.saturating_sub(fitted[1]) / 2].map(i64::from);
    imageops::replace(&mut image, &scaled, x, y);
    image
}

/// The largest height and width in the ratio of `size` that are within `most`, at least one pixel each.
fn fit(size: [u32; 2], most: [u32; 2]) -> [u32; 2] {
    let [[height, width], [most_height, most_width]] = [size, most].map(|size| size.map(f64::from));
    let scale = (most_height / height).min(most_width / width);
    [0, 1].map(|side| ((f64::from(size[side]) * scale).round() as u32).clamp(1, most[side].max(1)))
}

/// Stretches grey values so that the brightest pixels are white.
fn stretch(digit: &mut GrayImage) {
    let mut values: Vec<u8> = digit.iter().copied().filter(|&value| value > 0).collect();
    values.sort_unstable_by(|left, right| right.cmp(left));
    let Some(&white) = values.get((values.len() as f64 * WHITE) as usize) else { return };
    let stretched = |value: u8| (u32::from(value) * 255 / u32::from(white)).min(255) as u8;
    digit.iter_mut().for_each(|value| *value = stretched(*value));
}

/// Row and column, the middle of the first pixel being 0.
fn centre_of_mass(digit: &GrayImage) -> [f64; 2] {
    let weights =
        digit.enumerate_pixels().map(|(x, y, pixel)| [1, y, x].map(|part| f64::from(part) * f64::from(pixel[0])));
    let sums = weights.fold([0.0; 3], |sums, part| [0, 1, 2].map(|index| sums[index] + part[index]));
    [sums[1], sums[2]].map(|sum| sum / sums[0].max(1.0))
}

fn border_colour(picture: &RgbImage) -> Rgb<u8> {
    let median = |channel: usize| {
        let around = border(picture.width(), picture.height());
        let mut values: Vec<u8> = around.map(|(x, y)| picture.get_pixel(x, y).channels()[channel]).collect();
        values.sort_unstable();
        values.get(values.len() / 2).copied().unwrap_or_default()
    };
    Rgb([0, 1, 2].map(median))
}
