//! Attention pooling: one query, the mean of the map, attends to all of its positions.
//!
//! Radford et al.: *Learning Transferable Visual Models From Natural Language Supervision* (2021), section 2.4; the
//! `AttentionPool2d` of OpenAI's CLIP and of timm.

use burn::module::{Initializer, Module, Param};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::softmax;
use burn::tensor::module::interpolate;
use burn::tensor::ops::{InterpolateMode, InterpolateOptions};
use burn::tensor::{Tensor, backend::Backend};

use super::error::{WindowError, expect};
use super::window::Window;

/// Configuration of an [`AttentionPool2d`].
#[derive(burn::config::Config, Debug, Copy, PartialEq, Eq)]
pub struct AttentionPool2dConfig {
    /// Channels of the map.
    pub channels: usize,
    /// Height and width of the map; others are taken too, see [`AttentionPool2d`].
    pub size: [usize; 2],
    /// How many parts of the embedding attend by themselves; divides its size.
    pub heads: usize,
    /// Size of queries, keys and values; the channels unless set.
    pub embedding: Option<usize>,
    /// Size of the output; unless set, no projection follows, and it is that of the embedding.
    pub output: Option<usize>,
    /// Whether a learned token asks in place of the mean.
    #[config(default = false)]
    pub class_token: bool,
}

impl AttentionPool2dConfig {
    /// Creates the layer.
    ///
    /// The positions and the weights of query, key and value start from a normal distribution with a deviation of
    /// `1 / sqrt(channels)`, their biases and the class token from 0, and the projection as Burn has it.
    pub fn init<B: Backend>(&self, device: &B::Device) -> AttentionPool2d<B> {
        let Self { channels, size: [height, width], heads, embedding, output, class_token } = *self;
        let embedding = embedding.unwrap_or(channels);
        let normal = Initializer::Normal { mean: 0.0, std: (channels as f64).powf(-0.5) };
        let linear = || Linear {
            weight: normal.init([channels, embedding], device),
            bias: Some(Initializer::Zeros.init([embedding], device)),
        };
        AttentionPool2d {
            query: linear(),
            key: linear(),
            value: linear(),
            projection: output.map(|output| LinearConfig::new(embedding, output).init(device)),
            position: normal.init([height * width + 1, channels], device),
            token: class_token.then(|| Initializer::Zeros.init([1, channels], device)),
            heads,
            size: self.size,
        }
    }
}

/// Reduces a map to one vector by attention: of each head, the values weighted by `softmax(query key / sqrt(size))`.
///
/// The tokens are the mean of all positions, or the class token, then the positions row by row, each plus its learned
/// position. All have a key and a value; the first alone has a query. The heads lie one after the other in the
/// embedding.
///
/// For a map of another size than the layer was created for, the positions are resampled (bicubic, corners not
/// aligned); the first, which belongs to no place, stays. timm averages in addition where the map is smaller; CLIP
/// takes no other size.
///
/// ```
/// # #[cfg(feature = "flex")] {
/// use burn::module::Param;
/// use burn::tensor::Tensor;
/// use burn_pooling::pooling::AttentionPool2dConfig;
///
/// let device = Default::default();
/// let mut pool = AttentionPool2dConfig::new(1, [1, 2], 1).init::<burn_flex::Flex>(&device);
/// let weight = |weight: f32| Param::from_tensor(Tensor::from_floats([[weight]], &device));
/// (pool.query.weight, pool.key.weight, pool.value.weight) = (weight(1.0), weight(2.0_f32.ln()), weight(1.0));
/// pool.position = Param::from_tensor(Tensor::zeros([3, 1], &device));
///
/// let map = Tensor::from_floats([[[[0.0, 2.0]]]], &device);
/// // The mean, 1, asks; it attends to itself, 0 and 2 by 2, 1 and 4 parts of 7.
/// let expected = (2.0 * 1.0 + 1.0 * 0.0 + 4.0 * 2.0) / 7.0;
/// assert!((pool.forward(map).into_scalar() - expected).abs() < 1e-6);
/// # }
/// ```
#[derive(Module, Debug)]
pub struct AttentionPool2d<B: Backend> {
    /// Makes the query of the first token.
    pub query: Linear<B>,
    /// Makes the keys. Their bias changes no output.
    pub key: Linear<B>,
    /// Makes the values.
    pub value: Linear<B>,
    /// Projects the heads to the output, if anything does.
    pub projection: Option<Linear<B>>,
    /// What is added to each token, `[height * width + 1, channels]`: first that of the mean.
    pub position: Param<Tensor<B, 2>>,
    /// The class token, `[1, channels]`, if it replaces the mean.
    pub token: Option<Param<Tensor<B, 2>>>,
    /// How many parts of the embedding attend by themselves.
    pub heads: usize,
    /// Height and width of the map that the positions belong to.
    pub size: [usize; 2],
}

