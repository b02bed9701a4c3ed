//! Sizes of tiles, and their transforms.

use crate::cpu::simd::Lanes;

/// The most values of a tile along one dimension.
pub(super) const MOST: usize = 6;

/// Values along one dimension of a tile, and what a transform makes of them: those that the tile has no room for are
/// arbitrary.
pub(super) type Line<S> = [<S as pulp::Simd>::f32s; MOST];

/// A size of tiles, with the transforms along one dimension of Lavin and Gray (2016), section 4.
pub(in crate::cpu::conv_pool) trait Tile: Copy + Send + Sync {
    /// Outputs along one dimension.
    const OUTPUTS: usize;
    /// Pixels, or products, along one dimension.
    const PIXELS: usize = Self::OUTPUTS + 2;
    /// Products of a whole tile.
    const PLACES: usize = Self::PIXELS * Self::PIXELS;

    /// Transforms three weights.
    fn filter<S: Lanes>(simd: S, weights: Line<S>) -> Line<S>;

    /// Transforms pixels.
    fn pixels<S: Lanes>(simd: S, pixels: Line<S>) -> Line<S>;

    /// Returns the outputs.
    fn outputs<S: Lanes>(simd: S, products: Line<S>) -> Line<S>;

    /// Returns the gradient of the products, from that of the outputs.
    fn gradient<S: Lanes>(simd: S, outputs: Line<S>) -> Line<S>;

    /// Returns the gradient of the three weights, from that of their transform.
    fn weights<S: Lanes>(simd: S, transformed: Line<S>) -> Line<S>;
}

/// Tiles of 2x2, by polynomials at the points 0, 1 and -1.
#[derive(Clone, Copy)]
pub(in crate::cpu::conv_pool) struct Two;

impl Tile for Two {
    const OUTPUTS: usize = 2;

    #[inline(always)]
    fn filter<S: Lanes>(simd: S, [a, b, c, d, e, _]: Line<S>) -> Line<S> {
        let half = simd.splat_f32s(0.5);
        let (even, odd) = (simd.mul_f32s(half, simd.add_f32s(a, c)), simd.mul_f32s(half, b));
        [a, simd.add_f32s(even, odd), simd.sub_f32s(even, odd), c, d, e]
    }

    #[inline(always)]
    fn pixels<S: Lanes>(simd: S, [a, b, c, d, e, f]: Line<S>) -> Line<S> {
        [simd.sub_f32s(a, c), simd.add_f32s(b, c), simd.sub_f32s(c, b), simd.sub_f32s(b, d), e, f]
    }

    #[inline(always)]
    fn outputs<S: Lanes>(simd: S, [a, b, c, d, e, f]: Line<S>) -> Line<S> {
        [simd.add_f32s(a, simd.add_f32s(b, c)), simd.sub_f32s(simd.sub_f32s(b, c), d), c, d, e, f]
    }

    #[inline(always)]
    fn gradient<S: Lanes>(simd: S, [a, b, c, d, ..]: Line<S>) -> Line<S> {
        [a, simd.add_f32s(a, b), simd.sub_f32s(a, b), simd.neg_f32s(b), c, d]
    }

    #[inline(always)]
    fn weights<S: Lanes>(simd: S, [a, b, c, d, e, f]: Line<S>) -> Line<S> {
        let half = simd.splat_f32s(0.5);
        let (even, odd) = (simd.mul_f32s(half, simd.add_f32s(b, c)), simd.mul_f32s(half, simd.sub_f32s(b, c)));
        [simd.add_f32s(a, even), odd, simd.add_f32s(even, d), d, e, f]
    }
}

/// Tiles of 4x4, by polynomials at the points 0, 1, -1, 2 and -2.
#[derive(Clone, Copy)]
pub(in crate::cpu::conv_pool) struct Four;

impl Tile for Four {
    const OUTPUTS: usize = 4;

    #[inline(always)]
    fn filter<S: Lanes>(simd: S, [a, b, c, ..]: Line<S>) -> Line<S> {
        let [quarter, sixth, twelfth] = [4.0, 6.0, 12.0].map(|part: f32| simd.splat_f32s(1.0 / part));
        let first = simd.mul_f32s(quarter, a);
        let (even, odd) = (simd.mul_f32s(sixth, simd.add_f32s(a, c)), simd.mul_f32s(sixth, b));
        let (far_even, far_odd) = (simd.mul_f32s(sixth, simd.add_f32s(first, c)), simd.mul_f32s(twelfth, b));
        [
            first,
            simd.neg_f32s(simd.add_f32s(even, odd)),
            simd.sub_f32s(odd, even),
            simd.add_f32s(far_even, far_odd),
            simd.sub_f32s(far_even, far_odd),
            c,
        ]
    }

