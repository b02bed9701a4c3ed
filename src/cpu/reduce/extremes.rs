//! The largest values of a window.

use super::reduce::{Gradients, Reduce, Windows, mean};
use crate::cpu::{
    buffer::Buffer,
    simd::{Lanes, fill},
};

/// The largest value, NaN if there is one; the first of equals gets the gradient, or the last NaN.
#[derive(Clone, Copy, Debug)]
pub(super) struct Max;

impl Max {
    /// Returns the largest value and its tap.
    #[inline(always)]
    pub fn winner<S: Lanes>(simd: S, values: &[S::f32s]) -> (S::f32s, S::u32s) {
        let (mut best, mut winner) = (values[0], simd.splat_u32s(0));
        for tap in 1..values.len() {
            let value = values[tap];
            let number = simd.equal_f32s(value, value);
            let beats = simd.or_m32s(simd.less_than_f32s(best, value), simd.not_m32s(number));
            best = simd.select_f32s(beats, value, best);
            winner = simd.select_u32s(beats, simd.splat_u32s(tap as u32), winner);
        }
        (best, winner)
    }

    /// Returns the largest value: a comparison less to wait for than with its tap.
    #[inline(always)]
    pub fn largest<S: Lanes>(simd: S, values: &[S::f32s]) -> S::f32s {
        let (mut largest, mut not_a_number) = (values[0], simd.splat_f32s(0.0));
        for &value in values {
            largest = simd.max_f32s(largest, value);
            not_a_number = simd.select_f32s(simd.equal_f32s(value, value), not_a_number, value);
        }
        simd.select_f32s(simd.equal_f32s(not_a_number, not_a_number), largest, not_a_number)
    }

    /// Returns the largest value, or 0 where that is minus infinity: then differences from it are no NaN.
    #[inline(always)]
    pub fn finite<S: Lanes>(simd: S, values: &[S::f32s]) -> S::f32s {
        let largest = Self::largest(simd, values);
        let nothing = simd.equal_f32s(largest, simd.splat_f32s(f32::NEG_INFINITY));
        simd.select_f32s(nothing, simd.splat_f32s(0.0), largest)
    }

    /// Writes the gradient of the values, and returns the largest.
    #[inline(always)]
    pub fn give<S: Lanes>(simd: S, values: &[S::f32s], gradient: S::f32s, to: &mut [S::f32s]) -> S::f32s {
        let (zero, (largest, winner)) = (simd.splat_f32s(0.0), Self::winner(simd, values));
        for tap in 0..to.len() {
            let won = simd.equal_u32s(winner, simd.splat_u32s(tap as u32));
            to[tap] = simd.select_f32s(won, gradient, zero);
        }
        largest
    }
}

impl Reduce for Max {
    #[inline(always)]
    fn forward<S: Lanes>(self, simd: S, windows: Windows<'_, S>) -> S::f32s {
        Self::largest(simd, windows.values)
    }

    #[inline(always)]
    fn backward<S: Lanes>(self, simd: S, windows: Windows<'_, S>, _: S::f32s, gradient: S::f32s, to: Gradients<'_, S>) {
        Self::give(simd, windows.values, gradient, to.values);
    }
}

/// The mean of the largest values, so many of them, NaN if there is one; of equal ones the first count.
#[derive(Clone, Copy, Debug)]
pub(super) struct Largest(pub usize);

impl Largest {
    /// Returns the largest values, the largest first, and NaN if any value is, else 0.
    #[inline(always)]
    fn sorted<S: Lanes>(self, simd: S, values: &[S::f32s]) -> (Buffer<S::f32s>, S::f32s) {
        let mut sorted = Buffer::<S::f32s>::new(self.0);
        fill(&mut sorted, simd.splat_f32s(f32::NEG_INFINITY));
        let mut not_a_number = simd.splat_f32s(0.0);
        for &value in values {
            let number = simd.equal_f32s(value, value);
            not_a_number = simd.select_f32s(number, not_a_number, value);
            let mut smaller = value;
            for place in 0..sorted.len() {
                let best = sorted[place];
                let beats = simd.less_than_f32s(best, smaller);
                sorted[place] = simd.select_f32s(beats, smaller, best);
                smaller = simd.select_f32s(beats, best, smaller);
            }
        }
        (sorted, not_a_number)
    }
}

impl Reduce for Largest {
    #[inline(always)]
    fn forward<S: Lanes>(self, simd: S, windows: Windows<'_, S>) -> S::f32s {
        let (sorted, not_a_number) = self.sorted(simd, windows.values);
        simd.add_f32s(mean(simd, &sorted), not_a_number)
    }

    #[inline(always)]
    fn backward<S: Lanes>(self, simd: S, windows: Windows<'_, S>, _: S::f32s, gradient: S::f32s, to: Gradients<'_, S>) {
        let (zero, one, count) = (simd.splat_f32s(0.0), simd.splat_f32s(1.0), simd.splat_f32s(self.0 as f32));
        let share = simd.div_f32s(gradient, count);
        let (sorted, _) = self.sorted(simd, windows.values);
        let least = sorted[self.0 - 1];
        let mut left = count;
        for place in 0..sorted.len() {
            let larger = simd.less_than_f32s(least, sorted[place]);
            left = simd.select_f32s(larger, simd.sub_f32s(left, one), left);
        }
        for tap in 0..to.values.len() {
            let value = windows.values[tap];
            let counts = simd.and_m32s(simd.equal_f32s(least, value), simd.less_than_f32s(zero, left));
            left = simd.select_f32s(counts, simd.sub_f32s(left, one), left);
            let counts = simd.or_m32s(counts, simd.less_than_f32s(least, value));
            to.values[tap] = simd.select_f32s(counts, share, zero);
        }
    }
}
