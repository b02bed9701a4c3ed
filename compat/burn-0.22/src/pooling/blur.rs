//! Max pooling without aliasing.
//!
//! Zhang: *Making Convolutional Networks Shift-Invariant Again* (2019), with the 3x3 filter ("Triangle-3").

use burn::tensor::module::{conv2d, max_pool2d};
use burn::tensor::ops::{ConvOptions, MaxPoolOptions};
use burn::tensor::{Device, Tensor};

use super::window::Window;

pub(super) const MAX: Window = Window { kernel_size: [2, 2], stride: [1, 1], padding: [0, 0] };
pub(super) const BLUR: Window = Window { kernel_size: [3, 3], stride: [2, 2], padding: [1, 1] };

/// Takes maxima, then blurs every channel by itself: `[batch, channels, height, width]` to half of height and width.
pub(super) fn max_blur_pool(input: Tensor<4>) -> Tensor<4> {
    let ([_, channels, _, _], device) = (input.dims(), input.device());
    let maxima = max_pool2d(input, MaxPoolOptions::new(MAX.kernel_size).with_stride(MAX.stride));
    let kernel = binomial(&device).cast(maxima.dtype()).repeat_dim(0, channels); // [channels, 1, 3, 3]
    conv2d(maxima, kernel, None, ConvOptions::new(BLUR.stride, BLUR.padding, [1, 1], channels))
}

/// Returns the filter, `[1, 1, 3, 3]`, which sums to 1.
fn binomial(device: &Device) -> Tensor<4> {
    const WEIGHTS: [f32; 3] = [0.25, 0.5, 0.25];
    Tensor::from_floats([[WEIGHTS.map(|row| WEIGHTS.map(|column| row * column))]], device)
}
