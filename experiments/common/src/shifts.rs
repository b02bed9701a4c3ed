//! What a network says of digits that move.

use burn_pooling::mnist::ImageDataset;
use serde::{Deserialize, Serialize};

use crate::images::on_canvas;
use crate::training::Trained;

/// The figures of digits moved by one distance, means over up, down, left and right.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shift {
    /// How far, in pixels.
    pub distance: usize,
    /// Share of right classes, 0 to 1.
    pub accuracy: f64,
    /// Share of images with the same class as in the middle, right or wrong, 0 to 1.
    pub consistency: f64,
}

/// Classifies `digits` in the middle of a canvas of the network's image size, and moved by each of `distances`.
///
/// # Errors
/// If a digit would leave the canvas.
pub fn over_shifts(
    trained: &Trained,
    digits: &ImageDataset,
    distances: &[usize],
) -> anyhow::Result<Vec<Shift>> {
    let moved = |shift| on_canvas(digits, trained.config.image_size, shift);
    let middle = trained.predict(&moved([0, 0])?)?;
    let figures = distances.iter().map(|&distance| {
        let far = distance as isize;
        let directions = match distance {
            0 => vec![[0, 0]],
            _ => vec![[far, 0], [-far, 0], [0, far], [0, -far]],
        };
        let mut figures = Shift {
            distance,
            accuracy: 0.0,
            consistency: 0.0,
        };
        let share = 1.0 / directions.len() as f64;
        for shift in directions {
            let predictions = trained.predict(&moved(shift)?)?;
            figures.accuracy += share * predictions.accuracy();
            figures.consistency += share * predictions.consistency(&middle);
        }
        Ok(figures)
    });
    figures.collect()
}

/// The mean consistency over all distances but 0.
pub fn mean_consistency(shifts: &[Shift]) -> f64 {
    let moved: Vec<_> = shifts.iter().filter(|shift| shift.distance > 0).collect();
    moved.iter().map(|shift| shift.consistency).sum::<f64>() / moved.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_does_not_count_as_moved() {
        let shift = |distance, consistency| Shift {
            distance,
            accuracy: 0.0,
            consistency,
        };
        let shifts = [shift(0, 1.0), shift(1, 0.75), shift(2, 0.25)];
        assert_eq!(mean_consistency(&shifts), 0.5);
    }
}
