//! The gradient of 3x3 filters on one channel, straight from the gates: every position is needed once
//! only, so its gradient is never stored.

use super::{
    problem::{Geometry, Problem},
    simd::Lanes,
};

/// What the gradient is computed from.
pub(super) struct Gated<'a, S: Lanes> {
    /// The image.
    pub plane: &'a [f32],
    /// Gates of the image, `[window, position in the window, vector]`.
    pub gates: &'a [u16],
    /// Gradient of the windows, `[window, vector]`.
    pub gradient: &'a [S::f32s],
    /// Sizes.
    pub geometry: &'a Geometry,
}

/// Whether this is the way: 3x3 filters, one channel, windows that lie side by side.
pub(super) fn applies(problem: &Problem, geometry: &Geometry) -> bool {
    problem.kernel == [3, 3]
        && problem.channels == 1
        && geometry.window.size == geometry.window.stride
}

impl<S: Lanes> Gated<'_, S> {
    /// Adds to the gradient of the filters, laid out as
    /// [`pack_filters`](super::layout::pack_filters) does, and of the bias.
    #[inline(always)]
    pub fn add_weight_gradient(&self, simd: S, weight: &mut [S::f32s], bias: &mut [S::f32s]) {
        let vectors = bias.len();
        for vector in (0..vectors).step_by(2) {
            let count = (vectors - vector).min(2);
            let weight = &mut weight[vector * 9..][..count * 9];
            let bias = &mut bias[vector..][..count];
            // Two vectors need 20 registers for the sums alone.
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
        &self,
        simd: S,
        vector: usize,
        step: usize,
        weight: &mut [S::f32s],
        bias: &mut [S::f32s],
    ) {
        let Geometry {
            window,
            pooled: [_, across],
            positions: [rows, columns],
            padded: [_, width],
        } = *self.geometry;
        let vectors = self.gradient.len() / self.geometry.windows();
        let mut sums = [[simd.splat_f32s(0.0); V]; 9];
        let mut bias_sums = [simd.splat_f32s(0.0); V];
        for row in 0..rows {
            let mut pixels: [&[f32]; 3] = [&[]; 3];
            for y in 0..3 {
                pixels[y] = &self.plane[(row + y) * width..][..columns + 2];
            }
            let first = row % window.size[0] * window.size[1];
            let mut number = row / window.size[0] * across;
            let mut gradient = [simd.splat_f32s(0.0); V];
            let (mut gate, mut left) = (0, 0);
            for column in 0..columns {
                if left == 0 {
                    let of_window = &self.gradient[number * vectors + vector..][..V];
                    for v in 0..V {
                        gradient[v] = of_window[v];
                    }
                    gate = (number * self.geometry.area() + first) * vectors + vector;
                    left = window.size[1];
                    number += 1;
                }
                let gates = &self.gates[gate..gate + V];
                let mut passed = gradient;
                for v in 0..V {
                    passed[v] = simd.keep(gates[v], gradient[v]);
                    bias_sums[v] = simd.add_f32s(bias_sums[v], passed[v]);
                }
                for x in 0..3 {
                    for y in 0..3 {
                        let pixel = simd.splat_f32s(pixels[y][column + x]);
                        for v in 0..V {
                            let sum = &mut sums[y * 3 + x][v];
                            *sum = simd.multiply_add(pixel, passed[v], *sum);
                        }
                    }
                }
                gate += vectors;
                left -= 1;
            }
        }
        for v in 0..V {
            for tap in 0..9 {
                let weight = &mut weight[tap * step + v];
                *weight = simd.add_f32s(*weight, sums[tap][v]);
            }
            bias[v] = simd.add_f32s(bias[v], bias_sums[v]);
        }
    }
}
