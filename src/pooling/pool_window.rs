//! Which values of a feature map each pooled value comes from.

use serde::{Deserialize, Serialize};

use super::error::WindowError;
use super::window::Window;
use crate::cpu::taps::{Axis, Taps};

/// The windows of a pooling layer; `[height, width]` each.
///
/// ```
/// use burn_pooling::pooling::PoolWindow;
///
/// let window = PoolWindow::sliding([3, 3]).with_stride([2, 2]).with_padding([1, 1]);
/// assert_eq!(window.output_size([7, 8]), Ok([4, 4]));
/// assert_eq!(PoolWindow::Global.output_size([7, 8]), Ok([1, 1]));
/// assert_eq!(PoolWindow::Adaptive { output_size: [2, 3] }.output_size([7, 8]), Ok([2, 3]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PoolWindow {
    /// One window over the whole map.
    Global,
    /// As many windows as the output is to have values; they cover the map, as PyTorch's adaptive pooling has them.
    Adaptive {
        /// Height and width of the output.
        output_size: [usize; 2],
    },
    /// Windows of one size, a stride apart.
    Sliding {
        /// Height and width of the window.
        kernel_size: [usize; 2],
        /// Vertical and horizontal stride.
        stride: [usize; 2],
        /// Rows above and below, columns left and right, that hold no values: they do not count, as in PyTorch's average
        /// pooling with `count_include_pad=False`. At most half of the kernel size.
        padding: [usize; 2],
        /// Vertical and horizontal distance from a value of the window to the next.
        dilation: [usize; 2],
        /// Whether a last window that starts inside may reach past the end.
        ceil_mode: bool,
    },
}

impl PoolWindow {
    /// Returns windows side by side: the stride is the kernel size; without padding and dilation.
    pub fn sliding(kernel_size: [usize; 2]) -> Self {
        Self::Sliding { kernel_size, stride: kernel_size, padding: [0, 0], dilation: [1, 1], ceil_mode: false }
    }

    /// Sets the stride of sliding windows; others have none.
    pub fn with_stride(mut self, to: [usize; 2]) -> Self {
        if let Self::Sliding { stride, .. } = &mut self {
            *stride = to;
        }
        self
    }

    /// Sets the padding of sliding windows; others have none.
    pub fn with_padding(mut self, to: [usize; 2]) -> Self {
        if let Self::Sliding { padding, .. } = &mut self {
            *padding = to;
        }
        self
    }

    /// Sets the dilation of sliding windows; others have none.
    pub fn with_dilation(mut self, to: [usize; 2]) -> Self {
        if let Self::Sliding { dilation, .. } = &mut self {
            *dilation = to;
        }
        self
    }

    /// Sets whether a last sliding window may reach past the end.
    pub fn with_ceil_mode(mut self, to: bool) -> Self {
        if let Self::Sliding { ceil_mode, .. } = &mut self {
            *ceil_mode = to;
        }
        self
    }

    /// Returns kernel size, stride and dilation of sliding windows.
    pub(super) fn kernel(&self) -> Option<[[usize; 2]; 3]> {
        match *self {
            Self::Sliding { kernel_size, stride, dilation, .. } => Some([kernel_size, stride, dilation]),
            Self::Global | Self::Adaptive { .. } => None,
        }
    }

    /// Returns height and width of the output for a map of height and width `input`.
    ///
    /// # Errors
    /// [`WindowError`] if a size, a stride or a dilation is 0, a window does not fit, the padding is more than half of it, or
    /// there are more rows or columns of windows than 2^24.
    pub fn output_size(&self, input: [usize; 2]) -> Result<[usize; 2], WindowError> {
        self.taps(input).map(|taps| taps.outputs())
    }

    /// Returns what each window reads of a map of this height and width.
    pub(super) fn taps(&self, input: [usize; 2]) -> Result<Taps, WindowError> {
        Window::whole(input).output_size(input)?;
        let axes = [self.axis(input, 0)?, self.axis(input, 1)?];
        let [rows, columns] = axes.each_ref().map(|axis| axis.as_ref().map(|axis| axis.spans.len()));
        let windows = rows.zip(columns).and_then(|(rows, columns)| rows.checked_mul(columns));
        match (axes, windows) {
            ([Some(down), Some(across)], Some(_)) => Ok(Taps { image: input, axes: [down, across] }),
            _ => Err(WindowError::TooMany { input }),
        }
    }

    /// Returns what rows or columns of windows read; `None` if there are too many.
    fn axis(&self, input: [usize; 2], side: usize) -> Result<Option<Axis>, WindowError> {
        let length = input[side];
        match *self {
            Self::Global => Ok(Axis::adaptive(length, 1)),
            Self::Adaptive { output_size } if output_size.contains(&0) => {
                Err(WindowError::Zero { what: "pooled map", size: output_size })
            }
            Self::Adaptive { output_size } => Ok(Axis::adaptive(length, output_size[side])),
            Self::Sliding { kernel_size, stride, padding, dilation, ceil_mode } => {
                if dilation.contains(&0) {
                    return Err(WindowError::Zero { what: "dilation", size: dilation });
                }
                if padding[side] > kernel_size[side] / 2 {
                    return Err(WindowError::Padding { padding, kernel_size });
                }
                let reach = |i: usize| dilation[i].saturating_mul(kernel_size[i].saturating_sub(1)).saturating_add(1);
                let reached = if kernel_size.contains(&0) { kernel_size } else { [reach(0), reach(1)] };
                let window = Window { what: "pooling kernel", kernel_size: reached, stride, padding };
                window.output_size(input)?;
                let [size, stride, dilation] = [kernel_size[side], stride[side], dilation[side]];
                Ok(Axis::sliding(length, size, stride, dilation, padding[side], ceil_mode))
            }
        }
    }
}
