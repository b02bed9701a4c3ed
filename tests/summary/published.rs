//! Published architectures in small, in Burn, as their sources build them.

use burn::module::Module;
use burn::nn::attention::{MhaInput, MultiHeadAttention, MultiHeadAttentionConfig};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{
    BatchNorm, BatchNormConfig, Dropout, DropoutConfig, Embedding, EmbeddingConfig, Gelu, LayerNorm, LayerNormConfig,
    Linear, LinearConfig, PaddingConfig2d, Relu, RmsNorm, RmsNormConfig, RotaryEncoding, RotaryEncodingConfig, SwiGlu,
    SwiGluConfig,
};
use burn::tensor::activation::{relu, silu, softmax};
use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor};
use burn_pooling::summary::{Summary, TraceGrad, tokens};

/// A convolution that keeps the size of the image, without bias.
fn conv(channels: [usize; 2], kernel: usize) -> Conv2dConfig {
    let pad = kernel / 2;
    let padding = PaddingConfig2d::Explicit(pad, pad, pad, pad);
    Conv2dConfig::new(channels, [kernel, kernel]).with_padding(padding).with_bias(false)
}

/// The mean over the positions of `[batch, channels, height, width]`.
fn global_average<B: Backend>(x: Tensor<B, 4>) -> Tensor<B, 2> {
    x.mean_dim(3).mean_dim(2).flatten(1, 3)
}

/// The basic block of ResNet (He et al. 2015): one activation, used twice, the second time after the sum.
#[derive(Module, Debug)]
pub struct BasicBlock<B: Backend> {
    conv1: Conv2d<B>,
    bn1: BatchNorm<B>,
    conv2: Conv2d<B>,
    bn2: BatchNorm<B>,
    relu: Relu,
}

impl<B: Backend> BasicBlock<B> {
    fn new(channels: usize, device: &B::Device) -> Self {
        Self {
            conv1: conv([channels, channels], 3).init(device),
            bn1: BatchNormConfig::new(channels).init(device),
            conv2: conv([channels, channels], 3).init(device),
            bn2: BatchNormConfig::new(channels).init(device),
            relu: Relu::new(),
        }
    }

    fn forward(&self, x: Tensor<B, 4>) -> Tensor<B, 4> {
        let y = self.relu.forward(self.bn1.forward(self.conv1.forward(x.clone())));
        self.relu.forward(self.bn2.forward(self.conv2.forward(y)) + x)
    }
}

/// A ResNet of two stages of two blocks.
#[derive(Module, Debug)]
pub struct ResNet<B: Backend> {
    stem: Conv2d<B>,
    relu: Relu,
    layer1: Vec<BasicBlock<B>>,
    layer2: Vec<BasicBlock<B>>,
    fc: Linear<B>,
}

impl<B: Backend> ResNet<B> {
    pub fn new(device: &B::Device) -> Self {
        let stage = || (0..2).map(|_| BasicBlock::new(8, device)).collect();
        Self {
            stem: conv([3, 8], 3).init(device),
            relu: Relu::new(),
            layer1: stage(),
            layer2: stage(),
            fc: LinearConfig::new(8, 10).init(device),
        }
    }

    pub fn forward(&self, x: Tensor<B, 4>) -> Tensor<B, 2> {
        let x = self.relu.forward(self.stem.forward(x));
        let x = self.layer1.iter().chain(&self.layer2).fold(x, |x, block| block.forward(x));
        self.fc.forward(global_average(x))
    }
}

/// `min(max(x, 0), 6)`, a module of the model's own.
#[derive(Module, Debug, Clone)]
pub struct Relu6 {}

/// Convolution, normalisation and, but for the last of a block, activation.
#[derive(Module, Debug)]
pub struct ConvNorm<B: Backend> {
    conv: Conv2d<B>,
    norm: BatchNorm<B>,
    activation: Option<Relu6>,
}

