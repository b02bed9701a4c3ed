//! Pooling windows over rows of sums: ReLU, the pooled value, and which positions passed it on.
//!
//! A gate is a bit for each filter: whether the gradient of a window reaches one of its positions.
//! For a mean these are the active positions, for a maximum the winning one if it is active.

use super::sums::{MOST_ADDITIONS, add_exactly, exact};
use crate::cpu::{
    buffer::Buffer,
    simd::{Lanes, fill},
};

/// Windows of any size and stride, along one row of windows, over rows of sums.
pub(super) struct Windows {
    /// Height and width of a window.
    pub size: [usize; 2],
    /// Stride from a window to the next, in positions.
    pub stride: usize,
    /// Vectors that hold the filters.
    pub vectors: usize,
    /// Vectors in a row of sums.
    pub row_len: usize,
    /// Number of the first row under the windows.
    pub first_row: usize,
    /// Number of rows that there is room for.
    pub rows: usize,
}

impl Windows {
    /// Returns where a row of sums starts, by its number.
    #[inline(always)]
    pub fn place(&self, number: usize) -> usize {
        number % self.rows * self.row_len
    }

    /// Returns the vector at one position of a window.
    #[inline(always)]
    fn at<V: Copy>(&self, sums: &[V], window: usize, offset: usize, v: usize) -> V {
        let row = self.place(self.first_row + offset / self.size[1]);
        let column = window * self.stride + offset % self.size[1];
        sums[row + column * self.vectors + v]
    }

    /// Writes the mean of each window. Without room for gates, none are written.
    #[inline(always)]
    pub fn average<S: Lanes>(&self, simd: S, sums: &[S::f32s], pooled: &mut [S::f32s], gates: &mut [u16]) {
        match self.size[0] * self.size[1] > MOST_ADDITIONS {
            true => self.average_of::<S, true>(simd, sums, pooled, gates),
            false => self.average_of::<S, false>(simd, sums, pooled, gates),
        }
    }

    /// Writes the mean of each window; `LONG`, of so many positions that what rounding takes is added at the end.
    #[inline(always)]
    fn average_of<S: Lanes, const LONG: bool>(
        &self, simd: S, sums: &[S::f32s], pooled: &mut [S::f32s], gates: &mut [u16],
    ) {
        let [height, width] = self.size;
        let scale = simd.splat_f32s(1.0 / (height * width) as f32);
        fill(pooled, simd.splat_f32s(0.0));
        let mut lost = Buffer::new(if LONG { pooled.len() } else { 0 });
        let lost: &mut [S::f32s] = &mut lost;
        fill(lost, simd.splat_f32s(0.0));
        for y in 0..height {
            let sums = &sums[self.place(self.first_row + y)..][..self.row_len];
            for (window, pooled) in pooled.chunks_exact_mut(self.vectors).enumerate() {
                let sums = &sums[window * self.stride * self.vectors..][..width * self.vectors];
                let first = (window * height + y) * width * self.vectors;
                let gates = gates.get_mut(first..first + width * self.vectors);
                if let Some(gates) = gates {
                    let sums = &sums[..gates.len()];
                    for (i, gate) in gates.iter_mut().enumerate() {
                        *gate = active(simd, sums[i]);
                    }
                }
                for v in 0..self.vectors {
                    if LONG {
                        let lost = &mut lost[window * self.vectors + v];
                        self.add_long_row(simd, sums, v, &mut pooled[v], lost);
                        continue;
                    }
                    let mut sum = pooled[v];
                    for x in 0..width {
                        sum = simd.add_f32s(sum, simd.relu(sums[x * self.vectors + v]));
                    }
                    pooled[v] = sum;
                }
            }
        }
        for i in 0..lost.len() {
            pooled[i] = exact(simd, pooled[i], lost[i]);
        }
        for pooled in pooled {
            *pooled = simd.mul_f32s(*pooled, scale);
        }
    }

    /// Adds the activations of a row of a window to its total, a few at a time.
    #[inline(always)]
    fn add_long_row<S: Lanes>(&self, simd: S, sums: &[S::f32s], v: usize, total: &mut S::f32s, lost: &mut S::f32s) {
        let width = self.size[1];
        for first in (0..width).step_by(MOST_ADDITIONS) {
            let mut sum = simd.splat_f32s(0.0);
            for x in first..(first + MOST_ADDITIONS).min(width) {
                sum = simd.add_f32s(sum, simd.relu(sums[x * self.vectors + v]));
            }
            add_exactly(simd, total, lost, sum);
        }
    }

