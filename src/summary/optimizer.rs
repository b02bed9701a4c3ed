//! What other optimizers and other numbers take.

use serde::Serialize;

/// An optimizer, by what it keeps of every trainable parameter.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, strum::Display, strum::EnumString, strum::VariantNames,
)]
#[strum(ascii_case_insensitive)]
pub enum Optimizer {
    /// Stochastic gradient descent: nothing.
    #[strum(to_string = "SGD")]
    Sgd,
    /// Stochastic gradient descent with momentum: the velocity.
    #[strum(to_string = "momentum")]
    Momentum,
    /// RMSprop: the mean square of the gradients.
    #[strum(to_string = "RMSprop")]
    RmsProp,
    /// AdaGrad: the sum of their squares.
    AdaGrad,
    /// Adam: the first and the second moment.
    #[default]
    Adam,
    /// Adam with decoupled weight decay: as many.
    AdamW,
}

impl Optimizer {
    /// Returns how many numbers it keeps of a parameter.
    pub fn states(self) -> usize {
        match self {
            Self::Sgd => 0,
            Self::Momentum | Self::RmsProp | Self::AdaGrad => 1,
            Self::Adam | Self::AdamW => 2,
        }
    }
}

/// A format of numbers, for an estimate of what a model would take in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Precision {
    /// Half precision, IEEE 754.
    F16,
    /// Half precision with the range of single precision.
    Bf16,
    /// Integers of 8 bits; scales come on top.
    Int8,
}

impl Precision {
    /// Returns the size in this format of what takes so many bytes in single precision.
    pub fn bytes(self, in_single_precision: usize) -> usize {
        in_single_precision.div_ceil(match self {
            Self::F16 | Self::Bf16 => 2,
            Self::Int8 => 4,
        })
    }
}