impl<B: Backend> ConvNorm<B> {
    fn new(channels: [usize; 2], kernel: usize, groups: usize, activation: Option<Relu6>, device: &B::Device) -> Self {
        let norm = BatchNormConfig::new(channels[1]).init(device);
        Self { conv: conv(channels, kernel).with_groups(groups).init(device), norm, activation }
    }

    fn forward(&self, x: Tensor<B, 4>) -> Tensor<B, 4> {
        let x = self.norm.forward(self.conv.forward(x));
        if self.activation.is_some() { relu(x).clamp_max(6.0) } else { x }
    }
}

/// The inverted residual block of MobileNetV2 (Sandler et al. 2018).
#[derive(Module, Debug)]
pub struct InvertedResidual<B: Backend> {
    layers: Vec<ConvNorm<B>>,
    adds: bool,
}

impl<B: Backend> InvertedResidual<B> {
    fn new(inputs: usize, outputs: usize, device: &B::Device) -> Self {
        let wide = 2 * inputs;
        let layers = vec![
            ConvNorm::new([inputs, wide], 1, 1, Some(Relu6 {}), device),
            ConvNorm::new([wide, wide], 3, wide, Some(Relu6 {}), device),
            ConvNorm::new([wide, outputs], 1, 1, None, device),
        ];
        Self { layers, adds: inputs == outputs }
    }

    fn forward(&self, x: Tensor<B, 4>) -> Tensor<B, 4> {
        let y = self.layers.iter().fold(x.clone(), |x, layer| layer.forward(x));
        if self.adds { y + x } else { y }
    }
}

/// A MobileNet of two blocks, the first with a sum.
#[derive(Module, Debug)]
pub struct MobileNet<B: Backend> {
    stem: ConvNorm<B>,
    blocks: Vec<InvertedResidual<B>>,
    classifier: Linear<B>,
}

impl<B: Backend> MobileNet<B> {
    pub fn new(device: &B::Device) -> Self {
        Self {
            stem: ConvNorm::new([3, 8], 3, 1, Some(Relu6 {}), device),
            blocks: vec![InvertedResidual::new(8, 8, device), InvertedResidual::new(8, 12, device)],
            classifier: LinearConfig::new(12, 10).init(device),
        }
    }

    pub fn forward(&self, x: Tensor<B, 4>) -> Tensor<B, 2> {
        let x = self.blocks.iter().fold(self.stem.forward(x), |x, block| block.forward(x));
        self.classifier.forward(global_average(x))
    }
}

/// YOLOX's convolution (Ge et al. 2021), whose activation is a function.
#[derive(Module, Debug)]
pub struct BaseConv<B: Backend> {
    conv: Conv2d<B>,
    bn: BatchNorm<B>,
}

impl<B: Backend> BaseConv<B> {
    fn new(channels: [usize; 2], kernel: usize, device: &B::Device) -> Self {
        Self { conv: conv(channels, kernel).init(device), bn: BatchNormConfig::new(channels[1]).init(device) }
    }

    fn forward(&self, x: Tensor<B, 4>) -> Tensor<B, 4> {
        silu(self.bn.forward(self.conv.forward(x)))
    }
}

#[derive(Module, Debug)]
pub struct Bottleneck<B: Backend> {
    conv1: BaseConv<B>,
    conv2: BaseConv<B>,
}

impl<B: Backend> Bottleneck<B> {
    fn forward(&self, x: Tensor<B, 4>) -> Tensor<B, 4> {
        self.conv2.forward(self.conv1.forward(x.clone())) + x
    }
}

/// A cross stage partial block: half of the channels pass bottlenecks, the other half does not.
#[derive(Module, Debug)]
pub struct CspBlock<B: Backend> {
    conv1: BaseConv<B>,
    conv2: BaseConv<B>,
    conv3: BaseConv<B>,
    m: Vec<Bottleneck<B>>,
}

