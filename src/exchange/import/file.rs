//! What a file holds of a network.

use super::layer::{Layer, in_natural_order, layers_of};
use crate::exchange::error::ExchangeError;
use crate::exchange::layout::Layout;
use crate::exchange::operations::EPSILON;
use crate::exchange::weights::tensors_of;
use crate::pooling::ConvPool2dConfig;

/// The layers of a file, as they stand there.
#[derive(Clone, Debug)]
pub struct Import {
    pub(super) layers: Vec<Layer>,
    /// The stages, if the file holds more than weights.
    pub(super) stages: Option<Vec<ConvPool2dConfig>>,
    /// The layout, if the format decides it.
    pub(super) layout: Option<Layout>,
}

impl Import {
    /// Reads a safetensors file, of PyTorch's, Keras' or Burn's layout.
    ///
    /// # Errors
    /// [`ExchangeError`] if it is none, or holds layers of other kinds.
    pub fn safetensors(bytes: &[u8]) -> Result<Self, ExchangeError> {
        let layers = in_natural_order(layers_of(tensors_of(bytes)?, EPSILON)?);
        Ok(Self { layers, stages: None, layout: None })
    }
}
