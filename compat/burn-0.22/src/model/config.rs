//! The configuration of a network, as `config.json` holds it.

use serde::Deserialize;

use super::error::ConfigError;
use super::limits::{MAX_NUMBER, MAX_STAGES};
use super::variant::Variant;
use crate::pooling::{ConvPool2dConfig, Pool2d};

/// Configuration of a [`PoolingCnn`](super::PoolingCnn).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolingCnnConfig {
    /// The network's name.
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
    /// Returns the configuration of one of the four networks for MNIST, under its name.
    pub fn new(variant: Variant) -> Self {
        let two_by_two = [2, 2];
        let (stages, pool) = match variant {
            Variant::Max => (2, Pool2d::Max { kernel_size: two_by_two, stride: two_by_two }),
            Variant::Average => (2, Pool2d::Average { kernel_size: two_by_two, stride: two_by_two }),
            Variant::GlobalMax => (1, Pool2d::GlobalMax),
            Variant::GlobalAverage => (1, Pool2d::GlobalAverage),
        };
        Self {
            name: variant.name().to_owned(),
            stages: vec![ConvPool2dConfig { pool: Some(pool), ..ConvPool2dConfig::new(32, [3, 3]) }; stages],
            channels: 1,
            image_size: [28, 28],
            hidden_units: 128,
            classes: 10,
        }
    }

    /// Returns the number of features that the linear layers see.
    ///
    /// # Errors
    /// [`ConfigError`] if there are no or too many stages, a number is out of bounds, or a kernel does not fit.
    pub fn features(&self) -> Result<usize, ConfigError> {
        let (Some(last), 1..=MAX_STAGES) = (self.stages.last(), self.stages.len()) else {
            return Err(ConfigError::Stages(self.stages.len()));
        };
        self.check_numbers()?;
        let stages = self.stages.iter().zip(1..);
        let [height, width] = stages.into_iter().try_fold(self.image_size, |size, (config, stage)| {
            config.output_size(size).map_err(|source| ConfigError::Window { stage, source })
        })?;
        Ok(last.filters * height * width)
    }

    /// Returns whether the network pools whole channels, and so takes images of any size.
    pub fn is_global(&self) -> bool {
        self.stages.last().and_then(|stage| stage.pool).is_some_and(|pool| pool.is_global())
    }

    fn check_numbers(&self) -> Result<(), ConfigError> {
        let Self { channels, image_size: [height, width], hidden_units, classes, .. } = *self;
        let own = [
            ("channels", 1, channels),
            ("an image height", 1, height),
            ("an image width", 1, width),
            ("hidden units", 1, hidden_units),
            ("classes", 1, classes),
        ];
        let mut numbers = own.into_iter().chain(self.stages.iter().flat_map(ConvPool2dConfig::numbers));
        match numbers.find(|&(_, least, found)| !(least..=MAX_NUMBER).contains(&found)) {
            Some((what, least, found)) => Err(ConfigError::Number { what, least, found }),
            None => Ok(()),
        }
    }
}
