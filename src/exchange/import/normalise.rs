//! Networks that were trained on normalised pixels.

use super::structure::Imported;
use crate::exchange::error::ExchangeError;
use crate::model::MAX_STAGES;
use crate::pooling::{Activation, ConvPool2dConfig};

impl Imported {
    /// Makes a network that was trained on normalised images take pixels from 0 to 1: `(pixel - mean) / deviation`, with
    /// one mean and deviation for each channel or one for all, becomes part of the first convolution; or, where that adds
    /// zeros around the normalised image, a convolution of 1x1 before it.
    ///
    /// # Errors
    /// [`ExchangeError::Structure`] if these are not numbers for the image's channels, or the convolution of 1x1 would be a
    /// stage too many.
    pub fn with_normalisation(mut self, mean: &[f32], deviation: &[f32]) -> Result<Self, ExchangeError> {
        let channels = self.config.channels;
        let fits =
            |values: &[f32]| [1, channels].contains(&values.len()) && values.iter().all(|value| value.is_finite());
        if !fits(mean) || !fits(deviation) || deviation.iter().any(|&value| value <= 0.0) {
            return Err(ExchangeError::Structure {
                expected: format!("a mean, and a deviation above 0, for each of {channels} channel(s), or one for all"),
                found: format!("{mean:?} and {deviation:?}"),
                remedy: "give those that the network was trained with",
            });
        }
        let of_channel = |values: &[f32], channel: usize| *values.get(channel).unwrap_or(&values[0]);
        let normalisation: Vec<_> =
            (0..channels).map(|channel| (of_channel(mean, channel), of_channel(deviation, channel))).collect();
        match self.config.stages[0].padding {
            [0, 0] => self.normalise_within(&normalisation),
            _ => self.normalise_before(&normalisation)?,
        }
        Ok(self)
    }

    /// Divides the first convolution's weights by the deviations, and takes from its biases what the means would add.
    fn normalise_within(&mut self, normalisation: &[(f32, f32)]) {
        let (first, channels) = (self.config.stages[0], self.config.channels);
        let area = first.kernel_size[0] * first.kernel_size[1];
        let mut shifts = vec![0.0_f64; first.filters];
        if let Some(weight) = self.weights.0.get_mut("stage1.conv.weight") {
            for (index, value) in weight.iter_mut().enumerate() {
                let (filter, (mean, deviation)) = (index / (channels * area), normalisation[index / area % channels]);
                *value /= deviation;
                shifts[filter] += f64::from(*value) * f64::from(mean);
            }
        }
        if let Some(bias) = self.weights.0.get_mut("stage1.conv.bias") {
            bias.iter_mut().zip(shifts).for_each(|(bias, shift)| *bias = (f64::from(*bias) - shift) as f32);
        }
    }

    /// Puts a stage before the others: one filter of 1x1 for each channel, which normalises it.
    fn normalise_before(&mut self, normalisation: &[(f32, f32)]) -> Result<(), ExchangeError> {
        let (channels, stages) = (self.config.channels, &mut self.config.stages);
        if stages.len() == MAX_STAGES {
            return Err(ExchangeError::Structure {
                expected: format!("fewer than {MAX_STAGES} stages, as normalisation before a padding needs one more"),
                found: format!("{MAX_STAGES}, and a padding of {:?} in the first", stages[0].padding),
                remedy: "import a network without padding in its first convolution, or one trained on pixels from 0 to 1",
            });
        }
        stages.insert(0, ConvPool2dConfig::new(channels, [1, 1]).with_activation(Activation::Identity));
        self.weights.0 =
            std::mem::take(&mut self.weights.0).into_iter().map(|(name, values)| (moved(&name), values)).collect();
        self.matches.iter_mut().for_each(|found| found.to = moved(&found.to));
        let mut weight = vec![0.0; channels * channels]; // [channels, channels, 1, 1]
        for (channel, (_, deviation)) in normalisation.iter().enumerate() {
            weight[channel * (channels + 1)] = deviation.recip();
        }
        let bias = normalisation.iter().map(|(mean, deviation)| -mean / deviation).collect();
        self.weights.0.extend([("stage1.conv.weight".to_owned(), weight), ("stage1.conv.bias".to_owned(), bias)]);
        Ok(())
    }
}

/// The name of a weight of a stage when a stage comes before it.
fn moved(name: &str) -> String {
    let of_stage = || {
        let (number, part) = name.strip_prefix("stage")?.split_once('.')?;
        Some(format!("stage{}.{part}", number.parse::<usize>().ok()? + 1))
    };
    of_stage().unwrap_or_else(|| name.to_owned())
}
