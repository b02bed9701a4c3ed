//! Between Burn's layout, channels first, and the kernels': filters side by side in vectors.

use super::{
    problem::{Geometry, Problem},
    scratch::{Line, PIECE, aligned},
    simd::Lanes,
};

/// Vectors that hold a value of each of `count` filters or channels.
pub(super) const fn vectors<S: Lanes>(count: usize) -> usize {
    count.div_ceil(S::LANES)
}

/// Transposes `rows` rows of `columns` values: `target[j * target_stride + i]` becomes
/// `source[i * source_stride + j]`.
#[inline(always)]
pub(super) fn transpose<S: Lanes>(
    simd: S,
    [rows, columns]: [usize; 2],
    source: &[f32],
    source_stride: usize,
    target: &mut [f32],
    target_stride: usize,
) {
    let whole = [rows / 4 * 4, columns / S::LANES * S::LANES];
    for i in (0..whole[0]).step_by(4) {
        let row = |k: usize| &source[(i + k) * source_stride..][..whole[1]];
        let row = |k: usize| row(k).chunks_exact(S::LANES);
        let quads = row(0).zip(row(1)).zip(row(2).zip(row(3)));
        for (j, ((a, b), (c, d))) in quads.enumerate() {
            let load = |values: &[f32]| -> S::f32s { *one(values) };
            let columns = simd.transpose([load(a), load(b), load(c), load(d)]);
            let target = &mut target[j * S::LANES * target_stride + i..];
            let mut target = target.chunks_mut(target_stride);
            for quad in 0..S::LANES / 4 {
                for column in &columns {
                    let quads: &[[f32; 4]] = bytemuck::cast_slice(std::slice::from_ref(column));
                    if let Some(target) = target.next() {
                        target[..4].copy_from_slice(&quads[quad]);
                    }
                }
            }
        }
    }
    for i in 0..rows {
        let first = if i < whole[0] { whole[1] } else { 0 };
        for j in first..columns {
            target[j * target_stride + i] = source[i * source_stride + j];
        }
    }
}

#[inline(always)]
fn one<V: bytemuck::Pod>(values: &[f32]) -> &V {
    &bytemuck::cast_slice(values)[0]
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
pub(super) fn pad<S: Lanes>(values: &[f32]) -> Vec<Line> {
    let mut padded = aligned(vectors::<S>(values.len()) * S::LANES);
    bytemuck::cast_slice_mut(&mut padded)[..values.len()].copy_from_slice(values);
    padded
}

/// Values of an image with its padding, and as many more as a vector may read past its end.
pub(super) fn planes_len(problem: &Problem, geometry: &Geometry) -> usize {
    problem.channels * geometry.padded[0] * geometry.padded[1] + PIECE
}

/// Copies an image into its padding of zeros. Returns its largest magnitude, NaN if it has one.
#[inline(always)]
pub(super) fn load_planes(
    problem: &Problem,
    geometry: &Geometry,
    image: &[f32],
    planes: &mut [f32],
) -> f32 {
    let ([height, width], [_, padded_width]) = (problem.image, geometry.padded);
    if problem.padding == [0, 0] {
        planes[..image.len()].copy_from_slice(image);
        planes[image.len()..].fill(0.0);
    } else {
        planes.fill(0.0);
        let plane_len = geometry.padded[0] * padded_width;
        for (channel, plane) in image.chunks_exact(height * width).enumerate() {
            for (row, values) in plane.chunks_exact(width).enumerate() {
                let row = row + problem.padding[0];
                let start = channel * plane_len + row * padded_width + problem.padding[1];
                planes[start..][..width].copy_from_slice(values);
            }
        }
    }
    // Magnitudes are ordered as their bits are, with NaN above them all.
    let bits = |largest: u32, value: &f32| largest.max(value.to_bits() & 0x7fff_ffff);
    f32::from_bits(image.iter().fold(0, bits))
}
