//! The network: stages of convolution and pooling, then two linear layers.

use burn::module::Module;
use burn::tensor::{Tensor, activation::softmax, backend::Backend};

use super::classifier::Classifier;
use super::error::ImageError;
use super::linear::Linear;
use crate::pooling::ConvPool2d;

/// The largest number of stages of a [`PoolingCnn`].
pub const MAX_STAGES: usize = 4;

/// One to four stages of convolution, ReLU and pooling, then two linear layers.
#[derive(Module, Debug)]
pub struct PoolingCnn<B: Backend> {
    /// The first stage.
    pub stage1: ConvPool2d<B>,
    /// The second stage; `gmp` and `gap` have none.
    pub stage2: Option<ConvPool2d<B>>,
    /// The third stage, if any.
    pub stage3: Option<ConvPool2d<B>>,
    /// The fourth stage, if any.
    pub stage4: Option<ConvPool2d<B>>,
    /// The hidden layer, with ReLU.
    pub hidden: Linear<B>,
    /// The layer that returns the logits.
    pub output: Linear<B>,
    /// Height and width of the images that it takes; `None` if global pooling lets it take any that are large enough.
    #[module(skip)]
    pub image_size: Option<[usize; 2]>,
    /// The smallest height and width that every kernel fits.
    #[module(skip)]
    pub smallest_image: [usize; 2],
}

/// The maps of one stage.
#[derive(Clone, Debug)]
pub struct StageOutput<B: Backend> {
    /// Before pooling: `[batch, filters, height, width]`.
    pub activation: Tensor<B, 4>,
    /// After pooling: `[batch, filters, pooled height, pooled width]`; without pooling, the activation.
    pub pooled: Tensor<B, 4>,
}

impl<B: Backend> PoolingCnn<B> {
    /// Returns the logits: the larger, the likelier the class.
    ///
    /// # Shapes
    /// - images: `[batch, channels, height, width]`, grey values 0 to 1
    /// - output: `[batch, classes]`
    ///
    /// # Panics
    /// If the network does not take the images; [`check_images`](Self::check_images) tells beforehand.
    pub fn forward(&self, images: Tensor<B, 4>) -> Tensor<B, 2> {
        let features = self.features(images); // [batch, features]
        self.logits_of_features(features) // [batch, classes]
    }

    /// Returns what the linear layers see: the output of the last stage, flattened.
    ///
    /// # Shapes
    /// - images: those of [`forward`](Self::forward), which panics where this does
    /// - output: `[batch, features]`, channel by channel
    pub fn features(&self, images: Tensor<B, 4>) -> Tensor<B, 2> {
        let maps = self.stages().fold(images, |maps, stage| stage.forward(maps)); // [batch, filters, height, width]
        maps.flatten(1, 3)
    }

    /// Returns the logits of what [`features`](Self::features) returns.
    ///
    /// # Shapes
    /// - features: `[batch, features]`
    /// - output: `[batch, classes]`
    ///
    /// # Panics
    /// If these are not as many features as the hidden layer has inputs.
    pub fn logits_of_features(&self, features: Tensor<B, 2>) -> Tensor<B, 2> {
        let hidden = self.hidden.forward(features); // [batch, hidden units]
        self.output.forward(hidden) // [batch, classes]
    }

    /// Returns the probability of each class, the softmax of the logits; shapes and panics are those of
    /// [`forward`](Self::forward).
    pub fn probabilities(&self, images: Tensor<B, 4>) -> Tensor<B, 2> {
        softmax(self.forward(images), 1)
    }

    /// Returns the maps of every stage before and after pooling, for pictures; images and panics are those of
    /// [`forward`](Self::forward).
    pub fn stage_outputs(&self, images: Tensor<B, 4>) -> Vec<StageOutput<B>> {
        let mut input = images;
        let outputs = self.stages().map(|stage| {
            let activation = stage.activations(input.clone());
            input = stage.pooled(activation.clone());
            StageOutput { activation, pooled: input.clone() }
        });
        outputs.collect()
    }

    /// Returns the stages, in order.
    pub fn stages(&self) -> impl Iterator<Item = &ConvPool2d<B>> {
        let more = [&self.stage2, &self.stage3, &self.stage4];
        std::iter::once(&self.stage1).chain(more.into_iter().flatten())
    }

    /// Switches every layer to one operation where the backend allows (as it is at first), or to Burn's operations.
    pub fn set_fused(&mut self, fused: bool) {
        self.stage1.fused = fused;
        let more = [&mut self.stage2, &mut self.stage3, &mut self.stage4];
        more.into_iter().flatten().for_each(|stage| stage.fused = fused);
        self.hidden.fused = fused;
        self.output.fused = fused;
    }

    /// Switches every convolution to sums product by product, or to the fastest algorithm, as it is at first; see
    /// [`ConvPool2d::exact`].
    pub fn set_exact(&mut self, exact: bool) {
        self.stage1.exact = exact;
        let more = [&mut self.stage2, &mut self.stage3, &mut self.stage4];
        more.into_iter().flatten().for_each(|stage| stage.exact = exact);
    }

    /// Checks that [`forward`](Self::forward) takes images of these dimensions: `[batch, channels, height, width]`.
    ///
    /// # Errors
    /// [`ImageError`] if it does not.
    pub fn check_images(&self, [_, channels, height, width]: [usize; 4]) -> Result<(), ImageError> {
        let [_, expected, ..] = self.stage1.conv.weight.dims();
        let (found, least) = ([height, width], self.smallest_image);
        if channels != expected {
            return Err(ImageError::Channels { expected, found: channels });
        }
        match self.image_size {
            Some(expected) if expected != found => Err(ImageError::Size { expected, found }),
            None if height < least[0] || width < least[1] => Err(ImageError::TooSmall { least, found }),
            _ => Ok(()),
        }
    }
}

impl<B: Backend> Classifier<B> for PoolingCnn<B> {
    type Input = Tensor<B, 4>;

    fn logits(&self, images: Tensor<B, 4>) -> Tensor<B, 2> {
        self.forward(images)
    }
}
