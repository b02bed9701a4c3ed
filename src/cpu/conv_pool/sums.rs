//! Sums over many values: in blocks, with what rounding takes from their total added at the end.

use crate::cpu::simd::Lanes;

/// Additions one after the other to the same sum: each may round in the same direction.
pub(super) const MOST_ADDITIONS: usize = 32;

/// Adds to a total, and to `lost` what rounding takes from it.
#[inline(always)]
pub(super) fn add_exactly<S: Lanes>(simd: S, total: &mut S::f32s, lost: &mut S::f32s, value: S::f32s) {
    let sum = simd.add_f32s(*total, value);
    let added = simd.sub_f32s(sum, *total);
    let (of_total, of_value) = (simd.sub_f32s(sum, added), added);
    let error = simd.add_f32s(simd.sub_f32s(*total, of_total), simd.sub_f32s(value, of_value));
    (*total, *lost) = (sum, simd.add_f32s(*lost, error));
}

/// Returns a total with what it lost, which is NaN if the total is infinite.
#[inline(always)]
pub(super) fn exact<S: Lanes>(simd: S, total: S::f32s, lost: S::f32s) -> S::f32s {
    simd.select_f32s(simd.equal_f32s(lost, lost), simd.add_f32s(total, lost), total)
}
