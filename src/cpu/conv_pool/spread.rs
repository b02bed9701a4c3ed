//! From the gradient of windows to that of the positions under them.

use std::ops::Range;

use super::{
    gradients::{OfOutput, Passed},
    magnitude::magnitude_bits,
    problem::{Geometry, Pool, Window},
};
use crate::cpu::{
    parallel::image_of,
    simd::{Lanes, fill},
    transpose::transpose,
};

/// The gradient of an image's windows.
#[derive(Clone, Copy)]
pub(super) struct OfWindows<'a> {
    pub geometry: &'a Geometry,
    /// `[window, vector of filters]`, absent filters as zeros.
    pub values: &'a [f32],
    /// As the forward pass saved them.
    pub gates: &'a [u16],
}

/// Writes the gradient of an image's windows, `[window, vector of filters]`, divided by the number of positions that share
/// it, absent filters as zeros. Returns the largest magnitude, NaN if there is one.
#[inline(always)]
pub(super) fn of_windows<S: Lanes>(simd: S, passed: &Passed<'_>, image: usize, values: &mut [f32]) -> f32 {
    let geometry = passed.geometry;
    let problem = &geometry.problem;
    match passed.gradient {
        OfOutput::Reduced(maps) => maps.write(simd, image, values),
        OfOutput::Planes(planes) => {
            let size = [problem.filters, geometry.windows()];
            let planes = image_of(planes, image, problem.batch);
            transpose(simd, size, planes, size[1], values, geometry.vectors(S::LANES) * S::LANES);
        }
    }
    let scale = match problem.pool {
        Pool::Average(_) | Pool::GlobalAverage => 1.0 / geometry.area() as f32,
        Pool::Max(_) | Pool::GlobalMax | Pool::None { .. } | Pool::Reduced(_) => 1.0,
    };
    let mut largest = 0;
    for value in values {
        largest = magnitude_bits(*value).max(largest);
        *value *= scale;
    }
    f32::from_bits(largest)
}

/// Writes the gradient of every position in some rows, `[row, column, vector]`, from a row to the next so many vectors:
/// each window's gradient, where its gates let it through.
#[inline(always)]
pub(super) fn spread<S: Lanes>(
    simd: S, windows: OfWindows<'_>, rows: Range<usize>, positions: &mut [S::f32s], row_len: usize,
) {
    let OfWindows { geometry, values, gates } = windows;
    let Geometry { window: Window { size, stride }, pooled: [down, across], positions: [_, columns], .. } = *geometry;
    let gradient: &[S::f32s] = bytemuck::cast_slice(values);
    let vectors = geometry.vectors(S::LANES);
    let side_by_side = size == stride;
    for (row, positions) in rows.zip(positions.chunks_mut(row_len)) {
        let positions = &mut positions[..columns * vectors];
        if !side_by_side {
            fill(positions, simd.splat_f32s(0.0));
        }
        // The rows of windows that reach this row.
        let last = (row / stride[0]).min(down - 1);
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
                        positions[v] = if side_by_side { passed } else { simd.add_f32s(positions[v], passed) };
                    }
                }
            }
        }
    }
}
