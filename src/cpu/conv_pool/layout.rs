//! Between Burn's layout, channels first, and the kernels': filters side by side in vectors.

use super::{
    problem::{Geometry, Problem},
    scratch::{Line, PIECE, Place, aligned},
    simd::Lanes,
};

/// Vectors that hold a value of each of `count` filters or channels.
pub(super) const fn vectors<S: Lanes>(count: usize) -> usize {
    count.div_ceil(S::LANES)
}

/// Transposes `rows` rows of `columns` values: `target[j * target_stride + i]` becomes
/// `source[i * source_stride + j]`.
#[inline(always)]
pub(super) fn transpose<S: Lanes, P: Place>(
    simd: S,
    [rows, columns]: [usize; 2],
    source: &[f32],
    source_stride: usize,
    target: &mut [P],
    target_stride: usize,
) {
    if rows < S::LANES || columns < 4 {
        for i in 0..rows {
            for j in 0..columns {
                target[j * target_stride + i] = P::of(source[i * source_stride + j]);
            }
        }
        return;
    }
    // Blocks of a vector by four; the last overlaps the one before it where they do not fit evenly.
    let starts = |len: usize, step: usize| (0..len).step_by(step).map(move |at| at.min(len - step));
    for i in starts(rows, S::LANES) {
        let mut rows: [&[f32]; 16] = [&[]; 16];
        for k in 0..S::LANES {
            rows[k] = &source[(i + k) * source_stride..][..columns];
        }
        for j in starts(columns, 4) {
            let mut block = [simd.splat_f32s(0.0); 4];
            for (k, row) in block.iter_mut().enumerate() {
                let quads: &mut [[f32; 4]] = bytemuck::cast_slice_mut(std::slice::from_mut(row));
                for (q, quad) in quads.iter_mut().enumerate() {
                    let values = &rows[4 * q + k][j..][..4];
                    for x in 0..4 {
                        quad[x] = values[x];
                    }
                }
            }
            let block = simd.transpose(block);
            for (k, column) in block.iter().enumerate() {
                let target = &mut target[(j + k) * target_stride + i..][..S::LANES];
                let column: &[f32] = bytemuck::cast_slice(std::slice::from_ref(column));
                for x in 0..S::LANES {
                    target[x] = P::of(column[x]);
                }
            }
        }
    }
}

/// Weights `[filters, channels, height, width]` as the convolution reads them: for two vectors of
/// filters at a time (the last may be alone) all their weights, tap by tap in the order of the
/// original, absent filters as zeros.
#[inline(always)]
pub(super) fn pack_filters<S: Lanes>(simd: S, problem: &Problem, weight: &[f32]) -> Vec<Line> {
    let taps = problem.filter_len();
    let mut packed = aligned(vectors::<S>(problem.filters) * S::LANES * taps);
    let values: &mut [f32] = bytemuck::cast_slice_mut(&mut packed);
    for first in (0..problem.filters).step_by(2 * S::LANES) {
        let filters = (problem.filters - first).min(2 * S::LANES);
        transpose(
            simd,
            [filters, taps],
            &weight[first * taps..],
            taps,
            &mut values[first * taps..],
            filters.next_multiple_of(S::LANES),
        );
    }
    packed
}

/// One value a filter, as vectors; absent filters as zeros.
#[inline(always)]
pub(super) fn pad<S: Lanes>(values: &[f32]) -> Vec<Line> {
    let mut padded = aligned(vectors::<S>(values.len()) * S::LANES);
    bytemuck::cast_slice_mut(&mut padded)[..values.len()].copy_from_slice(values);
    padded
}

/// Values of an image with its padding, and as many more as a vector may read past its end.
pub(super) fn planes_len(problem: &Problem, geometry: &Geometry) -> usize {
    problem.channels * geometry.padded[0] * geometry.padded[1] + PIECE
}

/// The largest magnitude, NaN if there is one.
#[inline(always)]
pub(super) fn magnitude(values: &[f32]) -> f32 {
    // Magnitudes are ordered as their bits are, with NaN above them all.
    let mut largest = 0;
    for value in values {
        largest = (value.to_bits() & 0x7fff_ffff).max(largest);
    }
    f32::from_bits(largest)
}

/// The image within its padding of zeros; followed by a vector of them if there is to be `slack`. Only
/// copied into `room` if it has to be.
#[inline(always)]
pub(super) fn planes_of<'a>(
    problem: &Problem,
    geometry: &Geometry,
    image: &'a [f32],
    room: &'a mut [f32],
    slack: bool,
) -> &'a [f32] {
    let ([height, width], [_, padded_width]) = (problem.image, geometry.padded);
    if problem.padding == [0, 0] {
        if !slack {
            return image;
        }
        room[..image.len()].copy_from_slice(image);
        room[image.len()..].fill(0.0);
        return room;
    }
    room.fill(0.0);
    let plane_len = geometry.padded[0] * padded_width;
    for (channel, plane) in image.chunks_exact(height * width).enumerate() {
        for (row, values) in plane.chunks_exact(width).enumerate() {
            let row = row + problem.padding[0];
            let start = channel * plane_len + row * padded_width + problem.padding[1];
            room[start..][..width].copy_from_slice(values);
        }
    }
    room
}
