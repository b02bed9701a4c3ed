//! Exponential and logarithm of vectors.
//!
//! Polynomials of the Cephes library (Moshier, 1989); errors of at most two units in the last place, as the tests measure.

use crate::cpu::simd::Lanes;

/// Returns `e^x`: 0 below -87.6, where it is no normal number, and `e^88` above 88.
#[inline(always)]
pub(super) fn exp<S: Lanes>(simd: S, x: S::f32s) -> S::f32s {
    // Adding it leaves the integer in the lowest bits.
    let magic = simd.splat_f32s(12_582_912.0);
    let [lowest, highest] = [-88.0, 88.0].map(|bound| simd.splat_f32s(bound));
    let is_number = simd.equal_f32s(x, x);
    let clamped = simd.min_f32s(simd.max_f32s(x, lowest), highest);
    let shifted = simd.multiply_add(clamped, simd.splat_f32s(std::f32::consts::LOG2_E), magic);
    let power = simd.sub_f32s(shifted, magic);
    let rest = simd.multiply_add(power, simd.splat_f32s(-0.693_359_4), clamped);
    let rest = simd.multiply_add(power, simd.splat_f32s(2.121_944_4e-4), rest);
    let mut sum = simd.splat_f32s(1.987_569_1e-4);
    for term in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5] {
        sum = simd.multiply_add(sum, rest, simd.splat_f32s(term));
    }
    let sum = simd.multiply_add(simd.mul_f32s(sum, rest), rest, simd.add_f32s(rest, simd.splat_f32s(1.0)));
    let exponent = simd.wrapping_dyn_shl_u32s(simd.transmute_u32s_f32s(shifted), simd.splat_u32s(23));
    let scale = simd.transmute_f32s_u32s(simd.add_u32s(exponent, simd.splat_u32s(1.0f32.to_bits())));
    simd.select_f32s(is_number, simd.mul_f32s(sum, scale), x)
}

/// Returns the natural logarithm of positive normal numbers, and NaN of NaN.
#[inline(always)]
pub(super) fn ln<S: Lanes>(simd: S, x: S::f32s) -> S::f32s {
    let bits = simd.transmute_u32s_f32s(x);
    // Or-ed into 2^23, an integer is a number.
    let biased = simd.wrapping_dyn_shr_u32s(bits, simd.splat_u32s(23));
    let biased = simd.transmute_f32s_u32s(simd.or_u32s(biased, simd.splat_u32s(0x4b00_0000)));
    let exponent = simd.sub_f32s(biased, simd.splat_f32s(8_388_608.0 + 127.0));
    let mantissa = simd.and_u32s(bits, simd.splat_u32s(0x007f_ffff));
    let mantissa = simd.transmute_f32s_u32s(simd.or_u32s(mantissa, simd.splat_u32s(1.0f32.to_bits())));
    let is_large = simd.less_than_f32s(simd.splat_f32s(std::f32::consts::SQRT_2), mantissa);
    let halved = simd.mul_f32s(mantissa, simd.splat_f32s(0.5));
    let mantissa = simd.select_f32s(is_large, halved, mantissa);
    let one = simd.splat_f32s(1.0);
    let exponent = simd.select_f32s(is_large, simd.add_f32s(exponent, one), exponent);
    let f = simd.sub_f32s(mantissa, one);
    let square = simd.mul_f32s(f, f);
    let mut sum = simd.splat_f32s(7.037_684e-2);
    for term in [
        -1.151_461e-1,
        1.167_699_9e-1,
        -1.242_014_1e-1,
        1.424_932_3e-1,
        -1.666_805_8e-1,
        2.000_071_5e-1,
        -2.499_999_4e-1,
        3.333_333e-1,
    ] {
        sum = simd.multiply_add(sum, f, simd.splat_f32s(term));
    }
    let sum = simd.mul_f32s(simd.mul_f32s(sum, f), square);
    let sum = simd.multiply_add(exponent, simd.splat_f32s(-2.121_944_4e-4), sum);
    let sum = simd.multiply_add(square, simd.splat_f32s(-0.5), sum);
    let logarithm = simd.multiply_add(exponent, simd.splat_f32s(0.693_359_4), simd.add_f32s(f, sum));
    simd.select_f32s(simd.equal_f32s(x, x), logarithm, x)
}

#[cfg(test)]
#[path = "../../../tests/unit/math.rs"]
mod tests;
