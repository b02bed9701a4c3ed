//! The gradient of the filters and the bias, from that of the positions.

use super::problem::Geometry;
use crate::cpu::simd::Lanes;

/// Some rows of an image, and the gradient of the positions in them.
pub(super) struct WeightGradient<'a, S: Lanes> {
    pub geometry: &'a Geometry,
    /// The image within its padding, from the first row on.
    pub planes: &'a [f32],
    /// Rows of positions.
    pub rows: usize,
    /// Vectors that hold the filters.
    pub vectors: usize,
    /// Gates of the whole image, `[window, position in the window, vector]`.
    pub gates: &'a [u16],
    /// Gradient of the windows, `[window, vector]`.
    pub windows: &'a [S::f32s],
    /// Gradient of the positions, `[row, column, vector]`; without it, it is computed on the way, which
    /// takes one channel, filters of 3x3 and windows that lie side by side.
    pub positions: Option<&'a [S::f32s]>,
}

impl<S: Lanes> WeightGradient<'_, S> {
    /// Adds to the gradient of the filters, laid out as
    /// [`pack_filters`](super::convolution::pack_filters) does, and of the bias.
    #[inline(always)]
    pub fn add(&self, simd: S, weight: &mut [S::f32s], bias: &mut [S::f32s]) {
        let taps = self.geometry.problem.filter_len();
        for vector in (0..self.vectors).step_by(2) {
            let count = (self.vectors - vector).min(2);
            let weight = &mut weight[vector * taps..][..count * taps];
            let bias = &mut bias[vector..][..count];
            // Nine taps by two vectors need 18 registers for the sums alone.
            if count == 2 && S::REGISTER_COUNT >= 32 {
                self.filters::<2>(simd, vector, 2, weight, bias);
                continue;
            }
            for v in 0..count {
                self.filters::<1>(simd, vector + v, count, &mut weight[v..], &mut bias[v..]);
            }
        }
    }

    /// For `V` vectors of filters; their weights lie `step` apart.
    #[inline(always)]
    fn filters<const V: usize>(
        &self, simd: S, vector: usize, step: usize, weight: &mut [S::f32s], bias: &mut [S::f32s],
    ) {
        let zero = [simd.splat_f32s(0.0); V];
        let Some(positions) = self.positions else {
            let mut gated =
                Gated { gradient: self, vector, of_window: zero, window: 0, first: 0, gate: 0, left: 0, bias: zero };
            self.taps::<V, 3, 3>(simd, self.planes, &mut gated, step, weight);
            for v in 0..V {
                bias[v] = simd.add_f32s(bias[v], gated.bias[v]);
            }
            return;
        };
        // Four sums at a time: one would wait for each addition.
        let mut sums = [zero; 4];
        for gradients in positions.chunks(4 * self.vectors) {
            for (sum, gradient) in gradients.chunks_exact(self.vectors).enumerate() {
                for v in 0..V {
                    sums[sum][v] = simd.add_f32s(sums[sum][v], gradient[vector + v]);
                }
            }
        }
        for sum in sums {
            for v in 0..V {
                bias[v] = simd.add_f32s(bias[v], sum[v]);
            }
        }
        let kernel = self.geometry.problem.kernel;
        let [padded_height, padded_width] = self.geometry.padded;
        let stored = &mut Stored { positions, vectors: self.vectors, vector, row: &[] };
        let channels = weight.chunks_mut(kernel[0] * kernel[1] * step);
        for (channel, weight) in channels.enumerate() {
            let plane = &self.planes[channel * padded_height * padded_width..];
            if kernel == [3, 3] {
                self.taps::<V, 3, 3>(simd, plane, stored, step, weight);
                continue;
            }
            for (row, weight) in weight.chunks_mut(kernel[1] * step).enumerate() {
                for (i, weight) in weight.chunks_mut(5 * step).enumerate() {
                    let plane = &plane[row * padded_width + i * 5..];
                    match weight.len().div_ceil(step) {
                        1 => self.taps::<V, 1, 1>(simd, plane, stored, step, weight),
                        2 => self.taps::<V, 1, 2>(simd, plane, stored, step, weight),
                        3 => self.taps::<V, 1, 3>(simd, plane, stored, step, weight),
                        4 => self.taps::<V, 1, 4>(simd, plane, stored, step, weight),
                        _ => self.taps::<V, 1, 5>(simd, plane, stored, step, weight),
                    }
                }
            }
        }
    }

    /// For `H` by `W` taps that lie side by side.
    #[inline(always)]
    fn taps<const V: usize, const H: usize, const W: usize>(
        &self, simd: S, plane: &[f32], gradients: &mut impl Positions<S, V>, step: usize, weight: &mut [S::f32s],
    ) {
        let (columns, width) = (self.geometry.positions[1], self.geometry.padded[1]);
        let mut sums = [[[simd.splat_f32s(0.0); V]; W]; H];
        for row in 0..self.rows {
            gradients.start_row(row, columns);
            let mut pixels: [&[f32]; H] = [&[]; H];
            for y in 0..H {
                pixels[y] = &plane[(row + y) * width..][..columns + W - 1];
            }
            for column in 0..columns {
                let gradient = gradients.next(simd, column);
                for y in 0..H {
                    for x in 0..W {
                        let pixel = simd.splat_f32s(pixels[y][column + x]);
                        for v in 0..V {
                            sums[y][x][v] = simd.multiply_add(pixel, gradient[v], sums[y][x][v]);
                        }
                    }
                }
            }
        }
        for y in 0..H {
            for x in 0..W {
                let weight = &mut weight[(y * W + x) * step..][..V];
                for v in 0..V {
                    weight[v] = simd.add_f32s(weight[v], sums[y][x][v]);
                }
            }
        }
    }
}

