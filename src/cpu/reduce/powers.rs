//! Means and sums of powers of a window's values.

use super::{
    extremes::Max,
    math::{exp, ln},
    reduce::{Gradients, Reduce, Sum, Windows},
};
use crate::cpu::simd::Lanes;

/// `mean(max(x, least)^p)^(1/p)`, where `p` is the parameter.
#[derive(Clone, Copy, Debug)]
pub(super) struct PowerMean {
    /// Smaller values count as this one.
    pub least: f32,
}

impl PowerMean {
    /// Returns the value, [`least`](Self::least) where it is smaller.
    #[inline(always)]
    fn clamp<S: Lanes>(self, simd: S, value: S::f32s) -> S::f32s {
        let least = simd.splat_f32s(self.least);
        simd.select_f32s(simd.less_than_f32s(value, least), least, value)
    }
}

impl Reduce for PowerMean {
    #[inline(always)]
    fn forward<S: Lanes>(self, simd: S, windows: Windows<'_, S>) -> S::f32s {
        let Windows { values, parameters, .. } = windows;
        let p = parameters[0];
        let largest = self.clamp(simd, Max::largest(simd, values));
        let of_largest = ln(simd, largest);
        let mut sum = Sum::new(simd);
        for &value in values {
            let below = simd.sub_f32s(ln(simd, self.clamp(simd, value)), of_largest);
            sum.add(simd, exp(simd, simd.mul_f32s(p, below)));
        }
        let mean = ln(simd, simd.div_f32s(sum.get(simd), windows.count(simd)));
        simd.mul_f32s(largest, exp(simd, simd.div_f32s(mean, p)))
    }

    #[inline(always)]
    fn backward<S: Lanes>(
        self, simd: S, windows: Windows<'_, S>, output: S::f32s, gradient: S::f32s, to: Gradients<'_, S>,
    ) {
        let Windows { values, parameters, .. } = windows;
        let (p, zero, least) = (parameters[0], simd.splat_f32s(0.0), simd.splat_f32s(self.least));
        let of_output = ln(simd, output);
        let share = simd.div_f32s(simd.mul_f32s(gradient, output), windows.count(simd));
        let mut weighted = Sum::new(simd);
        for tap in 0..values.len() {
            let clamped = self.clamp(simd, values[tap]);
            let below = simd.sub_f32s(ln(simd, clamped), of_output);
            let power = exp(simd, simd.mul_f32s(p, below)); // (x / y)^p
            weighted.add(simd, simd.mul_f32s(power, below));
            let of_value = simd.div_f32s(simd.mul_f32s(share, power), clamped);
            to.values[tap] = simd.select_f32s(simd.less_than_f32s(least, values[tap]), of_value, zero);
        }
        // y mean((x / y)^p ln(x / y)) / p
        to.parameters[0] = simd.div_f32s(simd.mul_f32s(weighted.get(simd), share), p);
    }
}

/// The sum of `|x|^p` to the `1/p`, of a window that reaches outside as if it were full of its own mean.
#[derive(Clone, Copy, Debug)]
pub(super) struct Norm {
    /// At least 1, and finite.
    pub p: f32,
}

/// Up to this power, products take less time than an exponential of a logarithm.
const MOST_PRODUCTS: f32 = 8.0;

impl Norm {
    /// Returns the largest absolute value, at least the smallest normal number.
    #[inline(always)]
    fn largest<S: Lanes>(simd: S, values: &[S::f32s]) -> S::f32s {
        let mut largest = simd.splat_f32s(f32::MIN_POSITIVE);
        for &value in values {
            let size = simd.abs_f32s(value);
            let smaller = simd.less_than_f32s(size, largest);
            largest = simd.select_f32s(smaller, largest, size);
        }
        largest
    }

    /// Returns a quotient from 0 to 1 to a power.
    #[inline(always)]
    fn power<S: Lanes>(simd: S, x: S::f32s, power: f32) -> S::f32s {
        if power.fract() == 0.0 && power <= MOST_PRODUCTS {
            let mut product = simd.splat_f32s(1.0);
            for _ in 0..power as usize {
                product = simd.mul_f32s(product, x);
            }
            product
        } else {
            let least = simd.splat_f32s(f32::MIN_POSITIVE);
            let tiny = simd.less_than_f32s(x, least);
            let power = exp(simd, simd.mul_f32s(simd.splat_f32s(power), ln(simd, simd.select_f32s(tiny, least, x))));
            simd.select_f32s(tiny, simd.splat_f32s(0.0), power)
        }
    }
}

impl Norm {
    /// Returns how much larger the sum of a window would be that is full of its own mean.
    #[inline(always)]
    fn full<S: Lanes>(simd: S, windows: Windows<'_, S>) -> S::f32s {
        simd.splat_f32s(windows.taps / windows.values.len() as f32)
    }
}

impl Reduce for Norm {
    #[inline(always)]
    fn forward<S: Lanes>(self, simd: S, windows: Windows<'_, S>) -> S::f32s {
        let (values, zero, one) = (windows.values, simd.splat_f32s(0.0), simd.splat_f32s(1.0));
        let largest = Self::largest(simd, values);
        let scale = simd.div_f32s(one, largest);
        let mut sum = Sum::new(simd);
        for &value in values {
            let size = simd.abs_f32s(value);
            // Infinite values have no quotient.
            let quotient = simd.select_f32s(simd.equal_f32s(size, largest), one, simd.mul_f32s(size, scale));
            sum.add(simd, Self::power(simd, quotient, self.p));
        }
        let sum = simd.mul_f32s(sum.get(simd), Self::full(simd, windows));
        let root = if self.p == 2.0 {
            simd.sqrt_f32s(sum)
        } else if self.p == 1.0 {
            sum
        } else {
            let of_some = simd.select_f32s(simd.less_than_f32s(sum, one), one, sum);
            exp(simd, simd.div_f32s(ln(simd, of_some), simd.splat_f32s(self.p)))
        };
        let nothing = simd.equal_f32s(sum, zero);
        simd.select_f32s(nothing, zero, simd.mul_f32s(largest, root))
    }

    #[inline(always)]
    fn backward<S: Lanes>(
        self, simd: S, windows: Windows<'_, S>, output: S::f32s, gradient: S::f32s, to: Gradients<'_, S>,
    ) {
        let zero = simd.splat_f32s(0.0);
        let gradient = simd.mul_f32s(gradient, Self::full(simd, windows));
        let nothing = simd.equal_f32s(output, zero);
        let scale = simd.div_f32s(simd.splat_f32s(1.0), output);
        for tap in 0..to.values.len() {
            let value = windows.values[tap];
            let quotient = simd.mul_f32s(simd.abs_f32s(value), scale);
            let slope = simd.mul_f32s(gradient, Self::power(simd, quotient, self.p - 1.0));
            let slope = simd.select_f32s(simd.less_than_f32s(value, zero), simd.neg_f32s(slope), slope);
            let flat = simd.or_m32s(nothing, simd.equal_f32s(value, zero));
            to.values[tap] = simd.select_f32s(flat, zero, slope);
        }
    }
}
