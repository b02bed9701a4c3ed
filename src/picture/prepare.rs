//! All steps, from the bytes of a file to an image for a network.

use image::{GrayImage, RgbImage, imageops};
use serde::{Deserialize, Serialize};

use super::background::remove_background;
use super::decode::{Limits, decode};
use super::error::PictureError;
use super::grey::{grey, inverted, is_dark_on_bright};
use super::ink::{Rectangle, find_ink};
use super::place::{place_digit, place_whole};

/// Ink is looked for in a picture of at most so many pixels a side: a larger one is shrunk before.
const WORKING_SIDE: u32 = 1024;
/// The largest height and width of an image.
const MOST_SIDE: usize = 4096;

/// Whether black and white are exchanged: MNIST is white on black.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Invert {
    /// Always: the picture is dark on bright.
    Yes,
    /// Never: the picture is bright on dark already.
    No,
    /// Where the picture's border is bright ([`is_dark_on_bright`]), but never in a whole picture in colour.
    #[default]
    Auto,
}

/// How a picture is placed into the image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Placement {
    /// One sign, without its background, placed as the digits of MNIST are; grey, in all channels.
    #[default]
    Digit,
    /// The whole picture, scaled, on the colour of its border; for all other data sets, such as Fashion-MNIST.
    Whole,
}

/// What a network's images are like, and how a picture becomes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrepareOptions {
    /// Channels of the images: 1 (grey) or 3 (red, green, blue).
    pub channels: usize,
    /// Height and width of the images.
    pub size: [usize; 2],
    /// How the picture is placed.
    pub placement: Placement,
    /// Whether black and white are exchanged.
    pub invert: Invert,
    /// What the picture may take at most.
    pub limits: Limits,
}

impl Default for PrepareOptions {
    /// As MNIST has its digits: grey, 28x28.
    fn default() -> Self {
        let (placement, invert) = Default::default();
        Self { channels: 1, size: [28, 28], placement, invert, limits: Limits::default() }
    }
}

impl PrepareOptions {
    /// Checks that images of these channels and this size can be made.
    ///
    /// # Errors
    /// [`PictureError::Channels`], [`PictureError::ImageSize`].
    pub fn check(&self) -> Result<(), PictureError> {
        if ![1, 3].contains(&self.channels) {
            return Err(PictureError::Channels { found: self.channels });
        }
        match self.size.iter().all(|side| (1..=MOST_SIDE).contains(side)) {
            true => Ok(()),
            false => Err(PictureError::ImageSize { most: MOST_SIDE, found: self.size }),
        }
    }
}

/// An image for a network, and what was decided on the way to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepared {
    /// The pixels, `[channel, row, column]`, 0 to 255.
    pub pixels: Vec<u8>,
    /// Number of channels.
    pub channels: usize,
    /// Height and width.
    pub size: [usize; 2],
    /// Whether black and white were exchanged.
    pub is_inverted: bool,
    /// Where the ink is, in pixels of the upright picture; `None` if the whole picture was placed.
    pub ink: Option<Rectangle>,
    /// Height and width of the upright picture.
    pub picture_size: [usize; 2],
}

/// Prepares a PNG or JPEG file for a network.
///
/// A picture without ink has no place for a digit: it is an error, and no black image, which a network would classify.
///
/// # Errors
/// [`PictureError`] if the file is no such picture ([`decode`]), has no ink where a digit is to be placed, or images of
/// these channels or this size cannot be made.
pub fn prepare(bytes: &[u8], options: &PrepareOptions) -> Result<Prepared, PictureError> {
    options.check()?;
    let &PrepareOptions { channels, size, placement, limits, .. } = options;
    let picture = decode(bytes, &limits)?;
    let (pixels, is_inverted, ink) = match placement {
        Placement::Digit => digit(&picture, options)?,
        Placement::Whole => whole(&picture, options),
    };
    let picture_size = [picture.height(), picture.width()].map(|side| side as usize);
    Ok(Prepared { pixels, channels, size, is_inverted, ink, picture_size })
}

type Placed = (Vec<u8>, bool, Option<Rectangle>);

fn digit(picture: &RgbImage, options: &PrepareOptions) -> Result<Placed, PictureError> {
    let working = shrunk(picture, options.size);
    let (picture_of_ink, is_inverted) = sign(grey(&working), options.invert);
    let ink = find_ink(&remove_background(&picture_of_ink)).ok_or(PictureError::NoInk)?;
    let pixels = place_digit(&ink, options.size).into_raw().repeat(options.channels);
    Ok((pixels, is_inverted, Some(enlarged(ink.bounds, &working, picture))))
}

fn whole(picture: &RgbImage, options: &PrepareOptions) -> Placed {
    let mut image = place_whole(picture, options.size);
    if options.channels == 1 {
        let (image, is_inverted) = sign(grey(&image), options.invert);
        return (image.into_raw(), is_inverted, None);
    }
    let is_inverted = options.invert == Invert::Yes;
    if is_inverted {
        imageops::invert(&mut image);
    }
    let planes = (0..options.channels).flat_map(|channel| image.pixels().map(move |pixel| pixel[channel]));
    (planes.collect(), is_inverted, None)
}

/// Returns the picture with bright ink on a dark background, and whether that took an inversion.
fn sign(picture: GrayImage, invert: Invert) -> (GrayImage, bool) {
    let is_inverted = match invert {
        Invert::Yes => true,
        Invert::No => false,
        Invert::Auto => is_dark_on_bright(&picture),
    };
    (if is_inverted { inverted(&picture) } else { picture }, is_inverted)
}

/// Returns a picture that is small enough to look for ink in it, and still larger than the image.
fn shrunk(picture: &RgbImage, size: [usize; 2]) -> RgbImage {
    let most = f64::from(WORKING_SIDE).max(2.0 * size[0].max(size[1]) as f64);
    let scale = most / f64::from(picture.width().max(picture.height()));
    let side = |length: u32| ((f64::from(length) * scale).round() as u32).max(1);
    match scale < 1.0 {
        true => imageops::thumbnail(picture, side(picture.width()), side(picture.height())),
        false => picture.clone(),
    }
}

/// Returns a part of the shrunk picture in pixels of the picture itself.
fn enlarged(part: Rectangle, shrunk: &RgbImage, picture: &RgbImage) -> Rectangle {
    let enlarge = |start: u32, length: u32, shrunk: u32, whole: u32| {
        let scaled = |index: u32| u64::from(index) * u64::from(whole) / u64::from(shrunk.max(1));
        let (from, to) = (scaled(start) as u32, scaled(start + length) as u32);
        (from, (to - from).max(1))
    };
    let (x, width) = enlarge(part.x, part.width, shrunk.width(), picture.width());
    let (y, height) = enlarge(part.y, part.height, shrunk.height(), picture.height());
    Rectangle { x, y, width, height }
}
