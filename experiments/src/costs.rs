//! What a network costs, counted by the library's summary.

use anyhow::Context;
use burn_pooling::model::PoolingCnnConfig;
use burn_pooling::summary::{Summary, TraceGrad};
use serde::{Deserialize, Serialize};

/// What one image costs a network; parameters cost once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Costs {
    /// Number of parameters.
    pub parameters: usize,
    /// Multiply-adds of a forward pass over one image.
    pub multiply_adds: u64,
    /// Multiply-adds of a forward and a backward pass over one image.
    pub training_multiply_adds: u64,
    /// Bytes of all layers' outputs for one image.
    pub activation_bytes: usize,
    /// Peak activation memory of inference, in bytes for one image.
    pub peak_activation_bytes: usize,
    /// What the forward pass keeps for the backward pass, in bytes for one image.
    pub kept_bytes: usize,
}

impl Costs {
    /// Counts what a network costs if it is composed of layer after layer, as most frameworks run it.
    ///
    /// # Errors
    /// If the network cannot be built or summarised.
    pub fn of(network: &PoolingCnnConfig) -> anyhow::Result<Self> {
        let [height, width] = network.image_size;
        let summary = Summary::try_of(
            |device| network.init::<TraceGrad>(device),
            [1, network.channels, height, width],
            |network, images| network.forward(images),
        )?;
        let totals = summary.totals;
        let training = (totals.training).context("the backward pass cannot be summarised")?;
        Ok(Self {
            parameters: totals.parameters.total(),
            multiply_adds: totals.forward_multiply_adds,
            training_multiply_adds: training.multiply_adds,
            activation_bytes: totals.activation_bytes,
            peak_activation_bytes: totals.peak_activation_bytes,
            kept_bytes: training.kept_bytes,
        })
    }
}