impl<B: Backend> CspBlock<B> {
    pub fn new(device: &B::Device) -> Self {
        let conv = |channels, kernel| BaseConv::new(channels, kernel, device);
        let bottleneck = || Bottleneck { conv1: conv([4, 4], 1), conv2: conv([4, 4], 3) };
        Self {
            conv1: conv([8, 4], 1),
            conv2: conv([8, 4], 1),
            conv3: conv([8, 8], 1),
            m: vec![bottleneck(), bottleneck()],
        }
    }

    pub fn forward(&self, x: Tensor<B, 4>) -> Tensor<B, 4> {
        let a = self.conv1.forward(x.clone());
        let b = self.conv2.forward(x);
        let a = self.m.iter().fold(a, |x, block| block.forward(x));
        self.conv3.forward(Tensor::cat(vec![a, b], 1))
    }
}

#[derive(Module, Debug)]
pub struct AlbertEmbeddings<B: Backend> {
    word: Embedding<B>,
    position: Embedding<B>,
    norm: LayerNorm<B>,
    dropout: Dropout,
}

#[derive(Module, Debug)]
pub struct AlbertLayer<B: Backend> {
    attention: MultiHeadAttention<B>,
    norm1: LayerNorm<B>,
    ffn: Linear<B>,
    ffn_output: Linear<B>,
    norm2: LayerNorm<B>,
}

#[derive(Module, Debug)]
pub struct AlbertEncoder<B: Backend> {
    mapping: Linear<B>,
    layer: AlbertLayer<B>,
}

#[derive(Module, Debug)]
pub struct AlbertHead<B: Backend> {
    dense: Linear<B>,
    norm: LayerNorm<B>,
}

/// Albert (Lan et al. 2019) with its language model: one layer runs four times, and the decoder is tied to the words'
/// embedding.
#[derive(Module, Debug)]
pub struct Albert<B: Backend> {
    embeddings: AlbertEmbeddings<B>,
    encoder: AlbertEncoder<B>,
    head: AlbertHead<B>,
    gelu: Gelu,
}

impl<B: Backend> Albert<B> {
    pub fn new(device: &B::Device) -> Self {
        let (small, wide) = (8, 16);
        let linear = |inputs, outputs| LinearConfig::new(inputs, outputs).init(device);
        let norm = |width| LayerNormConfig::new(width).init(device);
        Self {
            embeddings: AlbertEmbeddings {
                word: EmbeddingConfig::new(100, small).init(device),
                position: EmbeddingConfig::new(32, small).init(device),
                norm: norm(small),
                dropout: DropoutConfig::new(0.1).init(),
            },
            encoder: AlbertEncoder {
                mapping: linear(small, wide),
                layer: AlbertLayer {
                    attention: MultiHeadAttentionConfig::new(wide, 4).init(device),
                    norm1: norm(wide),
                    ffn: linear(wide, 4 * wide),
                    ffn_output: linear(4 * wide, wide),
                    norm2: norm(wide),
                },
            },
            head: AlbertHead { dense: linear(wide, small), norm: norm(small) },
            gelu: Gelu::new(),
        }
    }

    pub fn forward(&self, tokens: Tensor<B, 2, Int>) -> Tensor<B, 3> {
        let [batch, length] = tokens.dims();
        let positions = Tensor::arange(0..length as i64, &tokens.device()).reshape([1, length]).repeat_dim(0, batch);
        let AlbertEmbeddings { word, position, norm, dropout } = &self.embeddings;
        let x = dropout.forward(norm.forward(word.forward(tokens) + position.forward(positions)));
        let mut x = self.encoder.mapping.forward(x);
        let layer = &self.encoder.layer;
        for _ in 0..4 {
            let attended = layer.attention.forward(MhaInput::self_attn(x.clone())).context;
            let y = layer.norm1.forward(attended + x);
            let z = layer.ffn_output.forward(self.gelu.forward(layer.ffn.forward(y.clone())));
            x = layer.norm2.forward(z + y);
        }
        let x = self.head.norm.forward(self.gelu.forward(self.head.dense.forward(x)));
        x.matmul(word.weight.val().transpose().unsqueeze())
    }
}

