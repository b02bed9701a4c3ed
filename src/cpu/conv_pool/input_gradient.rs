//! What the image gets of the gradient of all positions: a convolution of it with the filters turned
//! around, a column of the filters at a time.

use super::{
    convolution::{Convolution, Epilogue},
    layout::transpose,
    problem::{Geometry, Problem},
    scratch::{Line, Pieces, aligned},
    simd::{Lanes, fill},
};

/// The filters, turned around.
pub(super) struct Transposed {
    /// For each column of a filter, for two vectors of channels at a time: the weights
    /// `[row from below, filter]`.
    weights: Vec<Line>,
    /// Where the gradients lie, `[filter, row, column]`, that these weights meet, from the highest row
    /// on.
    taps: Vec<usize>,
}

impl Transposed {
    pub fn new(problem: &Problem, geometry: &Geometry, lanes: usize, weight: &[f32]) -> Self {
        let Problem { channels, filters, kernel: [height, width], .. } = *problem;
        let [rows, columns] = geometry.positions;
        let padded = channels.next_multiple_of(lanes);
        let mut weights = aligned(width * height * filters * padded);
        let values: &mut [f32] = bytemuck::cast_slice_mut(&mut weights);
        for x in 0..width {
            for first in (0..channels).step_by(2 * lanes) {
                let count = (padded - first).min(2 * lanes);
                let start = (x * padded + first) * height * filters;
                let values = &mut values[start..][..height * filters * count];
                for (i, values) in values.chunks_exact_mut(count).enumerate() {
                    let (y, filter) = (height - 1 - i / filters, i % filters);
                    for (channel, value) in (first..channels).zip(values) {
                        *value = weight[((filter * channels + channel) * height + y) * width + x];
                    }
                }
            }
        }
        let tap = |i: usize| i % filters * rows * columns + i / filters * columns;
        Self { weights, taps: (0..height * filters).map(tap).collect() }
    }

    /// Sizes of the pieces of memory that [`run`](Self::run) takes.
    pub fn scratch(&self, problem: &Problem, geometry: &Geometry, lanes: usize) -> [usize; 3] {
        let [rows, columns] = geometry.positions;
        let channels = problem.channels.next_multiple_of(lanes);
        [
            problem.filters * rows * columns,
            geometry.padded[0] * geometry.padded[1] * channels,
            channels,
        ]
    }

    /// The gradient of the padded image, `[row, column, vector of channels]`, from that of all
    /// positions, `[position, vector of filters]`.
    #[inline(always)]
    pub fn run<'a, S: Lanes>(
        &self,
        simd: S,
        problem: &Problem,
        geometry: &Geometry,
        positions: &[S::f32s],
        mut scratch: Pieces<'a>,
    ) -> &'a [f32] {
        let Problem { filters, kernel: [height, width], .. } = *problem;
        let [rows, columns] = geometry.positions;
        let vectors = problem.channels.div_ceil(S::LANES);
        let planar = scratch.take(filters * rows * columns);
        let image = geometry.padded[0] * geometry.padded[1] * vectors;
        let image = scratch.vectors::<S>(image);
        let zeros = scratch.vectors::<S>(vectors);
        fill(zeros, simd.splat_f32s(0.0));

        let count = rows * columns;
        let positions: &[f32] = bytemuck::cast_slice(positions);
        let stride = positions.len() / count;
        transpose(simd, [count, filters], positions, stride, planar, count);
        fill(image, simd.splat_f32s(0.0));
        let weights: &[S::f32s] = bytemuck::cast_slice(&self.weights);
        let image_rows = image.chunks_exact_mut(geometry.padded[1] * vectors);
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
                        start: &zeros[vector..][..count],
                    };
                    let row = &mut image[x * vectors + vector..];
                    convolution.row(simd, planar, columns, &mut Add { row, vectors });
                }
            }
        }
        bytemuck::cast_slice(image)
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
        &mut self,
        simd: S,
        column: usize,
        vector: usize,
        sums: &[[S::f32s; V]; P],
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
