//! What a network costs, counted by the library's summary.

use anyhow::Context;
use burn::module::Module;
use burn::nn::Linear;
use burn::nn::conv::Conv2d;
use burn::tensor::backend::Backend;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Tensor, activation::relu, module::conv2d};
use burn_pooling::summary::{Summary, TraceGrad};
use serde::{Deserialize, Serialize};

use super::config::{Downsampling, NetworkConfig, NetworkError};
use super::module::{Network, binomial};

/// What one image costs a network; parameters cost once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Costs {
    /// Number of parameters.
    pub parameters: usize,
    /// Multiply-adds of a forward pass over one image.
    pub multiply_adds: u64,
    /// Multiply-adds of a forward and a backward pass over one image.
    pub training_multiply_adds: u64,
    /// Bytes of all layers' results for one image.
    pub activation_bytes: usize,
    /// The most that input and results take at one moment of inference, in bytes for one image.
    pub peak_activation_bytes: usize,
    /// What the forward pass keeps for the backward pass, in bytes for one image.
    pub kept_bytes: usize,
}

impl NetworkConfig {
    /// Counts what the network costs if it is composed of layer after layer, as most frameworks run it.
    ///
    /// # Errors
    /// If the network cannot be built or summarised.
    pub fn costs(&self) -> anyhow::Result<Costs> {
        let [height, width] = self.image_size;
        let summary = Summary::try_of(
            |device| {
                let network = self.init::<TraceGrad>(0, device)?;
                Ok::<_, NetworkError>(Composed::new(network, &self.stages))
            },
            [1, 1, height, width],
            |network, images| network.forward(images),
        )?;
        let totals = summary.totals;
        let training = (totals.training).context("the backward pass cannot be summarised")?;
        Ok(Costs {
            parameters: totals.parameters.total(),
            multiply_adds: totals.forward_multiply_adds,
            training_multiply_adds: training.multiply_adds,
            activation_bytes: totals.activation_bytes,
            peak_activation_bytes: totals.peak_activation_bytes,
            kept_bytes: training.kept_bytes,
        })
    }
}

/// The same network with strides in its convolutions and no pooling where there is none: [`Network`] expresses both
/// by a pool window of 1, which a summary would count as a layer.
#[derive(Module, Debug)]
struct Composed<B: Backend> {
    convolutions: Vec<Conv2d<B>>,
    hidden: Linear<B>,
    output: Linear<B>,
    #[module(skip)]
    stages: Vec<Downsampling>,
}

impl<B: Backend> Composed<B> {
    fn new(network: Network<B>, stages: &[Downsampling]) -> Self {
        let cnn = network.cnn;
        let blocks = [Some(cnn.stage1), cnn.stage2];
        let strided = |(block, stage): (burn_pooling::pooling::ConvPool2d<B>, &Downsampling)| {
            let mut convolution = block.conv;
            if let Downsampling::Stride(stride) = *stage {
                convolution.stride = [stride; 2];
            }
            convolution
        };
        Self {
            convolutions: blocks.into_iter().flatten().zip(stages).map(strided).collect(),
            hidden: cnn.hidden,
            output: cnn.output,
            stages: stages.to_vec(),
        }
    }

    fn forward(&self, images: Tensor<B, 4>) -> Tensor<B, 2> {
        let mut maps = images;
        for (convolution, stage) in self.convolutions.iter().zip(&self.stages) {
            maps = relu(convolution.forward(maps));
            maps = match stage {
                Downsampling::None | Downsampling::Stride(_) => maps,
                Downsampling::Pool(pool) => pool.init().forward(maps),
                Downsampling::BlurredMax => {
                    blur(Downsampling::BlurredMax.pool().init().forward(maps))
                }
            };
        }
        let hidden = relu(self.hidden.forward(maps.flatten(1, 3)));
        self.output.forward(hidden)
    }
}

/// The blur as one convolution that keeps the channels apart.
fn blur<B: Backend>(maps: Tensor<B, 4>) -> Tensor<B, 4> {
    let channels = maps.dims()[1];
    let kernel = binomial(&maps.device()).repeat_dim(0, channels); // [channels, 1, 3, 3]
    conv2d(maps, kernel, None, ConvOptions::new([2, 2], [1, 1], [1, 1], channels))
}
