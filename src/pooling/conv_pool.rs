//! Convolution, bias, ReLU and pooling: the block that convolutional classifiers repeat.

use burn::config::Config;
use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Initializer, PaddingConfig2d};
use burn::tensor::{Tensor, activation::relu, backend::Backend};

use super::pool::{WindowError, slide};
use super::{Pool2d, Pool2dConfig};
use crate::cpu::conv_pool::{Problem, conv_pool};

/// Configuration of a [`ConvPool2d`].
#[derive(Config, Debug)]
pub struct ConvPool2dConfig {
    /// Number of input and of output channels.
    pub channels: [usize; 2],
    /// Height and width of the convolution's kernel.
    pub kernel_size: [usize; 2],
    /// The pooling that follows.
    pub pool: Pool2dConfig,
    /// Rows of zeros above and below, columns of zeros left and right.
    #[config(default = "[0, 0]")]
    pub padding: [usize; 2],
}

impl ConvPool2dConfig {
    /// The block: weights Glorot-uniform, biases zero.
    pub fn init<B: Backend>(&self, device: &B::Device) -> ConvPool2d<B> {
        let [rows, columns] = self.padding;
        let mut conv = Conv2dConfig::new(self.channels, self.kernel_size)
            .with_padding(PaddingConfig2d::Explicit(rows, columns, rows, columns))
            .with_initializer(Initializer::XavierUniform { gain: 1.0 })
            .init(device);
        conv.bias = Some(Initializer::Zeros.init([self.channels[1]], device));
        ConvPool2d { conv, pool: self.pool.init(), fused: true }
    }

    /// Height and width that come out of an image of height and width `image`.
    ///
    /// # Errors
    /// [`WindowError`] if the kernel does not fit the padded image, or the pool window what the
    /// convolution leaves.
    pub fn output_size(&self, image: [usize; 2]) -> Result<[usize; 2], WindowError> {
        let padded = [0, 1].map(|side| image[side] + 2 * self.padding[side]);
        let positions = slide("kernel", self.kernel_size, [1, 1], padded)?;
        self.pool.output_size(positions)
    }
}

/// Convolution with stride 1, bias, ReLU, then pooling.
#[derive(Module, Debug)]
pub struct ConvPool2d<B: Backend> {
    /// The convolution: weight `[out channels, in channels, kernel height, kernel width]`, bias `[out channels]`.
    pub conv: Conv2d<B>,
    /// The pooling.
    pub pool: Pool2d,
    /// Whether [`forward`](Self::forward) is one operation where the backend allows; true unless changed.
    #[module(skip)]
    pub fused: bool,
}

impl<B: Backend> ConvPool2d<B> {
    /// Convolves, clips at zero, pools.
    ///
    /// On Flex and NdArray in `f32`, alone or under `Autodiff`, this is one operation that keeps an
    /// image in the cache from its pixels to its pooled values, unless [`fused`](Self::fused) is
    /// switched off or the convolution or the pooling has been replaced by one with steps, groups,
    /// dilation or uneven padding; elsewhere it is [`forward_composed`](Self::forward_composed). The
    /// two agree to within rounding, but for NaN: the fused one always lets it through.
    ///
    /// # Shapes
    /// - input: `[batch, in channels, height, width]`
    /// - output: `[batch, out channels, pooled height, pooled width]`; global: `[batch, out channels, 1, 1]`
    ///
    /// # Panics
    /// If the channels differ from the configuration's, or kernel or window do not fit the input;
    /// [`ConvPool2dConfig::output_size`] tells beforehand.
    pub fn forward(&self, input: Tensor<B, 4>) -> Tensor<B, 4> {
        if let Some(output) = self.forward_fused(&input) {
            return output;
        }
        self.forward_composed(input)
    }

    /// The same, of Burn's own operations, on any backend.
    ///
    /// # Shapes
    /// Those of [`forward`](Self::forward).
    ///
    /// # Panics
    /// Where [`forward`](Self::forward) does.
    pub fn forward_composed(&self, input: Tensor<B, 4>) -> Tensor<B, 4> {
        self.pool.forward(relu(self.conv.forward(input)))
    }
}

impl<B: Backend> ConvPool2d<B> {
    fn forward_fused(&self, input: &Tensor<B, 4>) -> Option<Tensor<B, 4>> {
        let problem = self.problem(input.dims()).filter(|_| self.fused)?;
        let bias = self.conv.bias.as_ref().map(|bias| bias.val());
        conv_pool(&problem, input.clone(), self.conv.weight.val(), bias)
    }

    /// What the fused operation is to compute, if it can.
    fn problem(&self, [batch, channels, height, width]: [usize; 4]) -> Option<Problem> {
        let [filters, filter_channels, rows, columns] = self.conv.weight.dims();
        let plain = self.conv.stride == [1, 1] && self.conv.dilation == [1, 1];
        if !plain || self.conv.groups != 1 || filter_channels != channels {
            return None;
        }
        Some(Problem {
            batch,
            channels,
            image: [height, width],
            filters,
            kernel: [rows, columns],
            padding: self.padding()?,
            pool: self.pool.fused()?,
        })
    }

    /// The padding, if it is the same on opposite sides.
    fn padding(&self) -> Option<[usize; 2]> {
        match self.conv.padding {
            PaddingConfig2d::Valid => Some([0, 0]),
            PaddingConfig2d::Explicit(top, left, bottom, right) => {
                (top == bottom && left == right).then_some([top, left])
            }
            PaddingConfig2d::Same => {
                let [rows, columns] = self.conv.kernel_size;
                (rows % 2 == 1 && columns % 2 == 1).then_some([rows / 2, columns / 2])
            }
        }
    }
}
