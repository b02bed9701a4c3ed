//! A linear layer and the ReLU behind it: one operation on the CPU backends, Burn's own elsewhere.
//!
//! Product, bias and ReLU fill the output once, and the backward pass reads the ReLU's side from the sign of the
//! output. Composed of Burn's operations they allocate a tensor each, forward and backward.

#[cfg(any(feature = "flex", feature = "ndarray"))]
mod matrix;
#[cfg(any(feature = "flex", feature = "ndarray"))]
mod operation;

use burn::nn::Linear;
use burn::tensor::{Tensor, activation::relu, backend::Backend};

/// What follows the layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Activation {
    Identity,
    Relu,
}

/// The layer's output after its activation: `[batch, inputs]` to `[batch, outputs]`; composed of Burn's operations
/// unless `fused`.
pub(crate) fn forward<B: Backend>(
    layer: &Linear<B>,
    input: Tensor<B, 2>,
    activation: Activation,
    fused: bool,
) -> Tensor<B, 2> {
    #[cfg(any(feature = "flex", feature = "ndarray"))]
    if fused && let Some(output) = operation::forward(layer, &input, activation) {
        return output;
    }
    let _ = fused;
    let output = layer.forward(input);
    match activation {
        Activation::Identity => output,
        Activation::Relu => relu(output),
    }
}
