//! Pooling of a whole image, while its sums are still in registers.

use super::{
    convolution::{Convolution, Epilogue},
    window::{active, beats_or_nan},
};
use crate::cpu::simd::Lanes;

/// The winner of a filter that is active nowhere.
pub(super) const NO_WINNER: u32 = u32::MAX;

/// The sum of the activations, and their gates if there is room for them.
pub(super) struct Sum<'a, S: Lanes> {
    /// The sums so far.
    pub sums: &'a mut [S::f32s],
    /// Gates of the row, or nothing.
    pub gates: &'a mut [u16],
}

impl<S: Lanes> Epilogue<S> for Sum<'_, S> {
    #[inline(always)]
    fn tile<const P: usize, const V: usize>(
        &mut self, simd: S, column: usize, vector: usize, values: &[[S::f32s; V]; P],
    ) {
        let vectors = self.sums.len();
        if !self.gates.is_empty() {
            let gates = &mut self.gates[column * vectors + vector..];
            for p in 0..P {
                let gates = &mut gates[p * vectors..][..V];
                for v in 0..V {
                    gates[v] = active(simd, values[p][v]);
                }
            }
        }
        let sums = &mut self.sums[vector..][..V];
        for v in 0..V {
            // The tile by itself first: fewer additions to a large number round less. Two sums: one
            // would wait for each addition.
            let mut tile = [simd.splat_f32s(0.0); 2];
            for p in 0..P {
                tile[p % 2] = simd.add_f32s(tile[p % 2], simd.relu(values[p][v]));
            }
            sums[v] = simd.add_f32s(sums[v], simd.add_f32s(tile[0], tile[1]));
        }
    }
}

/// The largest sum, and where the tile that it was found in starts.
///
/// `ANY` also serves sums that are NaN.
pub(super) struct Largest<'a, S: Lanes, const ANY: bool> {
    /// The largest so far.
    pub best: &'a mut [S::f32s],
    /// First position of the tile that it was found in.
    pub tile: &'a mut [S::u32s],
    /// First position of the row.
    pub row: usize,
}

impl<S: Lanes, const ANY: bool> Epilogue<S> for Largest<'_, S, ANY> {
    #[inline(always)]
    fn tile<const P: usize, const V: usize>(
        &mut self, simd: S, column: usize, vector: usize, values: &[[S::f32s; V]; P],
    ) {
        let best = &mut self.best[vector..][..V];
        let found_in = &mut self.tile[vector..][..V];
        let here = simd.splat_u32s((self.row + column) as u32);
        for v in 0..V {
            // Three maxima, then theirs: one would wait for each comparison.
            let mut tile = [values[0][v]; 3];
            for p in 1..P {
                tile[p % 3] = larger::<S, ANY>(simd, tile[p % 3], values[p][v]);
            }
            let largest = larger::<S, ANY>(simd, tile[0], tile[1]);
            let largest = larger::<S, ANY>(simd, largest, tile[2]);
            let beats = if ANY { beats_or_nan(simd, largest, best[v]) } else { simd.less_than_f32s(best[v], largest) };
            best[v] = simd.select_f32s(beats, largest, best[v]);
            found_in[v] = simd.select_u32s(beats, here, found_in[v]);
        }
    }
}

/// Returns the larger of two, NaN if `ANY` and one of them is.
#[inline(always)]
fn larger<S: Lanes, const ANY: bool>(simd: S, a: S::f32s, b: S::f32s) -> S::f32s {
    if ANY { simd.select_f32s(beats_or_nan(simd, b, a), b, a) } else { simd.max_f32s(a, b) }
}

/// Returns the first position from the start of a tile on where a filter's sum is `best`: the sums are
/// computed again, neighbouring pixels side by side in a vector, by the same steps in the same order.
#[inline(always)]
pub(super) fn first_equal<S: Lanes>(
    simd: S, convolution: &Convolution<'_, S>, image: &[f32], filter: &[f32], start: f32, best: f32,
) -> usize {
    let filter = &filter[..convolution.taps.len()];
    let best = simd.splat_f32s(best);
    let mut first = 0;
    loop {
        let mut sums = simd.splat_f32s(start);
        for (i, &tap) in convolution.taps.iter().enumerate() {
            let pixels = &image[tap + first..][..S::LANES];
            let pixels = bytemuck::cast_slice::<f32, S::f32s>(pixels)[0];
            sums = simd.multiply_add(pixels, simd.splat_f32s(filter[i]), sums);
        }
        let found = simd.bits(simd.equal_f32s(sums, best)).trailing_zeros() as usize;
        first += found.min(S::LANES);
        if found < S::LANES || first >= S::PIXELS {
            return first;
        }
    }
}
