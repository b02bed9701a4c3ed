//! Convolution, normalisation, activation and pooling: the block that convolutional classifiers repeat.

use burn::config::Config;
use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Initializer, PaddingConfig2d};
use burn::tensor::{Tensor, backend::Backend};

use super::activation::Activation;
use super::error::{WindowError, expect};
use super::head::Head;
use super::pool::{Pool2d, Pool2dConfig};
use super::window::{LayerWindow, Window};
use crate::cpu::conv_pool::{self as cpu, Algorithm, Problem, conv_pool};

/// Configuration of a [`ConvPool2d`]: by default a convolution of stride 1 without padding, and a ReLU.
#[derive(Config, Debug, Copy, PartialEq, Eq)]
pub struct ConvPool2dConfig {
    /// Number of filters, which are the channels of the output.
    pub filters: usize,
    /// Height and width of the convolution's kernel.
    pub kernel_size: [usize; 2],
    /// Vertical and horizontal stride of the convolution.
    #[config(default = "[1, 1]")]
    pub stride: [usize; 2],
    /// Rows of zeros above and below, columns of zeros left and right.
    #[config(default = "[0, 0]")]
    pub padding: [usize; 2],
    /// Whether a batch normalisation stands between convolution and activation.
    #[config(default = false)]
    pub batch_norm: bool,
    /// The activation.
    #[config(default = "Activation::Relu")]
    pub activation: Activation,
    /// The pooling that follows, if any.
    pub pool: Option<Pool2dConfig>,
}

impl ConvPool2dConfig {
    /// Adds max pooling with square windows side by side.
    pub fn max_pool(self, size: usize) -> Self {
        self.with_pool(Some(Pool2dConfig::Max { kernel_size: [size; 2], stride: [size; 2] }))
    }

    /// Adds average pooling with square windows side by side.
    pub fn average_pool(self, size: usize) -> Self {
        self.with_pool(Some(Pool2dConfig::Average { kernel_size: [size; 2], stride: [size; 2] }))
    }

    /// Adds global max pooling.
    pub fn global_max_pool(self) -> Self {
        self.with_pool(Some(Pool2dConfig::GlobalMax))
    }

    /// Adds global average pooling.
    pub fn global_average_pool(self) -> Self {
        self.with_pool(Some(Pool2dConfig::GlobalAverage))
    }

    /// Adds max pooling without aliasing.
    pub fn blurred_max_pool(self) -> Self {
        self.with_pool(Some(Pool2dConfig::BlurredMax))
    }

    /// Adds another global pooling.
    pub fn head(self, head: Head) -> Self {
        self.with_pool(Some(Pool2dConfig::Head(head)))
    }

    /// Creates the block for inputs of `channels` channels: weights Glorot-uniform, biases zero.
    pub fn init<B: Backend>(&self, channels: usize, device: &B::Device) -> ConvPool2d<B> {
        let [rows, columns] = self.padding;
        let mut conv = Conv2dConfig::new([channels, self.filters], self.kernel_size)
            .with_stride(self.stride)
            .with_padding(PaddingConfig2d::Explicit(rows, columns, rows, columns))
            .with_initializer(Initializer::XavierUniform { gain: 1.0 })
            .init(device);
        conv.bias = Some(Initializer::Zeros.init([self.filters], device));
        ConvPool2d {
            conv,
            norm: self.batch_norm.then(|| BatchNormConfig::new(self.filters).init(device)),
            activation: self.activation,
            pool: self.pool.map(|pool| pool.init(self.filters, device)),
            fused: true,
            exact: false,
        }
    }

    /// Returns height and width of the output for an image of height and width `image`.
    ///
    /// # Errors
    /// [`WindowError`] if the kernel does not fit the padded image, or the pooling kernel what the convolution leaves.
    pub fn output_size(&self, image: [usize; 2]) -> Result<[usize; 2], WindowError> {
        self.windows(image)?.iter().try_fold(image, |size, window| window.output_size(size))
    }

    /// Returns the number of channels of the output.
    pub fn output_channels(&self) -> usize {
        self.pool.map_or(self.filters, |pool| pool.output_channels(self.filters))
    }

