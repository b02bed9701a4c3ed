//! Pictures within a page.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use burn_pooling::explain::drawing::png;
use image::RgbImage;

/// Returns an address that holds the picture itself, as PNG.
pub fn data_uri(picture: &RgbImage) -> anyhow::Result<String> {
    Ok(format!("data:image/png;base64,{}", BASE64_STANDARD.encode(png(picture)?)))
}
