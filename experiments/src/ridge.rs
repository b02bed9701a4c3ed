//! Ridge regression: the best linear guess at some numbers from others, with large weights made expensive.

use anyhow::{Context, ensure};
use faer::prelude::Solve;
use faer::{Mat, Side};

use crate::matrix::{Matrix, centred, means};

/// A fitted regression; the intercepts are not made expensive.
///
/// Hoerl and Kennard: *Ridge Regression: Biased Estimation for Nonorthogonal Problems* (1970).
#[derive(Clone, Debug)]
pub struct Ridge {
    weight: Mat<f64>,
    feature_means: Vec<f64>,
    target_means: Vec<f64>,
    /// The penalty it was fitted with; see [`Ridge::fit_best`].
    pub penalty: f64,
}

/// Features and what is to be guessed from them, row by row.
pub type Pairs<'a> = (&'a Matrix, &'a Matrix);

impl Ridge {
    /// Fits with each of `penalties` and keeps the one that guesses `valid` best, by squared error.
    ///
    /// A penalty is in units of the mean diagonal element of the centred `X' X` or `X X'`, whichever is smaller.
    ///
    /// # Errors
    /// If features and targets differ in their number of rows, there are no penalties, or the equations cannot be
    /// solved, as with constant features.
    pub fn fit_best(train: Pairs, valid: Pairs, penalties: &[f64]) -> anyhow::Result<Self> {
        let (features, targets) = train;
        ensure!(
            features.rows().len() == targets.rows().len(),
            "expected targets for {} rows of features, found {}",
            features.rows().len(),
            targets.rows().len()
        );
        let equations = Equations::new(features, targets);
        let (valid_features, valid_targets) =
            (equations.to_solutions(valid.0), centred(valid.1, &equations.target_means));
        let mut best: Option<(f64, f64, Mat<f64>)> = None;
        for &penalty in penalties {
            let solution = equations.solve(penalty)?;
            let error = (&valid_features * &solution - &valid_targets).norm_l2();
            if best.as_ref().is_none_or(|(least, ..)| error < *least) {
                best = Some((error, penalty, solution));
            }
        }
        let (_, penalty, solution) = best.context("expected at least one penalty")?;
        Ok(equations.ridge(penalty, solution))
    }

    /// Guesses a row for each row of features.
    pub fn predict(&self, features: &Matrix) -> Matrix {
        let guesses = centred(features, &self.feature_means) * &self.weight;
        let (rows, columns) = (guesses.nrows(), guesses.ncols());
        let values = (0..rows).flat_map(|row| {
            let guesses = &guesses;
            (0..columns).map(move |column| (guesses[(row, column)] + self.target_means[column]) as f32)
        });
        Matrix { values: values.collect(), columns }
    }
}

/// The normal equations, in whichever of their two forms is smaller.
struct Equations {
    features: Mat<f64>,
    targets: Mat<f64>,
    feature_means: Vec<f64>,
    target_means: Vec<f64>,
    /// `X' X` if there are more rows than features, else `X X'`.
    gram: Mat<f64>,
}

impl Equations {
    fn new(features: &Matrix, targets: &Matrix) -> Self {
        let (feature_means, target_means) = (means(features), means(targets));
        let (features, targets) = (centred(features, &feature_means), centred(targets, &target_means));
        let gram = match features.nrows() > features.ncols() {
            true => features.transpose() * &features,
            false => &features * features.transpose(),
        };
        Self { features, targets, feature_means, target_means, gram }
    }

    /// Whether there are more rows than features.
    fn is_primal(&self) -> bool {
        self.features.nrows() > self.features.ncols()
    }

    /// What a solution is multiplied with to guess for other rows.
    fn to_solutions(&self, features: &Matrix) -> Mat<f64> {
        let features = centred(features, &self.feature_means);
        match self.is_primal() {
            true => features,
            false => features * self.features.transpose(),
        }
    }

    /// The weights, or with more features than rows what the rows weigh in them.
    fn solve(&self, penalty: f64) -> anyhow::Result<Mat<f64>> {
        let size = self.gram.nrows();
        let trace: f64 = (0..size).map(|index| self.gram[(index, index)]).sum();
        let mut equations = self.gram.clone();
        for index in 0..size {
            equations[(index, index)] += penalty * trace / size as f64;
        }
        let factors = equations
            .llt(Side::Lower)
            .map_err(|error| anyhow::anyhow!("a ridge regression of {size} equations cannot be solved: {error:?}"))?;
        Ok(match self.is_primal() {
            true => factors.solve(self.features.transpose() * &self.targets),
            false => factors.solve(&self.targets),
        })
    }

    fn ridge(self, penalty: f64, solution: Mat<f64>) -> Ridge {
        Ridge {
            weight: match self.is_primal() {
                true => solution,
                false => self.features.transpose() * solution,
            },
            feature_means: self.feature_means,
            target_means: self.target_means,
            penalty,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(values: &[f32], columns: usize) -> Matrix {
        Matrix { values: values.to_vec(), columns }
    }

    fn near(found: &Matrix, expected: &[f32]) {
        assert_eq!(found.values.len(), expected.len());
        for (found, expected) in found.values.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-5, "{found} {expected}");
        }
    }

    /// Expected values: scikit-learn's `Ridge(alpha=0.1 * trace / size)` on the same numbers.
    #[test]
    fn both_forms_agree_with_scikit_learn() {
        let features = matrix(&[1.0, 2.0, 3.0, 1.0, 0.0, 4.0, 5.0, 6.0], 2);
        let targets = matrix(&[1.0, 0.0, 2.0, 1.0, 0.0, 3.0, 4.0, 2.0], 2);
        let pairs = (&features, &targets);
        let more_rows = Ridge::fit_best(pairs, pairs, &[0.1]).unwrap();
        near(&more_rows.predict(&matrix(&[2.0, 2.0], 2)), &[1.4732562, 1.0429554]);

        let features = matrix(&[1.0, 2.0, 0.0, 1.0, 3.0, 1.0, 2.0, 5.0, 0.0, 4.0, 1.0, 1.0], 4);
        let targets = matrix(&[1.0, 0.0, 2.0, 1.0, 0.0, 3.0], 2);
        let pairs = (&features, &targets);
        let more_features = Ridge::fit_best(pairs, pairs, &[0.1]).unwrap();
        near(&more_features.predict(&matrix(&[2.0; 4], 4)), &[1.1166587, 1.3302723]);
    }

    #[test]
    fn the_penalty_is_chosen_on_other_rows() {
        let features = matrix(&[0.0, 1.0, 2.0, 3.0], 1);
        let targets = matrix(&[1.0, 3.0, 5.0, 7.0], 1);
        let pairs = (&features, &targets);
        let fitted = Ridge::fit_best(pairs, pairs, &[1.0, 1e-9, 0.1]).unwrap();
        assert_eq!(fitted.penalty, 1e-9);
        near(&fitted.predict(&matrix(&[10.0], 1)), &[21.0]);
    }

    #[test]
    fn what_cannot_be_solved_is_refused() {
        let (features, targets) = (matrix(&[1.0, 1.0, 1.0], 1), matrix(&[1.0, 2.0, 3.0], 1));
        let pairs = (&features, &targets);
        assert!(Ridge::fit_best(pairs, pairs, &[0.1]).is_err());
        assert!(Ridge::fit_best((&features, &matrix(&[1.0], 1)), pairs, &[0.1]).is_err());
        assert!(Ridge::fit_best(pairs, pairs, &[]).is_err());
    }
}
