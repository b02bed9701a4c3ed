//! The backward pass by positions: for means, where most of them are active, and for small filters.

use super::{
    convolution::unpack_filters,
    gradients::{Image, Method, Wanted},
    input_gradient::Transposed,
    problem::{Geometry, Window},
    spread::{OfWindows, spread},
    weight_gradient::WeightGradient,
};
use crate::cpu::{
    buffer::{Buffer, LINE_LEN},
    simd::Lanes,
};

/// Positions whose gradient is worked on at a time when only the filters' is wanted, in values.
const BLOCK: usize = 4096;

/// How the gradients are computed.
pub(super) struct ByPosition<'a> {
    geometry: &'a Geometry,
    wanted: Wanted,
    /// Whether the gradient of the positions is needed once only, so that it is never stored.
    gated: bool,
    /// Rows of positions worked on at a time.
    rows: usize,
    /// The filters for the input's gradient, if it is wanted.
    transposed: Option<Transposed<'a>>,
    /// Filters, and as many more as make whole vectors.
    filters: usize,
}

impl<'a> ByPosition<'a> {
    /// Creates it for the weights `[filters, channels, height, width]`.
    pub fn new(geometry: &'a Geometry, lanes: usize, weight: &[f32], wanted: Wanted) -> Self {
        let (problem, Window { size, stride }) = (&geometry.problem, geometry.window);
        let [rows, columns] = geometry.positions;
        let filters = problem.filters.next_multiple_of(lanes);
        let single = problem.kernel == [3, 3] && problem.channels == 1 && size == stride;
        let gated = single && !wanted.input;
        let block = (BLOCK / (columns * filters)).clamp(1, rows);
        Self {
            geometry,
            wanted,
            gated,
            rows: if wanted.input || gated { rows } else { block },
            transposed: wanted.input.then(|| Transposed::new(geometry, lanes, weight)),
            filters,
        }
    }
}

impl Method for ByPosition<'_> {
    fn weight_len(&self) -> usize {
        (self.filters * self.geometry.problem.filter_len()).next_multiple_of(LINE_LEN)
    }

    #[inline(always)]
    fn add<S: Lanes>(&self, simd: S, mut image: Image<'_>) {
        let [rows, columns] = self.geometry.positions;
        let row_len = columns * self.filters / S::LANES;
        let mut positions = Buffer::<S::f32s>::new(if self.gated { 0 } else { self.rows * row_len });
        for first in (0..rows).step_by(self.rows) {
            let count = self.rows.min(rows - first);
            if !self.gated {
                let of_windows = OfWindows { geometry: self.geometry, values: image.windows, gates: image.gates };
                spread(simd, of_windows, first..first + count, &mut positions, row_len);
            }
            if self.wanted.filters {
                let gradient = WeightGradient::<S> {
                    geometry: self.geometry,
                    planes: &image.planes[first * self.geometry.padded[1]..],
                    rows: count,
                    vectors: self.filters / S::LANES,
                    gates: image.gates,
                    windows: bytemuck::cast_slice(image.windows),
                    positions: if self.gated { None } else { Some(&positions[..count * row_len]) },
                };
                let weight = bytemuck::cast_slice_mut(image.weight);
                gradient.add(simd, weight, bytemuck::cast_slice_mut(image.bias));
            }
        }
        if let Some(transposed) = &self.transposed {
            let gradient = transposed.run(simd, &positions);
            let stride = self.geometry.problem.channels.next_multiple_of(S::LANES);
            image.store(simd, bytemuck::cast_slice(&gradient), stride);
        }
    }

    #[inline(always)]
    fn unpack<S: Lanes>(&self, simd: S, sums: &[f32], weight: &mut [f32]) {
        unpack_filters(simd, &self.geometry.problem, sums, weight);
    }
}
