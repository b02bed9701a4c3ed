//! Networks that were trained on normalised pixels.

use super::structure::Imported;
use crate::exchange::error::ExchangeError;

impl Imported {
    /// Makes a network that was trained on normalised images take pixels from 0 to 1: `(pixel - mean) / deviation`, with
    /// one mean and deviation for each channel or one for all, becomes part of the first convolution.
    ///
    /// # Errors
    /// [`ExchangeError::Structure`] if the first convolution pads, as its zeros would have to become `mean`; or if these
    /// are not numbers for the image's channels.
    pub fn with_normalisation(mut self, mean: &[f32], deviation: &[f32]) -> Result<Self, ExchangeError> {
        let (first, channels) = (self.config.stages[0], self.config.channels);
        let of_channel = |values: &[f32], channel: usize| *values.get(channel).unwrap_or(&values[0]);
        let fits =
            |values: &[f32]| [1, channels].contains(&values.len()) && values.iter().all(|value| value.is_finite());
        if !fits(mean) || !fits(deviation) || deviation.iter().any(|&value| value <= 0.0) {
            return Err(ExchangeError::Structure {
                expected: format!("a mean, and a deviation above 0, for each of {channels} channel(s), or one for all"),
                found: format!("{mean:?} and {deviation:?}"),
                remedy: "give those that the network was trained with",
            });
        }
        if first.padding != [0, 0] {
            return Err(ExchangeError::Structure {
                expected: "a first convolution without padding, which normalisation can become part of".to_owned(),
                found: format!("a padding of {:?}", first.padding),
                remedy: "import a network without padding in its first convolution, or one trained on pixels from 0 to 1",
            });
        }
        let area = first.kernel_size[0] * first.kernel_size[1];
        let mut shifts = vec![0.0_f64; first.filters];
        if let Some(weight) = self.weights.0.get_mut("stage1.conv.weight") {
            for (index, value) in weight.iter_mut().enumerate() {
                let (filter, channel) = (index / (channels * area), index / area % channels);
                *value /= of_channel(deviation, channel);
                shifts[filter] += f64::from(*value) * f64::from(of_channel(mean, channel));
            }
        }
        if let Some(bias) = self.weights.0.get_mut("stage1.conv.bias") {
            bias.iter_mut().zip(shifts).for_each(|(bias, shift)| *bias = (f64::from(*bias) - shift) as f32);
        }
        Ok(self)
    }
}
