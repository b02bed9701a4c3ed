//! Activation functions that a configuration can name.

use burn::tensor::{Tensor, activation};
use serde::Deserialize;

/// What follows a convolution, value by value.
///
/// ```
/// use burn::tensor::Tensor;
/// use burn_pooling_compat::pooling::Activation;
///
/// let output = Activation::Relu.forward(Tensor::<1>::from_floats([-1.0, 2.0], &Default::default()));
/// assert_eq!(output.into_data().try_to_vec::<f32>()?, [0.0, 2.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// `max(0, x)`.
    Relu,
    /// `x` times the standard normal distribution's probability of less than `x`.
    Gelu,
    /// The hyperbolic tangent.
    Tanh,
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// No activation.
    Identity,
}

impl Activation {
    /// Applies the function to every value.
    pub fn forward<const D: usize>(self, input: Tensor<D>) -> Tensor<D> {
        match self {
            Self::Relu => activation::relu(input),
            Self::Gelu => activation::gelu(input),
            Self::Tanh => activation::tanh(input),
            Self::Sigmoid => activation::sigmoid(input),
            Self::Identity => input,
        }
    }
}
