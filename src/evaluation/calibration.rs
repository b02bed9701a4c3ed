//! Whether probabilities mean what they say.

use serde::{Deserialize, Serialize};

/// Of the images that a network is so and so sure of, how many it gets right.
///
/// Predictions are put into bins of equal width by their confidence, the probability of the predicted class (Guo et al.,
/// *On Calibration of Modern Neural Networks*, 2017, sections 2 and 3).
///
/// ```
/// use burn_pooling::evaluation::Calibration;
///
/// // Ten answers given with 95 %, of which nine are right.
/// let answers: Vec<(f32, bool)> = (0..10).map(|index| (0.95, index > 0)).collect();
/// let calibration = Calibration::of(answers, 10);
/// assert_eq!(calibration.bins[9].count, 10);
/// assert!((calibration.expected_error - 0.05).abs() < 1e-6);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// The bins, from the least confidence to the most.
    pub bins: Vec<CalibrationBin>,
    /// Expected calibration error, 0 to 1: how far accuracy and confidence of a bin are apart, the mean over all
    /// predictions; NaN without any.
    pub expected_error: f64,
}

/// The predictions whose confidence lies between two bounds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CalibrationBin {
    /// Number of predictions.
    pub count: usize,
    /// Number of correct predictions.
    pub correct: usize,
    /// Sum of the confidences.
    confidence_sum: f64,
}

impl Calibration {
    /// Counts predictions, each its confidence (0 to 1) and whether it is correct, in a number of bins (at least one).
    pub fn of(predictions: impl IntoIterator<Item = (f32, bool)>, bins: usize) -> Self {
        let mut counted = vec![CalibrationBin::default(); bins.max(1)];
        let last = counted.len() - 1;
        for (confidence, is_correct) in predictions {
            // NaN counts as no confidence. Each bin holds its upper bound, as in the paper.
            let confidence = f64::from(confidence).max(0.0);
            let place = (confidence * counted.len() as f64).ceil() as usize;
            counted[place.saturating_sub(1).min(last)].add(confidence, is_correct);
        }
        let count: usize = counted.iter().map(|bin| bin.count).sum();
        let apart = |bin: &CalibrationBin| (bin.correct as f64 - bin.confidence_sum).abs();
        let expected_error = counted.iter().map(apart).sum::<f64>() / count as f64;
        Self { bins: counted, expected_error }
    }
}

impl CalibrationBin {
    fn add(&mut self, confidence: f64, is_correct: bool) {
        self.count += 1;
        self.correct += usize::from(is_correct);
        self.confidence_sum += confidence;
    }

    /// Returns the share of correct predictions, 0 to 1; `None` for an empty bin.
    pub fn accuracy(&self) -> Option<f64> {
        (self.count > 0).then(|| self.correct as f64 / self.count as f64)
    }

    /// Returns the mean confidence, 0 to 1; `None` for an empty bin.
    pub fn confidence(&self) -> Option<f64> {
        (self.count > 0).then(|| self.confidence_sum / self.count as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand: of bins of a quarter, (.3 right, .5 wrong) is .4 sure and .5 right, (.9 right, 1 right) is .95 and 1.
    #[test]
    fn the_expected_error_is_the_mean_distance_of_confidence_and_accuracy() {
        let calibration = Calibration::of([(0.3, true), (0.5, false), (0.9, true), (1.0, true)], 4);
        let counts: Vec<usize> = calibration.bins.iter().map(|bin| bin.count).collect();
        assert_eq!(counts, [0, 2, 0, 2]);
        assert_eq!(calibration.bins[1].accuracy(), Some(0.5));
        assert_eq!(calibration.bins[0].confidence(), None);
        assert!((calibration.expected_error - (2.0 * 0.1 + 2.0 * 0.05) / 4.0).abs() < 1e-6);
        assert!(Calibration::of([], 10).expected_error.is_nan());
        assert_eq!(Calibration::of([(f32::NAN, false), (0.0, false), (2.0, true)], 2).bins[0].count, 2);
    }
}
