//! What a network is to be that is imported, and what it is.

use burn::tensor::backend::Backend;

use crate::exchange::error::ExchangeError;
use crate::exchange::layout::{Layout, Weight};
use crate::exchange::operations::{Operation, operations};
use crate::exchange::weights::Weights;
use crate::model::{PoolingCnn, PoolingCnnConfig, Variant};

/// What a file's network is to be.
#[derive(Clone, Debug, PartialEq)]
pub struct Structure {
    /// The network without its sizes: how it pools, how many channels and pixels its images have, and its classes.
    pub network: PoolingCnnConfig,
    /// The layout of the weights, where the file leaves it open.
    pub layout: Option<Layout>,
    /// The padding of each convolution, or one for all; empty: what the file says, or else the network's own, or else the
    /// only one that its shapes allow.
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
    pub(super) config: PoolingCnnConfig,
    pub(super) layout: Layout,
    pub(super) is_described: bool,
    pub(super) matches: Vec<Match>,
    pub(super) weights: Weights,
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

    /// Returns whether the file describes the network; a file of weights alone leaves strides, activations and pooling to the
    /// structure that was asked for.
    pub fn is_described(&self) -> bool {
        self.is_described
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
}