    /// Returns the windows that slide over an image and its maps, one after the other.
    pub(crate) fn windows(&self, image: [usize; 2]) -> Result<Vec<Window>, WindowError> {
        let Self { kernel_size, stride, padding, .. } = *self;
        let convolution = Window { what: "convolution kernel", kernel_size, stride, padding };
        let maps = convolution.output_size(image)?;
        let pooling = self.pool.map_or_else(Vec::new, |pool| pool.windows(maps));
        Ok([vec![convolution], pooling].concat())
    }
}

/// Convolution, optional batch normalisation, activation, optional pooling.
///
/// # Numbers
/// In `f32` on the CPU backends, outputs and gradients are NaN and infinite where PyTorch's are. Composed
/// (see [`forward`](Self::forward)), one thing differs on Flex: Burn's convolution skips the zeros of the padding, and with
/// them the NaN that an infinite weight or gradient times zero is. What [`Pool2d`] says of other types of numbers and
/// of backends holds here too.
#[derive(Module, Debug)]
pub struct ConvPool2d<B: Backend> {
    /// The convolution: weight `[filters, channels, kernel height, kernel width]`, bias `[filters]`.
    pub conv: Conv2d<B>,
    /// The normalisation between convolution and activation, if any.
    pub norm: Option<BatchNorm<B>>,
    /// The activation.
    #[module(skip)]
    pub activation: Activation,
    /// The pooling, if any.
    pub pool: Option<Pool2d<B>>,
    /// Whether [`forward`](Self::forward) is one operation where the backend allows; true unless changed.
    #[module(skip)]
    pub fused: bool,
    /// Whether that operation computes sums product by product, never by Winograd's algorithm, as the environment variable
    /// `BURN_POOLING_EXACT` has all blocks do; false unless changed. Positions that are equal are then equal to the bit.
    #[module(skip)]
    pub exact: bool,
}

impl<B: Backend> ConvPool2d<B> {
    /// Convolves, normalises, activates and pools.
    ///
    /// On Flex and NdArray in `f32`, alone or under `Autodiff`, this is one operation that never writes the maps to memory
    /// whole, if [`fused`](Self::fused) is on and the block is one that the operation
    /// knows: ReLU and no normalisation; a convolution without dilation, groups and uneven padding; and either
    /// pooling after a convolution of stride 1, or no pooling. Elsewhere it is
    /// [`forward_composed`](Self::forward_composed). The two agree to within rounding.
    /// [`is_fused_for`](Self::is_fused_for) tells which one runs.
    ///
    /// # Shapes
    /// - input: `[batch, channels, height, width]`
    /// - output: `[batch, filters, pooled height, pooled width]`; global: `[batch, filters, 1, 1]`
    ///
    /// # Panics
    /// If [`try_forward`](Self::try_forward) returns an error; [`ConvPool2dConfig::output_size`] tells beforehand.
    pub fn forward(&self, input: Tensor<B, 4>) -> Tensor<B, 4> {
        expect(self.try_forward(input))
    }

    /// Does the same, or returns why it cannot.
    ///
    /// # Errors
    /// [`WindowError`] if the channels differ from the convolution's, a kernel does not fit its input, or the image is
    /// empty.
    pub fn try_forward(&self, input: Tensor<B, 4>) -> Result<Tensor<B, 4>, WindowError> {
        self.check(&input)?;
        self.forward_fused(&input).unwrap_or_else(|| self.try_pooled(self.activations(input)))
    }

    /// Does the same, with the same shapes and panics, by operations one after the other on any backend: Burn's, but for
    /// ReLU and pooling on the CPU backends, where Burn's may lose a NaN.
    pub fn forward_composed(&self, input: Tensor<B, 4>) -> Tensor<B, 4> {
        expect(self.check(&input));
        self.pooled(self.activations(input))
    }

    /// Returns the maps before pooling.
    ///
    /// # Shapes
    /// - input: `[batch, channels, height, width]`
    /// - output: `[batch, filters, height, width]`, of the convolution's output
    ///
    /// # Panics
    /// If the channels differ from the convolution's, or its kernel does not fit the input.
    pub fn activations(&self, input: Tensor<B, 4>) -> Tensor<B, 4> {
        expect(self.convolved_size(&input));
        let mut maps = self.conv.forward(input);
        if let Some(norm) = &self.norm {
            maps = norm.forward(maps);
        }
        self.activation.forward(maps)
    }

