//! Networks built from `burn-nn`, the same as in `reference/torchinfo_figures.py`.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig, ConvTranspose2d, ConvTranspose2dConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::transformer::{TransformerEncoder, TransformerEncoderConfig, TransformerEncoderInput};
use burn::nn::{
    BatchNorm, BatchNormConfig, Dropout, DropoutConfig, Embedding, EmbeddingConfig, Linear, LinearConfig, Lstm,
    LstmConfig, PaddingConfig2d, Relu,
};
use burn::tensor::activation::{relu, sigmoid};
use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor};
use burn_pooling::summary::{Summary, TraceGrad, tokens};

fn conv(channels: [usize; 2], kernel: usize, stride: usize) -> Conv2dConfig {
    let pad = kernel / 2;
    Conv2dConfig::new(channels, [kernel, kernel])
        .with_stride([stride, stride])
        .with_padding(PaddingConfig2d::Explicit(pad, pad, pad, pad))
}

#[derive(Module, Debug)]
pub struct Cnn<B: Backend> {
    conv1: Conv2d<B>,
    norm1: BatchNorm<B>,
    conv2: Conv2d<B>,
    norm2: BatchNorm<B>,
    pool: MaxPool2d,
    dropout: Dropout,
    head: Linear<B>,
}

impl<B: Backend> Cnn<B> {
    pub fn new(device: &B::Device) -> Self {
        Self {
            conv1: conv([3, 16], 3, 1).with_bias(false).init(device),
            norm1: BatchNormConfig::new(16).init(device),
            conv2: conv([16, 32], 3, 1).init(device),
            norm2: BatchNormConfig::new(32).init(device),
            pool: MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init(),
            dropout: DropoutConfig::new(0.5).init(),
            head: LinearConfig::new(32 * 8 * 8, 10).init(device),
        }
    }

    pub fn forward(&self, x: Tensor<B, 4>) -> Tensor<B, 2> {
        let x = self.pool.forward(relu(self.norm1.forward(self.conv1.forward(x))));
        let x = self.pool.forward(relu(self.norm2.forward(self.conv2.forward(x))));
        self.head.forward(self.dropout.forward(x.flatten(1, 3)))
    }
}

#[derive(Module, Debug)]
pub struct LstmClassifier<B: Backend> {
    lstm: Lstm<B>,
    head: Linear<B>,
}

impl<B: Backend> LstmClassifier<B> {
    pub fn new(device: &B::Device) -> Self {
        Self { lstm: LstmConfig::new(16, 32, true).init(device), head: LinearConfig::new(32, 5).init(device) }
    }

    pub fn forward(&self, x: Tensor<B, 3>) -> Tensor<B, 2> {
        let (x, _) = self.lstm.forward(x, None);
        let [batch, length, width] = x.dims();
        let last = x.slice([0..batch, length - 1..length, 0..width]);
        self.head.forward(last.reshape([batch, width]))
    }
}

#[derive(Module, Debug)]
pub struct TextEncoder<B: Backend> {
    token: Embedding<B>,
    position: Embedding<B>,
    encoder: TransformerEncoder<B>,
    head: Linear<B>,
}

impl<B: Backend> TextEncoder<B> {
    pub fn new(device: &B::Device) -> Self {
        Self {
            token: EmbeddingConfig::new(100, 32).init(device),
            position: EmbeddingConfig::new(64, 32).init(device),
            encoder: TransformerEncoderConfig::new(32, 64, 4, 2).init(device),
            head: LinearConfig::new(32, 4).init(device),
        }
    }

    pub fn forward(&self, tokens: Tensor<B, 2, Int>) -> Tensor<B, 3> {
        let [batch, length] = tokens.dims();
        let positions = Tensor::arange(0..length as i64, &tokens.device()).reshape([1, length]).repeat_dim(0, batch);
        let x = self.token.forward(tokens) + self.position.forward(positions);
        self.head.forward(self.encoder.forward(TransformerEncoderInput::new(x)))
    }
}

#[derive(Module, Debug)]
pub struct Block<B: Backend> {
    conv1: Conv2d<B>,
    norm1: BatchNorm<B>,
    conv2: Conv2d<B>,
    norm2: BatchNorm<B>,
    shortcut: Conv2d<B>,
    activation: Relu,
}

impl<B: Backend> Block<B> {
    fn new(inputs: usize, outputs: usize, device: &B::Device) -> Self {
        Self {
            conv1: conv([inputs, outputs], 3, 2).with_bias(false).init(device),
            norm1: BatchNormConfig::new(outputs).init(device),
            conv2: conv([outputs, outputs], 3, 1).with_bias(false).init(device),
            norm2: BatchNormConfig::new(outputs).init(device),
            shortcut: conv([inputs, outputs], 1, 2).init(device),
            activation: Relu::new(),
        }
    }

