//! The module: the library's own [`PoolingCnn`], with blurs where a stage asks for them.

use burn::module::{Module, Param};
use burn::tensor::{Tensor, activation::relu, backend::Backend};
use burn_pooling::model::{Classifier, PoolingCnn};
use burn_pooling::pooling::{ConvPool2dConfig, Pool2dConfig};

/// One or two stages of convolution, ReLU and downsampling, then two linear layers.
#[derive(Module, Debug)]
pub struct Network<B: Backend> {
    /// The layers, blurs apart.
    pub cnn: PoolingCnn<B>,
    /// Whether each stage ends with a blur that halves its maps; see `Downsampling::BlurredMax`.
    #[module(skip)]
    pub blurred: [bool; 2],
}

impl<B: Backend> Classifier<B> for Network<B> {
    fn logits(&self, images: Tensor<B, 4>) -> Tensor<B, 2> {
        if self.blurred == [false; 2] {
            return self.cnn.forward(images);
        }
        let hidden = relu(self.cnn.hidden.forward(self.features(images))); // [batch, hidden units]
        self.cnn.output.forward(hidden)
    }
}

impl<B: Backend> Network<B> {
    /// What the stages hand to the linear layers.
    ///
    /// # Shapes
    /// - images: `[batch, 1, height, width]`, grey values 0 to 1
    /// - output: `[batch, features]`, channel by channel
    pub fn features(&self, images: Tensor<B, 4>) -> Tensor<B, 2> {
        let stages = [Some(&self.cnn.stage1), self.cnn.stage2.as_ref()];
        let mut maps = images;
        for (stage, blurred) in stages.into_iter().flatten().zip(self.blurred) {
            maps = stage.forward(maps);
            if blurred {
                maps = blur(maps);
            }
        }
        maps.flatten(1, 3)
    }

    /// The maps of the first convolution after ReLU, before any pooling.
    ///
    /// # Shapes
    /// - images: `[batch, 1, height, width]`, grey values 0 to 1
    /// - output: `[batch, filters, height - 2, width - 2]`
    pub fn first_maps(&self, images: Tensor<B, 4>) -> Tensor<B, 4> {
        relu(self.cnn.stage1.conv.forward(images))
    }
}

/// Halves height and width with a 3x3 binomial filter (1 2 1 by 1 2 1, over 16), zeros around the maps.
///
/// Zhang: *Making Convolutional Networks Shift-Invariant Again* (2019), "Triangle-3". It is the library's own block
/// with a kernel that keeps the channels apart by zeros: wasteful, and yet half as fast again as multiplying no
/// zeros, since it is fused. The maps are not negative, so that its ReLU changes nothing.
///
/// # Shapes
/// - maps: `[batch, channels, height, width]`, not negative
/// - output: `[batch, channels, (height - 1) / 2 + 1, (width - 1) / 2 + 1]`
fn blur<B: Backend>(maps: Tensor<B, 4>) -> Tensor<B, 4> {
    let (channels, device) = (maps.dims()[1], maps.device());
    let mut block = blur_config(channels).init(&device);
    let apart = Tensor::<B, 2>::eye(channels, &device).reshape([channels, channels, 1, 1]);
    block.conv.weight = Param::from_tensor(apart * binomial(&device)).set_require_grad(false);
    block.conv.bias = None;
    block.forward(maps)
}

/// The blur as a block: a window of 1 with stride 2 keeps every second position of the convolution.
pub(super) fn blur_config(channels: usize) -> ConvPool2dConfig {
    let every_second = Pool2dConfig::Max { window: [1, 1], stride: [2, 2] };
    ConvPool2dConfig::new([channels; 2], [3, 3], every_second).with_padding([1, 1])
}

/// `[1, 1, 3, 3]`; sums to 1.
pub(super) fn binomial<B: Backend>(device: &B::Device) -> Tensor<B, 4> {
    const WEIGHTS: [f32; 3] = [0.25, 0.5, 0.25];
    let rows = WEIGHTS.map(|row| WEIGHTS.map(|column| row * column));
    Tensor::from_floats([[rows]], device)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn_flex::Flex;

    /// Expected values by hand: a constant map stays constant away from the zeros around it.
    #[test]
    fn the_blur_keeps_a_constant_and_halves_the_size() {
        let blurred = blur(Tensor::<Flex, 4>::ones([2, 3, 5, 5], &Default::default()));
        assert_eq!(blurred.dims(), [2, 3, 3, 3]);
        let values = blurred.into_data().to_vec::<f32>().unwrap();
        let expected = [0.5625, 0.75, 0.5625, 0.75, 1.0, 0.75, 0.5625, 0.75, 0.5625];
        assert_eq!(values[..9], expected);
    }
}
