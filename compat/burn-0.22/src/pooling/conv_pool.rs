//! Convolution, normalisation, activation and pooling: the block that the networks repeat.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Initializer, PaddingConfig2d};
use burn::tensor::{Device, Tensor};
use serde::Deserialize;

use super::window::{Window, WindowError};
use super::{Activation, Pool2d};

/// Configuration of a [`ConvPool2d`], as `config.json` holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConvPool2dConfig {
    /// Number of filters, which are the channels of the output.
    pub filters: usize,
    /// Height and width of the convolution's kernel.
    pub kernel_size: [usize; 2],
    /// Vertical and horizontal stride of the convolution.
    pub stride: [usize; 2],
    /// Rows of zeros above and below, columns of zeros left and right.
    pub padding: [usize; 2],
    /// Whether a batch normalisation stands between convolution and activation.
    pub batch_norm: bool,
    /// The activation.
    pub activation: Activation,
    /// The pooling that follows, if any.
    pub pool: Option<Pool2d>,
}

impl ConvPool2dConfig {
    /// Returns a convolution of stride 1 without padding, followed by a ReLU; other fields are set with `..`.
    pub fn new(filters: usize, kernel_size: [usize; 2]) -> Self {
        let (stride, padding) = ([1, 1], [0, 0]);
        Self { filters, kernel_size, stride, padding, batch_norm: false, activation: Activation::Relu, pool: None }
    }

    /// Returns every number with its name and the least that it may be.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = (&'static str, usize, usize)> {
        let pool = self.pool.map_or_else(Vec::new, |pool| pool.numbers());
        let sizes = [self.kernel_size, self.stride].concat().into_iter().chain(pool);
        let named = sizes.map(|size| ("kernel sizes and strides", 1, size));
        let padding = self.padding.map(|side| ("a padding", 0, side));
        named.chain(padding).chain([("filters", 1, self.filters)])
    }

    /// Returns height and width of the output for an image of height and width `image`.
    pub(crate) fn output_size(&self, image: [usize; 2]) -> Result<[usize; 2], WindowError> {
        let Self { kernel_size, stride, padding, .. } = *self;
        let maps = Window { kernel_size, stride, padding }.output_size(image)?;
        self.pool.map_or(Ok(maps), |pool| pool.output_size(maps))
    }

    /// Creates the block for inputs of `channels` channels: weights Glorot-uniform, biases zero.
    ///
    /// # Panics
    /// If a number is 0, the padding excepted.
    pub fn init(&self, channels: usize, device: &Device) -> ConvPool2d {
        let [rows, columns] = self.padding;
        let conv = Conv2dConfig::new([channels, self.filters], self.kernel_size)
            .with_stride(self.stride)
            .with_padding(PaddingConfig2d::Explicit(rows, columns, rows, columns))
            .with_initializer(Initializer::XavierUniform { gain: 1.0 });
        let mut conv = conv.init(device);
        conv.bias = Some(Initializer::Zeros.init([self.filters], device));
        ConvPool2d {
            conv,
            norm: self.batch_norm.then(|| BatchNormConfig::new(self.filters).init(device)),
            activation: self.activation,
            pool: self.pool,
        }
    }
}

/// Convolution, optional batch normalisation, activation, optional pooling.
#[derive(Module, Debug)]
pub struct ConvPool2d {
    /// The convolution: weight `[filters, channels, kernel height, kernel width]`, bias `[filters]`.
    pub conv: Conv2d,
    /// The normalisation between convolution and activation, if any.
    pub norm: Option<BatchNorm>,
    /// The activation.
    #[module(skip)]
    pub activation: Activation,
    /// The pooling, if any.
    #[module(skip)]
    pub pool: Option<Pool2d>,
}

impl ConvPool2d {
    /// Convolves, normalises, activates and pools.
    ///
    /// # Shapes
    /// - input: `[batch, channels, height, width]`
    /// - output: `[batch, filters, pooled height, pooled width]`; global: `[batch, filters, 1, 1]`
    ///
    /// # Panics
    /// If the channels differ from the convolution's, or a kernel does not fit its input.
    pub fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let mut maps = self.conv.forward(input); // [batch, filters, height, width]
        if let Some(norm) = &self.norm {
            maps = norm.forward(maps);
        }
        let maps = self.activation.forward(maps);
        match &self.pool {
            Some(pool) => pool.forward(maps),
            None => maps,
        }
    }
}
