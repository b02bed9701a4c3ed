//! The sizes of the fused operation.

use std::fmt;

use crate::cpu::reduce::Reduction;

/// A convolution of stride one, its bias, ReLU, then pooling, on images of one size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Problem {
    /// Number of images.
    pub batch: usize,
    /// Channels of an input image.
    pub channels: usize,
    /// Height and width of an input image, in pixels.
    pub image: [usize; 2],
    /// Number of filters, which are the channels of the output.
    pub filters: usize,
    /// Height and width of a filter, in pixels.
    pub kernel: [usize; 2],
    /// Zeros added above and below, left and right of an image, in pixels.
    pub padding: [usize; 2],
    /// What follows the ReLU.
    pub pool: Pool,
    /// How the sums are computed; otherwise the way that costs least.
    pub algorithm: Option<Algorithm>,
}

/// A way to compute the sums of a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// Product by product, as the definition says.
    Direct,
    /// Winograd's, in tiles of 2x2 outputs: 16 multiplications instead of 36. Where it knows the problem: filters of 3x3.
    Winograd2,
    /// Winograd's, in tiles of 4x4 outputs: 36 multiplications instead of 144. Where it knows the problem.
    Winograd4,
}

/// How the activations of a filter are pooled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pool {
    /// The largest activation of each window; the first of equals in row-major order wins.
    Max(Window),
    /// The mean of each window.
    Average(Window),
    /// The largest activation of the image.
    GlobalMax,
    /// The mean over the image.
    GlobalAverage,
    /// All activations of the image, reduced to one value.
    Reduced(Reduction),
    /// Not pooled: the activations that the convolution's stride reaches.
    None {
        /// Stride of the convolution, down and right, in positions.
        stride: [usize; 2],
        /// Whether a filter sees the channel of its own number alone; its weights for the others are zeros.
        depthwise: bool,
    },
}

impl fmt::Display for Pool {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Max(window) => write!(formatter, "max {}x{}", window.size[0], window.size[1]),
            Self::Average(window) => write!(formatter, "average {}x{}", window.size[0], window.size[1]),
            Self::GlobalMax => formatter.write_str("global max"),
            Self::GlobalAverage => formatter.write_str("global average"),
            Self::Reduced(reduction) => write!(formatter, "global {}", format!("{reduction:?}").to_lowercase()),
            Self::None { stride: [1, 1], .. } => formatter.write_str("no pooling"),
            Self::None { stride, .. } => write!(formatter, "stride {}x{}", stride[0], stride[1]),
        }
    }
}

/// Pooling windows: as many as fit, without padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Height and width, in positions.
    pub size: [usize; 2],
    /// Stride from a window to the next, down and right, in positions.
    pub stride: [usize; 2],
}

impl Problem {
    /// Returns whether every window and filter has a size and the image is large enough for one output.
    pub fn is_valid(&self) -> bool {
        let counts = [&[self.channels, self.filters], &self.image[..], &self.kernel].concat();
        if counts.contains(&0) || !self.is_addressable() || (0..2).any(|i| self.padded(i) < self.kernel[i]) {
            return false;
        }
        let positions = self.convolved(0) * self.convolved(1);
        let is_reduced = match self.pool {
            Pool::Reduced(Reduction::Largest(count)) => (1..=positions).contains(&count),
            Pool::Reduced(Reduction::Gated) => false, // a parameter for each position
            _ => true,
        };
        let Window { size, stride } = self.window();
        is_reduced && (0..2).all(|i| stride[i] > 0 && (1..=self.convolved(i)).contains(&size[i]))
    }

    /// Returns whether 32 bits are enough for the place of a value of an image with its padding, and of a weight: the
    /// kernels save them in as many.
    fn is_addressable(&self) -> bool {
        let padded = |i: usize| self.padding[i].checked_mul(2)?.checked_add(self.image[i]);
        let values = || padded(0)?.checked_mul(padded(1)?)?.checked_mul(self.channels);
        // Rows of filters are padded to whole vectors.
        let row = || self.kernel[1].checked_mul(self.channels)?.checked_next_multiple_of(16);
        let weights = || row()?.checked_mul(self.kernel[0])?.checked_mul(self.filters);
        [values(), weights()].iter().all(|count| count.is_some_and(|count| u32::try_from(count).is_ok()))
    }

    /// Returns the pooling window; a global pool is one window over all positions, but of a reduction each position is one.
    fn window(&self) -> Window {
        let convolved = [self.convolved(0), self.convolved(1)];
        match self.pool {
            Pool::Max(window) | Pool::Average(window) => window,
            Pool::GlobalMax | Pool::GlobalAverage => Window { size: convolved, stride: convolved },
            Pool::Reduced(_) => Window { size: [1, 1], stride: [1, 1] },
            Pool::None { stride, .. } => Window { size: [1, 1], stride },
        }
    }

