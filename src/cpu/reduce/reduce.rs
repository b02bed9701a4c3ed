//! A reduction of windows, as many at a time as a vector has lanes.

use std::fmt::Debug;

use crate::cpu::simd::Lanes;

/// Windows side by side in the lanes of vectors.
#[derive(Clone, Copy)]
pub(super) struct Windows<'a, S: Lanes> {
    /// A vector for each tap; [`Reduce::OUTSIDE`] where it reads nothing.
    pub values: &'a [S::f32s],
    /// How many taps read something.
    pub count: S::f32s,
    /// The parameters of each window.
    pub parameters: &'a [S::f32s],
}

/// Where the gradients of windows go.
pub(super) struct Gradients<'a, S: Lanes> {
    /// A vector for each tap.
    pub values: &'a mut [S::f32s],
    /// A vector for each parameter.
    pub parameters: &'a mut [S::f32s],
}

/// What a window is reduced to.
pub(super) trait Reduce: Copy + Debug + Send + Sync {
    /// What a tap that lies outside of the image reads.
    const OUTSIDE: f32;

    /// Returns the reduced windows.
    fn forward<S: Lanes>(self, simd: S, windows: Windows<'_, S>) -> S::f32s;

    /// Writes the gradients, from the reduced windows and their gradient.
    fn backward<S: Lanes>(
        self, simd: S, windows: Windows<'_, S>, output: S::f32s, gradient: S::f32s, to: Gradients<'_, S>,
    );
}

/// Returns the sum, with what rounding takes from it added at the end.
#[inline(always)]
pub(super) fn sum<S: Lanes>(simd: S, values: &[S::f32s]) -> S::f32s {
    let zero = simd.splat_f32s(0.0);
    let (mut total, mut lost) = (zero, zero);
    for &value in values {
        let sum = simd.add_f32s(total, value);
        let added = simd.sub_f32s(sum, total);
        let error = simd.add_f32s(simd.sub_f32s(total, simd.sub_f32s(sum, added)), simd.sub_f32s(value, added));
        (total, lost) = (sum, simd.add_f32s(lost, error));
    }
    // Of infinite sums nothing was taken.
    simd.select_f32s(simd.equal_f32s(lost, lost), simd.add_f32s(total, lost), total)
}

/// Returns the product, 0 where the weight is: a value without weight may be infinite.
#[inline(always)]
pub(super) fn weigh<S: Lanes>(simd: S, weight: S::f32s, value: S::f32s) -> S::f32s {
    let zero = simd.splat_f32s(0.0);
    simd.select_f32s(simd.equal_f32s(weight, zero), zero, simd.mul_f32s(weight, value))
}

/// Returns the result of a value, 0 if that is minus infinity, as outside of the image.
#[inline(always)]
pub(super) fn if_inside<S: Lanes>(simd: S, value: S::f32s, result: S::f32s) -> S::f32s {
    let outside = simd.equal_f32s(value, simd.splat_f32s(f32::NEG_INFINITY));
    simd.select_f32s(outside, simd.splat_f32s(0.0), result)
}
