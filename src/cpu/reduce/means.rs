//! The mean of a window, alone and mixed with its maximum.

use super::{
    extremes::Max,
    math::exp,
    reduce::{Gradients, Reduce, Windows, if_inside, sum},
};
use crate::cpu::simd::Lanes;

/// The mean.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mean;

impl Reduce for Mean {
    const OUTSIDE: f32 = 0.0;

    #[inline(always)]
    fn forward<S: Lanes>(self, simd: S, windows: Windows<'_, S>) -> S::f32s {
        simd.div_f32s(sum(simd, windows.values), windows.count)
    }

    #[inline(always)]
    fn backward<S: Lanes>(self, simd: S, windows: Windows<'_, S>, _: S::f32s, gradient: S::f32s, to: Gradients<'_, S>) {
        let share = simd.div_f32s(gradient, windows.count);
        for tap in 0..to.values.len() {
            to.values[tap] = share;
        }
    }
}

/// Returns the maximum and the mean of a window that may reach outside.
#[inline(always)]
fn both<S: Lanes>(simd: S, windows: Windows<'_, S>) -> [S::f32s; 2] {
    let mut sum = simd.splat_f32s(0.0);
    for &value in windows.values {
        sum = simd.add_f32s(sum, if_inside(simd, value, value));
    }
    [Max::winner(simd, windows.values).0, simd.div_f32s(sum, windows.count)]
}

/// Writes the gradient of a share of the maximum and the rest of the mean.
#[inline(always)]
fn give_both<S: Lanes>(simd: S, windows: Windows<'_, S>, share: S::f32s, gradient: S::f32s, to: &mut [S::f32s]) {
    let of_largest = simd.mul_f32s(share, gradient);
    Max::give(simd, windows.values, of_largest, to);
    let of_each = simd.div_f32s(simd.sub_f32s(gradient, of_largest), windows.count);
    for tap in 0..to.len() {
        to[tap] = simd.add_f32s(to[tap], of_each);
    }
}

/// A share of the maximum, which is the parameter, and the rest of the mean.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mixed;

impl Reduce for Mixed {
    const OUTSIDE: f32 = f32::NEG_INFINITY;

    #[inline(always)]
    fn forward<S: Lanes>(self, simd: S, windows: Windows<'_, S>) -> S::f32s {
        let [largest, mean] = both(simd, windows);
        simd.multiply_add(windows.parameters[0], simd.sub_f32s(largest, mean), mean)
    }

    #[inline(always)]
    fn backward<S: Lanes>(self, simd: S, windows: Windows<'_, S>, _: S::f32s, gradient: S::f32s, to: Gradients<'_, S>) {
        let [largest, mean] = both(simd, windows);
        give_both(simd, windows, windows.parameters[0], gradient, to.values);
        to.parameters[0] = simd.mul_f32s(gradient, simd.sub_f32s(largest, mean));
    }
}

/// A share of the maximum and the rest of the mean: the sigmoid of the values weighted by the parameters, one for each
/// tap.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gated;

impl Gated {
    #[inline(always)]
    fn share<S: Lanes>(simd: S, windows: Windows<'_, S>) -> S::f32s {
        let mut sum = simd.splat_f32s(0.0);
        for tap in 0..windows.values.len() {
            let value = windows.values[tap];
            sum = simd.add_f32s(sum, if_inside(simd, value, simd.mul_f32s(value, windows.parameters[tap])));
        }
        let one = simd.splat_f32s(1.0);
        simd.div_f32s(one, simd.add_f32s(one, exp(simd, simd.neg_f32s(sum))))
    }
}

impl Reduce for Gated {
    const OUTSIDE: f32 = f32::NEG_INFINITY;

    #[inline(always)]
    fn forward<S: Lanes>(self, simd: S, windows: Windows<'_, S>) -> S::f32s {
        let [largest, mean] = both(simd, windows);
        simd.multiply_add(Self::share(simd, windows), simd.sub_f32s(largest, mean), mean)
    }

    #[inline(always)]
    fn backward<S: Lanes>(self, simd: S, windows: Windows<'_, S>, _: S::f32s, gradient: S::f32s, to: Gradients<'_, S>) {
        let [largest, mean] = both(simd, windows);
        let share = Self::share(simd, windows);
        give_both(simd, windows, share, gradient, to.values);
        let slope = simd.mul_f32s(share, simd.sub_f32s(simd.splat_f32s(1.0), share));
        let of_sum = simd.mul_f32s(simd.mul_f32s(gradient, simd.sub_f32s(largest, mean)), slope);
        for tap in 0..windows.values.len() {
            let value = windows.values[tap];
            let of_value = simd.mul_f32s(of_sum, windows.parameters[tap]);
            to.values[tap] = simd.add_f32s(to.values[tap], of_value);
            to.parameters[tap] = if_inside(simd, value, simd.mul_f32s(of_sum, value));
        }
    }
}

/// The sum of the positive values, each weighted by its share of it; 0 if none is positive.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected;

impl Expected {
    /// Returns the positive part, and NaN.
    #[inline(always)]
    fn positive<S: Lanes>(simd: S, value: S::f32s) -> S::f32s {
        simd.relu(value)
    }

    /// Returns the sum of the positive values, or the smallest number above 0, and the sum of their squares by it.
    #[inline(always)]
    fn sums<S: Lanes>(simd: S, values: &[S::f32s]) -> [S::f32s; 2] {
        let (mut total, mut weighted) = (simd.splat_f32s(f32::MIN_POSITIVE), simd.splat_f32s(0.0));
        for &value in values {
            total = simd.add_f32s(total, Self::positive(simd, value));
        }
        for &value in values {
            let value = Self::positive(simd, value);
            weighted = simd.add_f32s(weighted, simd.mul_f32s(value, simd.div_f32s(value, total)));
        }
        [total, weighted]
    }
}

impl Reduce for Expected {
    const OUTSIDE: f32 = 0.0;

    #[inline(always)]
    fn forward<S: Lanes>(self, simd: S, windows: Windows<'_, S>) -> S::f32s {
        let [_, expected] = Self::sums(simd, windows.values);
        expected
    }

    #[inline(always)]
    fn backward<S: Lanes>(
        self, simd: S, windows: Windows<'_, S>, output: S::f32s, gradient: S::f32s, to: Gradients<'_, S>,
    ) {
        let zero = simd.splat_f32s(0.0);
        let [total, _] = Self::sums(simd, windows.values);
        for tap in 0..to.values.len() {
            let value = windows.values[tap];
            let above = simd.sub_f32s(simd.add_f32s(value, value), output);
            let of_value = simd.mul_f32s(gradient, simd.div_f32s(above, total));
            to.values[tap] = simd.select_f32s(simd.less_than_f32s(zero, value), of_value, zero);
        }
    }
}
