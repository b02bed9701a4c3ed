//! A test for two classifiers on the same images.

use serde::{Deserialize, Serialize};
use statrs::distribution::{Binomial, DiscreteCDF};

use crate::predictions::Predictions;

/// McNemar's exact test of two classifiers on the same images.
///
/// McNemar: *Note on the sampling error of the difference between correlated proportions or percentages* (1947);
/// exact by the binomial distribution, two-sided.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct McNemar {
    /// Images that only the first classifies correctly.
    pub only_first: u64,
    /// Images that only the second classifies correctly.
    pub only_second: u64,
    /// Probability of a difference at least this large if both were equally good.
    pub p: f64,
}

impl McNemar {
    /// Compares two classifiers' predictions for the same images.
    pub fn of(first: &Predictions, second: &Predictions) -> Self {
        let (first, second) = (first.correct(), second.correct());
        let only =
            |hit: &[bool], miss: &[bool]| hit.iter().zip(miss).filter(|&(&hit, &miss)| hit && !miss).count() as u64;
        Self::of_counts(only(&first, &second), only(&second, &first))
    }

    /// The same of counts.
    pub fn of_counts(only_first: u64, only_second: u64) -> Self {
        let (smaller, all) = (only_first.min(only_second), only_first + only_second);
        let p = Binomial::new(0.5, all).map_or(1.0, |binomial| (2.0 * binomial.cdf(smaller)).min(1.0));
        Self { only_first, only_second, p }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values: `scipy.stats.binomtest(only_first, only_first + only_second).pvalue`.
    #[test]
    fn mcnemar_is_the_binomial_test() {
        for (only_first, only_second, p) in BINOMIAL {
            let found = McNemar::of_counts(only_first, only_second).p;
            assert!((found - p).abs() < 1e-9, "{found} instead of {p}");
        }
        assert_eq!(McNemar::of_counts(0, 0).p, 1.0);
    }

    #[test]
    fn mcnemar_counts_what_only_one_gets_right() {
        let predictions = |classes: [u8; 4]| Predictions { classes: classes.to_vec(), labels: vec![1; 4] };
        let test = McNemar::of(&predictions([1, 1, 1, 0]), &predictions([1, 0, 0, 1]));
        assert_eq!((test.only_first, test.only_second), (2, 1));
    }

    const BINOMIAL: [(u64, u64, f64); 4] =
        [(5, 15, 0.04138946533203125), (30, 31, 1.0), (0, 9, 0.00390625), (120, 70, 0.0003523411068593187)];
}
