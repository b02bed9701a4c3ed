//! A network out of the file of another framework.

mod assemble;
mod chain;
mod keras;
mod layer;
mod onnx;
mod pytorch;
mod stages;

use std::path::Path;

use burn::tensor::backend::Backend;

use super::error::ExchangeError;
use super::layout::{Layout, Weight};
use super::operations::{Operation, operations};
use super::weights::{Weights, tensors_of};
use crate::model::{PoolingCnn, PoolingCnnConfig, Variant};
use crate::pooling::ConvPool2dConfig;
use assemble::{assemble, roles};
use layer::{Layer, layers_of};

/// The layers of a file, as they stand there.
#[derive(Clone, Debug)]
pub struct Import {
    layers: Vec<Layer>,
    /// The stages, if the file holds more than weights.
    stages: Option<Vec<ConvPool2dConfig>>,
    /// The layout, if the format decides it.
    layout: Option<Layout>,
}

/// What a file's network is to be.
#[derive(Clone, Debug, PartialEq)]
pub struct Structure {
    /// The network without its sizes: how it pools, how many channels and pixels its images have, and its classes.
    pub network: PoolingCnnConfig,
    /// The layout of the weights, where the file leaves it open.
    pub layout: Option<Layout>,
    /// The padding of each convolution, or one for all; empty: what the file says, or else what its shapes allow (none, or
    /// as much as keeps the size).
    pub padding: Vec<[usize; 2]>,
}

impl Structure {
    /// Returns the structure of a variant for MNIST.
    pub fn new(variant: Variant) -> Self {
        Self { network: PoolingCnnConfig::new(variant), layout: None, padding: Vec::new() }
    }
}

/// A weight of the network and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// Its name in the file; `None` for a bias that is not there and becomes zero.
    pub from: Option<String>,
    /// Its shape in the file.
    pub shape: Vec<usize>,
    /// Its path in the module.
    pub to: String,
    /// Its shape in the module.
    pub shape_in_module: Vec<usize>,
}

/// A file's network, in the structure that was asked for.
#[derive(Clone, Debug)]
pub struct Imported {
    config: PoolingCnnConfig,
    layout: Layout,
    matches: Vec<Match>,
    weights: Weights,
}

impl Import {
    /// Reads the file at `path`, whose content is `bytes`, in the format that its content tells: PyTorch's, Keras',
    /// safetensors or ONNX.
    ///
    /// # Errors
    /// [`ExchangeError`] if it is in none of these formats, or holds another network.
    pub fn read(path: &Path, bytes: &[u8]) -> Result<Self, ExchangeError> {
        let is_archive_of_keras = || keras::is_archive(bytes);
        let is_json = bytes.get(8) == Some(&b'{');
        match bytes {
            [b'P', b'K', ..] if is_archive_of_keras() => Self::keras(bytes),
            [0x89, b'H', b'D', b'F', ..] => Self::keras_weights(bytes),
            _ if is_json => Self::safetensors(bytes),
            _ if path.extension().is_some_and(|extension| extension == "onnx") => Self::onnx(bytes),
            _ => Self::pytorch(path),
        }
    }

    /// Reads a safetensors file, of PyTorch's, Keras' or Burn's layout.
    ///
    /// # Errors
    /// [`ExchangeError`] if it is none, or holds layers of other kinds.
    pub fn safetensors(bytes: &[u8]) -> Result<Self, ExchangeError> {
        let layers = layers_of(tensors_of(bytes)?, super::operations::EPSILON)?;
        Ok(Self { layers, stages: None, layout: None })
    }

