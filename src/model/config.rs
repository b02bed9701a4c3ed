//! The configuration of a network, and the four presets.

use burn::tensor::backend::Backend;
use serde::{Deserialize, Serialize};

use super::cnn::PoolingCnn;
use super::error::ModelError;
use super::linear::Linear;
use super::stored::Stored;
use super::variant::Variant;
use crate::pooling::{Activation, ConvPool2dConfig};

/// Configuration of a [`PoolingCnn`]; the presets are the networks for MNIST.
///
/// ```
/// use burn_pooling::model::{PoolingCnnConfig, Variant};
/// use burn_pooling::pooling::ConvPool2dConfig;
///
/// // A network of your own: strides instead of pooling, on colour images.
/// let strided = ConvPool2dConfig::new(16, [3, 3]).with_stride([2, 2]);
/// let own = PoolingCnnConfig::new(Variant::Max)
///     .with_name("strided")
///     .with_stages(vec![strided; 2])
///     .with_channels(3);
/// assert_eq!(own.features()?, 16 * 6 * 6);
/// # Ok::<(), burn_pooling::model::ModelError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored")]
pub struct PoolingCnnConfig {
    /// The network's name, in errors and tables.
    pub name: String,
    /// The stages of convolution and pooling: one to [`MAX_STAGES`](super::MAX_STAGES).
    pub stages: Vec<ConvPool2dConfig>,
    /// Channels of the images.
    pub channels: usize,
    /// Height and width of the images; a network with global pooling takes any other as well.
    pub image_size: [usize; 2],
    /// Units of the hidden linear layer.
    pub hidden_units: usize,
    /// Number of classes.
    pub classes: usize,
}

impl PoolingCnnConfig {
    /// Returns the configuration of a variant, under its name.
    pub fn new(variant: Variant) -> Self {
        let conv = ConvPool2dConfig::new(32, [3, 3]); // with ReLU
        let stages = match variant {
            Variant::Max => vec![conv.max_pool(2), conv.max_pool(2)],
            Variant::Average => vec![conv.average_pool(2), conv.average_pool(2)],
            Variant::GlobalMax => vec![conv.global_max_pool()],
            Variant::GlobalAverage => vec![conv.global_average_pool()],
            Variant::Head(head) => vec![conv.head(head)],
        };
        Self {
            name: variant.name().to_owned(),
            stages,
            channels: 1,
            image_size: [28, 28],
            hidden_units: 128,
            classes: 10,
        }
    }

    /// Sets the name.
    pub fn with_name(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self }
    }

    /// Sets the stages.
    pub fn with_stages(self, stages: impl Into<Vec<ConvPool2dConfig>>) -> Self {
        Self { stages: stages.into(), ..self }
    }

    /// Sets the channels of the images.
    pub fn with_channels(self, channels: usize) -> Self {
        Self { channels, ..self }
    }

    /// Sets height and width of the images.
    pub fn with_image_size(self, image_size: [usize; 2]) -> Self {
        Self { image_size, ..self }
    }

    /// Sets the number of filters of every stage.
    pub fn with_filters(mut self, filters: usize) -> Self {
        self.stages.iter_mut().for_each(|stage| stage.filters = filters);
        self
    }

    /// Sets the units of the hidden linear layer.
    pub fn with_hidden_units(self, hidden_units: usize) -> Self {
        Self { hidden_units, ..self }
    }

    /// Sets the number of classes.
    pub fn with_classes(self, classes: usize) -> Self {
        Self { classes, ..self }
    }

    /// Creates the network: weights Glorot-uniform, biases zero.
    ///
    /// # Errors
    /// Those of [`features`](Self::features), before any memory is taken.
    pub fn init<B: Backend>(&self, device: &B::Device) -> Result<PoolingCnn<B>, ModelError> {
        let (features, smallest_image) = (self.features()?, self.smallest_image());
        let mut stages = self.stages_with_channels();
        let mut stage = || stages.next().map(|(stage, channels)| stage.init(channels, device));
        Ok(PoolingCnn {
            stage1: stage().ok_or_else(|| self.stage_error())?,
            stage2: stage(),
            stage3: stage(),
            stage4: stage(),
            hidden: Linear::new(features, self.hidden_units, Activation::Relu, device),
            output: Linear::new(self.hidden_units, self.classes, Activation::Identity, device),
            image_size: (!self.is_global()).then_some(self.image_size),
            smallest_image,
        })
    }

    /// Returns whether the network pools whole channels, and so takes images of any size.
    pub fn is_global(&self) -> bool {
        self.stages.last().and_then(|stage| stage.pool).is_some_and(|pool| pool.is_global())
    }

    /// Returns the rows and columns of the image, counted from the top left, that the features depend on: where a
    /// stride does not divide the positions, the last pixels are left out.
    ///
    /// # Errors
    /// [`ModelError`] if a kernel does not fit, there are no or too many stages, or the image or its maps would be larger
    /// than [`MAX_VALUES`](super::MAX_VALUES) allows.
    pub fn seen(&self) -> Result<[usize; 2], ModelError> {
        let (windows, output) = self.windows(self.image_size)?;
        Ok([0, 1].map(|side| {
            windows.iter().rev().fold(output[side], |seen, (window, input)| window.seen(seen, side).min(input[side]))
        }))
    }

    /// Returns the smallest height and width that every kernel fits, each with the image's other side.
    fn smallest_image(&self) -> [usize; 2] {
        [0, 1].map(|side| {
            let fits = |length: usize| {
                let mut size = self.image_size;
                size[side] = length;
                self.windows(size).is_ok()
            };
            // Halved, not counted up: a kernel may be millions of pixels long.
            let (mut least, mut most) = (1, self.image_size[side]);
            while least < most {
                let middle = least + (most - least) / 2;
                if fits(middle) { most = middle } else { least = middle + 1 }
            }
            least
        })
    }
}

impl TryFrom<Stored> for PoolingCnnConfig {
    type Error = String;

    fn try_from(stored: Stored) -> Result<Self, String> {
        let Stored { channels, image_size, hidden_units, classes, .. } = stored;
        let (name, stages) = stored.network()?;
        Ok(Self { name, stages, channels, image_size, hidden_units, classes })
    }
}
