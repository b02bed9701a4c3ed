//! Products of matrices on plain slices.

use std::mem::MaybeUninit;

use gemm::Parallelism;

/// Multiply-adds from which on a product is worth a second thread.
const WORTH_A_THREAD: usize = 1 << 21;

/// A matrix, row-major unless transposed.
#[derive(Clone, Copy)]
pub struct Matrix<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
    strides: [usize; 2],
}

impl<'a> Matrix<'a> {
    /// A row-major matrix.
    ///
    /// # Panics
    /// If there are more or fewer values than places.
    pub fn new(values: &'a [f32], [rows, columns]: [usize; 2]) -> Self {
        assert_eq!(values.len(), rows * columns);
        Self { values, rows, columns, strides: [columns, 1] }
    }

    /// The same values with rows for columns.
    pub fn transposed(self) -> Self {
        let [down, across] = self.strides;
        Self { rows: self.columns, columns: self.rows, strides: [across, down], ..self }
    }

    /// `self * right`, row-major.
    ///
    /// # Panics
    /// If the sizes do not belong together.
    pub fn multiply(self, right: Self) -> Vec<f32> {
        let len = self.rows * right.columns;
        let mut product = Vec::with_capacity(len);
        // SAFETY: without reading its target gemm writes every place of it, also for products over no columns (the
        // test below sees to that), so all hold values when their number is set.
        unsafe {
            self.write_product(right, &mut product.spare_capacity_mut()[..len], false);
            product.set_len(len);
        }
        product
    }

    /// Adds `self * right` to the row-major `output`.
    ///
    /// # Panics
    /// If the sizes do not belong together.
    pub fn multiply_onto(self, right: Self, output: &mut [f32]) {
        // SAFETY: a value lies in memory as a place for it does, and nothing but values is written there.
        unsafe {
            let output = &mut *(std::ptr::from_mut(output) as *mut [MaybeUninit<f32>]);
            self.write_product(right, output, true);
        }
    }

    /// Writes `self * right` to every place of the row-major `output`; to `add` it to what is there.
    ///
    /// # Panics
    /// If the sizes do not belong together.
    ///
    /// # Safety
    /// To `add`, every place has to hold a value.
    unsafe fn write_product(self, right: Self, output: &mut [MaybeUninit<f32>], add: bool) {
        assert_eq!(self.columns, right.rows);
        assert_eq!(output.len(), self.rows * right.columns);
        let parallelism = match self.rows * self.columns * right.columns >= WORTH_A_THREAD {
            true => Parallelism::Rayon(0), // as many as the current pool has
            false => Parallelism::None,
        };
        let [left_strides, right_strides] =
            [self.strides, right.strides].map(|strides| strides.map(|stride| stride as isize));
        // SAFETY: each matrix has as many values as rows and columns and strides reach, as `new` has seen and
        // `transposed` keeps; the output's length was compared above, nothing else refers to it, and what is
        // read of it holds values.
        unsafe {
            gemm::gemm(
                self.rows,
                right.columns,
                self.columns,
                output.as_mut_ptr().cast::<f32>(),
                1,
                right.columns as isize,
                add,
                self.values.as_ptr(),
                left_strides[1],
                left_strides[0],
                right.values.as_ptr(),
                right_strides[1],
                right_strides[0],
                1.0,
                1.0,
                false,
                false,
                false,
                parallelism,
            );
        }
    }
}

#[cfg(test)]
#[path = "../../tests/unit/matrix.rs"]
mod tests;