    /// Returns the size of the image with its padding: height (0) or width (1).
    fn padded(&self, axis: usize) -> usize {
        self.image[axis] + 2 * self.padding[axis]
    }

    /// Returns the size of the convolution's whole output: height (0) or width (1).
    pub(super) fn convolved(&self, axis: usize) -> usize {
        self.padded(axis) - self.kernel[axis] + 1
    }

    /// Returns the sizes that follow from the problem.
    pub(super) fn geometry(&self) -> Geometry {
        let convolved = [self.convolved(0), self.convolved(1)];
        let window = self.window();
        let pooled: [usize; 2] = std::array::from_fn(|i| (convolved[i] - window.size[i]) / window.stride[i] + 1);
        Geometry {
            problem: *self,
            padded: [self.padded(0), self.padded(1)],
            window,
            pooled,
            positions: std::array::from_fn(|i| (pooled[i] - 1) * window.stride[i] + window.size[i]),
        }
    }

    /// Returns the problem without its pooling.
    pub(super) fn unpooled(&self) -> Problem {
        Problem { pool: Pool::None { stride: [1, 1], depthwise: false }, ..*self }
    }

    /// Returns whether a filter sees the channel of its own number alone.
    pub(super) fn is_depthwise(&self) -> bool {
        matches!(self.pool, Pool::None { depthwise: true, .. })
    }

    /// Returns the number of values of one input image.
    #[inline(always)]
    pub fn image_len(&self) -> usize {
        self.channels * self.image[0] * self.image[1]
    }

    /// Returns the height and width of the output.
    pub fn output_size(&self) -> [usize; 2] {
        if let Pool::Reduced(_) = self.pool { [1, 1] } else { self.geometry().pooled }
    }

    /// Returns the number of values of one output image.
    pub fn output_len(&self) -> usize {
        self.filters * self.output_size().iter().product::<usize>()
    }

    /// Returns the number of weights of one filter.
    #[inline(always)]
    pub fn filter_len(&self) -> usize {
        self.channels * self.kernel[0] * self.kernel[1]
    }
}

/// A problem and the sizes that follow from it; `[height, width]` each.
#[derive(Clone, Copy, Debug)]
pub(super) struct Geometry {
    pub problem: Problem,
    /// The image with its padding.
    pub padded: [usize; 2],
    /// Positions of the convolution that some window reads: the others are not computed.
    pub positions: [usize; 2],
    /// The pooling window; a global pool is one window over all positions, but of a reduction each position is one.
    pub window: Window,
    /// Number of windows down and across.
    pub pooled: [usize; 2],
}

impl Geometry {
    /// Returns the number of windows.
    #[inline(always)]
    pub fn windows(&self) -> usize {
        self.pooled[0] * self.pooled[1]
    }

    /// Returns the first position of a window.
    #[inline(always)]
    pub fn corner(&self, window: usize) -> usize {
        let [down, across] = [window / self.pooled[1], window % self.pooled[1]];
        down * self.window.stride[0] * self.positions[1] + across * self.window.stride[1]
    }

    /// Returns the number of positions of one window.
    #[inline(always)]
    pub fn area(&self) -> usize {
        self.window.size[0] * self.window.size[1]
    }

    /// Returns the number of values of an image with its padding.
    pub fn padded_len(&self) -> usize {
        self.problem.channels * self.padded[0] * self.padded[1]
    }

    /// Returns the number of vectors that hold a value for each filter.
    #[inline(always)]
    pub fn vectors(&self, lanes: usize) -> usize {
        self.problem.filters.div_ceil(lanes)
    }

    /// Returns the pixel, within a plane, under the upper left corner of a filter at a position.
    #[inline(always)]
    pub fn pixel(&self, position: usize) -> usize {
        // 32 bits, as positions are saved: their division takes half the time.
        let row = position as u32 / self.positions[1] as u32;
        position + row as usize * (self.padded[1] - self.positions[1])
    }
}

/// What the operation is applied to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Inputs<'a> {
    /// `[image, channel, row, column]`
    pub input: &'a [f32],
    /// `[filter, channel, row, column]`
    pub weight: &'a [f32],
    pub bias: &'a [f32],
    /// Of a reduction: `[filter, parameter]`, or those of all filters.
    pub parameters: &'a [f32],
}

impl<'a> Inputs<'a> {
    /// From input, weight, bias and, if there are some, parameters.
    pub fn of<const N: usize>(inputs: [&'a [f32]; N]) -> Self {
        let get = |i: usize| inputs.get(i).copied().unwrap_or_default();
        Self { input: get(0), weight: get(1), bias: get(2), parameters: get(3) }
    }
}
