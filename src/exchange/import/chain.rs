//! A network that a file describes, operation by operation.

use super::file::Import;
use super::layer::Layer;
use crate::exchange::error::ExchangeError;
use crate::exchange::layout::Layout;
use crate::pooling::{Activation, ConvPool2dConfig, Pool2dConfig};

/// The operations of a file so far: stages of convolution, normalisation, activation and pooling, then linear layers.
#[derive(Debug, Default)]
pub(super) struct Chain {
    layers: Vec<Layer>,
    stages: Vec<Stage>,
    /// The activation behind each linear layer.
    linear: Vec<Option<Activation>>,
    is_flat: bool,
    /// Whether a softmax has ended the network: it changes no answer, but what follows it would be lost.
    is_ended: bool,
}

/// A stage whose parts come one by one.
#[derive(Debug)]
struct Stage {
    config: ConvPool2dConfig,
    activation: Option<Activation>,
}

impl Chain {
    /// Returns whether nothing has come yet.
    pub fn is_empty(&self) -> bool {
        self.layers.is_empty()
    }

    /// Ends the network with a softmax.
    pub fn softmax(&mut self) {
        self.is_ended = true;
    }

    /// Checks that no softmax has ended the network.
    fn check_open(&self) -> Result<(), ExchangeError> {
        match self.is_ended {
            true => Err(misplaced("a softmax", "before the last layer")),
            false => Ok(()),
        }
    }

    /// Adds a convolution; the numbers of filters and the kernel size come from its weight.
    pub fn convolution(&mut self, layer: Layer, stride: [usize; 2], padding: [usize; 2]) -> Result<(), ExchangeError> {
        self.check_open()?;
        if self.is_flat || !self.linear.is_empty() {
            return Err(misplaced("a convolution", "behind the flattening"));
        }
        let config = ConvPool2dConfig::new(1, [1, 1]).with_stride(stride).with_padding(padding);
        self.stages.push(Stage { config, activation: None });
        self.layers.push(layer);
        Ok(())
    }

    /// Adds a batch normalisation.
    pub fn normalisation(&mut self, layer: Layer) -> Result<(), ExchangeError> {
        self.check_open()?;
        match self.stages.last_mut() {
            Some(Stage { config, activation: None }) if config.pool.is_none() && !config.batch_norm => {
                config.batch_norm = true;
                self.layers.push(layer);
                Ok(())
            }
            _ => Err(misplaced("a batch normalisation", "that does not follow a convolution")),
        }
    }

    /// Adds an activation.
    pub fn activation(&mut self, activation: Activation) -> Result<(), ExchangeError> {
        self.check_open()?;
        // Behind a maximum it does the same as before, if it rises all the way.
        let rises = activation != Activation::Gelu;
        let is_maximum = |pool| matches!(pool, Pool2dConfig::Max { .. } | Pool2dConfig::GlobalMax);
        let place = match (self.linear.last_mut(), self.stages.last_mut()) {
            (Some(linear), _) => linear,
            (None, Some(stage)) if stage.config.pool.is_none_or(|pool| rises && is_maximum(pool)) => {
                &mut stage.activation
            }
            _ => return Err(misplaced("an activation", "behind an average or before the first layer")),
        };
        match place.replace(activation) {
            None => Ok(()),
            Some(_) => Err(misplaced("an activation", "behind another")),
        }
    }

    /// Adds a pooling.
    pub fn pooling(&mut self, pool: Pool2dConfig) -> Result<(), ExchangeError> {
        self.check_open()?;
        match self.stages.last_mut() {
            Some(stage) if !self.is_flat && self.linear.is_empty() && stage.config.pool.is_none() => {
                stage.config.pool = Some(pool);
                Ok(())
            }
            _ => Err(misplaced("a pooling", "that does not follow a convolution")),
        }
    }

    /// Adds the blur that makes a blurred maximum of a maximum.
    pub fn blur(&mut self) -> Result<(), ExchangeError> {
        const MAXIMUM: Pool2dConfig = Pool2dConfig::Max { kernel_size: [2, 2], stride: [1, 1] };
        match self.stages.last_mut() {
            Some(stage) if !self.is_flat && stage.config.pool == Some(MAXIMUM) => {
                stage.config.pool = Some(Pool2dConfig::BlurredMax);
                Ok(())
            }
            _ => Err(misplaced("a blur", "that does not follow a maximum of 2x2 with stride 1")),
        }
    }

    /// Notes that the maps are flattened.
    pub fn flatten(&mut self) {
        self.is_flat = true;
    }

    /// Adds a linear layer.
    pub fn linear(&mut self, layer: Layer) -> Result<(), ExchangeError> {
        self.check_open()?;
        let is_global = self.stages.last().and_then(|stage| stage.config.pool).is_some_and(|pool| pool.is_global());
        if !self.is_flat && !is_global {
            return Err(misplaced("a linear layer", "on maps that are neither flattened nor globally pooled"));
        }
        self.linear.push(None);
        self.layers.push(layer);
        Ok(())
    }

    /// Ends the network.
    pub fn finish(self, layout: Layout) -> Result<Import, ExchangeError> {
        let stage = |Stage { config, activation }| ConvPool2dConfig {
            activation: activation.unwrap_or(Activation::Identity),
            ..config
        };
        match self.linear[..] {
            [Some(Activation::Relu), None | Some(Activation::Identity)] => Ok(Import {
                layers: self.layers,
                stages: Some(self.stages.into_iter().map(stage).collect()),
                layout: Some(layout),
            }),
            _ => Err(ExchangeError::Structure {
                expected: "two linear layers, with a ReLU between them".to_owned(),
                found: match self.linear.len() {
                    2 => format!(
                        "two with {} between them and {} at the end",
                        name(self.linear[0]),
                        name(self.linear[1])
                    ),
                    count => format!("{count}"),
                },
                remedy: "import a network of convolutions, pooling and two linear layers",
            }),
        }
    }
}

fn name(activation: Option<Activation>) -> String {
    activation.map_or("no activation".to_owned(), |activation| format!("{activation:?}"))
}

fn misplaced(what: &str, place: &str) -> ExchangeError {
    ExchangeError::Structure {
        expected: "stages of convolution, batch normalisation, activation and pooling, in this order".to_owned(),
        found: format!("{what} {place}"),
        remedy: "import a network of this structure",
    }
}

/// The error that an operation has an option that these networks do not have.
pub(super) fn unsupported(operation: &str, option: impl std::fmt::Display) -> ExchangeError {
    ExchangeError::Structure {
        expected: "the operations of convolution, pooling and linear layers as these networks have them".to_owned(),
        found: format!("{operation}: {option}"),
        remedy: "import a network of this structure",
    }
}
