//! The convolution of an image, a tile at a time: some neighbouring pixels by two vectors of
//! filters, whose sums stay in registers over all the weights.

use super::problem::Problem;
use crate::cpu::{buffer::Buffer, simd::Lanes, transpose::transpose};

/// Filters and the places of an image that they are laid on.
pub(super) struct Convolution<'a, S: Lanes> {
    /// Where the pixels under a filter are, from its upper left corner, in the order of its weights.
    pub taps: &'a [usize],
    /// The filters, as [`pack_filters`] leaves them.
    pub filters: &'a [S::f32s],
    /// What the sums start from, one vector of filters after another.
    pub start: &'a [S::f32s],
}

/// What becomes of a tile of sums.
pub(super) trait Epilogue<S: Lanes> {
    /// Receives the sums of `P` pixels from `column` on, for `V` vectors of filters from `vector` on.
    fn tile<const P: usize, const V: usize>(&mut self, simd: S, column: usize, vector: usize, sums: &[[S::f32s; V]; P]);
}

/// Returns where the pixels under a filter `[channels, height, width]` are, in planes of `size`.
pub(super) fn filter_taps(channels: usize, kernel: [usize; 2], size: [usize; 2]) -> Vec<usize> {
    let [height, width] = kernel;
    let tap = |i: usize| {
        let (channel, row, column) = (i / (height * width), i / width % height, i % width);
        (channel * size[0] + row) * size[1] + column
    };
    (0..channels * height * width).map(tap).collect()
}

/// Returns weights `[filters, channels, height, width]` as the convolution reads them: for two vectors of filters at a
/// time (the last may be alone) all their weights, tap by tap in the order of the original, absent filters as zeros.
#[inline(always)]
pub(super) fn pack_filters<S: Lanes>(simd: S, problem: &Problem, weight: &[f32]) -> Buffer<f32> {
    let taps = problem.filter_len();
    let mut packed = Buffer::zeros(problem.filters.next_multiple_of(S::LANES) * taps);
    for first in (0..problem.filters).step_by(2 * S::LANES) {
        let filters = (problem.filters - first).min(2 * S::LANES);
        let (from, to) = (&weight[first * taps..], &mut packed[first * taps..]);
        transpose(simd, [filters, taps], from, taps, to, filters.next_multiple_of(S::LANES));
    }
    packed
}

/// Writes filters laid out by [`pack_filters`] as weights `[filters, channels, height, width]`.
#[inline(always)]
pub(super) fn unpack_filters<S: Lanes>(simd: S, problem: &Problem, packed: &[f32], weight: &mut [f32]) {
    let taps = problem.filter_len();
    for first in (0..problem.filters).step_by(2 * S::LANES) {
        let filters = (problem.filters - first).min(2 * S::LANES);
        let (from, to) = (&packed[first * taps..], &mut weight[first * taps..]);
        transpose(simd, [taps, filters], from, filters.next_multiple_of(S::LANES), to, taps);
    }
}

impl<S: Lanes> Convolution<'_, S> {
    /// Convolves a row of `columns` positions; `image` starts under the first.
    #[inline(always)]
    pub fn row(&self, simd: S, image: &[f32], columns: usize, epilogue: &mut impl Epilogue<S>) {
        let vectors = self.start.len();
        for vector in (0..vectors).step_by(2) {
            if vector + 1 < vectors {
                self.tiles::<2>(simd, image, columns, vector, epilogue);
            } else {
                self.tiles::<1>(simd, image, columns, vector, epilogue);
            }
        }
    }

    /// Splits the row into tiles whose widths differ by one at most.
    #[inline(always)]
    fn tiles<const V: usize>(
        &self, simd: S, image: &[f32], columns: usize, vector: usize, epilogue: &mut impl Epilogue<S>,
    ) {
        let taps = self.taps.len();
        let filters = &self.filters[vector * taps..][..V * taps];
        let mut start = [simd.splat_f32s(0.0); V];
        let given = &self.start[vector..][..V];
        for v in 0..V {
            start[v] = given[v];
        }
        let tiles = columns.div_ceil(S::PIXELS);
        let mut column = 0;
        for tile in 0..tiles {
            let pixels = (columns - column).div_ceil(tiles - tile);
            let image = &image[column..];
            macro_rules! tile {
                ($($pixels:literal)*) => {
                    match pixels {
                        $($pixels if $pixels <= S::PIXELS => {
                            let sums = self.tile::<$pixels, V>(simd, image, filters, start);
                            epilogue.tile(simd, column, vector, &sums);
                        })*
                        _ => unreachable!("a tile has at most S::PIXELS pixels"),
                    }
                };
            }
            tile!(1 2 3 4 5 6 7 8 9 10);
            column += pixels;
        }
    }

    /// Returns the sums of one tile.
    #[inline(always)]
    fn tile<const P: usize, const V: usize>(
        &self, simd: S, image: &[f32], filters: &[S::f32s], start: [S::f32s; V],
    ) -> [[S::f32s; V]; P] {
        let mut sums = [start; P];
        let mut weights = filters.chunks_exact(V);
        let mut taps = self.taps.iter();
        // A loop that runs at least once: otherwise the sums are moved about in every round.
        while let (Some(&tap), Some(weights)) = (taps.next(), weights.next()) {
            let pixels = &image[tap..][..P];
            for p in 0..P {
                let pixel = simd.splat_f32s(pixels[p]);
                for v in 0..V {
                    sums[p][v] = simd.multiply_add(pixel, weights[v], sums[p][v]);
                }
            }
            if taps.as_slice().is_empty() {
                break;
            }
        }
        sums
    }
}
