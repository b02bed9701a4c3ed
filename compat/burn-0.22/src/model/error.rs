//! Why there is no network of a configuration, or why it does not take images.

use super::limits::{MAX_NUMBER, MAX_STAGES};
use crate::pooling::WindowError;

/// A configuration that no network can be built from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// No stages, or too many.
    #[error("expected 1 to {MAX_STAGES} stages, found {0}; train a network of as many")]
    Stages(usize),
    /// A number is 0, or absurdly large.
    #[error("expected {what} from {least} to {MAX_NUMBER}, found {found}; restore the file from a copy")]
    Number {
        /// What is counted or measured.
        what: &'static str,
        /// The smallest number.
        least: usize,
        /// The number as given.
        found: usize,
    },
    /// A kernel does not fit its input.
    #[error("stage {stage}: {source}")]
    Window {
        /// The stage, from 1.
        stage: usize,
        /// What does not fit.
        source: WindowError,
    },
}

/// Images that a network cannot take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// The number of channels differs from the first convolution's.
    #[error("expected images of {expected} channels, found {found}; train a network for these")]
    Channels {
        /// The network's number of channels.
        expected: usize,
        /// The images' number of channels.
        found: usize,
    },
    /// The size differs from the one that the linear layers were built for.
    #[error(
        "expected images of {}x{}, found {}x{}; use a network with global pooling, or train one for this size",
        expected[0], expected[1], found[0], found[1]
    )]
    Size {
        /// The network's height and width.
        expected: [usize; 2],
        /// The images' height and width.
        found: [usize; 2],
    },
    /// A kernel does not fit, or the images are absurdly large.
    #[error(transparent)]
    Config(#[from] ConfigError),
}
