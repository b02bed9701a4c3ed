//! Why a picture cannot be prepared.

/// Why a picture cannot be prepared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    /// More bytes than allowed.
    #[error("expected a file of at most {most} bytes, found more; save the picture smaller")]
    TooLong {
        /// The most bytes.
        most: usize,
    },
    /// Neither PNG nor JPEG.
    #[error("expected a PNG or JPEG picture, found {found}; save it as PNG or JPEG")]
    Format {
        /// What it is.
        found: String,
    },
    /// Larger than allowed; nothing was decoded.
    #[error(
        "expected a picture of at most {most_side} pixels a side and {most_pixels} altogether, found {width}x{height} \
         (width x height); scale it down"
    )]
    TooLarge {
        /// The largest width and height.
        most_side: u32,
        /// The largest number of pixels.
        most_pixels: u64,
        /// The picture's width.
        width: u32,
        /// The picture's height.
        height: u32,
    },
    /// The decoder fails.
    #[error("expected a whole {format} picture, found a damaged or unsupported one ({reason}); save it again")]
    Damaged {
        /// `PNG` or `JPEG`.
        format: &'static str,
        /// The decoder's error.
        reason: String,
    },
    /// Nothing on it stands out from the background.
    #[error(
        "expected ink on an even background, found none; use a picture of higher contrast, or exchange black and white"
    )]
    NoInk,
    /// A network for images of neither one nor three channels.
    #[error("expected a network for images of 1 channel (grey) or 3 (red, green, blue), found {found} channels")]
    Channels {
        /// The network's number of channels.
        found: usize,
    },
    /// Images without pixels, or absurdly large.
    #[error("expected images of 1x1 to {most}x{most}, found {}x{}; use a network for such a size", found[0], found[1])]
    ImageSize {
        /// The largest height and width.
        most: usize,
        /// The height and width asked for.
        found: [usize; 2],
    },
}
