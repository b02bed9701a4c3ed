//! What the image gets of the gradient of all positions: a convolution of it with the filters turned
//! around, a column of the filters at a time.

use super::{
    convolution::{Convolution, Epilogue},
    problem::{Geometry, Problem},
};
use crate::cpu::{buffer::Buffer, simd::Lanes, transpose::transpose};

/// The filters, turned around.
pub(super) struct Transposed<'a> {
    geometry: &'a Geometry,
    /// For each column of a filter, for two vectors of channels at a time: the weights `[row from below, filter]`.
    weights: Buffer<f32>,
    /// Where the gradients lie, `[filter, row, column]`, that these weights meet, from the highest row on.
    taps: Vec<usize>,
}

impl<'a> Transposed<'a> {
    /// Creates it for the weights `[filters, channels, height, width]`.
    pub fn new(geometry: &'a Geometry, lanes: usize, weight: &[f32]) -> Self {
        let Problem { channels, filters, kernel: [height, width], .. } = geometry.problem;
        let [rows, columns] = geometry.positions;
        let padded = channels.next_multiple_of(lanes);
        let mut weights = Buffer::zeros(width * height * filters * padded);
        for x in 0..width {
            for first in (0..channels).step_by(2 * lanes) {
                let count = (padded - first).min(2 * lanes);
                let start = (x * padded + first) * height * filters;
                let values = &mut weights[start..][..height * filters * count];
                for (i, values) in values.chunks_exact_mut(count).enumerate() {
                    let (y, filter) = (height - 1 - i / filters, i % filters);
                    for (channel, value) in (first..channels).zip(values) {
                        *value = weight[((filter * channels + channel) * height + y) * width + x];
                    }
                }
            }
        }
        let tap = |i: usize| i % filters * rows * columns + i / filters * columns;
        Self { geometry, weights, taps: (0..height * filters).map(tap).collect() }
    }

    /// Returns the gradient of the padded image, `[row, column, vector of channels]`, from that of all
    /// positions, `[position, vector of filters]`.
    #[inline(always)]
    pub fn run<S: Lanes>(&self, simd: S, positions: &[S::f32s]) -> Buffer<S::f32s> {
        let Geometry { problem, positions: [rows, columns], padded, .. } = *self.geometry;
        let Problem { filters, kernel: [height, width], .. } = problem;
        let vectors = problem.channels.div_ceil(S::LANES);
        let mut planar = Buffer::new(filters * rows * columns);
        let planar: &mut [f32] = &mut planar;
        let mut gradient = Buffer::<S::f32s>::zeros(padded[0] * padded[1] * vectors);
        let zeros = [simd.splat_f32s(0.0); 2];

        let count = rows * columns;
        let positions: &[f32] = bytemuck::cast_slice(positions);
        let stride = positions.len() / count;
        transpose(simd, [count, filters], positions, stride, planar, count);
        let weights: &[S::f32s] = bytemuck::cast_slice(&self.weights);
        let image_rows = gradient.chunks_exact_mut(padded[1] * vectors);
        for (row, image) in image_rows.take(rows + height - 1).enumerate() {
            // The filters' rows that some position lays on this row, counted from below.
            let below = (height - 1).saturating_sub(row)..height.min(height - 1 + rows - row);
            let reached = below.start * filters..below.end * filters;
            let planar = &planar[(row + below.start - (height - 1)) * columns..];
            for x in 0..width {
                for vector in (0..vectors).step_by(2) {
                    let count = (vectors - vector).min(2);
                    let start = (x * vectors + vector) * self.taps.len();
                    let convolution = Convolution {
                        taps: &self.taps[..reached.len()],
                        filters: &weights[start + reached.start * count..][..reached.len() * count],
                        start: &zeros[..count],
                    };
                    let row = &mut image[x * vectors + vector..];
                    convolution.row(simd, planar, columns, &mut Add { row, vectors });
                }
            }
        }
        gradient
    }
}

/// Adds a tile to a row of the input's gradient.
struct Add<'a, S: Lanes> {
    row: &'a mut [S::f32s],
    vectors: usize,
}

impl<S: Lanes> Epilogue<S> for Add<'_, S> {
    #[inline(always)]
    fn tile<const P: usize, const V: usize>(
        &mut self, simd: S, column: usize, vector: usize, sums: &[[S::f32s; V]; P],
    ) {
        let row = &mut self.row[column * self.vectors + vector..];
        for p in 0..P {
            let row = &mut row[p * self.vectors..][..V];
            for v in 0..V {
                row[v] = simd.add_f32s(row[v], sums[p][v]);
            }
        }
    }
}
