//! Means of a window that weigh its values by exponentials.

use super::{
    extremes::Max,
    math::{exp, ln},
    reduce::{Gradients, Reduce, Windows, if_inside, weigh},
};
use crate::cpu::simd::Lanes;

/// `ln(mean(exp(r x))) / r`, where `r` is the parameter; at 0 the mean.
#[derive(Clone, Copy, Debug)]
pub(super) struct LogSumExp;

/// Where the values of a window, times `r`, lie closer together, a series has more digits than the logarithm.
const CLOSE: f32 = 0.05;

impl LogSumExp {
    /// Returns the value whose exponential is the largest, and whether the exponentials are close together.
    #[inline(always)]
    fn centre<S: Lanes>(simd: S, windows: Windows<'_, S>) -> (S::f32s, S::m32s) {
        let (r, zero) = (windows.parameters[0], simd.splat_f32s(0.0));
        let largest = Max::finite(simd, windows.values);
        let least = simd.splat_f32s(f32::NEG_INFINITY);
        let (mut smallest, mut finite) = (largest, zero);
        for &value in windows.values {
            finite = simd.add_f32s(finite, if_inside(simd, value, simd.splat_f32s(1.0)));
            let value = simd.select_f32s(simd.less_than_f32s(least, value), value, largest);
            smallest = simd.select_f32s(simd.less_than_f32s(value, smallest), value, smallest);
        }
        let spread = simd.mul_f32s(simd.abs_f32s(r), simd.sub_f32s(largest, smallest));
        let close = simd.less_than_f32s(spread, simd.splat_f32s(CLOSE));
        let close = simd.and_m32s(close, simd.equal_f32s(finite, windows.count));
        (simd.select_f32s(simd.less_than_f32s(r, zero), smallest, largest), close)
    }

    /// Returns the exponential of a value from the centre, 0 outside of the image.
    #[inline(always)]
    fn weight<S: Lanes>(simd: S, r: S::f32s, value: S::f32s, centre: S::f32s) -> S::f32s {
        if_inside(simd, value, exp(simd, simd.mul_f32s(r, simd.sub_f32s(value, centre))))
    }

    /// Returns the first four cumulants of the values, the first from the centre.
    #[inline(always)]
    fn cumulants<S: Lanes>(simd: S, windows: Windows<'_, S>, centre: S::f32s) -> [S::f32s; 4] {
        let Windows { values, count, .. } = windows;
        let zero = simd.splat_f32s(0.0);
        let mut total = zero;
        for &value in values {
            total = simd.add_f32s(total, if_inside(simd, value, simd.sub_f32s(value, centre)));
        }
        let mean = simd.div_f32s(total, count);
        let mut moments = [zero; 3];
        for &value in values {
            let from_mean = simd.sub_f32s(simd.sub_f32s(value, centre), mean);
            let from_mean = if_inside(simd, value, from_mean);
            let mut power = from_mean;
            for i in 0..3 {
                power = simd.mul_f32s(power, from_mean);
                moments[i] = simd.add_f32s(moments[i], power);
            }
        }
        let [second, third, fourth] = moments.map(|sum| simd.div_f32s(sum, count));
        let square = simd.mul_f32s(second, second);
        [mean, second, third, simd.multiply_add(simd.splat_f32s(-3.0), square, fourth)]
    }
}

/// Returns whether any lane is set.
#[inline(always)]
fn any<S: Lanes>(simd: S, mask: S::m32s) -> bool {
    simd.bits(mask) != 0
}

/// Returns the sum of terms, each times one power of `r` more.
#[inline(always)]
fn series<S: Lanes, const N: usize>(simd: S, r: S::f32s, terms: [S::f32s; N], factors: [f32; N]) -> S::f32s {
    let mut total = simd.splat_f32s(0.0);
    for i in (0..N).rev() {
        total = simd.multiply_add(total, r, simd.mul_f32s(terms[i], simd.splat_f32s(factors[i])));
    }
    total
}

impl Reduce for LogSumExp {
    const OUTSIDE: f32 = f32::NEG_INFINITY;

