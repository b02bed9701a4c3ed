//! The global poolings that stand at the head of a network, by name.

use burn::module::Module;
use burn::tensor::{Tensor, backend::Backend};
use serde::{Deserialize, Serialize};

use super::attention::{AttentionPool2d, AttentionPool2dConfig};
use super::average_max::AvgMaxPool2d;
use super::concatenated::{ConcatOrder, ConcatPool2d};
use super::error::WindowError;
use super::generalized_mean::{GemPool2d, GemPool2dConfig};
use super::layer::{Pooling, forward_methods};
use super::log_sum_exp::{LogSumExpPool2d, LogSumExpPool2dConfig};
use super::mixed::{MixedPool2d, MixedPool2dConfig};
use super::pool_window::PoolWindow;
use super::power::LpPool2d;
use super::reduce::Reducing;
use super::soft::SoftPool2d;
use super::stochastic::StochasticPool2d;
use super::top_k::TopKPool2d;
use crate::cpu::reduce::Reduction;

/// How many of a channel's values [`Head::TopK`] takes the mean of.
const TOP_K: usize = 4;
/// The power of [`Head::Lp`].
const POWER: f32 = 2.0;
/// Height and width of the map that the positions of [`Head::Attention`] belong to; they are resampled for any other.
const POSITIONS: [usize; 2] = [7, 7];
/// Parts of the embedding of [`Head::Attention`], where they divide it.
const ATTENTION_HEADS: usize = 4;

/// A global pooling besides the maximum and the mean: it reduces each channel of a map to one value.
///
/// ```
/// # #[cfg(feature = "flex")] {
/// use burn::tensor::Tensor;
/// use burn_pooling::pooling::Head;
///
/// let device = Default::default();
/// let maps = Tensor::<burn_flex::Flex, 4>::ones([2, 8, 5, 4], &device); // [batch, channels, height, width]
/// let pooled = Head::GeneralisedMean.init(8, &device).forward(maps);
/// assert_eq!(pooled.dims(), [2, 8, 1, 1]);
/// assert_eq!("gem".parse(), Ok(Head::GeneralisedMean));
/// # }
/// ```
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumString,
    strum::VariantArray,
    strum::IntoStaticStr,
)]
pub enum Head {
    /// [`GemPool2d`] with a learned power, from 3.
    #[serde(rename = "gem")]
    #[strum(to_string = "gem")]
    GeneralisedMean,
    /// [`LogSumExpPool2d`] with a learned sharpness, from 1.
    #[serde(rename = "lse")]
    #[strum(to_string = "lse")]
    LogSumExp,
    /// [`LpPool2d`] with the power 2.
    #[serde(rename = "lp")]
    #[strum(to_string = "lp")]
    Lp,
    /// [`MixedPool2d`] with a learned share, from one half.
    #[serde(rename = "mixed")]
    #[strum(to_string = "mixed")]
    Mixed,
    /// [`AvgMaxPool2d`].
    #[serde(rename = "avgmax")]
    #[strum(to_string = "avgmax")]
    AverageMax,
    /// [`ConcatPool2d`]: two values of each channel.
    #[serde(rename = "concat")]
    #[strum(to_string = "concat")]
    Concatenated,
    /// [`SoftPool2d`].
    #[serde(rename = "soft")]
    #[strum(to_string = "soft")]
    Soft,
    /// [`StochasticPool2d`].
    #[serde(rename = "stochastic")]
    #[strum(to_string = "stochastic")]
    Stochastic,
    /// [`TopKPool2d`] of the four largest values.
    #[serde(rename = "topk")]
    #[strum(to_string = "topk")]
    TopK,
    /// [`AttentionPool2d`] without a projection, its positions those of a 7x7 map.
    #[serde(rename = "attention")]
    #[strum(to_string = "attention")]
    Attention,
}

impl Head {
    /// All of them, in the order in which they are always shown.
    pub const ALL: &[Self] = <Self as strum::VariantArray>::VARIANTS;

