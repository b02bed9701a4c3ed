//! Ticks that people read: 1, 2, 5 and their multiples by powers of ten.

use std::ops::Range;

use crate::numbers::number;

/// A plot's axis.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Axis {
    /// From where to where.
    pub range: Range<f64>,
    /// Whether distances are those of logarithms.
    pub logarithmic: bool,
    /// The marked values.
    pub ticks: Vec<f64>,
}

impl Axis {
    /// An axis that holds all finite `values`, with about `count` ticks.
    pub fn of(values: impl Iterator<Item = f64>, logarithmic: bool, count: usize) -> Self {
        let values = values.filter(|value| value.is_finite() && (!logarithmic || *value > 0.0));
        let (low, high) =
            values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        match (low.is_finite(), logarithmic) {
            (false, false) => Self::linear(0.0, 1.0, count),
            (false, true) => Self::logarithmic(1.0, 10.0),
            (true, false) => Self::linear(low, high, count),
            (true, true) => Self::logarithmic(low, high),
        }
    }

    fn linear(low: f64, high: f64, count: usize) -> Self {
        let distance = if high > low { high - low } else { 1.0 };
        let margin = distance / 20.0;
        let range = low - margin..high + margin;
        let step = round_step(distance / count.max(1) as f64);
        let first = (range.start / step).ceil() as i64;
        let ticks = (first..).map(|index| index as f64 * step).take_while(|tick| *tick <= range.end);
        Self { ticks: ticks.collect(), range, logarithmic: false }
    }

    fn logarithmic(low: f64, high: f64) -> Self {
        let range = low / 1.15..high * 1.15;
        let decades = range.start.log10().floor() as i32..=range.end.log10().ceil() as i32;
        let ticks = decades.flat_map(|decade| [1.0, 2.0, 5.0].map(|digit| digit * 10f64.powi(decade)));
        Self { ticks: ticks.filter(|tick| range.contains(tick)).collect(), range, logarithmic: true }
    }

    /// Where a value is, from 0 at the axis' beginning to 1 at its end.
    pub fn place(&self, value: f64) -> f64 {
        let scale = |value: f64| if self.logarithmic { value.max(f64::MIN_POSITIVE).ln() } else { value };
        let [start, end, value] = [self.range.start, self.range.end, value].map(scale);
        ((value - start) / (end - start)).clamp(0.0, 1.0)
    }
}

/// The smallest of 1, 2, 5, 10, ... (and their tenths) that is not below `step`.
fn round_step(step: f64) -> f64 {
    let decade = 10f64.powf(step.log10().floor());
    [1.0, 2.0, 5.0]
        .into_iter()
        .map(|digit| digit * decade)
        .find(|round| *round >= step * 0.999)
        .unwrap_or(10.0 * decade)
}

/// A tick as people write it: no zeros behind the last digit that counts, thousands apart.
pub(super) fn tick(value: f64) -> String {
    let text = format!("{:.6}", value);
    let text = text.trim_end_matches('0').trim_end_matches('.');
    match text.split_once('.') {
        None if value.abs() >= 10_000.0 => number(value, 0),
        _ if text == "-0" => "0".to_owned(),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round() {
        let ticks = |low: f64, high: f64, logarithmic| Axis::of([low, high].into_iter(), logarithmic, 5).ticks;
        assert_eq!(ticks(0.0, 10.0, false), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        assert_eq!(ticks(97.3, 99.2, false), [97.5, 98.0, 98.5, 99.0]);
        assert_eq!(ticks(1.0, 100.0, true), [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0]);
        assert_eq!([0.5, 20_000.0, 0.30000000000000004, -0.0].map(tick), ["0.5", "20,000", "0.3", "0"]);
    }

    #[test]
    fn an_axis_without_values_is_there_nevertheless() {
        assert!(!Axis::of([f64::NAN].into_iter(), false, 5).ticks.is_empty());
        assert!(!Axis::of([-1.0].into_iter(), true, 5).ticks.is_empty());
        assert_eq!(Axis::of([3.0, 3.0].into_iter(), false, 5).place(3.0), 0.5);
    }

    #[test]
    fn equal_factors_are_equally_far_on_a_logarithmic_axis() {
        let axis = Axis::of([1.0, 100.0].into_iter(), true, 5);
        assert!((axis.place(10.0) - 0.5).abs() < 1e-9);
    }
}
