//! A convolution with a stride, without aliasing: convolution of stride 1, activation, and a blur with the stride.
//!
//! Zhang: *Making Convolutional Networks Shift-Invariant Again* (2019).

use burn::config::Config;
use burn::module::Module;
use burn::tensor::{Tensor, backend::Backend};

use super::activation::Activation;
use super::blur::{BlurPool2d, BlurPool2dConfig};
use super::conv_pool::{ConvPool2d, ConvPool2dConfig};
use super::error::{WindowError, expect};
use super::layer::Pooling;

/// Configuration of a [`BlurConv2d`]: by default a convolution without padding, a ReLU and the default blur.
///
/// ```
/// use burn_pooling::pooling::BlurConv2dConfig;
///
/// assert_eq!(BlurConv2dConfig::new(16, [3, 3]).output_size([28, 28]), Ok([13, 13]));
/// ```
#[derive(Config, Debug, Copy, PartialEq, Eq)]
pub struct BlurConv2dConfig {
    /// Number of filters, which are the channels of the output.
    pub filters: usize,
    /// Height and width of the convolution's kernel.
    pub kernel_size: [usize; 2],
    /// Rows of zeros above and below, columns of zeros left and right, that the convolution sees.
    #[config(default = "[0, 0]")]
    pub padding: [usize; 2],
    /// Whether a batch normalisation stands between convolution and activation.
    #[config(default = false)]
    pub batch_norm: bool,
    /// The activation.
    #[config(default = "Activation::Relu")]
    pub activation: Activation,
    /// The blur, which has the stride.
    #[config(default = "BlurPool2dConfig::new()")]
    pub blur: BlurPool2dConfig,
}

impl BlurConv2dConfig {
    /// Creates the layer for inputs of `channels` channels: weights Glorot-uniform, biases zero.
    pub fn init<B: Backend>(&self, channels: usize, device: &B::Device) -> BlurConv2d<B> {
        BlurConv2d { block: self.block().init(channels, device), blur: self.blur.init() }
    }

    /// Returns height and width of the output for an image of height and width `image`.
    ///
    /// # Errors
    /// [`WindowError`] if the kernel does not fit the padded image, or the blur does not take what the convolution
    /// leaves.
    pub fn output_size(&self, image: [usize; 2]) -> Result<[usize; 2], WindowError> {
        self.blur.output_size(self.block().output_size(image)?)
    }

    fn block(&self) -> ConvPool2dConfig {
        ConvPool2dConfig::new(self.filters, self.kernel_size)
            .with_padding(self.padding)
            .with_batch_norm(self.batch_norm)
            .with_activation(self.activation)
    }
}

/// `blur(activation(convolution(x)))`: in place of a convolution with a stride, which leaves out positions unblurred.
///
/// What [`ConvPool2d`] says of numbers holds here too, and what [`BlurPool2d`] says of NaN.
///
/// ```
/// # #[cfg(feature = "flex")] {
/// use burn::module::Param;
/// use burn::tensor::Tensor;
/// use burn_pooling::pooling::{BlurConv2dConfig, BlurPadding, BlurPool2dConfig};
///
/// let device = Default::default();
/// let blur = BlurPool2dConfig::new().with_filter_size([1, 3]).with_stride([1, 2]);
/// let blur = blur.with_padding(BlurPadding::Replicate);
/// let mut layer = BlurConv2dConfig::new(1, [1, 1]).with_blur(blur).init::<burn_flex::Flex>(1, &device);
/// layer.block.conv.weight = Param::from_tensor(Tensor::from_floats([[[[2.0]]]], &device));
/// let row = Tensor::from_floats([[[[2.0, 4.0, -1.0, 0.0]]]], &device);
/// let output = layer.forward(row); // of 4 8 0 0: (4 + 2 * 4 + 8) / 4, (8 + 2 * 0 + 0) / 4
/// assert_eq!(output.into_data().to_vec::<f32>().unwrap(), [5.0, 2.0]);
/// # }
/// ```
#[derive(Module, Debug)]
pub struct BlurConv2d<B: Backend> {
    /// The convolution of stride 1 with its activation; on a CPU backend one operation.
    pub block: ConvPool2d<B>,
    /// The blur.
    pub blur: BlurPool2d,
}

impl<B: Backend> BlurConv2d<B> {
    /// Convolves, activates and blurs.
    ///
    /// # Shapes
    /// - input: `[batch, channels, height, width]`
    /// - output: `[batch, filters, convolved height / stride, convolved width / stride]`, rounded up
    ///
    /// # Panics
    /// If [`try_forward`](Self::try_forward) returns an error; [`BlurConv2dConfig::output_size`] tells beforehand.
    #[track_caller]
    pub fn forward(&self, input: Tensor<B, 4>) -> Tensor<B, 4> {
        expect(self.try_forward(input))
    }

    /// Does the same, or returns why it cannot.
    ///
    /// # Errors
    /// [`WindowError`] if the channels differ from the convolution's, its kernel does not fit its input, or the blur
    /// does not take its output.
    pub fn try_forward(&self, input: Tensor<B, 4>) -> Result<Tensor<B, 4>, WindowError> {
        self.blur.try_forward(self.block.try_forward(input)?)
    }
}

impl<B: Backend> Pooling<B> for BlurConv2d<B> {
    fn pool(&self, input: Tensor<B, 4>) -> Result<Tensor<B, 4>, WindowError> {
        self.try_forward(input)
    }
}
