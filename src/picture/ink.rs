//! Ink, told from noise.
//!
//! The constants were chosen so that disturbed digits keep their accuracy (`tests/picture.rs`), and blank paper has no ink.

use image::{GrayImage, Luma};
use serde::{Deserialize, Serialize};

use super::background::Foreground;

/// Standard deviations of the noise that ink is above the background, which is a low quantile of it.
const NOISE: f64 = 4.0;
/// The share of the brightest ink that other ink has at least: less is an artefact beside it.
const FAINTEST: f64 = 0.1;
/// Grey values that ink differs from its background at least.
const CONTRAST: u8 = 16;
/// The share of the largest stroke that another has at least: less is a speck.
const SPECK: f64 = 0.05;
/// The largest number of strokes: blurred noise has many blots of about one size.
const MOST_STROKES: usize = 24;
/// How much clearer than chance ink is: its mean over the noise, times the root of its number of pixels.
const SIGNIFICANCE: f64 = 12.0;

/// A part of a picture, in pixels from its top left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rectangle {
    /// First column.
    pub x: u32,
    /// First row.
    pub y: u32,
    /// Number of columns.
    pub width: u32,
    /// Number of rows.
    pub height: u32,
}

/// The ink of a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ink {
    /// The picture, with 0 where there is no ink.
    pub picture: GrayImage,
    /// The smallest rectangle with all ink in it.
    pub bounds: Rectangle,
}

/// Finds the ink of a picture without background; `None` if nothing is clearer than noise.
///
/// Ink is what exceeds the noise by four standard deviations, and a tenth of the brightest pixel; of the connected
/// components of that, those count that have at least a twentieth of the largest one's ink. Strokes that are darker than
/// their surroundings are not looked for: such a picture is inverted first.
pub fn find_ink(Foreground { picture, noise }: &Foreground) -> Option<Ink> {
    let peak = picture.iter().copied().max().filter(|&peak| peak >= CONTRAST)?;
    let strokes = strokes(picture, (NOISE * noise).max(FAINTEST * f64::from(peak)));
    let mass = |stroke: &[(u32, u32)]| stroke.iter().map(|&(x, y)| f64::from(picture.get_pixel(x, y)[0])).sum::<f64>();
    let largest = strokes.iter().max_by(|left, right| mass(left).total_cmp(&mass(right)))?;
    let mass_of_largest = mass(largest);
    if mass_of_largest / (largest.len() as f64).sqrt() < SIGNIFICANCE * noise {
        return None;
    }
    let strokes: Vec<_> = strokes.iter().filter(|stroke| mass(stroke) >= SPECK * mass_of_largest).collect();
    let places = strokes.iter().copied().flatten();
    let bounds = bounds(places.clone()).filter(|_| strokes.len() <= MOST_STROKES)?;
    let mut ink = GrayImage::new(picture.width(), picture.height());
    places.for_each(|&(x, y)| ink.put_pixel(x, y, *picture.get_pixel(x, y)));
    Some(Ink { picture: ink, bounds })
}

/// Returns the connected components, diagonals included, of the pixels above `faintest`.
fn strokes(picture: &GrayImage, faintest: f64) -> Vec<Vec<(u32, u32)>> {
    let is_ink = |x, y| f64::from(picture.get_pixel(x, y)[0]) > faintest;
    let mut unseen = GrayImage::from_fn(picture.width(), picture.height(), |x, y| Luma([u8::from(is_ink(x, y))]));
    let mut strokes = Vec::new();
    for y in 0..picture.height() {
        for x in 0..picture.width() {
            let mut stroke = Vec::new();
            take(&mut unseen, (x, y), &mut stroke);
            let mut next = 0;
            while let Some(&(x, y)) = stroke.get(next) {
                let columns = x.saturating_sub(1)..=x + 1;
                let around = columns.flat_map(|x| (y.saturating_sub(1)..=y + 1).map(move |y| (x, y)));
                around.for_each(|place| take(&mut unseen, place, &mut stroke));
                next += 1;
            }
            if !stroke.is_empty() {
                strokes.push(stroke);
            }
        }
    }
    strokes
}

/// Moves a pixel that is still there into the stroke.
fn take(unseen: &mut GrayImage, (x, y): (u32, u32), stroke: &mut Vec<(u32, u32)>) {
    if let Some(pixel) = unseen.get_pixel_mut_checked(x, y).filter(|pixel| pixel[0] == 1) {
        pixel[0] = 0;
        stroke.push((x, y));
    }
}

fn bounds<'a>(places: impl Iterator<Item = &'a (u32, u32)> + Clone) -> Option<Rectangle> {
    let x = places.clone().map(|place| place.0);
    let y = places.map(|place| place.1);
    let (left, right) = x.clone().min().zip(x.max())?;
    let (top, bottom) = y.clone().min().zip(y.max())?;
    Some(Rectangle { x: left, y: top, width: right - left + 1, height: bottom - top + 1 })
}
