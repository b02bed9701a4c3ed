//! Means with intervals, and paired differences.

use burn_pooling::statistics::Spread;
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

    /// The probability of a mean at least as far from `value` if the true mean were `value`: Student's t test, two-sided.
    ///
    /// `None` of a number that is known without error. Of less than two values nothing is known: 1.
    pub fn p_value(&self, value: f64) -> Option<f64> {
        if self.values == 0 {
            return None;
        }
        let distance = (self.mean - value).abs();
        let (Some(distribution), Some(quantile)) = (students_t(self.values), quantile(self.values, 0.05)) else {
            return Some(1.0);
        };
        let standard_error = self.half_width() / quantile;
        Some(match standard_error > 0.0 {
            true => 2.0 * distribution.sf(distance / standard_error),
            // The same value every time.
            false if distance > 0.0 => 0.0,
            false => 1.0,
        })
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

    /// Everything times `factor` (at least 0), as for percent.
    pub fn scaled(&self, factor: f64) -> Self {
        Self { mean: self.mean * factor, lower: self.lower * factor, upper: self.upper * factor, ..*self }
    }

    /// `1.23 ± 0.04`, with so many digits after the point; without error, the number alone.
    pub fn text(&self, decimals: usize) -> String {
        let half = self.half_width();
        match half > 0.0 {
            true => format!("{:.decimals$} ± {half:.decimals$}", self.mean),
            false => format!("{:.decimals$}", self.mean),
        }
    }

    /// A difference in words: `1.23 ± 0.04 points higher`, with a word for positive ones and one for negative ones.
    pub fn in_words(&self, unit: &str, decimals: usize, words: [&str; 2]) -> String {
        let word = words[usize::from(self.mean < 0.0)];
        let size = Self { mean: self.mean.abs(), ..*self };
        format!("{} {unit} {word}", size.text(decimals))
    }
}

/// The distribution of the mean of `values` values in standard errors; of less than two there is none.
fn students_t(values: usize) -> Option<StudentsT> {
    StudentsT::new(0.0, 1.0, values as f64 - 1.0).ok()
}

/// Half the width of an interval of `values` values in standard errors, if it misses with a probability of `error`.
fn quantile(values: usize, error: f64) -> Option<f64> {
    students_t(values).map(|distribution| distribution.inverse_cdf(1.0 - error / 2.0))
}

/// The median; NaN of no values.
pub fn median(values: &[f64]) -> f64 {
    Spread::of(values.to_vec()).map_or(f64::NAN, |spread| spread.median)
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
    }

    /// Expected values: `scipy.stats.ttest_rel(one, another).pvalue`, `scipy.stats.ttest_1samp(values, 0.98).pvalue`.
    #[test]
    fn the_test_is_students() {
        assert_close(Interval::of_differences(&ACCURACIES, &OTHERS).p_value(0.0).unwrap(), P_VALUES[0]);
        assert_close(Interval::of(&ACCURACIES).p_value(0.98).unwrap(), P_VALUES[1]);
        assert_eq!(Interval::exact(1.0).p_value(0.0), None);
        assert_eq!(Interval::of(&[0.5]).p_value(0.0), Some(1.0));
        assert_eq!(Interval::of(&[0.5; 3]).p_value(0.5), Some(1.0));
        assert_eq!(Interval::of(&[0.5; 3]).p_value(0.0), Some(0.0));
    }

    #[test]
    fn a_difference_is_said_in_words() {
        let difference = Interval { mean: -1.234, lower: -1.3, upper: -1.168, values: 10 };
        let words = |difference: Interval| difference.in_words("points", 2, ["higher", "lower"]);
        assert_eq!(words(difference), "1.23 ± 0.07 points lower");
        assert_eq!(words(Interval::exact(2.0)), "2.00 points higher");
    }

    #[test]
    fn one_value_says_nothing_about_the_spread() {
        let interval = Interval::of(&[0.5]);
        assert_eq!((interval.mean, interval.lower), (0.5, f64::NEG_INFINITY));
        assert_eq!(interval.p_value(0.0), Some(1.0));
    }

    #[test]
    fn a_curve_that_ends_early_keeps_its_last_value() {
        let curve = mean_curve(&[vec![1.0, 2.0], vec![3.0]]);
        assert_eq!(curve.iter().map(|interval| interval.mean).collect::<Vec<_>>(), [2.0, 2.5]);
    }

    const ACCURACIES: [f64; 5] = [0.9898, 0.9885, 0.9899, 0.9876, 0.9901];
    const OTHERS: [f64; 5] = [0.9881, 0.9879, 0.9885, 0.9871, 0.9879];
    const MEAN: [f64; 3] = [0.98918, 0.9878329233120641, 0.9905270766879358];
    const P_VALUES: [f64; 2] = [0.016921892751279248, 4.5956710049540085e-05];
    const DIFFERENCE: [f64; 2] = [0.00037861693032465783, 0.002181383069675371];
}
