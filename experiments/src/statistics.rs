//! Means with intervals, and paired differences.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

/// A mean and its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The mean.
    pub mean: f64,
    /// The interval's lower end.
    pub lower: f64,
    /// The interval's upper end.
    pub upper: f64,
    /// Of how many values it is; 0: of a number that is known without error.
    pub values: usize,
}

impl Interval {
    /// A number that is known without error.
    pub fn exact(value: f64) -> Self {
        Self { mean: value, lower: value, upper: value, values: 0 }
    }

    /// The mean of independent `values` with its 95 % interval by Student's t distribution (1908).
    ///
    /// Of a single value nothing is known about the spread: the interval is infinite. Of none, everything is NaN.
    pub fn of(values: &[f64]) -> Self {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let half = match quantile(values.len(), 0.05) {
            Some(quantile) => quantile * (squares / (count - 1.0) / count).sqrt(),
            None => f64::INFINITY,
        };
        Self { mean, lower: mean - half, upper: mean + half, values: values.len() }
    }

    /// As wide as it has to be where `parts` intervals decide together: at the level 1 - 0.05 / `parts`, so that all
    /// of them hold their true values with at least 95 % (Bonferroni).
    pub fn among(&self, parts: usize) -> Self {
        let quantile = |error| quantile(self.values, error);
        let wider = match (quantile(0.05), quantile(0.05 / parts.max(1) as f64)) {
            (Some(alone), Some(together)) => together / alone,
            _ => 1.0,
        };
        Self {
            lower: self.mean - wider * (self.mean - self.lower),
            upper: self.mean + wider * (self.upper - self.mean),
            ..*self
        }
    }

    /// The mean of `one - another`, value by value, with its interval: the two share their seeds.
    ///
    /// Values without a partner are left out.
    pub fn of_differences(one: &[f64], another: &[f64]) -> Self {
        let differences: Vec<f64> = one.iter().zip(another).map(|(one, another)| one - another).collect();
        Self::of(&differences)
    }

    /// Half of the interval's width.
    pub fn half_width(&self) -> f64 {
        (self.upper - self.lower) / 2.0
    }

    /// Whether all of it is above `value`.
    pub fn is_above(&self, value: f64) -> bool {
        self.lower > value
    }

    /// Whether all of it is below `value`.
    pub fn is_below(&self, value: f64) -> bool {
        self.upper < value
    }

    /// Everything times `factor` (at least 0), as for percent.
    pub fn scaled(&self, factor: f64) -> Self {
        Self { mean: self.mean * factor, lower: self.lower * factor, upper: self.upper * factor, ..*self }
    }

    /// A share in percent, or a difference of shares in points: `1.23 ± 0.04`.
    pub fn percent(&self) -> String {
        let percent = self.scaled(100.0);
        format!("{:.2} ± {:.2}", percent.mean, percent.half_width())
    }
}

/// Half the width of an interval of `values` values in standard errors, if it misses with a probability of `error`; of
/// less than two values there is none.
fn quantile(values: usize, error: f64) -> Option<f64> {
    let distribution = StudentsT::new(0.0, 1.0, values as f64 - 1.0).ok()?;
    Some(distribution.inverse_cdf(1.0 - error / 2.0))
}

/// A mean with its interval at each place of several curves; one that ends early keeps its last value.
pub fn mean_curve(curves: &[Vec<f64>]) -> Vec<Interval> {
    let length = curves.iter().map(Vec::len).max().unwrap_or(0);
    let at = |place: usize| -> Vec<f64> {
        let value = |curve: &Vec<f64>| curve.get(place).or(curve.last()).copied();
        curves.iter().filter_map(value).collect()
    };
    (0..length).map(|place| Interval::of(&at(place))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9 * expected.abs().max(1.0), "{found} instead of {expected}");
    }

    /// Expected values: `scipy.stats.t.interval(0.95, n - 1, loc=mean, scale=scipy.stats.sem(values))`.
    #[test]
    fn the_interval_is_students() {
        let interval = Interval::of(&ACCURACIES);
        assert_close(interval.mean, MEAN[0]);
        assert_close(interval.lower, MEAN[1]);
        assert_close(interval.upper, MEAN[2]);
    }

    /// Expected values: `scipy.stats.ttest_rel(one, another).confidence_interval(0.95)`.
    #[test]
    fn differences_are_paired() {
        let interval = Interval::of_differences(&ACCURACIES, &OTHERS);
        assert_close(interval.lower, DIFFERENCE[0]);
        assert_close(interval.upper, DIFFERENCE[1]);
        assert!(interval.is_above(0.0) && !interval.is_below(0.0));
    }

    /// Expected values: by bisection of the closed form of the distribution function for four degrees of freedom.
    #[test]
    fn of_several_intervals_each_is_wider() {
        let interval = Interval::of(&ACCURACIES);
        assert_close(interval.among(6).lower, AMONG_SIX[0]);
        assert_close(interval.among(6).upper, AMONG_SIX[1]);
        assert_close(interval.among(1).lower, interval.lower);
        assert_eq!(Interval::exact(2.0).among(6), Interval::exact(2.0));
    }

    #[test]
    fn one_value_says_nothing_about_the_spread() {
        let interval = Interval::of(&[0.5]);
        assert_eq!((interval.mean, interval.lower), (0.5, f64::NEG_INFINITY));
        assert!(!interval.is_above(0.0) && !interval.among(3).is_above(0.0));
    }

    #[test]
    fn a_curve_that_ends_early_keeps_its_last_value() {
        let curve = mean_curve(&[vec![1.0, 2.0], vec![3.0]]);
        assert_eq!(curve.iter().map(|interval| interval.mean).collect::<Vec<_>>(), [2.0, 2.5]);
    }

    const ACCURACIES: [f64; 5] = [0.9898, 0.9885, 0.9899, 0.9876, 0.9901];
    const OTHERS: [f64; 5] = [0.9881, 0.9879, 0.9885, 0.9871, 0.9879];
    const MEAN: [f64; 3] = [0.98918, 0.9878329233120641, 0.9905270766879358];
    const AMONG_SIX: [f64; 2] = [0.9868263858858783, 0.9915336141141216];
    const DIFFERENCE: [f64; 2] = [0.00037861693032465783, 0.002181383069675371];
}
