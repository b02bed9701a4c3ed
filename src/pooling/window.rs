//! Sliding windows: the arithmetic that convolution and pooling share.

/// A kernel that does not fit its input.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WindowError {
    /// The kernel is larger than its input.
    #[error(
        "a {}x{} {what} does not fit an input of {}x{}: expected an input at least as large; use a smaller {what} or a \
         larger image", kernel_size[0], kernel_size[1], input[0], input[1]
    )]
    TooLarge {
        /// What slides: a convolution kernel or a pooling kernel.
        what: &'static str,
        /// Height and width of the kernel.
        kernel_size: [usize; 2],
        /// Height and width of the input, with its padding.
        input: [usize; 2],
    },
    /// A size or a stride is 0.
    #[error("expected a {what} of at least 1x1, found {}x{}", size[0], size[1])]
    Zero {
        /// What is empty: a kernel, a stride or a feature map.
        what: &'static str,
        /// Height and width as given.
        size: [usize; 2],
    },
}

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
    /// Returns the size of the output for an input of a certain size.
    pub fn output_size(&self, input: [usize; 2]) -> Result<[usize; 2], WindowError> {
        let Self { what, kernel_size, stride, padding } = *self;
        for (what, size) in [(what, kernel_size), ("stride", stride)] {
            if size.contains(&0) {
                return Err(WindowError::Zero { what, size });
            }
        }
        let input = [0, 1].map(|side| input[side] + 2 * padding[side]);
        if kernel_size[0] > input[0] || kernel_size[1] > input[1] {
            return Err(WindowError::TooLarge { what, kernel_size, input });
        }
        Ok([0, 1].map(|side| (input[side] - kernel_size[side]) / stride[side] + 1))
    }

    /// Returns how many rows (`side` 0) or columns (1) of the input the first `output` rows or columns depend on.
    pub fn seen(&self, output: usize, side: usize) -> usize {
        ((output - 1) * self.stride[side] + self.kernel_size[side]).saturating_sub(self.padding[side])
    }
}
