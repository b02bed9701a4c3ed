//! Activation functions that a configuration can name.

use std::fmt;

use burn::tensor::{DType, Tensor, activation, backend::Backend};
use serde::{Deserialize, Serialize};

use crate::cpu;

/// What follows a convolution or a linear layer, value by value.
///
/// ```
/// # #[cfg(feature = "flex")] {
/// use burn::tensor::Tensor;
/// use burn_pooling::pooling::Activation;
///
/// let values = Tensor::<burn_flex::Flex, 1>::from_floats([-1.0, 2.0], &Default::default());
/// let output = Activation::Relu.forward(values);
/// assert_eq!(output.into_data().to_vec::<f32>().unwrap(), [0.0, 2.0]);
/// # }
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// `max(0, x)`; of NaN it is NaN, and lets the gradient through, as PyTorch's does.
    #[default]
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
    pub fn forward<B: Backend, const D: usize>(self, input: Tensor<B, D>) -> Tensor<B, D> {
        match self {
            Self::Relu => relu(input),
            Self::Gelu => activation::gelu(input),
            Self::Tanh => activation::tanh(input),
            Self::Sigmoid => activation::sigmoid(input),
            Self::Identity => input,
        }
    }
}

/// ReLU that keeps NaN.
fn relu<B: Backend, const D: usize>(input: Tensor<B, D>) -> Tensor<B, D> {
    if let Some(output) = cpu::relu::relu(&input) {
        return output;
    }
    match input.dtype() {
        // On a GPU Burn's is made of the two operations below.
        DType::F32 => activation::relu(input),
        _ => {
            let blocked = input.clone().lower_equal_elem(0.0);
            input.mask_fill(blocked, 0.0)
        }
    }
}

/// Writes the name in lower case: an activation is a function of its layer, while a summary takes capitalised names for
/// layers of their own.
impl fmt::Debug for Activation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(formatter) // its name in files
    }
}