impl<B: Backend> AttentionPool2d<B> {
    /// Pools the map.
    ///
    /// # Shapes
    /// - input: `[batch, channels, height, width]`
    /// - output: `[batch, output]`
    ///
    /// # Panics
    /// If [`try_forward`](Self::try_forward) returns an error.
    #[track_caller]
    pub fn forward(&self, input: Tensor<B, 4>) -> Tensor<B, 2> {
        expect(self.try_forward(input))
    }

    /// Does the same, or returns why it cannot.
    ///
    /// # Errors
    /// [`WindowError`] if the input has other channels or is empty, the heads do not divide the embedding, or the
    /// positions are not those of a map of [`size`](Self::size).
    pub fn try_forward(&self, input: Tensor<B, 4>) -> Result<Tensor<B, 2>, WindowError> {
        let ([batch, _, height, width], [_, embedding]) = (input.dims(), self.query.weight.dims());
        self.check(&input)?;
        if batch == 0 {
            // Flex reads beyond an empty product.
            let output = self.projection.as_ref().map_or(embedding, |projection| projection.weight.dims()[1]);
            return Ok(input.reshape([0, output]));
        }
        let map: Tensor<B, 3> = input.flatten(2, 3).swap_dims(1, 2); // [batch, height * width, channels]
        let first = match &self.token {
            Some(token) => token.val().unsqueeze::<3>().repeat_dim(0, batch),
            None => map.clone().mean_dim(1),
        };
        let tokens = Tensor::cat(vec![first, map], 1) + self.positions([height, width]).unsqueeze::<3>();
        let query = self.split(self.query.forward(tokens.clone().narrow(1, 0, 1)));
        let (key, value) = (self.split(self.key.forward(tokens.clone())), self.split(self.value.forward(tokens)));
        let scale = ((embedding / self.heads) as f64).powf(-0.5);
        let weights = softmax(query.matmul(key.transpose()) * scale, 3); // [batch, heads, 1, tokens]
        let attended = weights.matmul(value).reshape([batch, embedding]);
        Ok(match &self.projection {
            Some(projection) => projection.forward(attended),
            None => attended,
        })
    }

    /// Returns an error if the layer does not take the input.
    fn check(&self, input: &Tensor<B, 4>) -> Result<(), WindowError> {
        let ([_, found, height, width], [positions, expected]) = (input.dims(), self.position.dims());
        let ([_, embedding], heads, size) = (self.query.weight.dims(), self.heads, self.size);
        Window::whole([height, width]).output_size([height, width])?;
        if found != expected {
            return Err(WindowError::Channels { expected, found });
        }
        if heads == 0 || embedding % heads != 0 {
            return Err(WindowError::Heads { heads, embedding });
        }
        if size.contains(&0) || size[0] * size[1] + 1 != positions {
            return Err(WindowError::Positions { size, found: positions });
        }
        Ok(())
    }

    /// Splits the embedding of `[batch, tokens, embedding]` into `[batch, heads, tokens, size of a head]`.
    fn split(&self, tokens: Tensor<B, 3>) -> Tensor<B, 4> {
        let [batch, count, embedding] = tokens.dims();
        tokens.reshape([batch, count, self.heads, embedding / self.heads]).swap_dims(1, 2)
    }

    /// Returns the positions of a map of a certain size, the first before them.
    fn positions(&self, [height, width]: [usize; 2]) -> Tensor<B, 2> {
        let position = self.position.val();
        if [height, width] == self.size {
            return position;
        }
        let ([from_height, from_width], [count, channels]) = (self.size, position.dims());
        let map = position.clone().narrow(0, 1, count - 1).reshape([from_height, from_width * channels]);
        let rows = resampling(from_height, height, &position).matmul(map).reshape([height, from_width, channels]);
        let map = resampling(from_width, width, &position).unsqueeze::<3>().matmul(rows); // [height, width, channels]
        Tensor::cat(vec![position.narrow(0, 0, 1), map.reshape([height * width, channels])], 0)
    }
}

/// Returns the matrix, `[to, from]`, that resamples an axis, on the device of a tensor.
///
/// Resampling is linear, so what it makes of the unit vectors is its matrix. A product with that has a gradient on
/// every backend, which the operation itself has not on NdArray.
fn resampling<B: Backend>(from: usize, to: usize, like: &Tensor<B, 2>) -> Tensor<B, 2> {
    let units = Tensor::<B, 2>::eye(from, &like.device()).reshape([1, from, from, 1]);
    let options = InterpolateOptions::new(InterpolateMode::Bicubic).with_align_corners(false);
    interpolate(units, [to, 1], options).reshape([from, to]).transpose().cast(like.dtype())
}
