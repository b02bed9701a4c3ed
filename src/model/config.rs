//! The configuration of a network, and the four presets.

use burn::tensor::backend::Backend;
use serde::{Deserialize, Serialize};

use super::cnn::{MAX_STAGES, PoolingCnn};
use super::error::ModelError;
use super::linear::Linear;
use super::stored::Stored;
use super::variant::Variant;
use crate::pooling::{Activation, ConvPool2dConfig, Window};

/// Height and width.
type Size = [usize; 2];

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
    /// The stages of convolution and pooling: one to [`MAX_STAGES`].
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
    /// Returns the configuration of one of the four networks, under its name.
    pub fn new(variant: Variant) -> Self {
        let conv = ConvPool2dConfig::new(32, [3, 3]); // with ReLU
        let stages = match variant {
            Variant::Max => vec![conv.max_pool(2), conv.max_pool(2)],
            Variant::Average => vec![conv.average_pool(2), conv.average_pool(2)],
            Variant::GlobalMax => vec![conv.global_max_pool()],
            Variant::GlobalAverage => vec![conv.global_average_pool()],
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
    /// [`ModelError`] if a kernel does not fit, a count is 0, or there are no or too many stages.
    pub fn init<B: Backend>(&self, device: &B::Device) -> Result<PoolingCnn<B>, ModelError> {
        let (features, smallest_image) = (self.features()?, self.smallest_image());
        let channels = std::iter::once(self.channels).chain(self.stages.iter().map(|stage| stage.filters));
        let mut stages = self.stages.iter().zip(channels);
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

    /// Returns the number of features that the linear layers see.
    ///
    /// # Errors
    /// [`ModelError`] if a kernel does not fit, a count is 0, or there are no or too many stages.
    pub fn features(&self) -> Result<usize, ModelError> {
        let filters = self.stages.iter().map(|stage| ("the number of filters", stage.filters));
        let counts = [
            ("the number of channels", self.channels),
            ("the number of hidden units", self.hidden_units),
            ("the number of classes", self.classes),
        ];
        if let Some((name, _)) = filters.chain(counts).find(|&(_, count)| count == 0) {
            return Err(ModelError::Zero(name));
        }
        let (_, [height, width]) = self.windows(self.image_size)?;
        let last = self.stages.last().ok_or_else(|| self.stage_error())?;
        Ok(last.filters * height * width)
    }

    /// Returns the rows and columns of the image, counted from the top left, that the features depend on: where a
    /// stride does not divide the positions, the last pixels are left out.
    ///
    /// # Errors
    /// [`ModelError`] if a kernel does not fit, or there are no or too many stages.
    pub fn seen(&self) -> Result<[usize; 2], ModelError> {
        let (windows, output) = self.windows(self.image_size)?;
        Ok([0, 1].map(|side| {
            windows.iter().rev().fold(output[side], |seen, (window, input)| window.seen(seen, side).min(input[side]))
        }))
    }

    /// Returns the smallest height and width that every kernel fits, each with the image's other side.
    fn smallest_image(&self) -> [usize; 2] {
        [0, 1].map(|side| {
            let fits = |&length: &usize| {
                let mut size = self.image_size;
                size[side] = length;
                self.windows(size).is_ok()
            };
            (1..self.image_size[side]).find(fits).unwrap_or(self.image_size[side])
        })
    }

    /// Returns every window with the size of its input, in order, and the size of the last one's output.
    fn windows(&self, image: [usize; 2]) -> Result<(Vec<(Window, Size)>, Size), ModelError> {
        if !(1..=MAX_STAGES).contains(&self.stages.len()) {
            return Err(self.stage_error());
        }
        let (mut windows, mut size) = (Vec::new(), image);
        for (index, stage) in self.stages.iter().enumerate() {
            let name = || self.name.clone();
            let place = |source| ModelError::Window { name: name(), stage: index + 1, image, source };
            for window in stage.windows(size).map_err(place)? {
                windows.push((window, size));
                size = window.output_size(size).map_err(place)?;
            }
        }
        Ok((windows, size))
    }

    fn stage_error(&self) -> ModelError {
        let (name, found) = (self.name.clone(), self.stages.len());
        ModelError::Stages { name, most: MAX_STAGES, found }
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
