//! Why a network cannot be built, or does not take images.

use crate::pooling::WindowError;

/// A configuration that no network can be built from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// A kernel does not fit its input.
    #[error("{name}, stage {stage}, image {}x{}: {source}", image[0], image[1])]
    Window {
        /// The network's name.
        name: String,
        /// The stage, from 1.
        stage: usize,
        /// Height and width of the image.
        image: [usize; 2],
        /// What does not fit.
        source: WindowError,
    },
    /// A count that must be at least 1 is 0.
    #[error("expected {0} to be at least 1, found 0")]
    Zero(&'static str),
    /// No stages, or too many.
    #[error("{name}: expected 1 to {most} stages, found {found}")]
    Stages {
        /// The network's name.
        name: String,
        /// The largest number of stages.
        most: usize,
        /// The number of stages.
        found: usize,
    },
    /// A network or its maps would be absurdly large.
    #[error(
        "{name}: expected {what} of at most {most} bytes in f32, found {found}; use smaller images, a smaller padding, \
         fewer channels, filters, hidden units or classes, or global pooling",
        most = 4 * most, found = bytes(*values)
    )]
    TooLarge {
        /// The network's name.
        name: String,
        /// What is too large: the weights, an image, the maps of a stage.
        what: String,
        /// The largest number of its values.
        most: u64,
        /// The number of its values; `None` if 128 bits do not hold it.
        values: Option<u128>,
    },
}

fn bytes(values: Option<u128>) -> String {
    let bytes = values.and_then(|values| values.checked_mul(4));
    bytes.map_or("more than 2^128".to_owned(), |bytes| bytes.to_string())
}

/// Images that a network cannot take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// The number of channels differs from the first convolution's.
    #[error("expected images of {expected} channels, found {found}: train a network for these")]
    Channels {
        /// The network's number of channels.
        expected: usize,
        /// The images' number of channels.
        found: usize,
    },
    /// The size differs from the one that the linear layers were built for.
    #[error(
        "expected images of {}x{}, found {}x{}: the first linear layer has a weight for every position; use a network \
         with global pooling, or train one for this size", expected[0], expected[1], found[0], found[1]
    )]
    Size {
        /// The network's height and width.
        expected: [usize; 2],
        /// The images' height and width.
        found: [usize; 2],
    },
    /// A kernel does not fit.
    #[error(
        "expected images of at least {}x{}, found {}x{}: pad them with zeros",
        least[0], least[1], found[0], found[1]
    )]
    TooSmall {
        /// The smallest height and width.
        least: [usize; 2],
        /// The images' height and width.
        found: [usize; 2],
    },
}