/// The gradient of the positions for `V` vectors of filters, one position after another.
trait Positions<S: Lanes, const V: usize> {
    /// Goes to the start of a row.
    fn start_row(&mut self, row: usize, columns: usize);

    /// Returns the gradient of the next position, which is in this column.
    fn next(&mut self, simd: S, column: usize) -> [S::f32s; V];
}

/// Positions whose gradient is stored.
struct Stored<'a, T> {
    positions: &'a [T],
    vectors: usize,
    vector: usize,
    row: &'a [T],
}

impl<S: Lanes, const V: usize> Positions<S, V> for Stored<'_, S::f32s> {
    #[inline(always)]
    fn start_row(&mut self, row: usize, columns: usize) {
        self.row = &self.positions[row * columns * self.vectors..][..columns * self.vectors];
    }

    #[inline(always)]
    fn next(&mut self, simd: S, column: usize) -> [S::f32s; V] {
        let gradient = &self.row[column * self.vectors + self.vector..][..V];
        let mut values = [simd.splat_f32s(0.0); V];
        for v in 0..V {
            values[v] = gradient[v];
        }
        values
    }
}

/// Positions whose gradient comes straight from the gates.
struct Gated<'a, S: Lanes, const V: usize> {
    gradient: &'a WeightGradient<'a, S>,
    vector: usize,
    /// Gradient of the current window.
    of_window: [S::f32s; V],
    /// Number of the next window.
    window: usize,
    /// The first position, in a window, of the current row.
    first: usize,
    /// The next gate.
    gate: usize,
    /// Positions of the row that are left in the current window.
    left: usize,
    /// The sum so far.
    bias: [S::f32s; V],
}

impl<S: Lanes, const V: usize> Positions<S, V> for Gated<'_, S, V> {
    #[inline(always)]
    fn start_row(&mut self, row: usize, _: usize) {
        let Geometry { window, pooled, .. } = self.gradient.geometry;
        self.window = row / window.size[0] * pooled[1];
        self.first = row % window.size[0] * window.size[1];
        self.left = 0;
    }

    #[inline(always)]
    fn next(&mut self, simd: S, _: usize) -> [S::f32s; V] {
        let WeightGradient { geometry, vectors, gates, windows, .. } = *self.gradient;
        if self.left == 0 {
            let of_window = &windows[self.window * vectors + self.vector..][..V];
            for v in 0..V {
                self.of_window[v] = of_window[v];
            }
            self.gate = (self.window * geometry.area() + self.first) * vectors + self.vector;
            self.left = geometry.window.size[1];
            self.window += 1;
        }
        let gates = &gates[self.gate..][..V];
        let mut passed = self.of_window;
        for v in 0..V {
            passed[v] = simd.keep(gates[v], passed[v]);
            self.bias[v] = simd.add_f32s(self.bias[v], passed[v]);
        }
        self.gate += vectors;
        self.left -= 1;
        passed
    }
}