    /// Writes the maximum of each window, NaN if it holds one. Without room for gates, none are written.
    #[inline(always)]
    pub fn max<S: Lanes>(&self, simd: S, sums: &[S::f32s], pooled: &mut [S::f32s], gates: &mut [u16]) {
        let area = self.size[0] * self.size[1];
        for (window, pooled) in pooled.chunks_exact_mut(self.vectors).enumerate() {
            for (v, pooled) in pooled.iter_mut().enumerate() {
                let mut best = self.at(sums, window, 0, v);
                let mut winner = simd.splat_u32s(0);
                for offset in 1..area {
                    let x = self.at(sums, window, offset, v);
                    let beats = beats_or_nan(simd, x, best);
                    best = simd.select_f32s(beats, x, best);
                    winner = simd.select_u32s(beats, simd.splat_u32s(offset as u32), winner);
                }
                *pooled = simd.relu(best);
                if gates.is_empty() {
                    continue;
                }
                let active = active(simd, best);
                for offset in 0..area {
                    let won = simd.equal_u32s(winner, simd.splat_u32s(offset as u32));
                    gates[(window * area + offset) * self.vectors + v] = simd.bits(won) & active;
                }
            }
        }
    }
}

/// Writes the maximum of windows of 2x2 with stride 2 without NaN, several times faster than [`Windows::max`].
#[inline(always)]
pub(super) fn max_two_by_two<S: Lanes>(
    simd: S, vectors: usize, [top, bottom]: [&[S::f32s]; 2], pooled: &mut [S::f32s], gates: &mut [u16],
) {
    let windows = pooled.chunks_exact_mut(vectors).enumerate();
    if gates.is_empty() {
        for (window, pooled) in windows {
            let start = window * 2 * vectors;
            let [top, bottom] = [&top[start..][..2 * vectors], &bottom[start..][..2 * vectors]];
            for v in 0..vectors {
                let top = simd.max_f32s(top[v], top[vectors + v]);
                let bottom = simd.max_f32s(bottom[v], bottom[vectors + v]);
                pooled[v] = simd.relu(simd.max_f32s(top, bottom));
            }
        }
        return;
    }
    for (window, pooled) in windows {
        let start = window * 2 * vectors;
        let [top, bottom] = [&top[start..][..2 * vectors], &bottom[start..][..2 * vectors]];
        let gates = &mut gates[window * 4 * vectors..][..4 * vectors];
        for v in 0..vectors {
            let top_right = simd.less_than_f32s(top[v], top[vectors + v]);
            let top = simd.max_f32s(top[v], top[vectors + v]);
            let bottom_right = simd.less_than_f32s(bottom[v], bottom[vectors + v]);
            let bottom = simd.max_f32s(bottom[v], bottom[vectors + v]);
            let below = simd.bits(simd.less_than_f32s(top, bottom));
            let best = simd.max_f32s(top, bottom);
            pooled[v] = simd.relu(best);

            let active = active(simd, best);
            let (top_right, bottom_right) = (simd.bits(top_right), simd.bits(bottom_right));
            gates[v] = active & !below & !top_right;
            gates[vectors + v] = active & !below & top_right;
            gates[2 * vectors + v] = active & below & !bottom_right;
            gates[3 * vectors + v] = active & below & bottom_right;
        }
    }
}

/// Returns where ReLU lets a gradient through.
#[inline(always)]
pub(super) fn active<S: Lanes>(simd: S, x: S::f32s) -> u16 {
    simd.bits(simd.less_than_f32s(simd.splat_f32s(0.0), x))
}

/// Returns where `x` is greater than the best so far, or NaN.
#[inline(always)]
pub(super) fn beats_or_nan<S: Lanes>(simd: S, x: S::f32s, best: S::f32s) -> S::m32s {
    let number = simd.equal_f32s(x, x);
    simd.or_m32s(simd.less_than_f32s(best, x), simd.not_m32s(number))
}
