//! The largest magnitude of some numbers.

/// Returns the bits of a magnitude: they are ordered as magnitudes are, with infinity and then NaN above all numbers.
#[inline(always)]
pub(super) fn magnitude_bits(value: f32) -> u32 {
    value.to_bits() & 0x7fff_ffff
}

/// Returns the largest magnitude, NaN if there is one.
#[inline(always)]
pub(super) fn magnitude(values: &[f32]) -> f32 {
    let mut largest = 0;
    for value in values {
        largest = magnitude_bits(*value).max(largest);
    }
    f32::from_bits(largest)
}
