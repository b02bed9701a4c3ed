//! What PyTorch and torchinfo say of the networks.

use std::collections::BTreeMap;

use serde::Deserialize;

#[derive(Deserialize)]
pub struct Reference {
    networks: BTreeMap<String, Figures>,
}

#[derive(Deserialize)]
pub struct Figures {
    pub trainable_params: usize,
    /// torchinfo's layers, in the order in which they run.
    pub layers: Vec<Layer>,
    pub flops: Flops,
}

/// Counted by PyTorch while it ran.
#[derive(Deserialize)]
pub struct Flops {
    pub forward: u64,
    pub backward: u64,
}

#[derive(Deserialize)]
pub struct Layer {
    pub path: String,
    pub class: String,
    pub params: usize,
    /// Those of them that are biases.
    pub bias: usize,
    pub output: Vec<usize>,
    mult_adds: u64,
    /// Whether it has run before.
    pub recursive: bool,
}

impl Layer {
    /// torchinfo counts a bias as one multiply-add for each output, a linear layer once for each
    /// sample however long the sequence, a transposed convolution as if its kernel were put down
    /// at every position of the output, and normalisations and embeddings once for each parameter.
    pub fn multiply_adds_in_our_convention(&self) -> u64 {
        let (batch, bias) = (self.output[0] as u64, self.bias as u64);
        let positions = |axes: &[usize]| axes.iter().map(|&size| size as u64).product::<u64>();
        match self.class.as_str() {
            "Conv2d" => self.mult_adds - batch * bias * positions(&self.output[2..]),
            // Each of these strides by 2 in both directions: 4 outputs to an input.
            "ConvTranspose2d" => (self.mult_adds - batch * bias * positions(&self.output[2..])) / 4,
            "Linear" => {
                let sequence = positions(&self.output[1..self.output.len() - 1]);
                (self.mult_adds - batch * bias) * sequence
            }
            "LSTM" => self.mult_adds - batch * bias * self.output[1] as u64,
            "BatchNorm2d" | "LayerNorm" | "RMSNorm" | "Embedding" => 0,
            other => panic!("no convention for {other}"),
        }
    }
}

pub fn load() -> BTreeMap<String, Figures> {
    let text = include_str!("../reference/torchinfo_figures.json");
    let reference: Reference = serde_json::from_str(text).expect("the script's output");
    reference.networks
}
