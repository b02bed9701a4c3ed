//! Sums of multiples of filters, or of what lies under filters, channels last: a row of a filter is one run of values.

use bytemuck::{Pod, Zeroable};

use super::problem::Geometry;
use crate::cpu::simd::Lanes;

/// A gradient, and where the values that it multiplies start.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Term {
    pub start: u32,
    pub gradient: f32,
}

/// Sizes of a filter, channels last.
#[derive(Clone, Copy)]
pub(super) struct Runs {
    /// Rows of a filter.
    rows: usize,
    /// Vectors that hold a row of a filter.
    vectors: usize,
}

impl Runs {
    /// Creates it for a problem, in vectors of `lanes`.
    pub fn new(geometry: &Geometry, lanes: usize) -> Runs {
        let [rows, width] = geometry.problem.kernel;
        Runs { rows, vectors: (width * geometry.problem.channels).div_ceil(lanes) }
    }

    /// Returns the number of vectors that hold a filter, each row padded by itself.
    pub fn filter_vectors(&self) -> usize {
        self.rows * self.vectors
    }

    /// Returns the number of values from one row of a filter to the next.
    #[inline(always)]
    pub fn step<S: Lanes>(&self) -> usize {
        self.vectors * S::LANES
    }

    /// Returns where the weights of a filter `[channels, height, width]` lie.
    pub fn places(&self, geometry: &Geometry, lanes: usize) -> Vec<usize> {
        let [height, width] = geometry.problem.kernel;
        let channels = geometry.problem.channels;
        let place = |i: usize| {
            let (channel, row, column) = (i / (height * width), i / width % height, i % width);
            row * self.vectors * lanes + column * channels + channel
        };
        (0..geometry.problem.filter_len()).map(place).collect()
    }

    /// Adds the sum of all terms to `target`. In it and in the source the rows lie a step apart.
    #[inline(always)]
    pub fn add<S: Lanes>(&self, simd: S, terms: &[Term], source: (&[f32], usize), target: (&mut [f32], usize)) {
        macro_rules! add {
            ($height:literal, $width:literal, $row:expr, $vector:expr) => {{
                let target = (&mut *target.0, target.1);
                add_block::<S, $height, $width>(simd, terms, source, target, [$row, $vector]);
                $width
            }};
        }
        if self.rows == 3 && self.vectors == 1 {
            add!(3, 1, 0, 0);
            return;
        }
        if self.rows == 3 && self.vectors == 6 && S::REGISTER_COUNT >= 32 {
            add!(3, 6, 0, 0);
            return;
        }
        for row in 0..self.rows {
            let mut vector = 0;
            while vector < self.vectors {
                vector += match self.vectors - vector {
                    12.. => add!(1, 12, row, vector),
                    6.. => add!(1, 6, row, vector),
                    2.. => add!(1, 2, row, vector),
                    _ => add!(1, 1, row, vector),
                };
            }
        }
    }
}

/// Adds the sums of `H` rows of `W` vectors, which stay in registers.
#[inline(always)]
fn add_block<S: Lanes, const H: usize, const W: usize>(
    simd: S, terms: &[Term], (source, source_step): (&[f32], usize), (target, target_step): (&mut [f32], usize),
    [row, vector]: [usize; 2],
) {
    let mut sums = [[simd.splat_f32s(0.0); W]; H];
    let offset = row * source_step + vector * S::LANES;
    for term in terms {
        let gradient = simd.splat_f32s(term.gradient);
        for y in 0..H {
            let start = term.start as usize + offset + y * source_step;
            let values: &[S::f32s] = bytemuck::cast_slice(&source[start..][..W * S::LANES]);
            for x in 0..W {
                sums[y][x] = simd.multiply_add(values[x], gradient, sums[y][x]);
            }
        }
    }
    for y in 0..H {
        let start = (row + y) * target_step + vector * S::LANES;
        let values = &mut target[start..][..W * S::LANES];
        let values: &mut [S::f32s] = bytemuck::cast_slice_mut(values);
        for x in 0..W {
            values[x] = simd.add_f32s(values[x], sums[y][x]);
        }
    }
}