    /// Creates the layer for maps of `channels` channels.
    pub fn init<B: Backend>(self, channels: usize, device: &B::Device) -> HeadPool2d<B> {
        const WHOLE: PoolWindow = PoolWindow::Global;
        match self {
            Self::GeneralisedMean => HeadPool2d::GeneralisedMean(GemPool2dConfig::new().init(device)),
            Self::LogSumExp => HeadPool2d::LogSumExp(LogSumExpPool2dConfig::new().init(device)),
            Self::Lp => HeadPool2d::Lp(LpPool2d::new(WHOLE, POWER)),
            Self::Mixed => HeadPool2d::Mixed(MixedPool2dConfig::new(WHOLE).init(device)),
            Self::AverageMax => HeadPool2d::AverageMax(AvgMaxPool2d::new(WHOLE)),
            Self::Concatenated => HeadPool2d::Concatenated(ConcatPool2d::new(WHOLE, ConcatOrder::MaxFirst)),
            Self::Soft => HeadPool2d::Soft(SoftPool2d::new(WHOLE)),
            Self::Stochastic => HeadPool2d::Stochastic(StochasticPool2d::new(WHOLE)),
            Self::TopK => HeadPool2d::TopK(TopKPool2d::new(WHOLE, TOP_K)),
            Self::Attention => {
                let heads = if channels.is_multiple_of(ATTENTION_HEADS) { ATTENTION_HEADS } else { 1 };
                HeadPool2d::Attention(AttentionPool2dConfig::new(channels, POSITIONS, heads).init(device))
            }
        }
    }

    /// Returns the number of values that it makes of `channels` channels.
    pub fn outputs(self, channels: usize) -> usize {
        if self == Self::Concatenated { 2 * channels } else { channels }
    }

    /// Returns the number of parameters of the layer for `channels` channels; `None` if they cannot be counted.
    pub(crate) fn parameters(self, channels: usize) -> Option<u128> {
        let channels = channels as u128;
        match self {
            Self::GeneralisedMean | Self::LogSumExp | Self::Mixed => Some(1),
            Self::Attention => {
                let positions = (POSITIONS[0] * POSITIONS[1] + 1) as u128 * channels;
                channels.checked_add(1)?.checked_mul(channels)?.checked_mul(3)?.checked_add(positions)
            }
            _ => Some(0),
        }
    }
}

/// A global pooling of any kind; created by [`Head::init`].
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant, reason = "a network has few")]
pub enum HeadPool2d<B: Backend> {
    /// A generalised mean.
    GeneralisedMean(GemPool2d<B>),
    /// A log-sum-exp.
    LogSumExp(LogSumExpPool2d<B>),
    /// A p-norm.
    Lp(LpPool2d),
    /// A learned share of the maximum, the rest of the mean.
    Mixed(MixedPool2d<B>),
    /// Half the sum of maximum and mean.
    AverageMax(AvgMaxPool2d),
    /// Maximum and mean.
    Concatenated(ConcatPool2d),
    /// Values weighted by their softmax.
    Soft(SoftPool2d),
    /// One value, drawn while training.
    Stochastic(StochasticPool2d),
    /// The mean of the largest values.
    TopK(TopKPool2d),
    /// One query that attends to all positions.
    Attention(AttentionPool2d<B>),
}

impl<B: Backend> HeadPool2d<B> {
    forward_methods!(choice);

    /// Returns what each channel is reduced to, and the parameter of each channel or one for all; `None` if it is not one
    /// reduction of the whole map.
    pub(super) fn reduction(&self, device: &B::Device) -> Option<(Reduction, Option<Tensor<B, 1>>)> {
        let layer: &dyn Reducing<B> = match self {
            Self::GeneralisedMean(layer) => layer,
            Self::LogSumExp(layer) => layer,
            Self::Lp(layer) if layer.p.is_finite() => layer,
            Self::Mixed(layer) => layer,
            Self::AverageMax(layer) => layer,
            Self::Soft(layer) => layer,
            Self::TopK(layer) => layer,
            Self::Lp(_) | Self::Concatenated(_) | Self::Stochastic(_) | Self::Attention(_) => return None,
        };
        let is_global = layer.window() == PoolWindow::Global;
        is_global.then(|| Some((layer.reduction().ok()?, layer.parameters(device)))).flatten()
    }
}

impl<B: Backend> Pooling<B> for HeadPool2d<B> {
    fn pool(&self, input: Tensor<B, 4>) -> Result<Tensor<B, 4>, WindowError> {
        match self {
            Self::GeneralisedMean(layer) => layer.try_forward(input),
            Self::LogSumExp(layer) => layer.try_forward(input),
            Self::Lp(layer) => layer.try_forward(input),
            Self::Mixed(layer) => layer.try_forward(input),
            Self::AverageMax(layer) => layer.try_forward(input),
            Self::Concatenated(layer) => layer.try_forward(input),
            Self::Soft(layer) => layer.try_forward(input),
            Self::Stochastic(layer) => layer.try_forward(input),
            Self::TopK(layer) => layer.try_forward(input),
            Self::Attention(layer) => Ok(layer.try_forward(input)?.unsqueeze_dims(&[2, 3])), // [batch, channels, 1, 1]
        }
    }
}
