//! Why a request cannot be answered.

use crate::loss::LabelError;
use crate::model::{ImageError, ModelError};
use crate::picture::PictureError;
use crate::summary::SummaryError;

/// Why a request cannot be answered, or an engine not be made.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// A number that is too large.
    #[error("{what}: expected a number below {limit}, found {found}")]
    Range {
        /// What was numbered.
        what: &'static str,
        /// The first number that is too large.
        limit: usize,
        /// The number.
        found: usize,
    },
    /// Another image than the networks take.
    #[error("image: expected {expected} pixels (channels x height x width), found {found}")]
    Pixels {
        /// The number of pixels of the data's images.
        expected: usize,
        /// The number of pixels of this one.
        found: usize,
    },
    /// A change that no image can have.
    #[error("change: expected finite numbers, and a scale of more than 0, found {0}")]
    Change(String),
    /// A network that does not know all classes of the data.
    #[error("expected networks of {expected} classes or more, as the images have, found '{name}' of {found}")]
    Classes {
        /// The network.
        name: String,
        /// Classes of the images.
        expected: usize,
        /// Classes of the network.
        found: usize,
    },
    /// Training of a saved run.
    #[error("expected a network that is being trained here, found the saved run '{0}'")]
    Saved(String),
    /// A picture that cannot be prepared.
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// An image that a network does not take.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// A network that cannot be built.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A network that cannot be summarised.
    #[error(transparent)]
    Summary(#[from] SummaryError),
    /// Data with labels that the networks do not know.
    #[error(transparent)]
    Label(#[from] LabelError),
}

/// Checks that a number is below a limit.
pub(super) fn below(what: &'static str, limit: usize, found: usize) -> Result<usize, EngineError> {
    match found < limit {
        true => Ok(found),
        false => Err(EngineError::Range { what, limit, found }),
    }
}