#[derive(Module, Debug)]
pub struct LlamaAttention<B: Backend> {
    q: Linear<B>,
    k: Linear<B>,
    v: Linear<B>,
    o: Linear<B>,
}

impl<B: Backend> LlamaAttention<B> {
    fn forward(&self, x: Tensor<B, 3>, rope: &RotaryEncoding<B>) -> Tensor<B, 3> {
        let [batch, length, width] = x.dims();
        let heads = |x: Tensor<B, 3>| x.reshape([batch, length, 4, width / 4]).swap_dims(1, 2);
        let (q, k) = (heads(self.q.forward(x.clone())), heads(self.k.forward(x.clone())));
        let v = heads(self.v.forward(x));
        let scores = rope.forward(q).matmul(rope.forward(k).transpose()) / 2.0;
        let x = softmax(scores, 3).matmul(v).swap_dims(1, 2).reshape([batch, length, width]);
        self.o.forward(x)
    }
}

#[derive(Module, Debug)]
pub struct LlamaFeedForward<B: Backend> {
    swiglu: SwiGlu<B>,
    w2: Linear<B>,
}

#[derive(Module, Debug)]
pub struct LlamaBlock<B: Backend> {
    attention_norm: RmsNorm<B>,
    attention: LlamaAttention<B>,
    ffn_norm: RmsNorm<B>,
    feed_forward: LlamaFeedForward<B>,
}

/// Llama (Touvron et al. 2023) of three blocks; the rotary encoding is the model's, and runs in the blocks.
#[derive(Module, Debug)]
pub struct Llama<B: Backend> {
    embedding: Embedding<B>,
    layers: Vec<LlamaBlock<B>>,
    norm: RmsNorm<B>,
    output: Linear<B>,
    rope: RotaryEncoding<B>,
}

impl<B: Backend> Llama<B> {
    pub fn new(device: &B::Device) -> Self {
        let linear = |inputs, outputs| LinearConfig::new(inputs, outputs).with_bias(false).init(device);
        let norm = || RmsNormConfig::new(16).init(device);
        let square = || linear(16, 16);
        let block = |_| LlamaBlock {
            attention_norm: norm(),
            attention: LlamaAttention { q: square(), k: square(), v: square(), o: square() },
            ffn_norm: norm(),
            feed_forward: LlamaFeedForward { swiglu: SwiGluConfig::new(16, 32).init(device), w2: linear(32, 16) },
        };
        Self {
            embedding: EmbeddingConfig::new(50, 16).init(device),
            layers: (0..3).map(block).collect(),
            norm: norm(),
            output: linear(16, 50),
            rope: RotaryEncodingConfig::new(32, 4).init(device),
        }
    }

    pub fn forward(&self, tokens: Tensor<B, 2, Int>) -> Tensor<B, 3> {
        let mut x = self.embedding.forward(tokens);
        for block in &self.layers {
            x = x.clone() + block.attention.forward(block.attention_norm.forward(x), &self.rope);
            let LlamaFeedForward { swiglu, w2 } = &block.feed_forward;
            x = x.clone() + w2.forward(swiglu.forward(block.ffn_norm.forward(x)));
        }
        self.output.forward(self.norm.forward(x))
    }
}

/// Each network as it trains, on two samples.
pub fn all() -> Vec<(&'static str, Summary)> {
    let summaries = [
        ("resnet", Summary::of(ResNet::<TraceGrad>::new, [2, 3, 16, 16], ResNet::forward)),
        ("mobilenet", Summary::of(MobileNet::<TraceGrad>::new, [2, 3, 16, 16], MobileNet::forward)),
        ("csp", Summary::of(CspBlock::<TraceGrad>::new, [2, 8, 16, 16], CspBlock::forward)),
        ("albert", Summary::of(Albert::<TraceGrad>::new, tokens([2, 5]), Albert::forward)),
        ("llama", Summary::of(Llama::<TraceGrad>::new, tokens([2, 5]), Llama::forward)),
    ];
    summaries.into_iter().map(|(name, summary)| (name, summary.expect(name))).collect()
}