    /// Pools the maps that [`activations`](Self::activations) returns; without pooling, returns them as they are.
    ///
    /// # Shapes
    /// - activations: `[batch, filters, height, width]`
    /// - output: that of [`forward`](Self::forward)
    ///
    /// # Panics
    /// If the pooling kernel does not fit the maps.
    pub fn pooled(&self, activations: Tensor<B, 4>) -> Tensor<B, 4> {
        expect(self.try_pooled(activations))
    }

    fn try_pooled(&self, activations: Tensor<B, 4>) -> Result<Tensor<B, 4>, WindowError> {
        match &self.pool {
            Some(pool) => pool.try_forward(activations),
            None => Ok(activations),
        }
    }

    /// Returns an error if the layer does not take the input.
    fn check(&self, input: &Tensor<B, 4>) -> Result<(), WindowError> {
        let maps = self.convolved_size(input)?;
        self.pool.as_ref().map_or(Ok(maps), |pool| pool.output_size(maps)).map(|_| ())
    }

    /// Returns the size of the convolution's output, if it takes the input.
    fn convolved_size(&self, input: &Tensor<B, 4>) -> Result<[usize; 2], WindowError> {
        let Conv2d { stride, dilation, groups, ref weight, ref padding, .. } = self.conv;
        let ([_, channels, rows, columns], [_, found, height, width]) = (weight.dims(), input.dims());
        if channels * groups != found {
            return Err(WindowError::Channels { expected: channels * groups, found });
        }
        let kernel_size = [rows, columns];
        let window = Window { what: "convolution kernel", kernel_size, stride, padding: [0, 0] };
        LayerWindow { window, padding, dilation, ceil_mode: false }.output_size([height, width])
    }

    /// Returns whether [`forward`](Self::forward) of this input is one operation; computes it to find out.
    pub fn is_fused_for(&self, input: &Tensor<B, 4>) -> bool {
        self.forward_fused(input).is_some()
    }

    fn forward_fused(&self, input: &Tensor<B, 4>) -> Option<Result<Tensor<B, 4>, WindowError>> {
        let (problem, parameters) = self.problem(input)?;
        let bias = self.conv.bias.as_ref().map(|bias| bias.val());
        let parameters = parameters.map(|parameters| parameters.unsqueeze_dim(1));
        let output = conv_pool(&problem, input.clone(), self.conv.weight.val(), bias, parameters)?;
        Some(match &self.pool {
            Some(Pool2d::BlurredMax(pool)) => Ok(pool.blur.forward_after_relu(output)),
            Some(Pool2d::Head(pool)) if matches!(problem.pool, cpu::Pool::None { .. }) => pool.try_forward(output),
            _ => Ok(output),
        })
    }

    /// Returns what the fused operation is to compute, if it can, with the parameters of a reduction; the blur behind a
    /// maximum, and a head that is no reduction, apart.
    fn problem(&self, input: &Tensor<B, 4>) -> Option<(Problem, Option<Tensor<B, 1>>)> {
        let [batch, channels, height, width] = input.dims();
        let [filters, filter_channels, rows, columns] = self.conv.weight.dims();
        let is_plain = self.conv.dilation == [1, 1] && self.conv.groups == 1 && filter_channels == channels;
        if !self.fused || self.norm.is_some() || self.activation != Activation::Relu || !is_plain {
            return None;
        }
        let (pool, parameters) = match &self.pool {
            Some(pool) if self.conv.stride == [1, 1] => pool.fused(&input.device())?,
            Some(_) => return None,
            None => (cpu::Pool::None { stride: self.conv.stride, depthwise: false }, None),
        };
        let (image, kernel, padding) = ([height, width], [rows, columns], self.padding()?);
        let algorithm = self.exact.then_some(Algorithm::Direct);
        let problem = Problem { batch, channels, image, filters, kernel, padding, pool, algorithm };
        problem.is_valid().then_some((problem, parameters))
    }

    /// Returns the padding, if it is the same on opposite sides.
    fn padding(&self) -> Option<[usize; 2]> {
        match self.conv.padding {
            PaddingConfig2d::Valid => Some([0, 0]),
            PaddingConfig2d::Explicit(top, left, bottom, right) => {
                (top == bottom && left == right).then_some([top, left])
            }
            PaddingConfig2d::Same => {
                let [rows, columns] = self.conv.kernel_size;
                let even = self.conv.stride == [1, 1] && rows % 2 == 1 && columns % 2 == 1;
                even.then_some([rows / 2, columns / 2])
            }
        }
    }
}
