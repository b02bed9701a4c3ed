//! The four small CNNs, which differ in how they pool.

use std::fmt;
use std::str::FromStr;

use burn::config::Config;
use burn::module::Module;
use burn::nn::{Initializer, Linear, LinearConfig};
use burn::tensor::activation::softmax;
use burn::tensor::{Tensor, backend::Backend};
use serde::{Deserialize, Serialize};

use crate::linear::{self, Activation};
use crate::pooling::{ConvPool2d, ConvPool2dConfig, Pool2dConfig, WindowError};

/// How a [`PoolingCnn`] pools.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Variant {
    /// Two stages of convolution and max pooling.
    #[serde(rename = "max")]
    Max,
    /// Two stages of convolution and average pooling.
    #[serde(rename = "average")]
    Average,
    /// One convolution, then the maximum of each channel.
    #[serde(rename = "gmp")]
    GlobalMax,
    /// One convolution, then the mean of each channel.
    #[serde(rename = "gap")]
    GlobalAverage,
}

impl Variant {
    /// All four, in the order in which they are always shown.
    pub const ALL: [Self; 4] = [Self::Max, Self::Average, Self::GlobalMax, Self::GlobalAverage];

    /// The name on the command line and in files: `max`, `average`, `gmp`, `gap`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Max => "max",
            Self::Average => "average",
            Self::GlobalMax => "gmp",
            Self::GlobalAverage => "gap",
        }
    }

    /// Other names that are understood.
    pub fn aliases(self) -> &'static [&'static str] {
        match self {
            Self::Max => &[],
            Self::Average => &["avg"],
            Self::GlobalMax => &["global-max"],
            Self::GlobalAverage => &["global-average"],
        }
    }

    /// Whether it pools whole channels, and so takes images of any size.
    pub fn is_global(self) -> bool {
        matches!(self, Self::GlobalMax | Self::GlobalAverage)
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

/// A name that is no variant's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a variant (max, average, gmp or gap), found '{0}'")]
pub struct UnknownVariant(pub String);

impl FromStr for Variant {
    type Err = UnknownVariant;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|variant| variant.name() == name || variant.aliases().contains(&name))
            .ok_or_else(|| UnknownVariant(name.to_owned()))
    }
}

/// A configuration that no network can be made of.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// A kernel or a pool window does not fit its input.
    #[error("{variant}, stage {stage}, image {}x{}: {source}", image[0], image[1])]
    Window {
        /// The network.
        variant: Variant,
        /// The stage, from 1.
        stage: usize,
        /// Height and width of the image.
        image: [usize; 2],
        /// What does not fit.
        source: WindowError,
    },
    /// A count that must be at least 1 is 0.
    #[error("{0} is 0: expected at least 1")]
    Zero(&'static str),
}

/// Images that a [`PoolingCnn`] cannot take; see [`PoolingCnn::check_images`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// Another number of channels than the first convolution's.
    #[error("expected images of {expected} channels, found {found}: train a network for these")]
    Channels {
        /// The network's.
        expected: usize,
        /// The images'.
        found: usize,
    },
    /// Another size than the linear layers are bound to.
    #[error(
        "expected images of {}x{}, found {}x{}: the first linear layer has a weight for every position; use a network \
         with global pooling, or train one for this size", expected[0], expected[1], found[0], found[1]
    )]
    Size {
        /// The network's height and width.
        expected: [usize; 2],
        /// The images'.
        found: [usize; 2],
    },
    /// The first convolution's kernel does not fit.
    #[error(
        "expected images of {}x{} and more, found {}x{}: put them on a larger canvas",
        least[0], least[1], found[0], found[1]
    )]
    TooSmall {
        /// The kernel's height and width.
        least: [usize; 2],
        /// The images'.
        found: [usize; 2],
    },
}

/// Height and width of the convolutions' kernels.
const KERNEL: [usize; 2] = [3, 3];

/// Configuration of a [`PoolingCnn`]; the defaults are the network for MNIST.
///
/// ```
/// # #[cfg(feature = "flex")] {
/// use burn::{module::Module, tensor::Tensor};
/// use burn_flex::Flex;
/// use burn_pooling::model::{PoolingCnnConfig, Variant};
///
/// let device = Default::default();
/// let model = PoolingCnnConfig::new(Variant::Max).init::<Flex>(&device)?;
/// assert_eq!(model.num_params(), 113_386);
///
/// let logits = model.forward(Tensor::zeros([2, 1, 28, 28], &device));
/// assert_eq!(logits.dims(), [2, 10]);
/// # }
/// # Ok::<(), burn_pooling::model::ModelError>(())
/// ```
#[derive(Config, Debug, PartialEq, Eq)]
pub struct PoolingCnnConfig {
    /// How the network pools.
    pub variant: Variant,
    /// Channels of the image.
    #[config(default = 1)]
    pub channels: usize,
    /// Height and width of the image; the global variants take any other as well.
    #[config(default = "[28, 28]")]
    pub image_size: [usize; 2],
    /// Filters of each convolution.
    #[config(default = 32)]
    pub filters: usize,
    /// Units of the hidden linear layer.
    #[config(default = 128)]
    pub hidden_units: usize,
    /// Number of classes.
    #[config(default = 10)]
    pub classes: usize,
    /// Height and width of the pool window; unused by the global variants.
    #[config(default = "[2, 2]")]
    pub pool_window: [usize; 2],
    /// Steps between pool windows, down and across; unused by the global variants.
    #[config(default = "[2, 2]")]
    pub pool_stride: [usize; 2],
}

