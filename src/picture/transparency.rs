//! Transparent pictures, put on a background.

use image::{Pixel, Rgb, RgbImage, Rgba, RgbaImage};

use super::grey::border;

/// Puts a picture on the background that shows it; see [`decode`](super::decode).
pub fn flatten(picture: &RgbaImage) -> RgbImage {
    let Rgb(background) = background(picture);
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let Rgba([red, green, blue, alpha]) = *picture.get_pixel(x, y);
        let blend = |value: u8, under: u8| {
            let [value, under, alpha] = [value, under, alpha].map(u32::from);
            ((value * alpha + under * (255 - alpha) + 127) / 255) as u8
        };
        Rgb([blend(red, background[0]), blend(green, background[1]), blend(blue, background[2])])
    })
}

fn background(picture: &RgbaImage) -> Rgb<u8> {
    let around = Mean::of(border(picture.width(), picture.height()).map(|(x, y)| *picture.get_pixel(x, y)));
    if 2 * around.alpha >= 255 * around.count {
        return around.colour();
    }
    let everywhere = Mean::of(picture.pixels().copied());
    match everywhere.alpha > 0 && everywhere.colour().to_luma()[0] >= 128 {
        true => Rgb([0; 3]),
        false => Rgb([255; 3]),
    }
}

/// The mean colour of pixels, each counted as much as it is visible.
struct Mean {
    sums: [u64; 3],
    alpha: u64,
    count: u64,
}

impl Mean {
    fn of(pixels: impl Iterator<Item = Rgba<u8>>) -> Self {
        let none = Self { sums: [0; 3], alpha: 0, count: 0 };
        pixels.fold(none, |mean, Rgba([red, green, blue, alpha])| {
            let (colour, alpha) = ([red, green, blue].map(u64::from), u64::from(alpha));
            let sums = [0, 1, 2].map(|channel| mean.sums[channel] + alpha * colour[channel]);
            Self { sums, alpha: mean.alpha + alpha, count: mean.count + 1 }
        })
    }

    fn colour(&self) -> Rgb<u8> {
        Rgb(self.sums.map(|sum| (sum / self.alpha.max(1)) as u8))
    }
}
