//! A reduction of windows, as many at a time as a vector has lanes.

use std::fmt::Debug;

use crate::cpu::simd::Lanes;

/// A window of each plane in the lanes of vectors.
#[derive(Clone, Copy)]
pub(super) struct Windows<'a, S: Lanes> {
    /// The values that it reads; at least one.
    pub values: &'a [S::f32s],
    /// The number of its taps, those outside of the image included.
    pub taps: f32,
    /// Its parameters.
    pub parameters: &'a [S::f32s],
}

impl<S: Lanes> Windows<'_, S> {
    /// Returns the number of values.
    #[inline(always)]
    pub fn count(&self, simd: S) -> S::f32s {
        simd.splat_f32s(self.values.len() as f32)
    }
}

/// Where the gradients of windows go.
pub(super) struct Gradients<'a, S: Lanes> {
    /// As many as values.
    pub values: &'a mut [S::f32s],
    /// As many as parameters.
    pub parameters: &'a mut [S::f32s],
}

/// What a window is reduced to.
pub(super) trait Reduce: Copy + Debug + Send + Sync {
    /// Returns the reduced windows.
    fn forward<S: Lanes>(self, simd: S, windows: Windows<'_, S>) -> S::f32s;

    /// Writes the gradients, from the reduced windows and their gradient.
    fn backward<S: Lanes>(
        self, simd: S, windows: Windows<'_, S>, output: S::f32s, gradient: S::f32s, to: Gradients<'_, S>,
    );
}

/// Values that are added one after the other before their sum is added to the total.
const PART: usize = 16;

/// A sum, a few values at a time, that carries over what rounding takes from it (Kahan 1965).
#[derive(Clone, Copy)]
pub(super) struct Sum<S: Lanes> {
    total: S::f32s,
    /// What is still to be added.
    rest: S::f32s,
    /// The sum of the last values.
    part: S::f32s,
    /// How many these are.
    count: usize,
}

impl<S: Lanes> Sum<S> {
    #[inline(always)]
    pub fn new(simd: S) -> Self {
        let [total, rest, part] = [simd.splat_f32s(0.0); 3];
        Self { total, rest, part, count: 0 }
    }

    #[inline(always)]
    pub fn add(&mut self, simd: S, value: S::f32s) {
        self.part = simd.add_f32s(self.part, value);
        self.count += 1;
        if self.count == PART {
            self.add_part(simd);
        }
    }

    #[inline(always)]
    fn add_part(&mut self, simd: S) {
        let zero = simd.splat_f32s(0.0);
        let value = simd.add_f32s(self.part, self.rest);
        let total = simd.add_f32s(self.total, value);
        let rest = simd.sub_f32s(value, simd.sub_f32s(total, self.total));
        // Of an infinite sum there is no rest.
        let is_finite = simd.less_than_f32s(simd.abs_f32s(total), simd.splat_f32s(f32::INFINITY));
        *self = Self { total, rest: simd.select_f32s(is_finite, rest, zero), part: zero, count: 0 };
    }

    #[inline(always)]
    pub fn get(mut self, simd: S) -> S::f32s {
        self.add_part(simd);
        simd.add_f32s(self.total, self.rest)
    }
}

/// Returns the mean of some values, also where their sum would overflow.
#[inline(always)]
pub(super) fn mean<S: Lanes>(simd: S, values: &[S::f32s]) -> S::f32s {
    let (count, mut sum) = (simd.splat_f32s(values.len() as f32), Sum::new(simd));
    for &value in values {
        sum.add(simd, value);
    }
    let sum = sum.get(simd);
    let mean = simd.div_f32s(sum, count);
    let infinite = simd.equal_f32s(simd.abs_f32s(sum), simd.splat_f32s(f32::INFINITY));
    if simd.bits(infinite) == 0 {
        return mean;
    }
    // A power of two, with which nothing is rounded.
    let scale = (values.len().next_power_of_two() as f32).recip();
    let mut scaled = Sum::new(simd);
    for &value in values {
        scaled.add(simd, simd.mul_f32s(value, simd.splat_f32s(scale)));
    }
    let scaled = simd.mul_f32s(scaled.get(simd), simd.splat_f32s((values.len() as f32 * scale).recip()));
    simd.select_f32s(infinite, scaled, mean)
}

/// Returns the product, 0 where the weight is: a value without weight may be infinite.
#[inline(always)]
pub(super) fn weigh<S: Lanes>(simd: S, weight: S::f32s, value: S::f32s) -> S::f32s {
    let zero = simd.splat_f32s(0.0);
    simd.select_f32s(simd.equal_f32s(weight, zero), zero, simd.mul_f32s(weight, value))
}
