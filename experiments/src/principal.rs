//! Principal components: the few numbers from which many are best guessed.

use anyhow::ensure;
use faer::{Mat, Side};

use crate::matrix::{Matrix, centred, means};

/// The directions in which rows of numbers differ most.
///
/// Pearson: *On lines and planes of closest fit to systems of points in space* (1901).
#[derive(Clone, Debug)]
pub struct PrincipalComponents {
    means: Vec<f64>,
    /// A column for each component.
    directions: Mat<f64>,
}

impl PrincipalComponents {
    /// The first `count` components of `rows`.
    ///
    /// # Errors
    /// If there are fewer columns than components, or the decomposition fails.
    pub fn of(rows: &Matrix, count: usize) -> anyhow::Result<Self> {
        ensure!(
            count <= rows.columns,
            "expected at least {count} columns for as many components, found {}",
            rows.columns
        );
        let means = means(rows);
        let centred = centred(rows, &means);
        let covariance = centred.transpose() * &centred;
        let eigen = covariance
            .self_adjoint_eigen(Side::Lower)
            .map_err(|error| anyhow::anyhow!("principal components of {} columns: {error:?}", rows.columns))?;
        // From the smallest eigenvalue to the largest.
        let directions = eigen.U().subcols(rows.columns - count, count).to_owned();
        Ok(Self { means, directions })
    }

    /// Each row by its components.
    pub fn project(&self, rows: &Matrix) -> Matrix {
        let projected = centred(rows, &self.means) * &self.directions;
        let (rows, columns) = (projected.nrows(), projected.ncols());
        Matrix {
            values: (0..rows * columns).map(|index| projected[(index / columns, index % columns)] as f32).collect(),
            columns,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values by hand: the points lie along (3, 4) / 5, but for a little across.
    #[test]
    fn the_first_component_is_the_direction_of_most_difference() {
        let rows = Matrix { values: vec![3.0, 4.0, -3.0, -4.0, 0.4, -0.3, -0.4, 0.3], columns: 2 };
        let components = PrincipalComponents::of(&rows, 1).unwrap();
        let lengths = components.project(&rows).values;
        for (found, expected) in lengths.iter().zip([5.0, 5.0, 0.0, 0.0]) {
            assert!((found.abs() - expected).abs() < 1e-5, "{lengths:?}");
        }
        assert!(PrincipalComponents::of(&rows, 3).is_err());
    }
}
