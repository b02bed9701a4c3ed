//! The network: stages of convolution and pooling, then two linear layers.

use burn::module::Module;
use burn::nn::{Initializer, Linear, LinearConfig};
use burn::tensor::activation::{relu, softmax};
use burn::tensor::{Device, Tensor};

use super::config::PoolingCnnConfig;
use super::error::{ConfigError, ImageError};
use crate::pooling::ConvPool2d;

/// One to four stages of convolution, activation and pooling, then two linear layers; created by
/// [`PoolingCnnConfig::init`], or trained, by [`load_run`](crate::run::load_run).
#[derive(Module, Debug)]
pub struct PoolingCnn {
    /// The first stage.
    pub stage1: ConvPool2d,
    /// The second stage; `gmp` and `gap` have none.
    pub stage2: Option<ConvPool2d>,
    /// The third stage, if any.
    pub stage3: Option<ConvPool2d>,
    /// The fourth stage, if any.
    pub stage4: Option<ConvPool2d>,
    /// The hidden layer, which a ReLU follows: weight `[features, hidden units]`.
    pub hidden: Linear,
    /// The layer that returns the logits: weight `[hidden units, classes]`.
    pub output: Linear,
    #[module(skip)]
    config: PoolingCnnConfig,
}

impl PoolingCnnConfig {
    /// Creates the network: weights Glorot-uniform, biases zero.
    ///
    /// # Errors
    /// Those of [`features`](Self::features).
    pub fn init(&self, device: &Device) -> Result<PoolingCnn, ConfigError> {
        let features = self.features()?;
        let channels = std::iter::once(self.channels).chain(self.stages.iter().map(|stage| stage.filters));
        let mut stages = self.stages.iter().zip(channels).map(|(stage, channels)| stage.init(channels, device));
        Ok(PoolingCnn {
            stage1: stages.next().ok_or(ConfigError::Stages(0))?,
            stage2: stages.next(),
            stage3: stages.next(),
            stage4: stages.next(),
            hidden: linear(features, self.hidden_units, device),
            output: linear(self.hidden_units, self.classes, device),
            config: self.clone(),
        })
    }
}

impl PoolingCnn {
    /// Returns the logits: the larger, the likelier the class.
    ///
    /// # Shapes
    /// - images: `[batch, channels, height, width]`, grey values 0 to 1
    /// - output: `[batch, classes]`
    ///
    /// # Panics
    /// If the network does not take the images; [`check_images`](Self::check_images) tells beforehand.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        self.check_images(images.dims()).unwrap_or_else(|error| panic!("{error}"));
        let more = [&self.stage2, &self.stage3, &self.stage4].into_iter().flatten();
        let maps = more.fold(self.stage1.forward(images), |maps, stage| stage.forward(maps));
        let features = maps.flatten(1, 3); // [batch, features]
        self.output.forward(relu(self.hidden.forward(features)))
    }

    /// Returns the probability of each class, the softmax of the logits; shapes and panics are those of
    /// [`forward`](Self::forward).
    pub fn probabilities(&self, images: Tensor<4>) -> Tensor<2> {
        softmax(self.forward(images), 1)
    }

    /// Checks that [`forward`](Self::forward) takes images of these dimensions: `[batch, channels, height, width]`.
    ///
    /// # Errors
    /// [`ImageError`] if it does not.
    pub fn check_images(&self, [_, channels, height, width]: [usize; 4]) -> Result<(), ImageError> {
        let (config, found) = (&self.config, [height, width]);
        if channels != config.channels {
            return Err(ImageError::Channels { expected: config.channels, found: channels });
        }
        if !config.is_global() && found != config.image_size {
            return Err(ImageError::Size { expected: config.image_size, found });
        }
        PoolingCnnConfig { image_size: found, ..config.clone() }.features()?;
        Ok(())
    }
}

/// A linear layer: weights Glorot-uniform, biases zero.
fn linear(inputs: usize, outputs: usize, device: &Device) -> Linear {
    let glorot = Initializer::XavierUniform { gain: 1.0 };
    let mut linear = LinearConfig::new(inputs, outputs).with_initializer(glorot).init(device);
    linear.bias = Some(Initializer::Zeros.init([outputs], device));
    linear
}