impl PoolingCnnConfig {
    /// The network: weights Glorot-uniform, biases zero.
    ///
    /// # Errors
    /// [`ModelError`] if a window does not fit the image, or a count is 0.
    pub fn init<B: Backend>(&self, device: &B::Device) -> Result<PoolingCnn<B>, ModelError> {
        let features = self.features()?;
        let mut stages = self.stages().into_iter().map(|stage| stage.init(device));
        Ok(PoolingCnn {
            stage1: stages.next().expect("every variant has a first stage"),
            stage2: stages.next(),
            hidden: linear(features, self.hidden_units, device),
            output: linear(self.hidden_units, self.classes, device),
            image_size: (!self.variant.is_global()).then_some(self.image_size),
        })
    }

    /// Features that the stages hand to the linear layers.
    fn features(&self) -> Result<usize, ModelError> {
        for (name, count) in [
            ("the number of channels", self.channels),
            ("the number of filters", self.filters),
            ("the number of hidden units", self.hidden_units),
            ("the number of classes", self.classes),
        ] {
            if count == 0 {
                return Err(ModelError::Zero(name));
            }
        }
        let mut size = self.image_size;
        for (index, stage) in self.stages().iter().enumerate() {
            size = stage.output_size(size).map_err(|source| ModelError::Window {
                variant: self.variant,
                stage: index + 1,
                image: self.image_size,
                source,
            })?;
        }
        Ok(self.filters * size[0] * size[1])
    }

    fn stages(&self) -> Vec<ConvPool2dConfig> {
        let (window, stride) = (self.pool_window, self.pool_stride);
        let (pool, count) = match self.variant {
            Variant::Max => (Pool2dConfig::Max { window, stride }, 2),
            Variant::Average => (Pool2dConfig::Average { window, stride }, 2),
            Variant::GlobalMax => (Pool2dConfig::GlobalMax, 1),
            Variant::GlobalAverage => (Pool2dConfig::GlobalAverage, 1),
        };
        [self.channels, self.filters]
            .into_iter()
            .take(count)
            .map(|channels| ConvPool2dConfig::new([channels, self.filters], KERNEL, pool))
            .collect()
    }
}

fn linear<B: Backend>(inputs: usize, outputs: usize, device: &B::Device) -> Linear<B> {
    let mut layer = LinearConfig::new(inputs, outputs)
        .with_initializer(Initializer::XavierUniform { gain: 1.0 })
        .init(device);
    layer.bias = Some(Initializer::Zeros.init([outputs], device));
    layer
}

/// A module that turns images into logits: what training and evaluation need of a model.
pub trait Classifier<B: Backend>: Module<B> {
    /// The input.
    type Input;

    /// Logits: the larger, the likelier the class.
    fn logits(&self, images: Self::Input) -> Tensor<B, 2>;
}

impl<B: Backend> Classifier<B> for PoolingCnn<B> {
    type Input = Tensor<B, 4>;

    fn logits(&self, images: Tensor<B, 4>) -> Tensor<B, 2> {
        self.forward(images)
    }
}

/// One or two stages of convolution, ReLU and pooling, then two linear layers.
#[derive(Module, Debug)]
pub struct PoolingCnn<B: Backend> {
    /// The first convolution and its pooling.
    pub stage1: ConvPool2d<B>,
    /// The second; the global variants have none.
    pub stage2: Option<ConvPool2d<B>>,
    /// The hidden layer, with ReLU.
    pub hidden: Linear<B>,
    /// The layer that gives the logits.
    pub output: Linear<B>,
    /// Height and width of the images that it takes; none: any that the first kernel fits, by global pooling.
    #[module(skip)]
    pub image_size: Option<[usize; 2]>,
}

impl<B: Backend> PoolingCnn<B> {
    /// Logits: the larger, the likelier the class.
    ///
    /// # Shapes
    /// - images: `[batch, channels, height, width]`, grey values 0 to 1
    /// - output: `[batch, classes]`
    ///
    /// # Panics
    /// If the images are not of the configured channels and size (the global variants: smaller than 3x3);
    /// [`check_images`](Self::check_images) tells beforehand.
    pub fn forward(&self, images: Tensor<B, 4>) -> Tensor<B, 2> {
        let mut maps = self.stage1.forward(images); // [batch, filters, height, width]
        if let Some(stage2) = &self.stage2 {
            maps = stage2.forward(maps);
        }
        let features = maps.flatten(1, 3); // [batch, features]
        let fused = self.stage1.fused;
        let hidden = linear::forward(&self.hidden, features, Activation::Relu, fused); // [batch, hidden units]
        linear::forward(&self.output, hidden, Activation::Identity, fused)
    }

    /// Whether [`forward`](Self::forward) takes images of these dimensions: `[batch, channels, height, width]`.
    ///
    /// # Errors
    /// [`ImageError`] if it does not.
    pub fn check_images(&self, [_, channels, height, width]: [usize; 4]) -> Result<(), ImageError> {
        let [_, expected, rows, columns] = self.stage1.conv.weight.dims();
        let found = [height, width];
        if channels != expected {
            return Err(ImageError::Channels { expected, found: channels });
        }
        match self.image_size {
            Some(expected) if expected != found => Err(ImageError::Size { expected, found }),
            None if height < rows || width < columns => {
                Err(ImageError::TooSmall { least: [rows, columns], found })
            }
            _ => Ok(()),
        }
    }

    /// Probability of each class: the softmax of [`forward`](Self::forward).
    ///
    /// # Shapes
    /// As [`forward`](Self::forward); each row sums to 1.
    pub fn probabilities(&self, images: Tensor<B, 4>) -> Tensor<B, 2> {
        softmax(self.forward(images), 1)
    }
}
