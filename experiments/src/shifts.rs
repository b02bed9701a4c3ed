//! What a network says of digits that move.

use anyhow::ensure;
use burn_pooling::mnist::ImageDataset;
use burn_pooling::model::PoolingCnnConfig;
use serde::{Deserialize, Serialize};

use crate::images::placed;
use crate::training::Trained;

/// The figures of digits moved by one distance, means over [`DIRECTIONS`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shift {
    /// How far, in pixels.
    pub distance: usize,
    /// Share of right classes, 0 to 1.
    pub accuracy: f64,
    /// Share of images with the same class as before, right or wrong, 0 to 1.
    pub consistency: f64,
}

/// Up, down, left, right, and the diagonals, where both steps are as long.
pub const DIRECTIONS: [[isize; 2]; 8] = [[-1, 0], [1, 0], [0, -1], [0, 1], [-1, -1], [-1, 1], [1, -1], [1, 1]];

/// Classifies `digits` at `corner` of a canvas of the network's image size, and moved from there by `distances`.
///
/// # Errors
/// If a digit would leave the canvas, or what the network sees of it.
pub fn over_shifts(
    trained: &Trained, digits: &ImageDataset, corner: [usize; 2], distances: &[usize],
) -> anyhow::Result<Vec<Shift>> {
    refuse_unseen(&trained.config, digits.image_size(), corner, distances)?;
    let moved = |shift| trained.predict(&placed(digits, trained.config.image_size, corner, shift)?);
    let rest = moved([0, 0])?;
    let figures = distances.iter().map(|&distance| {
        let directions = match distance {
            0 => &[[0, 0]],
            _ => &DIRECTIONS[..],
        };
        let mut figures = Shift { distance, accuracy: 0.0, consistency: 0.0 };
        let share = 1.0 / directions.len() as f64;
        for direction in directions {
            let predictions = moved(direction.map(|step| step * distance as isize))?;
            figures.accuracy += share * predictions.accuracy();
            figures.consistency += share * predictions.consistency(&rest);
        }
        Ok(figures)
    });
    figures.collect()
}

/// A stride may leave out the last rows and columns: that would cut the digits, wherever the canvas ends.
fn refuse_unseen(
    network: &PoolingCnnConfig, digit: [usize; 2], corner: [usize; 2], distances: &[usize],
) -> anyhow::Result<()> {
    let (seen, farthest) = (network.seen()?, distances.iter().max().unwrap_or(&0));
    let end = [0, 1].map(|side| corner[side] + digit[side] + farthest);
    ensure!(
        end[0] <= seen[0] && end[1] <= seen[1],
        "{}: digits reach as far as {end:?}, but the network sees only {seen:?} of the image: make the canvas larger",
        network.name
    );
    Ok(())
}

/// The mean of a figure over the distances from `first` to `last`; NaN without any.
pub fn mean_over(shifts: &[Shift], first: usize, last: usize, figure: impl Fn(&Shift) -> f64) -> f64 {
    let near: Vec<_> = shifts.iter().filter(|shift| (first..=last).contains(&shift.distance)).map(figure).collect();
    near.iter().sum::<f64>() / near.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::networks::{convolution, of_stages};

    /// By hand: of 28 rows, windows of 5 side by side and then windows of 2 see 22.
    #[test]
    fn digits_are_not_cut_inside_a_network_either() {
        let stages = [convolution().max_pool(5), convolution().max_pool(2)];
        let network = of_stages("5/5", stages);
        assert!(refuse_unseen(&network, [20, 20], [0, 1], &[0, 1]).is_ok());
        assert!(refuse_unseen(&network, [20, 20], [0, 1], &[0, 2]).is_err());
        assert!(refuse_unseen(&network, [20, 20], [2, 1], &[1]).is_err());
    }

    #[test]
    fn only_distances_that_are_asked_for_count() {
        let shift = |distance, consistency| Shift { distance, accuracy: 0.0, consistency };
        let shifts = [shift(0, 1.0), shift(1, 0.75), shift(2, 0.25), shift(5, 0.0)];
        assert_eq!(mean_over(&shifts, 1, 3, |shift| shift.consistency), 0.5);
    }
}
