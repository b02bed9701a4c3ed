//! Any picture becomes an image as a network knows it: a drawing or a photograph, as a file's bytes, becomes pixels of the
//! network's size and channels.
//!
//! [`prepare`] takes all steps; each of them is also a function of its own:
//!
//! | step | function | source |
//! | --- | --- | --- |
//! | decoding PNG and JPEG within limits | [`decode`] | |
//! | grey values | [`grey`] | ITU-R BT.709 |
//! | bright ink on a dark background | [`is_dark_on_bright`], [`inverted`] | |
//! | background removal | [`remove_background`] | Koenker, Bassett (1978) |
//! | ink told from noise and specks | [`find_ink`] | |
//! | 20x20 pixels, centred in 28x28 by the centre of mass | [`place_digit`] | LeCun et al. (1998) |
//! | the whole picture, scaled | [`place_whole`] | |
//!
//! ```
//! use burn_pooling::picture::{PictureError, PrepareOptions, prepare};
//! use image::{GrayImage, ImageFormat, Luma};
//!
//! // Black on white: a stroke, 10 pixels wide and 60 long, at the left of a page.
//! let mut page = GrayImage::from_pixel(200, 100, Luma([255]));
//! (20..80).for_each(|y| (30..40).for_each(|x| page.put_pixel(x, y, Luma([0]))));
//! let mut png = std::io::Cursor::new(Vec::new());
//! page.write_to(&mut png, ImageFormat::Png)?;
//!
//! let prepared = prepare(png.get_ref(), &PrepareOptions::default())?; // as MNIST has its digits
//! assert_eq!((prepared.channels, prepared.size), (1, [28, 28]));
//! assert!(prepared.is_inverted);
//! let ink = prepared.ink.unwrap();
//! assert_eq!((ink.x, ink.y, ink.width, ink.height), (30, 20, 10, 60));
//! assert_eq!((prepared.pixels[14 * 28 + 14], prepared.pixels[0]), (255, 0)); // white on black, in the middle
//!
//! let error = prepare(b"GIF89a", &PrepareOptions::default()).unwrap_err();
//! assert!(matches!(error, PictureError::Format { .. }));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The pixels are bytes, 0 to 255; [`Images::tensor`](crate::mnist::Images::tensor) makes a batch of them.

mod background;
mod decode;
mod error;
mod grey;
mod ink;
mod place;
mod prepare;
mod transparency;

pub use background::{Foreground, remove_background};
pub use decode::{Limits, decode};
pub use error::PictureError;
pub use grey::{grey, inverted, is_dark_on_bright};
pub use ink::{Ink, Rectangle, find_ink};
pub use place::{place_digit, place_whole};
pub use prepare::{Invert, Placement, PrepareOptions, Prepared, prepare};
