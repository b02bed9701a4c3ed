//! Means of a window that weigh its values by exponentials.

use super::{
    extremes::Max,
    math::{exp, ln},
    reduce::{Gradients, Reduce, Sum, Windows, weigh},
};
use crate::cpu::simd::Lanes;

/// `ln(mean(exp(r x))) / r`, where `r` is the parameter; at 0 the mean.
#[derive(Clone, Copy, Debug)]
pub(super) struct LogSumExp;

/// Where the values of a window, times `r`, lie closer together, a series has more digits than the logarithm.
const CLOSE: f32 = 0.1;

impl LogSumExp {
    /// Returns the value whose exponential is the largest, and whether the exponentials are close together.
    #[inline(always)]
    fn centre<S: Lanes>(simd: S, windows: Windows<'_, S>) -> (S::f32s, S::m32s) {
        let (r, zero) = (windows.parameters[0], simd.splat_f32s(0.0));
        let largest = Max::finite(simd, windows.values);
        let mut smallest = largest;
        for &value in windows.values {
            smallest = simd.min_f32s(smallest, value);
        }
        let spread = simd.mul_f32s(simd.abs_f32s(r), simd.sub_f32s(largest, smallest));
        let close = simd.less_than_f32s(spread, simd.splat_f32s(CLOSE));
        (simd.select_f32s(simd.less_than_f32s(r, zero), smallest, largest), close)
    }

    /// Returns the value whose exponential is the largest, and how far the output is above it.
    #[inline(always)]
    fn output<S: Lanes>(simd: S, windows: Windows<'_, S>) -> [S::f32s; 2] {
        let r = windows.parameters[0];
        let (centre, close) = Self::centre(simd, windows);
        let mut sum = Sum::new(simd);
        for &value in windows.values {
            sum.add(simd, exp(simd, simd.mul_f32s(r, simd.sub_f32s(value, centre))));
        }
        let sum = sum.get(simd);
        let above = simd.div_f32s(ln(simd, simd.div_f32s(sum, windows.count(simd))), r);
        let nothing = simd.equal_f32s(sum, simd.splat_f32s(0.0));
        let above = simd.select_f32s(nothing, simd.splat_f32s(f32::NEG_INFINITY), above);
        if simd.bits(close) == 0 {
            return [centre, above];
        }
        [centre, simd.select_f32s(close, Self::series(simd, windows, centre), above)]
    }

    /// Returns the exponential of `t = r u` for a value of `u` above the output, and `(t e^t - e^t + 1) / r^2`, whose mean is
    /// the gradient of `r` (`by_square` is `1 / r^2`): as the mean of the exponentials is 1, and no term is negative, little cancels.
    #[inline(always)]
    fn weight_and_slope<S: Lanes>(simd: S, [r, by_square]: [S::f32s; 2], above: S::f32s) -> (S::f32s, S::f32s) {
        let (one, t) = (simd.splat_f32s(1.0), simd.mul_f32s(r, above));
        let weight = exp(simd, t);
        let term = simd.add_f32s(weigh(simd, weight, simd.sub_f32s(t, one)), one);
        let far = simd.mul_f32s(term, by_square);
        // (k - 1) / k! from k = 8 down to 2
        let mut near = simd.splat_f32s(7.0 / 40_320.0);
        for factor in [6.0 / 5_040.0, 5.0 / 720.0, 4.0 / 120.0, 3.0 / 24.0, 2.0 / 6.0, 1.0 / 2.0] {
            near = simd.multiply_add(near, t, simd.splat_f32s(factor));
        }
        let near = simd.mul_f32s(near, simd.mul_f32s(above, above));
        let is_near = simd.less_than_f32s(simd.abs_f32s(t), simd.splat_f32s(0.5));
        (weight, simd.select_f32s(is_near, near, far))
    }

