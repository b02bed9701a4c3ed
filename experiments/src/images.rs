//! Image sets made of other image sets.

use anyhow::{Context, bail, ensure};
use burn_pooling::mnist::{ImageDataset, Images};
use burn_pooling::training::Split;
use image::GrayImage;
use image::imageops::{FilterType, resize};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::matrix::Matrix;

/// `count` images that `seed` draws (all, if there are no more), in ascending order.
pub fn subset(images: &ImageDataset, count: usize, seed: u64) -> ImageDataset {
    images.select(&Split::new(images.len(), count, seed).valid)
}

/// Grey values from 0 to 1: a row for each image.
pub fn grey(images: &ImageDataset) -> Matrix {
    let [height, width] = images.image_size();
    let pixels = (0..images.len()).flat_map(|index| images.pixels(index));
    Matrix { values: pixels.map(|&pixel| f32::from(pixel) / 255.0).collect(), columns: height * width }
}

/// Height and width that every digit of MNIST fits, without its margin.
pub const DIGIT: [usize; 2] = [20, 20];

/// `count` images that `seed` draws, each digit [`boxed`] within [`DIGIT`].
///
/// # Errors
/// If a digit is larger.
pub fn digits(images: &ImageDataset, count: usize, seed: u64) -> anyhow::Result<ImageDataset> {
    boxed(&subset(images, count, seed), DIGIT)
}

/// The top left corner at which an image of `size` is in the middle of a canvas; 0 where it does not fit.
pub fn middle(size: [usize; 2], canvas: [usize; 2]) -> [usize; 2] {
    [0, 1].map(|side| canvas[side].saturating_sub(size[side]) / 2)
}

/// Every image in the middle of a black canvas.
///
/// # Errors
/// If the canvas is too small.
pub fn on_canvas(images: &ImageDataset, canvas: [usize; 2]) -> anyhow::Result<ImageDataset> {
    placed(images, canvas, middle(images.image_size(), canvas), [0, 0])
}

/// Every image on a black canvas, its top left at `corner`, then moved by `shift` pixels down and to the right.
///
/// # Errors
/// If an image would not lie within the canvas.
pub fn placed(
    images: &ImageDataset, canvas: [usize; 2], corner: [usize; 2], shift: [isize; 2],
) -> anyhow::Result<ImageDataset> {
    let size = images.image_size();
    let place = |side: usize| {
        let place = corner[side].checked_add_signed(shift[side])?;
        (place + size[side] <= canvas[side]).then_some(place)
    };
    let (Some(top), Some(left)) = (place(0), place(1)) else {
        let [[height, width], [rows, columns]] = [size, canvas];
        bail!("a {height}x{width} image at {corner:?} moved by {shift:?} leaves its {rows}x{columns} canvas");
    };
    let mut pixels = vec![0; images.len() * canvas[0] * canvas[1]];
    for (index, placed) in pixels.chunks_exact_mut(canvas[0] * canvas[1]).enumerate() {
        for (row, line) in images.pixels(index).chunks_exact(size[1]).enumerate() {
            placed[(top + row) * canvas[1] + left..][..size[1]].copy_from_slice(line);
        }
    }
    dataset(pixels, canvas, images.labels())
}

/// Every pixel as a square of `times` pixels down and across.
///
/// # Errors
/// If the library refuses the images.
pub fn enlarged(images: &ImageDataset, times: usize) -> anyhow::Result<ImageDataset> {
    let size @ [_, width] = images.image_size();
    let rows = (0..images.len()).flat_map(|index| images.pixels(index).chunks_exact(width));
    let mut pixels = Vec::with_capacity(images.len() * size[0] * width * times * times);
    for row in rows {
        let row: Vec<u8> = row.iter().flat_map(|&pixel| std::iter::repeat_n(pixel, times)).collect();
        (0..times).for_each(|_| pixels.extend_from_slice(&row));
    }
    dataset(pixels, size.map(|side| side * times), images.labels())
}

/// Every image scaled to `size`, by bilinear interpolation.
///
/// # Errors
/// If the images have several channels.
pub fn scaled(images: &ImageDataset, size: [usize; 2]) -> anyhow::Result<ImageDataset> {
    let [height, width] = images.image_size();
    let mut pixels = Vec::with_capacity(images.len() * size[0] * size[1]);
    for index in 0..images.len() {
        let image = GrayImage::from_raw(width as u32, height as u32, images.pixels(index).to_vec());
        let image = image.with_context(|| format!("expected grey images, found {} channels", images.channels()))?;
        pixels.extend(resize(&image, size[1] as u32, size[0] as u32, FilterType::Triangle).into_raw());
    }
    dataset(pixels, size, images.labels())
}

