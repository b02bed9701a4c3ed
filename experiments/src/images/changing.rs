//! Images that are disturbed: noise, parts in other places, strokes that do not belong to them, ink that is gone.

use anyhow::ensure;
use burn_pooling::mnist::ImageDataset;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::whole::dataset;

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

#[cfg(test)]
mod tests {
    use super::super::whole::one;
    use super::*;

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
}