    /// Returns the first terms of the output's series in `r`: how far the mean is above the centre, then the second to fourth
    /// cumulants of the values.
    #[inline(always)]
    fn series<S: Lanes>(simd: S, windows: Windows<'_, S>, centre: S::f32s) -> S::f32s {
        let Windows { values, parameters, .. } = windows;
        let [second, third, fourth] = [1.0 / 2.0, 1.0 / 6.0, 1.0 / 24.0].map(|factor| simd.splat_f32s(factor));
        let (r, count) = (parameters[0], windows.count(simd));
        let [mut mean, mut sum, mut squares] = [Sum::new(simd); 3];
        for &value in values {
            mean.add(simd, simd.sub_f32s(value, centre));
        }
        let mean = simd.div_f32s(mean.get(simd), count);
        for &value in values {
            let from_mean = simd.sub_f32s(simd.sub_f32s(value, centre), mean);
            let t = simd.mul_f32s(r, from_mean);
            let factor = simd.multiply_add(t, simd.multiply_add(t, fourth, third), second);
            sum.add(simd, simd.mul_f32s(simd.mul_f32s(from_mean, t), factor));
            squares.add(simd, simd.mul_f32s(t, t));
        }
        let [sum, squares] = [sum, squares].map(|sum| simd.div_f32s(sum.get(simd), count));
        // 3 / 24 of the square of the variance of r x, by r once.
        let product = simd.div_f32s(simd.mul_f32s(squares, squares), r);
        let product = simd.select_f32s(simd.equal_f32s(squares, simd.splat_f32s(0.0)), squares, product);
        let above = simd.multiply_add(product, simd.splat_f32s(-1.0 / 8.0), sum);
        simd.add_f32s(mean, above)
    }
}

impl Reduce for LogSumExp {
    #[inline(always)]
    fn forward<S: Lanes>(self, simd: S, windows: Windows<'_, S>) -> S::f32s {
        let [centre, above] = Self::output(simd, windows);
        simd.add_f32s(centre, above)
    }

    #[inline(always)]
    fn backward<S: Lanes>(self, simd: S, windows: Windows<'_, S>, _: S::f32s, gradient: S::f32s, to: Gradients<'_, S>) {
        let Windows { values, parameters, .. } = windows;
        let (r, zero) = (parameters[0], simd.splat_f32s(0.0));
        let [centre, output] = Self::output(simd, windows);
        let by_square = simd.div_f32s(simd.splat_f32s(1.0), simd.mul_f32s(r, r));
        let [mut total, mut slope] = [Sum::new(simd); 2];
        for tap in 0..values.len() {
            let above = simd.sub_f32s(simd.sub_f32s(values[tap], centre), output);
            let (weight, of_r) = Self::weight_and_slope(simd, [r, by_square], above);
            total.add(simd, weight);
            slope.add(simd, of_r);
            to.values[tap] = weight;
        }
        // A window of minus infinities has no gradient.
        let nothing = simd.equal_f32s(output, simd.splat_f32s(f32::NEG_INFINITY));
        let scale = simd.div_f32s(gradient, total.get(simd));
        for tap in 0..values.len() {
            to.values[tap] = simd.select_f32s(nothing, zero, simd.mul_f32s(to.values[tap], scale));
        }
        let slope = simd.div_f32s(simd.mul_f32s(gradient, slope.get(simd)), windows.count(simd));
        to.parameters[0] = simd.select_f32s(nothing, zero, slope);
    }
}

/// The sum of the values, each weighted by the softmax over the window.
#[derive(Clone, Copy, Debug)]
pub(super) struct Softmax;

impl Softmax {
    /// Writes the exponentials of the differences from the largest value; returns that, the sum of the exponentials, and
    /// the sum of the differences so weighted over it.
    #[inline(always)]
    fn weights<S: Lanes>(simd: S, values: &[S::f32s], mut write: impl FnMut(usize, S::f32s)) -> [S::f32s; 3] {
        let largest = Max::finite(simd, values);
        let [mut total, mut weighted] = [Sum::new(simd); 2];
        for tap in 0..values.len() {
            let above = simd.sub_f32s(values[tap], largest);
            let weight = exp(simd, above);
            total.add(simd, weight);
            weighted.add(simd, weigh(simd, weight, above));
            write(tap, weight);
        }
        let total = total.get(simd);
        [largest, total, simd.div_f32s(weighted.get(simd), total)]
    }
}

impl Reduce for Softmax {
    #[inline(always)]
    fn forward<S: Lanes>(self, simd: S, windows: Windows<'_, S>) -> S::f32s {
        let [largest, _, above] = Self::weights(simd, windows.values, |_, _| ());
        simd.add_f32s(largest, above)
    }

    #[inline(always)]
    fn backward<S: Lanes>(self, simd: S, windows: Windows<'_, S>, _: S::f32s, gradient: S::f32s, to: Gradients<'_, S>) {
        let values = windows.values;
        let [largest, total, mean] = Self::weights(simd, values, |tap, weight| to.values[tap] = weight);
        let scale = simd.div_f32s(gradient, total);
        // From the largest value, not from zero: that keeps digits of large values.
        let rest = simd.sub_f32s(simd.splat_f32s(1.0), mean);
        for tap in 0..values.len() {
            let above = simd.add_f32s(simd.sub_f32s(values[tap], largest), rest);
            to.values[tap] = weigh(simd, simd.mul_f32s(to.values[tap], scale), above);
        }
    }
}
