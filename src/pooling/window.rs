//! Sliding windows: the arithmetic that convolution and pooling share.

use burn::nn::PaddingConfig2d;

/// An input that a layer does not take.
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
        /// Height and width of the kernel, with its dilation.
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
    /// A size is too large to count with.
    #[error(
        "expected a padded input of at most {} rows and columns, found an input of {}x{} with a padding of {}x{}; use a \
         smaller padding", usize::MAX, input[0], input[1], padding[0], padding[1]
    )]
    Overflow {
        /// Height and width of the input, without its padding.
        input: [usize; 2],
        /// Rows above and below, columns left and right.
        padding: [usize; 2],
    },
    /// More than half of a pooling kernel would lie in the padding.
    #[error(
        "expected a padding of at most half of the pooling kernel, found {}x{} with a kernel of {}x{}; use a smaller \
         padding", padding[0], padding[1], kernel_size[0], kernel_size[1]
    )]
    Padding {
        /// Rows above and below, columns left and right.
        padding: [usize; 2],
        /// Height and width of the kernel.
        kernel_size: [usize; 2],
    },
    /// A blur filter is empty, or larger than any of the paper.
    #[error(
        "expected a blur filter of 1x1 to {largest}x{largest}, found {}x{}; use a filter of one of these sizes",
        filter_size[0], filter_size[1]
    )]
    Filter {
        /// Height and width of the filter.
        filter_size: [usize; 2],
        /// The largest size.
        largest: usize,
    },
    /// A reflection would need more of the feature map than there is.
    #[error(
        "expected a feature map larger than its reflected padding of {}x{}, found {}x{}; use a smaller blur filter or \
         another padding", padding[0], padding[1], input[0], input[1]
    )]
    Reflection {
        /// Rows below, columns right, of which there are the most.
        padding: [usize; 2],
        /// Height and width of the map.
        input: [usize; 2],
    },
    /// A power of a norm that is below 1.
    #[error("expected a power of at least 1, found {found}")]
    Power {
        /// The power as given.
        found: String,
    },
    /// More of the largest values than a window has, or none.
    #[error(
        "expected 1 to {values} of the largest values, as many as the smallest window holds, found {count}; use fewer or \
         larger windows"
    )]
    TopK {
        /// How many of the largest values are to count.
        count: usize,
        /// Values of the smallest window.
        values: usize,
    },
    /// The input has not as many channels as the convolution's filters.
    #[error(
        "expected an input of {expected} channel{}, found {found}; give it images of as many channels or create the \
         layer for {found}", if *expected == 1 { "" } else { "s" }
    )]
    Channels {
        /// Channels of the filters.
        expected: usize,
        /// Channels of the input.
        found: usize,
    },
}

/// Returns what a layer gave, or panics with the message of the error.
#[track_caller]
pub(super) fn expect<T>(result: Result<T, WindowError>) -> T {
    result.unwrap_or_else(|error| panic!("{error}"))
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