    #[inline(always)]
    fn pixels<S: Lanes>(simd: S, [a, b, c, d, e, f]: Line<S>) -> Line<S> {
        let [two, four, five] = [2.0, 4.0, 5.0].map(|factor| simd.splat_f32s(factor));
        let even = simd.sub_f32s(e, simd.mul_f32s(four, c));
        let odd = simd.sub_f32s(d, simd.mul_f32s(four, b));
        let (far_even, far_odd) = (simd.sub_f32s(e, c), simd.mul_f32s(two, simd.sub_f32s(d, b)));
        let end = |a, c, e| simd.multiply_add(four, a, simd.sub_f32s(e, simd.mul_f32s(five, c)));
        [
            end(a, c, e),
            simd.add_f32s(even, odd),
            simd.sub_f32s(even, odd),
            simd.add_f32s(far_even, far_odd),
            simd.sub_f32s(far_even, far_odd),
            end(b, d, f),
        ]
    }

    #[inline(always)]
    fn outputs<S: Lanes>(simd: S, [a, b, c, d, e, f]: Line<S>) -> Line<S> {
        let [two, four, eight] = [2.0, 4.0, 8.0].map(|factor| simd.splat_f32s(factor));
        let (even, odd) = (simd.add_f32s(b, c), simd.sub_f32s(b, c));
        let (far_even, far_odd) = (simd.add_f32s(d, e), simd.sub_f32s(d, e));
        [
            simd.add_f32s(a, simd.add_f32s(even, far_even)),
            simd.multiply_add(two, far_odd, odd),
            simd.multiply_add(four, far_even, even),
            simd.add_f32s(f, simd.multiply_add(eight, far_odd, odd)),
            e,
            f,
        ]
    }

    #[inline(always)]
    fn gradient<S: Lanes>(simd: S, [a, b, c, d, ..]: Line<S>) -> Line<S> {
        let [two, four, eight] = [2.0, 4.0, 8.0].map(|factor| simd.splat_f32s(factor));
        let (even, odd) = (simd.add_f32s(a, c), simd.add_f32s(b, d));
        let (far_even, far_odd) = (simd.multiply_add(four, c, a), simd.multiply_add(eight, d, simd.mul_f32s(two, b)));
        [
            a,
            simd.add_f32s(even, odd),
            simd.sub_f32s(even, odd),
            simd.add_f32s(far_even, far_odd),
            simd.sub_f32s(far_even, far_odd),
            d,
        ]
    }

    #[inline(always)]
    fn weights<S: Lanes>(simd: S, [a, b, c, d, e, f]: Line<S>) -> Line<S> {
        let [quarter, sixth, twelfth] = [4.0, 6.0, 12.0].map(|part: f32| simd.splat_f32s(1.0 / part));
        let (even, odd) = (simd.mul_f32s(sixth, simd.add_f32s(b, c)), simd.mul_f32s(sixth, simd.sub_f32s(c, b)));
        let far_even = simd.mul_f32s(sixth, simd.add_f32s(d, e));
        let far_odd = simd.mul_f32s(twelfth, simd.sub_f32s(d, e));
        [
            simd.sub_f32s(simd.mul_f32s(quarter, simd.add_f32s(a, far_even)), even),
            simd.add_f32s(odd, far_odd),
            simd.add_f32s(simd.sub_f32s(far_even, even), f),
            d,
            e,
            f,
        ]
    }
}

/// Applies a transform along the rows of a square, then along its columns: `$from` by `$from` values become `$to` by
/// `$to`, which are returned column by column.
macro_rules! transform {
    ($simd:ident, $along:expr, $from:expr => $to:expr, ($y:ident, $x:ident) => $value:expr) => {{
        let empty = [$simd.splat_f32s(0.0); MOST];
        let (mut rows, mut columns) = ([empty; MOST], [empty; MOST]);
        for $y in 0..$from {
            let mut row = empty;
            for $x in 0..$from {
                row[$x] = $value;
            }
            rows[$y] = $along($simd, row);
        }
        for x in 0..$to {
            let mut column = empty;
            for y in 0..$from {
                column[y] = rows[y][x];
            }
            columns[x] = $along($simd, column);
        }
        columns
    }};
}

pub(super) use transform;