    fn forward(&self, x: Tensor<B, 4>) -> Tensor<B, 4> {
        let y = self.norm1.forward(self.conv1.forward(x.clone()));
        let y = self.conv2.forward(self.activation.forward(y));
        let y = self.norm2.forward(y) + self.shortcut.forward(x);
        self.activation.forward(y)
    }
}

#[derive(Module, Debug)]
pub struct Residual<B: Backend> {
    stem: Conv2d<B>,
    blocks: Vec<Block<B>>,
    head: Linear<B>,
}

impl<B: Backend> Residual<B> {
    pub fn new(device: &B::Device) -> Self {
        Self {
            stem: conv([3, 8], 3, 1).init(device),
            blocks: vec![Block::new(8, 16, device), Block::new(16, 32, device)],
            head: LinearConfig::new(32, 10).init(device),
        }
    }

    pub fn forward(&self, x: Tensor<B, 4>) -> Tensor<B, 2> {
        let x = self.stem.forward(x);
        let x = self.blocks.iter().fold(x, |x, block| block.forward(x));
        let x = x.mean_dim(3).mean_dim(2);
        self.head.forward(x.flatten(1, 3))
    }
}

#[derive(Module, Debug)]
pub struct DepthwiseSeparable<B: Backend> {
    stem: Conv2d<B>,
    depthwise: Conv2d<B>,
    pointwise: Conv2d<B>,
}

impl<B: Backend> DepthwiseSeparable<B> {
    pub fn new(device: &B::Device) -> Self {
        Self {
            stem: conv([3, 16], 3, 2).init(device),
            depthwise: conv([16, 16], 3, 1).with_groups(16).init(device),
            pointwise: conv([16, 32], 1, 1).init(device),
        }
    }

    pub fn forward(&self, x: Tensor<B, 4>) -> Tensor<B, 4> {
        let x = relu(self.stem.forward(x));
        relu(self.pointwise.forward(self.depthwise.forward(x)))
    }
}

#[derive(Module, Debug)]
pub struct Decoder<B: Backend> {
    project: Linear<B>,
    up1: ConvTranspose2d<B>,
    up2: ConvTranspose2d<B>,
}

impl<B: Backend> Decoder<B> {
    pub fn new(device: &B::Device) -> Self {
        let up = |channels| ConvTranspose2dConfig::new(channels, [4, 4]).with_stride([2, 2]).with_padding([1, 1]);
        Self {
            project: LinearConfig::new(16, 8 * 7 * 7).init(device),
            up1: up([8, 4]).init(device),
            up2: up([4, 1]).init(device),
        }
    }

    pub fn forward(&self, x: Tensor<B, 2>) -> Tensor<B, 4> {
        let [batch, _] = x.dims();
        let x = relu(self.project.forward(x)).reshape([batch, 8, 7, 7]);
        sigmoid(self.up2.forward(relu(self.up1.forward(x))))
    }
}

#[derive(Module, Debug)]
pub struct Shared<B: Backend> {
    layer: Linear<B>,
    head: Linear<B>,
}

impl<B: Backend> Shared<B> {
    pub fn new(device: &B::Device) -> Self {
        Self { layer: LinearConfig::new(8, 8).init(device), head: LinearConfig::new(8, 2).init(device) }
    }

    pub fn forward(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        let x = relu(self.layer.forward(x));
        self.head.forward(relu(self.layer.forward(x)))
    }
}

#[derive(Module, Debug)]
pub struct Unused<B: Backend> {
    layer: Linear<B>,
    spare: Linear<B>,
}

impl<B: Backend> Unused<B> {
    pub fn new(device: &B::Device) -> Self {
        Self { layer: LinearConfig::new(8, 4).init(device), spare: LinearConfig::new(8, 16).init(device) }
    }

    pub fn forward(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        self.layer.forward(x)
    }
}

/// Each network as it trains, on two samples.
pub fn all() -> Vec<(&'static str, Summary)> {
    let summaries = [
        ("cnn", Summary::of(Cnn::<TraceGrad>::new, [2, 3, 32, 32], Cnn::forward)),
        ("lstm", Summary::of(LstmClassifier::<TraceGrad>::new, [2, 12, 16], LstmClassifier::forward)),
        ("transformer", Summary::of(TextEncoder::<TraceGrad>::new, tokens([2, 16]), TextEncoder::forward)),
        ("residual", Summary::of(Residual::<TraceGrad>::new, [2, 3, 32, 32], Residual::forward)),
        ("depthwise", Summary::of(DepthwiseSeparable::<TraceGrad>::new, [2, 3, 32, 32], DepthwiseSeparable::forward)),
        ("decoder", Summary::of(Decoder::<TraceGrad>::new, [2, 16], Decoder::forward)),
        ("shared", Summary::of(Shared::<TraceGrad>::new, [2, 8], Shared::forward)),
        ("unused", Summary::of(Unused::<TraceGrad>::new, [2, 8], Unused::forward)),
    ];
    summaries.into_iter().map(|(name, summary)| (name, summary.expect(name))).collect()
}
