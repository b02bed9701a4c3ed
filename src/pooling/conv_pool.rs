//! Convolution, bias, ReLU and pooling: the block that convolutional classifiers repeat.

use burn::config::Config;
use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Initializer, PaddingConfig2d};
use burn::tensor::{Tensor, activation::relu, backend::Backend};

use super::pool::{WindowError, slide};
use super::{Pool2d, Pool2dConfig};

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
        ConvPool2d {
            conv,
            pool: self.pool.init(),
        }
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
}

impl<B: Backend> ConvPool2d<B> {
    /// Convolves, clips at zero, pools.
    ///
    /// # Shapes
    /// - input: `[batch, in channels, height, width]`
    /// - output: `[batch, out channels, pooled height, pooled width]`; global: `[batch, out channels, 1, 1]`
    ///
    /// # Panics
    /// If the channels differ from the configuration's, or kernel or window do not fit the input;
    /// [`ConvPool2dConfig::output_size`] tells beforehand.
    pub fn forward(&self, input: Tensor<B, 4>) -> Tensor<B, 4> {
        self.pool.forward(relu(self.conv.forward(input)))
    }
}
