//! Feature maps of one image as numbers, and where in them a maximum comes from.

use burn::tensor::{Tensor, backend::Backend};
use serde::{Deserialize, Serialize};

use crate::pooling::Pool2d;

/// Maps of one image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Maps {
    /// Number of channels.
    pub channels: usize,
    /// Height and width of each channel.
    pub size: [usize; 2],
    /// The values, `[channels, height, width]`.
    pub values: Vec<f32>,
}

impl Maps {
    /// Takes the numbers of the first image.
    ///
    /// # Shapes
    /// - maps: `[batch, channels, height, width]`, at least one image
    pub(super) fn of<B: Backend>(maps: Tensor<B, 4>) -> Self {
        let [_, channels, height, width] = maps.dims();
        let values = maps.narrow(0, 0, 1).into_data().iter::<f32>().collect();
        Self { channels, size: [height, width], values }
    }

    /// Returns the values of each channel, `[height, width]`.
    pub fn iter(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.plane().max(1))
    }

    /// Returns the sum over the channels: one map, `[1, height, width]`.
    pub fn summed(&self) -> Self {
        let mut values = vec![0.0; self.plane()];
        for channel in self.iter() {
            values.iter_mut().zip(channel).for_each(|(sum, value)| *sum += value);
        }
        Self { channels: 1, size: self.size, values }
    }

    fn plane(&self) -> usize {
        self.size[0] * self.size[1]
    }
}

/// Returns where in its channel each pooled value comes from: the index `row * width + column` of the first of the largest
/// values of its window; `None` for a pooling that takes no maximum, or blurs it.
///
/// # Shapes
/// - maps: before pooling
/// - output: `[channels, pooled height, pooled width]`
pub(super) fn winners<B: Backend>(pool: &Pool2d<B>, maps: &Maps) -> Option<Vec<usize>> {
    let (kernel_size, stride) = match pool {
        Pool2d::Max(pool) => (pool.kernel_size, pool.stride),
        Pool2d::GlobalMax(_) => (maps.size, [1, 1]),
        Pool2d::Average(_) | Pool2d::GlobalAverage(_) | Pool2d::BlurredMax(_) | Pool2d::Head(_) => return None,
    };
    let corners = |side: usize| {
        let last = (maps.size[side] + 1).saturating_sub(kernel_size[side]);
        (0..last).step_by(stride[side].max(1))
    };
    let winner = |channel: &[f32], row: usize, column: usize| {
        let rows = (row..row + kernel_size[0]).map(|row| row * maps.size[1]);
        let places = rows.flat_map(|row| (column..column + kernel_size[1]).map(move |column| row + column));
        places.reduce(|best, place| if channel[place] > channel[best] { place } else { best })
    };
    let of_channel = |channel| corners(0).flat_map(move |row| corners(1).map(move |column| (channel, row, column)));
    Some(maps.iter().flat_map(of_channel).filter_map(|(channel, row, column)| winner(channel, row, column)).collect())
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use burn_flex::Flex;

    use super::*;
    use crate::pooling::Pool2dConfig;

    /// The README's example of pooling.
    #[test]
    fn the_winner_of_a_window_is_its_largest_value() {
        let values = [1, 3, 2, 0, 4, 2, 1, 5, 0, 7, 3, 0, 2, 3, 1, 2].map(|value| value as f32).to_vec();
        let maps = Maps { channels: 1, size: [4, 4], values };
        let winners = |pool: Pool2dConfig| winners(&pool.init::<Flex>(1, &Default::default()), &maps);
        let [kernel_size, stride] = [[2, 2]; 2];
        assert_eq!(winners(Pool2dConfig::Max { kernel_size, stride }), Some(vec![4, 7, 9, 10]));
        assert_eq!(winners(Pool2dConfig::GlobalMax), Some(vec![9]));
        assert_eq!(winners(Pool2dConfig::Average { kernel_size, stride }), None);
        let [kernel_size, stride] = [[3, 3], [1, 1]];
        assert_eq!(winners(Pool2dConfig::Max { kernel_size, stride }), Some(vec![9; 4]));
    }

    #[test]
    fn of_equal_values_the_first_wins() {
        let maps = Maps { channels: 2, size: [2, 2], values: vec![1.0, 1.0, 1.0, 1.0, 0.0, 2.0, 2.0, 0.0] };
        assert_eq!(winners(&Pool2dConfig::GlobalMax.init::<Flex>(1, &Default::default()), &maps), Some(vec![0, 1]));
    }

    #[test]
    fn channels_are_summed_place_by_place() {
        let maps = Maps { channels: 2, size: [1, 2], values: vec![1.0, 2.0, 10.0, 20.0] };
        assert_eq!(maps.summed(), Maps { channels: 1, size: [1, 2], values: vec![11.0, 22.0] });
    }
}
