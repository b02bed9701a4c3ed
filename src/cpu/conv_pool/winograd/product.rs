//! Products of two matrices at one place of all tiles, some rows by two vectors at a time.

use crate::cpu::simd::Lanes;

/// A matrix `[tiles, columns]`: the first value of a row is so many after that of the row before.
#[derive(Clone, Copy)]
pub(super) struct Matrix<'a> {
    pub values: &'a [f32],
    pub tiles: usize,
    pub columns: usize,
    pub stride: usize,
}

/// Calls a method with the number of rows as a constant.
macro_rules! with_rows {
    ($simd:ty, $count:expr, $rows:ident => $work:expr) => {
        with_rows!(@ $simd, $count, $rows => $work, 1 2 3 4 5 6 7 8 9 10)
    };
    (@ $simd:ty, $count:expr, $rows:ident => $work:expr, $($number:literal)*) => {
        match $count {
            $($number if $number <= <$simd>::PIXELS => {
                const $rows: usize = $number;
                $work
            })*
            _ => unreachable!("at most PIXELS rows at a time"),
        }
    };
}

impl<'a> Matrix<'a> {
    /// Returns the matrix from this row and column on.
    #[inline(always)]
    pub fn from(self, row: usize, column: usize) -> Self {
        Self { values: &self.values[row * self.stride + column..], ..self }
    }

    /// Adds its product with filters, `[column, V vectors]`, to `[tile, V vectors]`; `FIRST`, it is written there.
    #[inline(always)]
    pub fn multiply<S: Lanes, const V: usize, const FIRST: bool>(
        self, simd: S, filters: &[S::f32s], products: &mut [S::f32s],
    ) {
        let filters = &filters[..V * self.columns];
        let groups = self.tiles.div_ceil(S::PIXELS);
        let mut row = 0;
        for group in 0..groups {
            let count = (self.tiles - row).div_ceil(groups - group);
            let (pixels, products) = (self.from(row, 0), &mut products[row * V..][..count * V]);
            with_rows!(S, count, ROWS => pixels.multiply_rows::<S, ROWS, V, FIRST>(simd, filters, products));
            row += count;
        }
    }

    #[inline(always)]
    fn multiply_rows<S: Lanes, const P: usize, const V: usize, const FIRST: bool>(
        self, simd: S, filters: &[S::f32s], products: &mut [S::f32s],
    ) {
        let mut sums = [[simd.splat_f32s(0.0); V]; P];
        let products = &mut products[..P * V];
        if !FIRST {
            for p in 0..P {
                for v in 0..V {
                    sums[p][v] = products[p * V + v];
                }
            }
        }
        let mut rows: [&[f32]; P] = [&[]; P];
        for p in 0..P {
            rows[p] = &self.values[p * self.stride..][..self.columns];
        }
        let mut weights = filters.chunks_exact(V);
        let mut columns = 0..self.columns;
        // A loop that runs at least once: otherwise the sums are moved about in every round.
        while let (Some(column), Some(weights)) = (columns.next(), weights.next()) {
            for p in 0..P {
                let pixel = simd.splat_f32s(rows[p][column]);
                for v in 0..V {
                    sums[p][v] = simd.multiply_add(pixel, weights[v], sums[p][v]);
                }
            }
            if columns.is_empty() {
                break;
            }
        }
        for p in 0..P {
            for v in 0..V {
                products[p * V + v] = sums[p][v];
            }
        }
    }

    /// Adds to `sums`, for `P` columns from this one on, the product of the matrix, transposed, with a gradient
    /// `[tile, vector]`, of which the first `V` vectors of each row count.
    #[inline(always)]
    pub fn add_outer<S: Lanes, const P: usize, const V: usize>(
        self, simd: S, column: usize, gradient: &[S::f32s], gradient_stride: usize, sums: &mut [[S::f32s; V]; P],
    ) {
        let pixels = self.from(0, column).values;
        let mut of = *sums;
        for tile in 0..self.tiles {
            let pixels = &pixels[tile * self.stride..][..P];
            let gradient = &gradient[tile * gradient_stride..][..V];
            for p in 0..P {
                let pixel = simd.splat_f32s(pixels[p]);
                for v in 0..V {
                    of[p][v] = simd.multiply_add(pixel, gradient[v], of[p][v]);
                }
            }
        }
        *sums = of;
    }
}

pub(super) use with_rows;
