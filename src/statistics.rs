//! Figures of repeated measurements, and of counts.
//!
//! ```
//! use burn_pooling::statistics::{Spread, wilson95};
//!
//! let spread = Spread::of(vec![3.0, 1.0, 2.0]).unwrap();
//! assert_eq!((spread.lower_quartile, spread.median, spread.upper_quartile), (1.5, 2.0, 2.5));
//! let [lower, upper] = wilson95(95, 100); // 95 of 100 correct
//! assert!((lower - 0.888).abs() < 1e-3 && (upper - 0.978).abs() < 1e-3);
//! ```

use serde::{Deserialize, Serialize};

/// Median and quartiles of repeated measurements.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Half of the measurements are below it.
    pub median: f64,
    /// A quarter of the measurements are below it.
    pub lower_quartile: f64,
    /// Three quarters of the measurements are below it.
    pub upper_quartile: f64,
}

impl Spread {
    /// Returns the spread of `values`, by linear interpolation between them; `None` without any.
    pub fn of(mut values: Vec<f64>) -> Option<Self> {
        let last = values.len().checked_sub(1)? as f64;
        values.sort_unstable_by(f64::total_cmp);
        let quantile = |share: f64| {
            let place = share * last;
            let [below, above] = [place.floor(), place.ceil()].map(|index| values[index as usize]);
            below + (above - below) * place.fract()
        };
        let [lower_quartile, median, upper_quartile] = [0.25, 0.5, 0.75].map(quantile);
        Some(Self { median, lower_quartile, upper_quartile })
    }
}

/// Returns Wilson's score interval at 95 % for `correct` out of `count`.
///
/// Wilson: *Probable inference, the law of succession, and statistical inference* (1927). Unlike the normal interval it
/// stays within 0 to 1 and is not empty at the ends. Without samples: 0 to 1.
pub fn wilson95(correct: usize, count: usize) -> [f64; 2] {
    if count == 0 {
        return [0.0, 1.0];
    }
    const Z: f64 = 1.959_963_984_540_054; // the normal distribution's 97.5 % point
    let n = count as f64;
    let share = correct as f64 / n;
    let center = (share + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
    let half = Z / (1.0 + Z * Z / n) * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    [(center - half).max(0.0), (center + half).min(1.0)]
}