/// Every image cut into four quarters, which change places: none stays where it was. The seed decides how, for each
/// image anew; a last odd row or column stays black.
///
/// # Errors
/// If the library refuses the images.
pub fn quarters_swapped(images: &ImageDataset, seed: u64) -> anyhow::Result<ImageDataset> {
    /// Where each quarter goes, in all ways that leave none in its place.
    const WAYS: [[usize; 4]; 9] = [
        [1, 0, 3, 2],
        [1, 2, 3, 0],
        [1, 3, 0, 2],
        [2, 0, 3, 1],
        [2, 3, 0, 1],
        [2, 3, 1, 0],
        [3, 0, 1, 2],
        [3, 2, 0, 1],
        [3, 2, 1, 0],
    ];
    let size @ [height, width] = images.image_size();
    let half = size.map(|side| side / 2);
    let corner = |quarter: usize| quarter / 2 * half[0] * width + quarter % 2 * half[1];
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let mut pixels = vec![0; images.len() * height * width];
    for (index, swapped) in pixels.chunks_exact_mut(height * width).enumerate() {
        let way = WAYS[generator.random_range(0..WAYS.len())];
        for (from, to) in way.into_iter().enumerate() {
            for row in 0..half[0] {
                let line = &images.pixels(index)[corner(from) + row * width..][..half[1]];
                swapped[corner(to) + row * width..][..half[1]].copy_from_slice(line);
            }
        }
    }
    dataset(pixels, size, images.labels())
}

/// Every image with a stroke at its left edge: the `columns` columns in the middle of another image, of another class,
/// that the seed draws.
///
/// # Errors
/// If all images are of one class.
pub fn with_stroke(images: &ImageDataset, columns: usize, seed: u64) -> anyhow::Result<ImageDataset> {
    let size @ [height, width] = images.image_size();
    let labels = images.labels();
    ensure!(labels.iter().any(|label| *label != labels[0]), "expected images of several classes, found one");
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let mut pixels: Vec<u8> = (0..images.len()).flat_map(|index| images.pixels(index)).copied().collect();
    for (index, image) in pixels.chunks_exact_mut(height * width).enumerate() {
        let other = loop {
            let other = generator.random_range(0..images.len());
            if labels[other] != labels[index] {
                break images.pixels(other);
            }
        };
        for (line, from) in image.chunks_exact_mut(width).zip(other.chunks_exact(width)) {
            line[..columns].copy_from_slice(&from[(width - columns) / 2..][..columns]);
        }
    }
    dataset(pixels, size, labels)
}

/// Every image with some of its ink (what is not black) made black: `count` pixels (all, if there are no more), those of
/// the highest of the weights that `weight` gives an image's pixels.
///
/// # Errors
/// If the library refuses the images.
pub fn erased(
    images: &ImageDataset, count: usize, mut weight: impl FnMut(usize) -> Vec<f32>,
) -> anyhow::Result<ImageDataset> {
    let mut pixels = Vec::new();
    for index in 0..images.len() {
        let (mut image, weights) = (images.pixels(index).to_vec(), weight(index));
        let mut ink: Vec<usize> = (0..image.len()).filter(|&pixel| image[pixel] > 0).collect();
        ink.sort_by(|&one, &other| weights[other].total_cmp(&weights[one]));
        ink.iter().take(count).for_each(|&pixel| image[pixel] = 0);
        pixels.extend(image);
    }
    dataset(pixels, images.image_size(), images.labels())
}

/// Every pixel brighter or darker by up to `most` grey levels, each alike likely, within black and white.
///
/// # Errors
/// If the library refuses the images.
pub fn noisy(images: &ImageDataset, most: u8, seed: u64) -> anyhow::Result<ImageDataset> {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let most = i16::from(most);
    let pixels = (0..images.len()).flat_map(|index| images.pixels(index));
    let pixels = pixels.map(|&pixel| (i16::from(pixel) + generator.random_range(-most..=most)).clamp(0, 255) as u8);
    dataset(pixels.collect(), images.image_size(), images.labels())
}

/// One black image.
///
/// # Errors
/// If the library refuses it.
pub fn black(size: [usize; 2]) -> anyhow::Result<ImageDataset> {
    dataset(vec![0; size[0] * size[1]], size, &[0])
}

/// The bounding box of what is not black in every image, in the middle of a canvas of `size`: for MNIST, whose digits
/// were scaled to fit 20x20 and then centred by mass, the digits without the margin.
///
/// # Errors
/// If a bounding box is larger than `size`.
pub fn boxed(images: &ImageDataset, size: [usize; 2]) -> anyhow::Result<ImageDataset> {
    let [height, width] = images.image_size();
    let mut pixels = vec![0; images.len() * size[0] * size[1]];
    for (index, placed) in pixels.chunks_exact_mut(size[0] * size[1]).enumerate() {
        let image = images.pixels(index);
        let rows = extent(height, |row| image[row * width..][..width].iter().any(|&ink| ink > 0));
        let columns = extent(width, |column| image[column..].iter().step_by(width).any(|&ink| ink > 0));
        ensure!(
            rows.len() <= size[0] && columns.len() <= size[1],
            "image {index}: expected ink within {}x{}, found {}x{}",
            size[0],
            size[1],
            rows.len(),
            columns.len()
        );
        let (top, left) = ((size[0] - rows.len()) / 2, (size[1] - columns.len()) / 2);
        for (down, row) in rows.enumerate() {
            placed[(top + down) * size[1] + left..][..columns.len()]
                .copy_from_slice(&image[row * width..][columns.clone()]);
        }
    }
    dataset(pixels, size, images.labels())
}

