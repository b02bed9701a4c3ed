//! Feature maps as pictures.
//!
//! ```
//! use burn_pooling::explain::Maps;
//! use burn_pooling::explain::drawing::{Colours, Sheet};
//!
//! let filters = Maps { channels: 2, size: [2, 2], values: vec![-1.0, 0.5, 0.0, 1.0, 0.2, 0.1, -0.3, 0.0] };
//! let colours = Colours::signed(&filters);
//! let picture = Sheet { maps: &filters, colours, winners: None, columns: 2, scale: 8 }.draw();
//! assert_eq!(picture.dimensions(), (2 * 16 + 3, 16 + 2)); // lines of one pixel around each
//! ```

use std::io::Cursor;

use image::{ImageError, ImageFormat, Rgb, RgbImage};

use super::maps::Maps;

/// Width of the lines around the maps of a sheet, in pixels.
const GAP: u32 = 1;
const PAPER: Rgb<u8> = Rgb([128, 128, 128]);

/// How values become colours.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Colours {
    /// From 0 (black) to this value (white), as in the images.
    Grey(f32),
    /// From the negative of this value (blue) over 0 (white) to this value (orange).
    Signed(f32),
}

const BLUE: [f32; 3] = [33.0, 102.0, 172.0];
const ORANGE: [f32; 3] = [217.0, 95.0, 2.0];

impl Colours {
    /// Black to white, for values of at least 0.
    pub fn grey(maps: &Maps) -> Self {
        Self::Grey(largest(maps))
    }

    /// Blue to orange, for values of any sign.
    pub fn signed(maps: &Maps) -> Self {
        Self::Signed(largest(maps))
    }

    fn of(self, value: f32) -> Rgb<u8> {
        match self {
            Self::Grey(most) => between([0.0; 3], [255.0; 3], value / most),
            Self::Signed(most) => between([255.0; 3], if value < 0.0 { BLUE } else { ORANGE }, value.abs() / most),
        }
    }

    /// The colour of a maximum: the same, towards orange.
    fn of_winner(self, value: f32) -> Rgb<u8> {
        let (Self::Grey(most) | Self::Signed(most)) = self;
        between([0.0; 3], [255.0, 140.0, 0.0], value / most)
    }
}

fn between(from: [f32; 3], to: [f32; 3], share: f32) -> Rgb<u8> {
    let share = share.clamp(0.0, 1.0);
    Rgb([0, 1, 2].map(|channel| (from[channel] + (to[channel] - from[channel]) * share).round() as u8))
}

fn largest(maps: &Maps) -> f32 {
    maps.values.iter().fold(f32::MIN_POSITIVE, |largest, value| largest.max(value.abs()))
}

/// Many maps in one picture.
#[derive(Clone, Copy, Debug)]
pub struct Sheet<'a> {
    /// The maps, one for each channel.
    pub maps: &'a Maps,
    /// How values become colours.
    pub colours: Colours,
    /// The places that a maximum comes from, to be drawn in orange: [`StageMaps::winners`](super::StageMaps::winners).
    pub winners: Option<&'a [usize]>,
    /// Maps side by side.
    pub columns: usize,
    /// Side of the square that stands for a value, in pixels.
    pub scale: usize,
}

