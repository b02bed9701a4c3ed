//! Numbers in rows and columns, on the host.

use faer::Mat;

/// Numbers in rows and columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    /// Row by row.
    pub values: Vec<f32>,
    /// Numbers in a row.
    pub columns: usize,
}

impl Matrix {
    /// One row after the other.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.values.chunks_exact(self.columns.max(1))
    }
}

/// The mean over all numbers of the squared difference; NaN without numbers.
pub fn mean_squared_error(one: &Matrix, another: &Matrix) -> f64 {
    let squares = (one.values.iter().zip(&another.values)).map(|(a, b)| f64::from(a - b).powi(2));
    squares.sum::<f64>() / one.values.len() as f64
}

/// The mean of each column; NaN without rows.
pub(crate) fn means(matrix: &Matrix) -> Vec<f64> {
    let mut sums = vec![0.0; matrix.columns];
    for row in matrix.rows() {
        for (sum, value) in sums.iter_mut().zip(row) {
            *sum += f64::from(*value);
        }
    }
    let count = matrix.rows().len() as f64;
    sums.into_iter().map(|sum| sum / count).collect()
}

/// The values less those of `means`, column by column.
pub(crate) fn centred(matrix: &Matrix, means: &[f64]) -> Mat<f64> {
    let columns = matrix.columns;
    Mat::from_fn(matrix.rows().len(), columns, |row, column| {
        f64::from(matrix.values[row * columns + column]) - means[column]
    })
}
