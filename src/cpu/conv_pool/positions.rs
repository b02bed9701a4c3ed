//! The gradient of the positions, and what the filters get of it.

use super::{
    problem::{Geometry, Window},
    simd::{Lanes, fill},
};

/// The gradient of every position in some rows, `[row, column, vector]`: each window's gradient,
/// where its gates let it through.
#[inline(always)]
pub(super) fn spread<S: Lanes>(
    simd: S,
    geometry: &Geometry,
    first_row: usize,
    gates: &[u16],
    gradient: &[S::f32s],
    positions: &mut [S::f32s],
) {
    let Geometry {
        window: Window { size, stride },
        pooled: [_, across],
        positions: [_, columns],
        ..
    } = *geometry;
    let vectors = gradient.len() / geometry.windows();
    let alone = size == stride;
    if !alone {
        fill(positions, simd.splat_f32s(0.0));
    }
    let rows = first_row..first_row + positions.len() / (columns * vectors);
    for row in rows {
        let start = (row - first_row) * columns * vectors;
        let positions = &mut positions[start..][..columns * vectors];
        // The rows of windows that reach this row.
        let last = (row / stride[0]).min(geometry.pooled[0] - 1);
        let first = (row + 1).saturating_sub(size[0]).div_ceil(stride[0]);
        for down in first..=last {
            let within = row - down * stride[0];
            for window in 0..across {
                let number = down * across + window;
                let gradient = &gradient[number * vectors..][..vectors];
                let gates = &gates[(number * size[0] + within) * size[1] * vectors..];
                let gates = &gates[..size[1] * vectors];
                let positions = &mut positions[window * stride[1] * vectors..][..gates.len()];
                for (x, positions) in positions.chunks_exact_mut(vectors).enumerate() {
                    let gates = &gates[x * vectors..][..vectors];
                    for v in 0..vectors {
                        let passed = simd.keep(gates[v], gradient[v]);
                        positions[v] =
                            if alone { passed } else { simd.add_f32s(positions[v], passed) };
                    }
                }
            }
        }
    }
}

/// Rows of an image and the gradient of the positions in them.
pub(super) struct Rows<'a, S: Lanes> {
    /// The image, from the first row on.
    pub planes: &'a [f32],
    /// Height and width of a plane.
    pub padded: [usize; 2],
    /// Positions in a row.
    pub columns: usize,
    /// Vectors that hold the filters.
    pub vectors: usize,
    /// The gradient, `[row, column, vector]`.
    pub gradient: &'a [S::f32s],
}

impl<S: Lanes> Rows<'_, S> {
    /// Adds to the gradient of the filters, laid out as
    /// [`pack_filters`](super::layout::pack_filters) does, and of the bias.
    #[inline(always)]
    pub fn add_weight_gradient(
        &self,
        simd: S,
        channels: usize,
        kernel: [usize; 2],
        weight: &mut [S::f32s],
        bias: &mut [S::f32s],
    ) {
        let taps = channels * kernel[0] * kernel[1];
        for vector in (0..self.vectors).step_by(2) {
            let count = (self.vectors - vector).min(2);
            let weight = &mut weight[vector * taps..][..count * taps];
            let bias = &mut bias[vector..][..count];
            // Nine taps by two vectors need 18 registers for the sums alone.
            match (count, S::REGISTER_COUNT >= 32) {
                (2, true) => self.filters::<2>(simd, kernel, vector, 2, weight, bias),
                (_, _) => {
                    for v in 0..count {
                        let [weight, bias] = [&mut weight[v..], &mut bias[v..]];
                        self.filters::<1>(simd, kernel, vector + v, count, weight, bias);
                    }
                }
            }
        }
    }

    /// For `V` vectors of filters; their weights lie `step` apart.
    #[inline(always)]
    fn filters<const V: usize>(
        &self,
        simd: S,
        kernel: [usize; 2],
        vector: usize,
        step: usize,
        weight: &mut [S::f32s],
        bias: &mut [S::f32s],
    ) {
        // Four sums at a time: one would wait for each addition.
        let mut sums = [[simd.splat_f32s(0.0); V]; 4];
        for gradients in self.gradient.chunks(4 * self.vectors) {
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
        let plane_len = self.padded[0] * self.padded[1];
        let area = kernel[0] * kernel[1];
        for (channel, weight) in weight.chunks_mut(area * step).enumerate() {
            let plane = &self.planes[channel * plane_len..];
            if kernel == [3, 3] {
                self.taps::<V, 3, 3>(simd, plane, vector, step, weight);
                continue;
            }
            for (row, weight) in weight.chunks_mut(kernel[1] * step).enumerate() {
                for (i, weight) in weight.chunks_mut(5 * step).enumerate() {
                    let plane = &plane[row * self.padded[1] + i * 5..];
                    match weight.len().div_ceil(step) {
                        1 => self.taps::<V, 1, 1>(simd, plane, vector, step, weight),
                        2 => self.taps::<V, 1, 2>(simd, plane, vector, step, weight),
                        3 => self.taps::<V, 1, 3>(simd, plane, vector, step, weight),
                        4 => self.taps::<V, 1, 4>(simd, plane, vector, step, weight),
                        _ => self.taps::<V, 1, 5>(simd, plane, vector, step, weight),
                    }
                }
            }
        }
    }

    /// For `H` by `W` taps that lie side by side.
    #[inline(always)]
    fn taps<const V: usize, const H: usize, const W: usize>(
        &self,
        simd: S,
        plane: &[f32],
        vector: usize,
        step: usize,
        weight: &mut [S::f32s],
    ) {
        let mut sums = [[[simd.splat_f32s(0.0); V]; W]; H];
        let rows = self.gradient.chunks_exact(self.columns * self.vectors);
        for (row, gradient) in rows.enumerate() {
            let start = row * self.padded[1];
            let mut pixels: [&[f32]; H] = [&[]; H];
            for y in 0..H {
                pixels[y] = &plane[start + y * self.padded[1]..][..self.columns + W - 1];
            }
            for column in 0..self.columns {
                let gradient = &gradient[column * self.vectors + vector..][..V];
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
