//! Which values of an image each window reads.

/// The most rows or columns of windows.
const MOST_ROWS: usize = 1 << 24;

/// Evenly spaced positions along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub first: usize,
    pub len: usize,
    pub step: usize,
}

/// What each window along an axis reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Axis {
    pub spans: Vec<Span>,
    /// Taps of a window, some of which may lie outside of the image.
    pub taps: usize,
}

impl Axis {
    /// Returns what windows of a size read, with the positions from one to the next, from one tap to the next, and outside
    /// before the first and after the last; `None` if there are too many windows.
    ///
    /// With `ceil`, a window may reach past the end, if it starts before it.
    pub fn sliding(
        length: usize, size: usize, stride: usize, dilation: usize, padding: usize, ceil: bool,
    ) -> Option<Self> {
        let reach = dilation.checked_mul(size.checked_sub(1)?)?.checked_add(1)?;
        let room = length.checked_add(padding.checked_mul(2)?)?.saturating_sub(reach);
        let mut outputs = if ceil { room.div_ceil(stride) + 1 } else { room / stride + 1 };
        if ceil && (outputs - 1) * stride >= padding + length {
            outputs -= 1;
        }
        let span = |first: usize| {
            let outside = padding.saturating_sub(first).div_ceil(dilation).min(size);
            let first = (first + outside * dilation).saturating_sub(padding);
            let len = length.saturating_sub(first).div_ceil(dilation).min(size - outside);
            Span { first, len, step: dilation }
        };
        let spans = || (0..outputs).map(|i| span(i * stride)).collect();
        (outputs <= MOST_ROWS).then(|| Self { spans: spans(), taps: size })
    }

    /// Returns what so many windows read that cover an axis, as PyTorch's adaptive pooling splits it; `None` if there are
    /// too many.
    pub fn adaptive(length: usize, outputs: usize) -> Option<Self> {
        if outputs > MOST_ROWS || length > usize::MAX / MOST_ROWS {
            return None;
        }
        let span = |i: usize| {
            let (first, end) = (i * length / outputs, ((i + 1) * length).div_ceil(outputs));
            Span { first, len: end - first, step: 1 }
        };
        let spans: Vec<Span> = (0..outputs).map(span).collect();
        let taps = spans.iter().map(|span| span.len).max()?;
        Some(Self { spans, taps })
    }
}

/// The windows of an image: a row of windows and a column of them say what each reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Taps {
    /// Height and width of the image.
    pub image: [usize; 2],
    /// What rows and columns of windows read.
    pub axes: [Axis; 2],
}

impl Taps {
    /// Returns height times width of the image.
    pub fn area(&self) -> usize {
        self.image[0] * self.image[1]
    }

    /// Returns the number of windows, down and across.
    pub fn outputs(&self) -> [usize; 2] {
        self.axes.each_ref().map(|axis| axis.spans.len())
    }

    /// Returns the number of windows.
    pub fn windows(&self) -> usize {
        self.outputs().iter().product()
    }

    /// Returns the number of taps of a window, as a factor.
    pub fn count(&self) -> f32 {
        self.axes[0].taps as f32 * self.axes[1].taps as f32
    }

    /// Returns the numbers of values that the smallest window reads, and the largest.
    pub fn values(&self) -> [usize; 2] {
        let lengths = |axis: &Axis| {
            axis.spans.iter().map(|span| span.len).min().zip(axis.spans.iter().map(|span| span.len).max())
        };
        let [down, across] = self.axes.each_ref().map(lengths);
        let ((a, b), (c, d)) = (down.unwrap_or_default(), across.unwrap_or_default());
        [a * c, b * d]
    }

    /// Returns whether the only window is all of the image.
    #[allow(dead_code, reason = "used if a CPU backend is compiled in")]
    pub fn is_whole(&self) -> bool {
        self.windows() == 1 && self.values()[0] == self.area()
    }
}
