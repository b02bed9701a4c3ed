//! Transposition, between Burn's layout, channels first, and that of the kernels: filters side by side.

use std::mem::MaybeUninit;

use super::simd::Lanes;

/// A place for a value, which may never have been written.
pub(super) trait Place: Copy {
    /// Returns a place that holds the value.
    fn of(value: f32) -> Self;
}

impl Place for f32 {
    #[inline(always)]
    fn of(value: f32) -> f32 {
        value
    }
}

impl Place for MaybeUninit<f32> {
    #[inline(always)]
    fn of(value: f32) -> MaybeUninit<f32> {
        MaybeUninit::new(value)
    }
}

/// Transposes `rows` rows of `columns` values: `target[j * target_stride + i]` becomes
/// `source[i * source_stride + j]`.
#[inline(always)]
pub(super) fn transpose<S: Lanes, P: Place>(
    simd: S, [rows, columns]: [usize; 2], source: &[f32], source_stride: usize, target: &mut [P], target_stride: usize,
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
    for i in (0..rows).step_by(S::LANES) {
        let i = i.min(rows - S::LANES);
        let mut block_rows: [&[f32]; 16] = [&[]; 16];
        for k in 0..S::LANES {
            block_rows[k] = &source[(i + k) * source_stride..][..columns];
        }
        for j in (0..columns).step_by(4) {
            let j = j.min(columns - 4);
            let mut block = [simd.splat_f32s(0.0); 4];
            for (k, vector) in block.iter_mut().enumerate() {
                let quads: &mut [[f32; 4]] = bytemuck::cast_slice_mut(std::slice::from_mut(vector));
                for (q, quad) in quads.iter_mut().enumerate() {
                    let values = &block_rows[4 * q + k][j..][..4];
                    for x in 0..4 {
                        quad[x] = values[x];
                    }
                }
            }
            // De-interleaving by four transposes each quad of lanes, at every level.
            let block = simd.deinterleave_shfl_f32s(block);
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
