//! Which values of an image each window reads.

use std::ops::Range;

/// The windows of an image: for each of them as many taps, some of which may lie outside.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Taps {
    /// Height and width of the image.
    pub image: [usize; 2],
    /// Number of windows, down and across.
    pub outputs: [usize; 2],
    /// Taps of a window.
    pub count: usize,
    /// Where in an image each tap reads, `[tap, window]`; [`OUTSIDE`](Self::OUTSIDE) where there is nothing.
    pub places: Vec<u32>,
    /// How many taps of each window read something.
    pub inside: Vec<f32>,
}

/// What one row of windows, or one column, reads: the position of each tap, outside of the image or not.
pub(crate) type Axis = Vec<Vec<Option<usize>>>;

impl Taps {
    pub const OUTSIDE: u32 = u32::MAX;

    /// Returns the windows of two axes; `None` if there is none, or an image is too large to address.
    pub fn new(image: [usize; 2], [down, across]: [Axis; 2]) -> Option<Self> {
        let outputs = [down.len(), across.len()];
        let size = [down.first()?.len(), across.first()?.len()];
        u32::try_from(image[0].checked_mul(image[1])?).ok().filter(|&area| area > 0 && area < Self::OUTSIDE)?;
        let (count, windows) = (size[0] * size[1], outputs[0] * outputs[1]);
        let mut places = Vec::with_capacity(count * windows);
        for tap in 0..count {
            let [y, x] = [tap / size[1], tap % size[1]];
            for row in &down {
                places.extend(across.iter().map(|column| match (row[y], column[x]) {
                    (Some(row), Some(column)) => (row * image[1] + column) as u32,
                    _ => Self::OUTSIDE,
                }));
            }
        }
        let mut inside = vec![0.0; windows];
        for places in places.chunks_exact(windows) {
            inside.iter_mut().zip(places).for_each(|(inside, &place)| {
                *inside += if place == Self::OUTSIDE { 0.0 } else { 1.0 };
            });
        }
        Some(Self { image, outputs, count, places, inside })
    }

    /// Returns what windows of a size read along an axis, with the positions from one to the next, from one tap to the
    /// next, and outside before the first and after the last.
    ///
    /// With `ceil`, a window may reach past the end, if it starts before it.
    pub fn sliding(
        length: usize, size: usize, stride: usize, dilation: usize, [before, after]: [usize; 2], ceil: bool,
    ) -> Axis {
        let (reach, padded) = (dilation * (size - 1) + 1, before + length + after);
        let room = padded.saturating_sub(reach);
        let mut outputs = if ceil { room.div_ceil(stride) + 1 } else { room / stride + 1 };
        if ceil && (outputs - 1) * stride >= before + length {
            outputs -= 1;
        }
        let tap = |at: usize| at.checked_sub(before).filter(|&at| at < length);
        let window = |first: usize| (0..size).map(|i| tap(first * stride + i * dilation)).collect();
        (0..outputs).map(window).collect()
    }

    /// Returns what so many windows read that cover an axis, as PyTorch's adaptive pooling splits it.
    pub fn adaptive(length: usize, outputs: usize) -> Axis {
        let range = |i: usize| -> Range<usize> { i * length / outputs..((i + 1) * length).div_ceil(outputs) };
        let most = (0..outputs).map(|i| range(i).len()).max().unwrap_or(0);
        let window = |i| (0..most).map(|tap| range(i).nth(tap)).collect();
        (0..outputs).map(window).collect()
    }

    /// Returns the number of windows.
    pub fn windows(&self) -> usize {
        self.outputs[0] * self.outputs[1]
    }
}
