//! Images on canvases: in the middle, moved, without their margins.

use anyhow::{bail, ensure};
use burn_pooling::mnist::ImageDataset;

use super::whole::{dataset, subset};

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

#[cfg(test)]
mod tests {
    use super::super::whole::one;
    use super::*;

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
    fn no_digit_is_cut() {
        let image = one(&[1, 2, 3, 4], [2, 2]);
        for shift in [[2, 0], [0, -2]] {
            assert!(placed(&image, [4, 4], [1, 1], shift).is_err());
        }
        assert!(on_canvas(&image, [1, 4]).is_err());
    }
}
