//! The gradient of the filters.

use std::ops::Range;

use super::{
    filters::{Filters, INPUTS},
    layout::{Group, Layout},
    product::{Matrix, with_rows},
    tile::Tile,
    transform::add_weights,
};
use crate::cpu::{
    buffer::Buffer,
    simd::{Kernel, Lanes, fill},
};

/// Adds a block's part of the gradient of one or two vectors of filters.
pub(super) struct OfFilters<'a, T> {
    pub tile: T,
    pub channels: usize,
    /// Where the transformed pixels lie.
    pub pixel_tiles: Layout,
    /// Where the transformed gradient lies.
    pub positions: Layout,
    pub groups: &'a [Group],
    /// Whether there is nothing yet to add to.
    pub is_first: bool,
    pub first_vector: usize,
    pub pixels: &'a [f32],
    pub gradient: &'a [f32],
    /// Packed.
    pub weight: &'a mut [f32],
}

impl<T: Tile> Kernel for OfFilters<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Lanes>(mut self, simd: S) {
        let channels = self.channels;
        for first in (0..channels).step_by(INPUTS) {
            let some = first..(first + INPUTS).min(channels);
            if self.weight.len() == 2 * 9 * channels * S::LANES {
                self.add::<S, 2>(simd, some);
            } else {
                self.add::<S, 1>(simd, some);
            }
        }
    }
}

impl<T: Tile> OfFilters<'_, T> {
    /// For some channels, and `V` vectors of filters.
    #[inline(always)]
    fn add<S: Lanes, const V: usize>(&mut self, simd: S, channels: Range<usize>) {
        let place_len = Filters::place(channels.len(), V);
        let mut transformed = Buffer::<S::f32s>::new(T::PLACES * place_len);
        let groups = channels.len().div_ceil(S::PIXELS);
        for place in 0..T::PLACES {
            let mut channel = 0;
            for group in 0..groups {
                let count = (channels.len() - channel).div_ceil(groups - group);
                let to = &mut transformed[place * place_len + channel * V..][..count * V];
                let first = channels.start + channel;
                with_rows!(S, count, COUNT => self.products::<S, COUNT, V>(simd, place, first, to));
                channel += count;
            }
        }
        let weight = &mut self.weight[channels.start * 9 * V * S::LANES..][..channels.len() * 9 * V * S::LANES];
        if self.is_first {
            fill(weight, 0.0);
        }
        add_weights::<T, S, V>(self.tile, simd, &transformed, bytemuck::cast_slice_mut(weight));
    }

    /// Writes the gradient of a place for `P` channels from this one on.
    #[inline(always)]
    fn products<S: Lanes, const P: usize, const V: usize>(
        &self, simd: S, place: usize, channel: usize, to: &mut [S::f32s],
    ) {
        let positions = &self.positions;
        let (from, of) = (self.pixel_tiles.place() * S::LANES, positions.place());
        let gradient: &[S::f32s] = bytemuck::cast_slice(self.gradient);
        let mut sums = [[simd.splat_f32s(0.0); V]; P];
        for group in 0..self.groups.len() {
            let pixels = Matrix {
                values: &self.pixels[(group * T::PLACES + place) * from..][..from],
                tiles: positions.tiles(&self.groups[group]),
                columns: self.pixel_tiles.vectors * S::LANES,
                stride: self.pixel_tiles.stride() * S::LANES,
            };
            let gradient = &gradient[(group * T::PLACES + place) * of + self.first_vector..];
            pixels.add_outer(simd, channel, gradient, positions.stride(), &mut sums);
        }
        for p in 0..P {
            for v in 0..V {
                to[p * V + v] = sums[p][v];
            }
        }
    }
}