/// From the first to the last of `length` places that `holds`; empty if there is none.
fn extent(length: usize, holds: impl Fn(usize) -> bool) -> std::ops::Range<usize> {
    let first = (0..length).find(|&place| holds(place)).unwrap_or(0);
    let end = (0..length).rfind(|&place| holds(place)).map_or(0, |last| last + 1);
    first..end
}

fn dataset(pixels: Vec<u8>, size: [usize; 2], labels: &[u8]) -> anyhow::Result<ImageDataset> {
    Ok(ImageDataset::new(Images { channels: 1, size, pixels }, labels.to_vec())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(pixels: &[u8], size: [usize; 2]) -> ImageDataset {
        dataset(pixels.to_vec(), size, &[3]).unwrap()
    }

    #[test]
    fn a_shift_moves_down_and_to_the_right_and_back() {
        let image = one(&[1, 2, 3, 4], [2, 2]);
        let moved = placed(&image, [4, 4], [1, 1], [1, 0]).unwrap();
        assert_eq!(moved.pixels(0), [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 3, 4, 0]);
        let back = placed(&image, [4, 4], [1, 1], [-1, -1]).unwrap();
        assert_eq!(back.pixels(0)[..6], [1, 2, 0, 0, 3, 4]);
        assert_eq!(on_canvas(&image, [4, 4]).unwrap().pixels(0), [0, 0, 0, 0, 0, 1, 2, 0, 0, 3, 4, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn a_box_holds_the_ink_in_its_middle() {
        let image = one(&[0, 0, 0, 0, 7, 8, 0, 0, 9], [3, 3]);
        assert_eq!(boxed(&image, [2, 2]).unwrap().pixels(0), [7, 8, 0, 9]);
        assert_eq!(boxed(&image, [4, 2]).unwrap().pixels(0), [0, 0, 7, 8, 0, 9, 0, 0]);
        assert_eq!(boxed(&one(&[0; 4], [2, 2]), [1, 1]).unwrap().pixels(0), [0]);
        assert!(boxed(&image, [2, 1]).is_err());
    }

    #[test]
    fn noise_is_the_seeds_and_stays_within_its_bounds() {
        let image = one(&[0, 100, 100, 255], [2, 2]);
        let pixels = |seed| noisy(&image, 10, seed).unwrap().pixels(0).to_vec();
        assert_eq!(pixels(1), pixels(1));
        assert_ne!(pixels(1), pixels(2));
        for seed in 0..50 {
            let found = pixels(seed);
            let near = |place: usize| found[place].abs_diff(image.pixels(0)[place]) <= 10;
            assert!((0..4).all(near), "{found:?}");
        }
    }

    #[test]
    fn every_pixel_becomes_a_square() {
        let image = enlarged(&one(&[1, 2, 3, 4], [2, 2]), 2).unwrap();
        assert_eq!(image.pixels(0), [1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4]);
    }

    #[test]
    fn quarters_change_places_and_keep_their_pixels() {
        let image = one(&[1, 2, 3, 4], [2, 2]);
        for seed in 0..20 {
            let swapped = quarters_swapped(&image, seed).unwrap();
            let mut pixels = swapped.pixels(0).to_vec();
            assert!(pixels.iter().zip(1..).all(|(&found, before)| found != before), "{pixels:?}");
            pixels.sort_unstable();
            assert_eq!(pixels, [1, 2, 3, 4]);
        }
    }

    #[test]
    fn a_stroke_is_of_another_class_and_leaves_the_rest() {
        let images = dataset(vec![1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], [1, 4], &[0, 1, 0]).unwrap();
        let stroke = with_stroke(&images, 2, 1).unwrap();
        assert_eq!(stroke.pixels(0), [6, 7, 3, 4]);
        assert_eq!(stroke.pixels(1)[2..], [7, 8]);
        assert!(with_stroke(&one(&[0; 4], [2, 2]), 1, 1).is_err());
    }

    #[test]
    fn the_heaviest_ink_is_erased() {
        let image = one(&[9, 0, 8, 7], [2, 2]);
        let erased = |count| erased(&image, count, |_| vec![1.0, 5.0, 3.0, 2.0]).unwrap().pixels(0).to_vec();
        assert_eq!((erased(1), erased(2), erased(9)), (vec![9, 0, 0, 7], vec![9, 0, 0, 0], vec![0; 4]));
    }

    #[test]
    fn a_scaled_image_has_its_grey_values() {
        let image = scaled(&one(&[10, 10, 10, 10], [2, 2]), [4, 6]).unwrap();
        assert_eq!((image.image_size(), image.pixels(0)), ([4, 6], &[10; 24][..]));
    }

    #[test]
    fn no_digit_is_cut() {
        let image = one(&[1, 2, 3, 4], [2, 2]);
        for shift in [[2, 0], [0, -2]] {
            assert!(placed(&image, [4, 4], [1, 1], shift).is_err());
        }
        assert!(on_canvas(&image, [1, 4]).is_err());
    }
}
