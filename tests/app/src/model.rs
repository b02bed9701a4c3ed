//! The app's own network: two blocks, a dense layer, and a head over the classes.

use burn::config::Config;
use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::{relu, softmax};
use burn::tensor::{Tensor, backend::Backend};
use burn_pooling::loss::{Loss, targets};
use burn_pooling::model::Classifier;
use burn_pooling::pooling::{ConvPool2d, ConvPool2dConfig, WindowError};

/// The sizes of the network; saved with a run.
#[derive(Config, Debug, PartialEq)]
pub struct TextureNetConfig {
    /// Channels of the images.
    #[config(default = 3)]
    pub channels: usize,
    /// Height and width of the images.
    #[config(default = 12)]
    pub side: usize,
    /// Number of classes.
    pub classes: usize,
}

/// A network for textures in colour.
#[derive(Module, Debug)]
pub struct TextureNet<B: Backend> {
    first: ConvPool2d<B>,
    second: ConvPool2d<B>,
    dense: Linear<B>,
    head: Linear<B>,
}

impl TextureNetConfig {
    /// Creates the network.
    ///
    /// # Errors
    /// [`WindowError`] if the images are too small.
    pub fn init<B: Backend>(&self, device: &B::Device) -> Result<TextureNet<B>, WindowError> {
        let first = ConvPool2dConfig::new(8, [3, 3]).max_pool(2);
        let second = ConvPool2dConfig::new(12, [3, 3]).with_batch_norm(true).average_pool(3);
        let [height, width] = second.output_size(first.output_size([self.side; 2])?)?;
        Ok(TextureNet {
            first: first.init(self.channels, device),
            second: second.init(first.filters, device),
            dense: LinearConfig::new(second.filters * height * width, 16).init(device),
            head: LinearConfig::new(16, self.classes).init(device),
        })
    }
}

impl<B: Backend> TextureNet<B> {
    /// Computes logits, `[batch, classes]`, of images, `[batch, channels, height, width]`.
    pub fn forward(&self, images: Tensor<B, 4>) -> Tensor<B, 2> {
        let maps = self.second.forward(self.first.forward(images));
        self.head.forward(relu(self.dense.forward(maps.flatten(1, 3))))
    }
}

impl<B: Backend> Classifier<B> for TextureNet<B> {
    type Input = Tensor<B, 4>;

    fn logits(&self, images: Tensor<B, 4>) -> Tensor<B, 2> {
        self.forward(images)
    }
}

/// The Brier score: the squared distance between probabilities and one-hot labels.
pub struct BrierScore;

impl<B: Backend> Loss<B> for BrierScore {
    fn forward(&self, logits: Tensor<B, 2>, labels: &[usize]) -> Tensor<B, 1> {
        let [_, classes] = logits.dims();
        let one_hot = targets(labels, &logits.device()).one_hot(classes).float();
        (softmax(logits, 1) - one_hot).square().sum_dim(1).mean()
    }
}