    #[inline(always)]
    fn forward<S: Lanes>(self, simd: S, windows: Windows<'_, S>) -> S::f32s {
        let Windows { values, count, parameters } = windows;
        let r = parameters[0];
        let (centre, close) = Self::centre(simd, windows);
        let mut sum = simd.splat_f32s(0.0);
        for &value in values {
            sum = simd.add_f32s(sum, Self::weight(simd, r, value, centre));
        }
        let mut above = simd.div_f32s(ln(simd, simd.div_f32s(sum, count)), r);
        if any(simd, close) {
            let cumulants = Self::cumulants(simd, windows, centre);
            let of_close = series(simd, r, cumulants, [1.0, 1.0 / 2.0, 1.0 / 6.0, 1.0 / 24.0]);
            above = simd.select_f32s(close, of_close, above);
        }
        let nothing = simd.equal_f32s(sum, simd.splat_f32s(0.0));
        simd.select_f32s(nothing, simd.splat_f32s(f32::NEG_INFINITY), simd.add_f32s(centre, above))
    }

    #[inline(always)]
    fn backward<S: Lanes>(self, simd: S, windows: Windows<'_, S>, _: S::f32s, gradient: S::f32s, to: Gradients<'_, S>) {
        let Windows { values, count, parameters } = windows;
        let r = parameters[0];
        let (centre, close) = Self::centre(simd, windows);
        let zero = simd.splat_f32s(0.0);
        let (mut total, mut weighted) = (zero, zero);
        for tap in 0..values.len() {
            let weight = Self::weight(simd, r, values[tap], centre);
            total = simd.add_f32s(total, weight);
            weighted = simd.add_f32s(weighted, weigh(simd, weight, simd.sub_f32s(values[tap], centre)));
            to.values[tap] = weight;
        }
        let scale = simd.select_f32s(simd.equal_f32s(total, zero), zero, simd.div_f32s(gradient, total));
        for tap in 0..values.len() {
            to.values[tap] = simd.mul_f32s(to.values[tap], scale);
        }
        let above = simd.div_f32s(ln(simd, simd.div_f32s(total, count)), r);
        let mut slope = simd.div_f32s(simd.sub_f32s(simd.div_f32s(weighted, total), above), r);
        if any(simd, close) {
            let [_, second, third, fourth] = Self::cumulants(simd, windows, centre);
            let of_close = series(simd, r, [second, third, fourth], [1.0 / 2.0, 1.0 / 3.0, 1.0 / 8.0]);
            slope = simd.select_f32s(close, of_close, slope);
        }
        to.parameters[0] = simd.mul_f32s(gradient, slope);
    }
}

/// The sum of the values, each weighted by the softmax over the window.
#[derive(Clone, Copy, Debug)]
pub(super) struct Softmax;

impl Reduce for Softmax {
    const OUTSIDE: f32 = f32::NEG_INFINITY;

    #[inline(always)]
    fn forward<S: Lanes>(self, simd: S, windows: Windows<'_, S>) -> S::f32s {
        let largest = Max::finite(simd, windows.values);
        let zero = simd.splat_f32s(0.0);
        let (mut total, mut weighted) = (zero, zero);
        for &value in windows.values {
            let above = simd.sub_f32s(value, largest);
            let weight = exp(simd, above);
            total = simd.add_f32s(total, weight);
            weighted = simd.add_f32s(weighted, weigh(simd, weight, above));
        }
        simd.add_f32s(largest, simd.div_f32s(weighted, total))
    }

    #[inline(always)]
    fn backward<S: Lanes>(self, simd: S, windows: Windows<'_, S>, _: S::f32s, gradient: S::f32s, to: Gradients<'_, S>) {
        let values = windows.values;
        let largest = Max::finite(simd, values);
        let zero = simd.splat_f32s(0.0);
        let (mut total, mut weighted) = (zero, zero);
        for tap in 0..values.len() {
            let above = simd.sub_f32s(values[tap], largest);
            let weight = exp(simd, above);
            total = simd.add_f32s(total, weight);
            weighted = simd.add_f32s(weighted, weigh(simd, weight, above));
            to.values[tap] = weight;
        }
        let scale = simd.div_f32s(gradient, total);
        // From the largest value, not from zero: that keeps digits of large values.
        let rest = simd.sub_f32s(simd.splat_f32s(1.0), simd.div_f32s(weighted, total));
        for tap in 0..values.len() {
            let above = simd.add_f32s(simd.sub_f32s(values[tap], largest), rest);
            to.values[tap] = weigh(simd, simd.mul_f32s(to.values[tap], scale), above);
        }
    }
}
