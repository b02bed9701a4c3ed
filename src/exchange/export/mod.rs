//! A network in the files of other frameworks.

mod keras;
mod onnx;
mod pytorch;

use burn::tensor::backend::Backend;

use super::about::About;
use super::error::ExchangeError;
use super::layout::{Layout, Weight};
use super::operations::{Operation, operations};
use super::weights::{Weights, safetensors};
use crate::model::{PoolingCnn, PoolingCnnConfig};

/// A trained network, to be written in the format of another framework.
#[derive(Clone, Debug)]
pub struct Export {
    config: PoolingCnnConfig,
    operations: Vec<Operation>,
    weights: Weights,
    about: About,
}

impl Export {
    /// Takes a network with the configuration that it was created from.
    ///
    /// # Errors
    /// [`ExchangeError`] if the configuration is of another network.
    pub fn of<B: Backend>(config: &PoolingCnnConfig, model: &PoolingCnn<B>) -> Result<Self, ExchangeError> {
        let (operations, weights) = (operations(config)?, Weights::of(model)?);
        let export = Self { config: config.clone(), operations, weights, about: About::default() };
        for weight in export.all_weights() {
            export.weights.get(&weight, Layout::Burn)?;
        }
        Ok(export)
    }

    /// Adds what the files are to say about the network.
    pub fn with_about(self, about: About) -> Self {
        Self { about, ..self }
    }

    /// Returns the weights alone, as a safetensors file in the layout of a framework.
    ///
    /// With [`Layout::PyTorch`] it is a state dict of [`pytorch_module`](Self::pytorch_module)'s network.
    ///
    /// # Errors
    /// [`ExchangeError::Unwritable`], which only tensors too large for the format cause.
    pub fn safetensors(&self, layout: Layout) -> Result<Vec<u8>, ExchangeError> {
        let name = |weight: &Weight| match layout {
            Layout::PyTorch => pytorch::name(&weight.name),
            Layout::Burn | Layout::Keras => weight.name.clone(),
        };
        let tensor = |weight: &Weight| Ok((name(weight), weight.shape(layout), self.weights.get(weight, layout)?));
        let tensors = self.all_weights().iter().map(tensor).collect::<Result<_, ExchangeError>>()?;
        let counters = match layout {
            Layout::PyTorch => pytorch::counters(&self.operations),
            Layout::Burn | Layout::Keras => Vec::new(),
        };
        let metadata = self.about.metadata(&self.config).json();
        safetensors(tensors, &counters, Some((env!("CARGO_PKG_NAME"), metadata)))
    }

    fn all_weights(&self) -> Vec<Weight> {
        self.operations.iter().flat_map(Operation::weights).collect()
    }
}