impl Sheet<'_> {
    /// Draws every channel, row by row.
    pub fn draw(&self) -> RgbImage {
        let &Self { maps, scale, .. } = self;
        let [height, width] = maps.size.map(|side| (side * scale) as u32);
        let columns = self.columns.clamp(1, maps.channels.max(1));
        let rows = maps.channels.div_ceil(columns);
        let side = |count: usize, length: u32| count as u32 * (length + GAP) + GAP;
        let mut picture = RgbImage::from_pixel(side(columns, width), side(rows, height), PAPER);
        for channel in 0..maps.channels {
            let map = self.map(channel);
            let corner = [side(channel / columns, height), side(channel % columns, width)];
            for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
                let place = y as usize / scale * maps.size[1] + x as usize / scale;
                picture.put_pixel(corner[1] + x, corner[0] + y, map[place]);
            }
        }
        picture
    }

    /// The colour of each value of a channel.
    fn map(&self, channel: usize) -> Vec<Rgb<u8>> {
        let plane = self.maps.size[0] * self.maps.size[1];
        let values = &self.maps.values[channel * plane..][..plane];
        let mut colours: Vec<_> = values.iter().map(|&value| self.colours.of(value)).collect();
        let winners = self.winners.unwrap_or_default();
        let count = winners.len() / self.maps.channels.max(1);
        for &place in winners.iter().skip(channel * count).take(count).filter(|place| **place < plane) {
            colours[place] = self.colours.of_winner(values[place]);
        }
        colours
    }
}

/// Draws an image as it is, each value a square of `scale` pixels: in colour with three channels, else the first in grey.
pub fn photograph(image: &Maps, scale: usize) -> RgbImage {
    let [height, width] = image.size.map(|side| (side * scale) as u32);
    let channels: Vec<&[f32]> = image.iter().collect();
    let is_colour = channels.len() == 3;
    RgbImage::from_fn(width, height, |x, y| {
        let place = y as usize / scale * image.size[1] + x as usize / scale;
        Rgb([0, 1, 2].map(|channel| {
            let values = channels.get(if is_colour { channel } else { 0 });
            let value = values.and_then(|values| values.get(place)).copied().unwrap_or_default();
            (255.0 * value.clamp(0.0, 1.0)).round() as u8
        }))
    })
}

/// Encodes a picture as PNG.
///
/// # Errors
/// [`ImageError`] if the picture is too large for the format.
pub fn png(picture: &RgbImage) -> Result<Vec<u8>, ImageError> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png)?;
    Ok(bytes.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn maps(channels: usize, values: &[f32]) -> Maps {
        Maps { channels, size: [1, values.len() / channels], values: values.to_vec() }
    }

    #[test]
    fn the_largest_value_has_the_strongest_colour_and_none_has_none() {
        let signed = Colours::signed(&maps(1, &[-2.0, 1.0]));
        assert_eq!((signed.of(-2.0), signed.of(0.0)), (Rgb([33, 102, 172]), Rgb([255; 3])));
        let grey = Colours::grey(&maps(1, &[0.0, 4.0]));
        assert_eq!((grey.of(4.0), grey.of(2.0), grey.of(0.0)), (Rgb([255; 3]), Rgb([128; 3]), Rgb([0; 3])));
        assert_eq!(Colours::grey(&maps(1, &[0.0])).of(0.0), Rgb([0; 3]));
    }

    #[test]
    fn channels_stand_side_by_side_with_a_line_between() {
        let maps = maps(3, &[0.0, 1.0, 0.0, 1.0, 0.0, 1.0]);
        let sheet = Sheet { maps: &maps, colours: Colours::Grey(1.0), winners: None, columns: 2, scale: 3 }.draw();
        assert_eq!(sheet.dimensions(), (2 * (6 + 1) + 1, 2 * (3 + 1) + 1));
        let at = |x, y| *sheet.get_pixel(x, y);
        assert_eq!([at(1, 1), at(4, 1), at(7, 1)], [Rgb([0; 3]), Rgb([255; 3]), PAPER]);
        assert_eq!(at(12, 6), PAPER, "no fourth channel");
    }

    #[test]
    fn the_winner_of_each_channel_is_orange() {
        let maps = maps(2, &[0.5, 1.0, 1.0, 0.5]);
        let winners = Some(&[1, 0][..]);
        let sheet = Sheet { maps: &maps, colours: Colours::Grey(1.0), winners, columns: 2, scale: 1 }.draw();
        let row: Vec<_> = [1, 2, 4, 5].map(|x| sheet.get_pixel(x, 1).0).to_vec();
        assert_eq!(row, [[128; 3], [255, 140, 0], [255, 140, 0], [128; 3]]);
    }
}
