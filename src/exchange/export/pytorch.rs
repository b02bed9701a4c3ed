//! PyTorch: a state dict, and the module that takes it.

use super::Export;
use crate::exchange::operations::{EPSILON, Operation, OperationKind, Pooling};
use crate::pooling::{Activation, Pool2dConfig};

/// Returns what PyTorch calls a weight.
pub(super) fn name(burn: &str) -> String {
    match burn.rsplit_once('.') {
        Some((path, "gamma")) => format!("{path}.weight"),
        Some((path, "beta")) => format!("{path}.bias"),
        _ => burn.to_owned(),
    }
}

/// Returns the counters of a state dict: batch normalisation counts the batches that it has seen.
pub(super) fn counters(operations: &[Operation]) -> Vec<String> {
    let is_norm = |operation: &&Operation| matches!(operation.kind, OperationKind::Normalisation { .. });
    operations.iter().filter(is_norm).map(|operation| format!("{}.num_batches_tracked", operation.path)).collect()
}

const BLUR: &str = r#"

class MaxBlurPool2d(nn.Module):
    """Maxima of 2x2 windows, then a blur with stride 2 (Zhang 2019)."""

    def __init__(self, channels):
        super().__init__()
        line = torch.tensor([0.25, 0.5, 0.25])
        kernel = (line[:, None] * line).expand(channels, 1, 3, 3).clone()
        self.register_buffer("kernel", kernel, persistent=False)

    def forward(self, maps):
        maps = nn.functional.max_pool2d(maps, 2, stride=1)
        return nn.functional.conv2d(maps, self.kernel, stride=2, padding=1, groups=len(self.kernel))
"#;

impl Export {
    /// Returns Python code with the network as an `nn.Module`, and a function `load` that reads the file called `weights`
    /// beside it: what [`safetensors`](Self::safetensors) returns for PyTorch.
    ///
    /// It needs the packages `torch` and `safetensors`.
    pub fn pytorch_module(&self, weights: &str) -> String {
        let metadata = self.about.metadata(&self.config);
        let about: String = metadata.entries().iter().map(|(key, value)| comment(&format!("{key}: {value}"))).collect();
        let is_blurred = self.config.stages.iter().any(|stage| stage.pool == Some(Pool2dConfig::BlurredMax));
        let blur = if is_blurred { BLUR } else { "" };
        let (channels, classes) = (self.config.channels, self.config.classes);
        let layers: String = self.operations.iter().map(definition).collect();
        let calls: String = self.operations.iter().map(call).collect();
        let weights = serde_json::Value::from(weights); // JSON's strings are Python's
        format!(
            r#"{about}
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn
{blur}

class Layers(nn.Module):
    """Layers that are called one by one."""


class PoolingCnn(nn.Module):
    """From images [batch, {channels}, height, width] to logits [batch, {classes}]."""

    def __init__(self):
        super().__init__()
{layers}
    def forward(self, maps):
{calls}        return maps


def load(path=Path(__file__).with_name({weights})):
    """Returns the trained network, ready for inference."""
    model = PoolingCnn()
    model.load_state_dict(load_file(path), strict=True)
    return model.eval()
"#
        )
    }
}

fn comment(text: &str) -> String {
    format!("# {}\n", text.replace(['\n', '\r'], " "))
}

/// Returns the line that creates an operation's layer.
fn definition(operation: &Operation) -> String {
    let pair = |[first, second]: [usize; 2]| format!("({first}, {second})");
    let layer = match &operation.kind {
        OperationKind::Convolution { channels, filters, kernel_size, stride, padding } => {
            let (kernel_size, stride, padding) = (pair(*kernel_size), pair(*stride), pair(*padding));
            format!("nn.Conv2d({channels}, {filters}, {kernel_size}, stride={stride}, padding={padding})")
        }
        OperationKind::Normalisation { channels } => format!("nn.BatchNorm2d({channels}, eps={EPSILON:e})"),
        OperationKind::Activation(activation) => match activation {
            Activation::Relu => "nn.ReLU()",
            Activation::Gelu => "nn.GELU()",
            Activation::Tanh => "nn.Tanh()",
            Activation::Sigmoid => "nn.Sigmoid()",
            Activation::Identity => "nn.Identity()",
        }
        .to_owned(),
        OperationKind::Pooling { channels, pool } => match *pool {
            Pooling::Max { kernel_size, stride } => {
                format!("nn.MaxPool2d({}, stride={})", pair(kernel_size), pair(stride))
            }
            Pooling::Average { kernel_size, stride } => {
                format!("nn.AvgPool2d({}, stride={})", pair(kernel_size), pair(stride))
            }
            Pooling::GlobalMax => "nn.AdaptiveMaxPool2d(1)".to_owned(),
            Pooling::GlobalAverage => "nn.AdaptiveAvgPool2d(1)".to_owned(),
            Pooling::BlurredMax => format!("MaxBlurPool2d({channels})"),
        },
        OperationKind::Flatten => "nn.Flatten()".to_owned(),
        OperationKind::Linear { maps, outputs } => format!("nn.Linear({}, {outputs})", maps.iter().product::<usize>()),
    };
    let path = &operation.path;
    let stage = path.strip_suffix(".conv").map_or(String::new(), |stage| format!("        self.{stage} = Layers()\n"));
    format!("{stage}        self.{path} = {layer}\n")
}

/// Returns the line that calls an operation's layer.
fn call(operation: &Operation) -> String {
    format!("        maps = self.{}(maps)\n", operation.path)
}
