//! Exponential and logarithm next to the standard library's in `f64`, at every level that the machine has.

use super::*;
use crate::cpu::simd::{Kernel, Level};

struct Each<'a> {
    function: Function,
    values: &'a [f32],
}

#[derive(Clone, Copy)]
enum Function {
    Exponential,
    Logarithm,
}

impl Kernel for Each<'_> {
    type Output = Vec<f32>;

    fn run<S: Lanes>(self, simd: S) -> Vec<f32> {
        let one = |&value: &f32| {
            let x = simd.splat_f32s(value);
            let found = match self.function {
                Function::Exponential => exp(simd, x),
                Function::Logarithm => ln(simd, x),
            };
            bytemuck::cast_slice::<_, f32>(std::slice::from_ref(&found))[0]
        };
        self.values.iter().map(one).collect()
    }
}

/// In units in the last place of the exact value.
fn assert_close(function: Function, values: &[f32], exact: impl Fn(f64) -> f64, most: f64) {
    for level in Level::available() {
        for (&x, found) in values.iter().zip(level.run(Each { function, values })) {
            let exact = exact(f64::from(x));
            let unit = f64::from((exact.abs() as f32).max(f32::MIN_POSITIVE)) * f64::from(f32::EPSILON);
            let error = (f64::from(found) - exact).abs() / unit;
            assert!(error <= most, "{} of {x}: expected {exact}, found {found}, {error:.2} units", level.name());
        }
    }
}

#[test]
fn exponentials_are_exact_to_two_units() {
    let values: Vec<f32> = (-8700..8800).map(|i| i as f32 * 0.01 + 0.001).collect();
    assert_close(Function::Exponential, &values, f64::exp, 2.0);
}

#[test]
fn logarithms_are_exact_to_two_units() {
    let values: Vec<f32> = (0..20_000).map(|i| f32::from_bits(0x0080_0000 + i * 106_000)).collect();
    assert!(values.iter().all(|value| value.is_normal()));
    assert_close(Function::Logarithm, &values, f64::ln, 2.0);
}

/// What lies outside of the numbers that a power may have.
#[test]
fn ends() {
    let values = [f32::NEG_INFINITY, -1e30, -100.0, 0.0, 100.0, f32::INFINITY];
    for level in Level::available() {
        let found = level.run(Each { function: Function::Exponential, values: &values });
        assert_eq!(found[..4], [0.0, 0.0, 0.0, 1.0], "{}", level.name());
        assert!(found[4].is_finite() && found[4] == found[5], "{}", level.name());
        let not_a_number = level.run(Each { function: Function::Exponential, values: &[f32::NAN] });
        assert!(not_a_number[0].is_nan(), "{}", level.name());
    }
}
