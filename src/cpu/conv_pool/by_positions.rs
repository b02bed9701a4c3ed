//! The backward pass by positions: for means, where most of them are active, and for small filters.

use super::{
    backward::{Image, Wanted},
    gated::{self, Gated},
    input_gradient::Transposed,
    layout::transpose,
    positions::{Rows, spread},
    problem::{Geometry, Problem},
    scratch::{PIECE, Pieces},
    simd::Lanes,
};

/// Positions whose gradient is worked on at a time when only the filters' is wanted, in values.
const BLOCK: usize = 4096;

/// How the gradients are computed.
pub(super) struct ByPositions {
    wanted: Wanted,
    /// Without a gradient of the positions being stored.
    gated: bool,
    /// Rows of positions worked on at a time.
    rows: usize,
    /// The filters for the input's gradient, if it is wanted.
    transposed: Option<Transposed>,
    /// Values of the filters' gradient as it is summed.
    pub weight_len: usize,
}

impl ByPositions {
    /// Multiply-adds for an image's gradient of the filters, in vectors.
    pub fn cost(problem: &Problem, geometry: &Geometry, lanes: usize) -> usize {
        let [rows, columns] = geometry.positions;
        rows * columns * problem.filter_len() * problem.filters.div_ceil(lanes)
    }

    pub fn new(
        problem: &Problem,
        geometry: &Geometry,
        lanes: usize,
        weight: &[f32],
        wanted: Wanted,
    ) -> Self {
        let [rows, columns] = geometry.positions;
        let filters = problem.filters.next_multiple_of(lanes);
        let block = (BLOCK / (columns * filters)).clamp(1, rows);
        Self {
            wanted,
            gated: !wanted.input && gated::applies(problem, geometry),
            rows: if wanted.input { rows } else { block },
            transposed: wanted.input.then(|| Transposed::new(problem, geometry, lanes, weight)),
            weight_len: (filters * problem.filter_len()).next_multiple_of(PIECE),
        }
    }

    /// Sizes of the pieces of memory that [`run`](Self::run) takes.
    pub fn scratch(&self, problem: &Problem, geometry: &Geometry, lanes: usize) -> Vec<usize> {
        let filters = problem.filters.next_multiple_of(lanes);
        let mut sizes = vec![self.rows * geometry.positions[1] * filters];
        if let Some(transposed) = &self.transposed {
            sizes.extend(transposed.scratch(problem, geometry, lanes));
        }
        sizes
    }

    /// Adds an image's part of the gradients of filters and bias, and stores that of the image.
    #[inline(always)]
    pub fn run<S: Lanes>(&self, simd: S, mut image: Image<'_>, mut scratch: Pieces<'_>) {
        let Image { problem, geometry, planes, gates, .. } = image;
        let [rows, columns] = geometry.positions;
        let vectors = problem.filters.div_ceil(S::LANES);
        let windows: &[S::f32s] = bytemuck::cast_slice(image.windows);
        let weight: &mut [S::f32s] = bytemuck::cast_slice_mut(image.weight);
        let bias: &mut [S::f32s] = bytemuck::cast_slice_mut(image.bias);
        let bias = &mut bias[..vectors];
        if self.gated {
            let gated = Gated::<S> { plane: planes, gates, gradient: windows, geometry };
            return gated.add_weight_gradient(simd, weight, bias);
        }
        let positions = scratch.vectors::<S>(self.rows * columns * vectors);
        for first in (0..rows).step_by(self.rows) {
            let count = self.rows.min(rows - first);
            let positions = &mut positions[..count * columns * vectors];
            spread(simd, geometry, first, gates, windows, positions);
            if self.wanted.filters {
                let rows = Rows::<S> {
                    planes: &planes[first * geometry.padded[1]..],
                    padded: geometry.padded,
                    columns,
                    vectors,
                    gradient: positions,
                };
                rows.add_weight_gradient(simd, problem.channels, problem.kernel, weight, bias);
            }
        }
        if let Some(transposed) = &self.transposed {
            let gradient = transposed.run(simd, problem, geometry, positions, scratch);
            image.store(simd, gradient, problem.channels.next_multiple_of(S::LANES));
        }
    }

    /// The filters' gradient `[filters, channels, height, width]`.
    #[inline(always)]
    pub fn unpack<S: Lanes>(&self, simd: S, problem: &Problem, sums: &[f32], weight: &mut [f32]) {
        let taps = problem.filter_len();
        for first in (0..problem.filters).step_by(2 * S::LANES) {
            let filters = (problem.filters - first).min(2 * S::LANES);
            transpose(
                simd,
                [taps, filters],
                &sums[first * taps..],
                filters.next_multiple_of(S::LANES),
                &mut weight[first * taps..],
                taps,
            );
        }
    }
}
