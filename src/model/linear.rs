//! A linear layer and its activation.

use burn::module::{Initializer, Module, Param};
use burn::tensor::{Tensor, backend::Backend, module::linear};

use crate::cpu;
use crate::pooling::Activation;

/// A linear layer and its activation: Burn's `Linear` by name, parameters and layout, with a switch of its own.
#[derive(Module, Debug)]
pub struct Linear<B: Backend> {
    /// The weights, `[inputs, outputs]`.
    pub weight: Param<Tensor<B, 2>>,
    /// The bias, `[outputs]`.
    pub bias: Option<Param<Tensor<B, 1>>>,
    /// The activation.
    #[module(skip)]
    pub activation: Activation,
    /// Whether [`forward`](Self::forward) is one operation where the backend allows; true unless changed.
    #[module(skip)]
    pub fused: bool,
}

impl<B: Backend> Linear<B> {
    /// Creates the layer: weights Glorot-uniform, biases zero.
    pub fn new(inputs: usize, outputs: usize, activation: Activation, device: &B::Device) -> Self {
        let glorot = Initializer::XavierUniform { gain: 1.0 };
        Self {
            weight: glorot.init_with([inputs, outputs], Some(inputs), Some(outputs), device),
            bias: Some(Initializer::Zeros.init([outputs], device)),
            activation,
            fused: true,
        }
    }

    /// Multiplies by the weights, adds the bias, and activates.
    ///
    /// On Flex and NdArray in `f32`, alone or under `Autodiff`, this is one operation if [`fused`](Self::fused) is on,
    /// there is a bias, and the activation is a ReLU or the identity; elsewhere it is composed of Burn's.
    ///
    /// # Shapes
    /// - input: `[batch, inputs]`
    /// - output: `[batch, outputs]`
    ///
    /// # Panics
    /// If the input's width differs from the weights'.
    pub fn forward(&self, input: Tensor<B, 2>) -> Tensor<B, 2> {
        self.forward_fused(&input).unwrap_or_else(|| {
            let bias = self.bias.as_ref().map(|bias| bias.val());
            self.activation.forward(linear(input, self.weight.val(), bias))
        })
    }

    /// Returns whether [`forward`](Self::forward) of this input is one operation; computes it to find out.
    pub fn is_fused_for(&self, input: &Tensor<B, 2>) -> bool {
        self.forward_fused(input).is_some()
    }

    /// Returns the output of the fused operation, if there is one.
    fn forward_fused(&self, input: &Tensor<B, 2>) -> Option<Tensor<B, 2>> {
        let relu = match self.activation {
            Activation::Relu => true,
            Activation::Identity => false,
            _ => return None,
        };
        let bias = self.bias.as_ref().filter(|_| self.fused)?;
        cpu::linear::linear(input.clone(), self.weight.val(), bias.val(), relu)
    }
}
