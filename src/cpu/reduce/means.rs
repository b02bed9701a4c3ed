//! The mean of a window, alone and mixed with its maximum.

use super::{
    extremes::Max,
    math::exp,
    reduce::{Gradients, Reduce, Sum, Windows, mean},
};
use crate::cpu::simd::Lanes;

/// The mean.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mean;

impl Reduce for Mean {
    #[inline(always)]
    fn forward<S: Lanes>(self, simd: S, windows: Windows<'_, S>) -> S::f32s {
        mean(simd, windows.values)
    }

    #[inline(always)]
    fn backward<S: Lanes>(self, simd: S, windows: Windows<'_, S>, _: S::f32s, gradient: S::f32s, to: Gradients<'_, S>) {
        let share = simd.div_f32s(gradient, windows.count(simd));
        for tap in 0..to.values.len() {
            to.values[tap] = share;
        }
    }
}

/// A share of the maximum, and the rest of the mean.
#[derive(Clone, Copy)]
struct Both<S: Lanes> {
    largest: S::f32s,
    mean: S::f32s,
}

impl<S: Lanes> Both<S> {
    #[inline(always)]
    fn of(simd: S, values: &[S::f32s]) -> Self {
        Self { largest: Max::largest(simd, values), mean: mean(simd, values) }
    }

    #[inline(always)]
    fn mixed(self, simd: S, share: S::f32s) -> S::f32s {
        let rest = simd.mul_f32s(simd.sub_f32s(simd.splat_f32s(1.0), share), self.mean);
        simd.multiply_add(share, self.largest, rest)
    }

    /// Writes the gradient of the values, and returns that of the share.
    #[inline(always)]
    fn give(self, simd: S, windows: Windows<'_, S>, share: S::f32s, gradient: S::f32s, to: &mut [S::f32s]) -> S::f32s {
        let of_largest = simd.mul_f32s(share, gradient);
        Max::give(simd, windows.values, of_largest, to);
        let of_each = simd.div_f32s(simd.sub_f32s(gradient, of_largest), windows.count(simd));
        for tap in 0..to.len() {
            to[tap] = simd.add_f32s(to[tap], of_each);
        }
        simd.mul_f32s(gradient, simd.sub_f32s(self.largest, self.mean))
    }
}

/// A share of the maximum, which is the parameter, and the rest of the mean.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mixed;

impl Reduce for Mixed {
    #[inline(always)]
    fn forward<S: Lanes>(self, simd: S, windows: Windows<'_, S>) -> S::f32s {
        Both::of(simd, windows.values).mixed(simd, windows.parameters[0])
    }

    #[inline(always)]
    fn backward<S: Lanes>(self, simd: S, windows: Windows<'_, S>, _: S::f32s, gradient: S::f32s, to: Gradients<'_, S>) {
        let both = Both::of(simd, windows.values);
        to.parameters[0] = both.give(simd, windows, windows.parameters[0], gradient, to.values);
    }
}

/// A share of the maximum and the rest of the mean: the sigmoid of the values weighted by the parameters, one for each
/// tap, all of which read a value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gated;

impl Gated {
    #[inline(always)]
    fn share<S: Lanes>(simd: S, windows: Windows<'_, S>) -> S::f32s {
        let mut sum = Sum::new(simd);
        for tap in 0..windows.values.len() {
            sum.add(simd, simd.mul_f32s(windows.values[tap], windows.parameters[tap]));
        }
        let one = simd.splat_f32s(1.0);
        simd.div_f32s(one, simd.add_f32s(one, exp(simd, simd.neg_f32s(sum.get(simd)))))
    }
}

impl Reduce for Gated {
    #[inline(always)]
    fn forward<S: Lanes>(self, simd: S, windows: Windows<'_, S>) -> S::f32s {
        Both::of(simd, windows.values).mixed(simd, Self::share(simd, windows))
    }

    #[inline(always)]
    fn backward<S: Lanes>(self, simd: S, windows: Windows<'_, S>, _: S::f32s, gradient: S::f32s, to: Gradients<'_, S>) {
        let share = Self::share(simd, windows);
        let of_share = Both::of(simd, windows.values).give(simd, windows, share, gradient, to.values);
        let slope = simd.mul_f32s(share, simd.sub_f32s(simd.splat_f32s(1.0), share));
        let of_sum = simd.mul_f32s(of_share, slope);
        for tap in 0..windows.values.len() {
            to.values[tap] = simd.multiply_add(of_sum, windows.parameters[tap], to.values[tap]);
            to.parameters[tap] = simd.mul_f32s(of_sum, windows.values[tap]);
        }
    }
}

/// The sum of the positive values, each weighted by its share of it; 0 if none is positive.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected;

impl Expected {
    /// Returns the largest positive value, or the smallest number above 0, the sum of the positive values over it, and the
    /// sum of their squares over it.
    #[inline(always)]
    fn sums<S: Lanes>(simd: S, values: &[S::f32s]) -> [S::f32s; 3] {
        let mut largest = simd.splat_f32s(f32::MIN_POSITIVE);
        for &value in values {
            largest = simd.select_f32s(simd.less_than_f32s(value, largest), largest, value);
        }
        let (mut total, mut squares) = (Sum::new(simd), Sum::new(simd));
        for &value in values {
            let value = simd.div_f32s(simd.relu(value), largest);
            total.add(simd, value);
            squares.add(simd, simd.mul_f32s(value, value));
        }
        [largest, total.get(simd), squares.get(simd)]
    }
}

impl Reduce for Expected {
    #[inline(always)]
    fn forward<S: Lanes>(self, simd: S, windows: Windows<'_, S>) -> S::f32s {
        let [largest, total, squares] = Self::sums(simd, windows.values);
        let nothing = simd.equal_f32s(total, simd.splat_f32s(0.0));
        let expected = simd.mul_f32s(largest, simd.div_f32s(squares, total));
        simd.select_f32s(nothing, total, expected)
    }

    #[inline(always)]
    fn backward<S: Lanes>(
        self, simd: S, windows: Windows<'_, S>, output: S::f32s, gradient: S::f32s, to: Gradients<'_, S>,
    ) {
        let zero = simd.splat_f32s(0.0);
        let [largest, total, _] = Self::sums(simd, windows.values);
        let total = simd.mul_f32s(largest, total);
        for tap in 0..to.values.len() {
            let value = windows.values[tap];
            let above = simd.sub_f32s(simd.add_f32s(value, value), output);
            let of_value = simd.mul_f32s(gradient, simd.div_f32s(above, total));
            to.values[tap] = simd.select_f32s(simd.less_than_f32s(zero, value), of_value, zero);
        }
    }
}
