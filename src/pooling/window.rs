//! Sliding windows: the arithmetic that convolution and pooling share.

use burn::nn::PaddingConfig2d;

use super::error::WindowError;

/// A window that slides over a feature map; `[height, width]` each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    /// Its name in errors.
    pub what: &'static str,
    /// The size of the window.
    pub kernel_size: [usize; 2],
    /// The distance between neighbouring windows.
    pub stride: [usize; 2],
    /// The zeros on each side of the input.
    pub padding: [usize; 2],
}

impl Window {
    /// Returns the window of a global pool.
    pub fn whole(input: [usize; 2]) -> Self {
        Self { what: "feature map", kernel_size: input, stride: [1, 1], padding: [0, 0] }
    }

    /// Returns the size of the output for an input of a certain size.
    pub fn output_size(&self, input: [usize; 2]) -> Result<[usize; 2], WindowError> {
        let Self { what, kernel_size, stride, padding } = *self;
        self.check_empty(input)?;
        let padded = |side: usize| padding[side].checked_mul(2)?.checked_add(input[side]);
        let (Some(height), Some(width)) = (padded(0), padded(1)) else {
            return Err(WindowError::Overflow { input, padding });
        };
        let input = [height, width];
        if kernel_size[0] > input[0] || kernel_size[1] > input[1] {
            return Err(WindowError::TooLarge { what, kernel_size, input });
        }
        Ok([0, 1].map(|side| (input[side] - kernel_size[side]) / stride[side] + 1))
    }

    /// Returns an error if the kernel, the stride or the input is empty.
    fn check_empty(&self, input: [usize; 2]) -> Result<(), WindowError> {
        let sizes = [(self.what, self.kernel_size), ("stride", self.stride), ("feature map", input)];
        match sizes.into_iter().find(|(_, size)| size.contains(&0)) {
            Some((what, size)) => Err(WindowError::Zero { what, size }),
            None => Ok(()),
        }
    }

    /// Returns how many rows (`side` 0) or columns (1) of the input the first `output` rows or columns depend on.
    pub fn seen(&self, output: usize, side: usize) -> usize {
        let corner = (output - 1).saturating_mul(self.stride[side]);
        corner.saturating_add(self.kernel_size[side]).saturating_sub(self.padding[side])
    }
}

/// The window of one of Burn's layers, which knows more than [`Window`].
pub(super) struct LayerWindow<'a> {
    /// The window, without the padding.
    pub window: Window,
    pub padding: &'a PaddingConfig2d,
    pub dilation: [usize; 2],
    /// Whether windows may reach past the end.
    pub ceil_mode: bool,
}

impl LayerWindow<'_> {
    /// Returns the size of the output for an input of a certain size; the layer computes it in the same way.
    pub fn output_size(&self, input: [usize; 2]) -> Result<[usize; 2], WindowError> {
        let Window { what, kernel_size, stride, .. } = self.window;
        // Before padding and dilation, which hide it.
        self.window.check_empty(input)?;
        let [top, left, bottom, right] = match *self.padding {
            PaddingConfig2d::Valid => [0; 4],
            PaddingConfig2d::Explicit(top, left, bottom, right) => [top, left, bottom, right],
            PaddingConfig2d::Same => {
                let total = |side: usize| {
                    let reached = (input[side].div_ceil(stride[side]) - 1) * stride[side];
                    reached.saturating_add(kernel_size[side]).saturating_sub(input[side])
                };
                [total(0), total(1), 0, 0]
            }
        };
        let padded = |side: usize, [before, after]: [usize; 2]| input[side].checked_add(before)?.checked_add(after);
        let (Some(height), Some(width)) = (padded(0, [top, bottom]), padded(1, [left, right])) else {
            return Err(WindowError::Overflow { input, padding: [top.max(bottom), left.max(right)] });
        };
        let dilated = |side: usize| (kernel_size[side] - 1).saturating_mul(self.dilation[side]).saturating_add(1);
        let window = Window { what, kernel_size: [dilated(0), dilated(1)], stride, padding: [0, 0] };
        if !self.ceil_mode {
            return window.output_size([height, width]);
        }
        let beyond = |side: usize, size: usize| size.saturating_sub(window.kernel_size[side]).div_ceil(stride[side]);
        Ok([beyond(0, height) + 1, beyond(1, width) + 1])
    }
}