    /// Fits the layers to a structure: by their shapes, and by their order where shapes are equal.
    ///
    /// # Errors
    /// [`ExchangeError::Structure`] if the file holds another network; [`ExchangeError::Layout`] or
    /// [`ExchangeError::Padding`] if its shapes allow several.
    pub fn fit(&self, structure: &Structure) -> Result<Imported, ExchangeError> {
        let layouts: Vec<Layout> = match self.layout.or(structure.layout) {
            Some(layout) => vec![layout],
            None => [Layout::PyTorch, Layout::Burn, Layout::Keras].into(),
        };
        let (mut found, mut errors, mut misfits) = (Vec::new(), Vec::new(), Vec::new());
        for layout in layouts {
            match roles(&self.layers, &structure.network, layout) {
                Ok(roles) => match assemble(&roles, self.stages.as_deref(), structure, layout) {
                    Ok(imported) => found.push(imported),
                    Err(error) => errors.push(error),
                },
                Err(misfit) => misfits.push(misfit),
            }
        }
        // Of several errors, one of a layout in which the layers at least follow each other.
        match (found.len(), errors.into_iter().chain(misfits).next()) {
            (0, Some(error)) => Err(error),
            (1, _) => Ok(found.remove(0)),
            _ => Err(ExchangeError::Layout(found.iter().map(|imported| imported.layout).collect())),
        }
    }
}

impl Imported {
    /// Returns the configuration of the network, with the sizes that the file's weights have.
    pub fn config(&self) -> &PoolingCnnConfig {
        &self.config
    }

    /// Returns the layout of the file's weights.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Returns where each weight comes from, in the network's order.
    pub fn matches(&self) -> &[Match] {
        &self.matches
    }

    /// Returns the network with the imported weights.
    ///
    /// # Errors
    /// [`ExchangeError::Weights`] if a weight is infinite or not a number.
    pub fn network<B: Backend>(&self, device: &B::Device) -> Result<PoolingCnn<B>, ExchangeError> {
        let weights: Vec<Weight> = operations(&self.config)?.iter().flat_map(Operation::weights).collect();
        self.weights.put_into(self.config.init(device)?, &weights)
    }

    /// Makes a network that was trained on normalised images take pixels from 0 to 1: `(pixel - mean) / deviation`, with
    /// one mean and deviation for each channel or one for all, becomes part of the first convolution.
    ///
    /// # Errors
    /// [`ExchangeError::Structure`] if the first convolution pads, as its zeros would have to become `mean`; or if these
    /// are not numbers for the image's channels.
    pub fn with_normalisation(mut self, mean: &[f32], deviation: &[f32]) -> Result<Self, ExchangeError> {
        let (first, channels) = (self.config.stages[0], self.config.channels);
        let of_channel = |values: &[f32], channel: usize| *values.get(channel).unwrap_or(&values[0]);
        let fits =
            |values: &[f32]| [1, channels].contains(&values.len()) && values.iter().all(|value| value.is_finite());
        if !fits(mean) || !fits(deviation) || deviation.contains(&0.0) {
            return Err(ExchangeError::Structure {
                expected: format!(
                    "a mean and a deviation that is not 0 for each of {channels} channel(s), or one for all"
                ),
                found: format!("{mean:?} and {deviation:?}"),
                remedy: "give those that the network was trained with",
            });
        }
        if first.padding != [0, 0] {
            return Err(ExchangeError::Structure {
                expected: "a first convolution without padding, which normalisation can become part of".to_owned(),
                found: format!("a padding of {:?}", first.padding),
                remedy: "train the network on pixels from 0 to 1",
            });
        }
        let area = first.kernel_size[0] * first.kernel_size[1];
        let mut shifts = vec![0.0_f64; first.filters];
        if let Some(weight) = self.weights.0.get_mut("stage1.conv.weight") {
            for (index, value) in weight.iter_mut().enumerate() {
                let (filter, channel) = (index / (channels * area), index / area % channels);
                *value /= of_channel(deviation, channel);
                shifts[filter] += f64::from(*value) * f64::from(of_channel(mean, channel));
            }
        }
        if let Some(bias) = self.weights.0.get_mut("stage1.conv.bias") {
            bias.iter_mut().zip(shifts).for_each(|(bias, shift)| *bias = (f64::from(*bias) - shift) as f32);
        }
        Ok(self)
    }
}
