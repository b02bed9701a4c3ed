//! How large a network is, computed before any of it is built.

use super::cnn::MAX_STAGES;
use super::config::PoolingCnnConfig;
use super::error::ModelError;
use crate::pooling::{ConvPool2dConfig, Pool2dConfig, Window};

/// The most parameters of a [`PoolingCnn`](super::PoolingCnn), and the most values of an image with its padding: 16 GiB
/// each in `f32`. The maps of one image may have 256 times as many, as the fused operation holds none of them whole.
///
/// Training takes several times as much. What is larger comes from a broken file or a slip of the pen, and would end
/// the process instead of being an error.
pub const MAX_VALUES: u64 = 1 << 32;

const MAX_MAP_VALUES: u64 = 256 * MAX_VALUES;

/// Height and width.
type Size = [usize; 2];

impl PoolingCnnConfig {
    /// Returns the number of features that the linear layers see.
    ///
    /// # Errors
    /// [`ModelError`] if a kernel does not fit, a count is 0, there are no or too many stages, or the network would be
    /// larger than [`MAX_VALUES`] allows.
    pub fn features(&self) -> Result<usize, ModelError> {
        Ok(self.features_and_parameters()?.0)
    }

    /// Returns the number of parameters, running statistics included, without building the network.
    ///
    /// # Errors
    /// Those of [`features`](Self::features).
    pub fn parameters(&self) -> Result<u64, ModelError> {
        Ok(self.features_and_parameters()?.1)
    }

    fn features_and_parameters(&self) -> Result<(usize, u64), ModelError> {
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
        let features = last.output_channels() * height * width; // bounded with the maps
        let parameters = self.count_parameters(features);
        Ok((features, self.bounded(MAX_VALUES, || "weights".to_owned(), parameters)?))
    }

    /// The number of parameters; `None` if it has no place in 128 bits.
    fn count_parameters(&self, features: usize) -> Option<u128> {
        let linear = |inputs, outputs| product(&[inputs, outputs])?.checked_add(outputs as u128);
        let mut sum = linear(features, self.hidden_units)?.checked_add(linear(self.hidden_units, self.classes)?)?;
        for (stage, channels) in self.stages_with_channels() {
            let ConvPool2dConfig { filters, kernel_size: [rows, columns], batch_norm, pool, .. } = *stage;
            // A bias; with normalisation a scale and a shift, and the running mean and variance.
            let of_filter = if batch_norm { 5 } else { 1 };
            sum = sum.checked_add(product(&[channels, filters, rows, columns])?)?;
            sum = sum.checked_add(product(&[filters, of_filter])?)?;
            if let Some(Pool2dConfig::Head(head)) = pool {
                sum = sum.checked_add(head.parameters(filters)?)?;
            }
        }
        Some(sum)
    }

    /// Returns every stage with the number of channels of its input.
    pub(super) fn stages_with_channels(&self) -> impl Iterator<Item = (&ConvPool2dConfig, usize)> {
        let channels = std::iter::once(self.channels).chain(self.stages.iter().map(|stage| stage.output_channels()));
        self.stages.iter().zip(channels)
    }

    /// Returns every window with the size of its input, in order, and the size of the last one's output.
    pub(super) fn windows(&self, image: Size) -> Result<(Vec<(Window, Size)>, Size), ModelError> {
        if !(1..=MAX_STAGES).contains(&self.stages.len()) {
            return Err(self.stage_error());
        }
        let (mut windows, mut size) = (Vec::new(), image);
        for (index, (stage, channels)) in self.stages_with_channels().enumerate() {
            let name = || self.name.clone();
            let place = |source| ModelError::Window { name: name(), stage: index + 1, image, source };
            let input = || match (index, stage.padding) {
                (0, [0, 0]) => "an image".to_owned(),
                _ => format!("the padded input of stage {}", index + 1),
            };
            // Before any window computes with them.
            let most = if index == 0 { MAX_VALUES } else { MAX_MAP_VALUES };
            self.bounded(most, input, padded(channels, size, stage.padding))?;
            for window in stage.windows(size).map_err(place)? {
                windows.push((window, size));
                size = window.output_size(size).map_err(place)?;
                let maps = || format!("maps in stage {}", index + 1);
                self.bounded(MAX_MAP_VALUES, maps, product(&[stage.filters, size[0], size[1]]))?;
            }
        }
        Ok((windows, size))
    }

    pub(super) fn stage_error(&self) -> ModelError {
        let (name, found) = (self.name.clone(), self.stages.len());
        ModelError::Stages { name, most: MAX_STAGES, found }
    }

    fn bounded(&self, most: u64, what: impl Fn() -> String, values: Option<u128>) -> Result<u64, ModelError> {
        match values.and_then(|values| u64::try_from(values).ok()) {
            Some(values) if values <= most => Ok(values),
            _ => Err(ModelError::TooLarge { name: self.name.clone(), what: what(), most, values }),
        }
    }
}

fn padded(channels: usize, size: Size, padding: Size) -> Option<u128> {
    let side = |side: usize| size[side] as u128 + 2 * padding[side] as u128;
    side(0).checked_mul(side(1))?.checked_mul(channels as u128)
}

fn product(factors: &[usize]) -> Option<u128> {
    factors.iter().try_fold(1_u128, |product, &factor| product.checked_mul(factor as u128))
}
