//! Sliding windows: the arithmetic that convolution and pooling share.

use burn::tensor::Tensor;

/// A kernel that is larger than its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected an input of at least {}x{}, the size of the kernel, found {}x{}; use larger images or a smaller kernel",
    kernel_size[0], kernel_size[1], input[0], input[1]
)]
pub struct WindowError {
    /// Height and width of the kernel.
    pub kernel_size: [usize; 2],
    /// Height and width of the input, with its padding.
    pub input: [usize; 2],
}

/// A window that slides over a feature map; `[height, width]` each.
#[derive(Clone, Copy)]
pub(super) struct Window {
    /// The size of the window.
    pub kernel_size: [usize; 2],
    /// The distance between neighbouring windows, at least 1.
    pub stride: [usize; 2],
    /// The zeros on each side of the input.
    pub padding: [usize; 2],
}

impl Window {
    /// Returns height and width of the output for an input of a certain size.
    pub fn output_size(&self, input: [usize; 2]) -> Result<[usize; 2], WindowError> {
        let Self { kernel_size, stride, padding } = *self;
        let input = [0, 1].map(|side| input[side] + 2 * padding[side]);
        match kernel_size[0] > input[0] || kernel_size[1] > input[1] {
            true => Err(WindowError { kernel_size, input }),
            false => Ok([0, 1].map(|side| (input[side] - kernel_size[side]) / stride[side] + 1)),
        }
    }
}

/// Panics if there is nothing to pool globally: height or width is 0.
#[track_caller]
pub(super) fn check_maps(maps: &Tensor<4>) {
    let [_, _, height, width] = maps.dims();
    assert!(height > 0 && width > 0, "expected maps of at least 1x1, found {height}x{width}; use larger images");
}
