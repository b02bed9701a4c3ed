//! Which values of an image each window reads.

/// Evenly spaced positions along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub first: usize,
    pub len: usize,
    pub step: usize,
    /// Taps before the first that lie outside of the image.
    pub before: usize,
}

/// What each window along an axis reads, and how many taps a window has, some of which may lie outside of the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Axis {
    pub spans: Vec<Span>,
    pub taps: usize,
}

impl Axis {
    /// Returns what windows of a size read, with the positions from one to the next, from one tap to the next, and outside
    /// before the first and after the last.
    ///
    /// With `ceil`, a window may reach past the end, if it starts before it.
    pub fn sliding(
        length: usize, size: usize, stride: usize, dilation: usize, [before, after]: [usize; 2], ceil: bool,
    ) -> Self {
        let (reach, padded) = (dilation * (size - 1) + 1, before + length + after);
        let room = padded.saturating_sub(reach);
        let mut outputs = if ceil { room.div_ceil(stride) + 1 } else { room / stride + 1 };
        if ceil && (outputs - 1) * stride >= before + length {
            outputs -= 1;
        }
        let span = |first: usize| {
            let outside = before.saturating_sub(first).div_ceil(dilation).min(size);
            let first = (first + outside * dilation).saturating_sub(before);
            let len = length.saturating_sub(first).div_ceil(dilation).min(size - outside);
            Span { first, len, step: dilation, before: outside }
        };
        Self { spans: (0..outputs).map(|i| span(i * stride)).collect(), taps: size }
    }

    /// Returns what so many windows read that cover an axis, as PyTorch's adaptive pooling splits it.
    pub fn adaptive(length: usize, outputs: usize) -> Self {
        let span = |i: usize| {
            let (first, end) = (i * length / outputs, ((i + 1) * length).div_ceil(outputs));
            Span { first, len: end - first, step: 1, before: 0 }
        };
        let spans: Vec<Span> = (0..outputs).map(span).collect();
        let taps = spans.iter().map(|span| span.len).max().unwrap_or(0);
        Self { spans, taps }
    }

    /// Returns where a tap of a window reads, if in the image.
    pub fn place(&self, window: usize, tap: usize) -> Option<usize> {
        let Span { first, len, step, before } = self.spans[window];
        tap.checked_sub(before).filter(|&at| at < len).map(|at| first + at * step)
    }
}

/// The windows of an image: for each of them as many taps, some of which may lie outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Taps {
    /// Height and width of the image.
    pub image: [usize; 2],
    /// What rows and columns of windows read.
    pub axes: [Axis; 2],
}

impl Taps {
    /// Returns the windows of two axes; `None` if there is none, or an image is too large to address.
    pub fn new(image: [usize; 2], axes: [Axis; 2]) -> Option<Self> {
        let area = u32::try_from(image[0].checked_mul(image[1])?).ok()?;
        let is_empty = axes.iter().any(|axis| axis.spans.is_empty() || axis.taps == 0);
        (area > 0 && area < u32::MAX && !is_empty).then_some(Self { image, axes })
    }

    /// Returns the number of windows, down and across.
    pub fn outputs(&self) -> [usize; 2] {
        self.axes.each_ref().map(|axis| axis.spans.len())
    }

    /// Returns the number of windows.
    pub fn windows(&self) -> usize {
        self.outputs().iter().product()
    }

    /// Returns the number of taps of a window.
    pub fn count(&self) -> usize {
        self.axes[0].taps * self.axes[1].taps
    }

    /// Returns the number of values that the smallest window reads.
    pub fn least(&self) -> usize {
        self.axes.iter().map(|axis| axis.spans.iter().map(|span| span.len).min().unwrap_or(0)).product()
    }

    /// Returns whether the only window is all of the image.
    pub fn is_whole(&self) -> bool {
        self.windows() == 1 && self.count() == self.least() && self.count() == self.image[0] * self.image[1]
    }
}
