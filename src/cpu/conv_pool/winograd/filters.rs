//! Filters, transformed.

use std::ops::Range;

use super::{
    layout::odd,
    tile::{MOST, Tile, transform},
};
use crate::cpu::{
    buffer::Buffer,
    parallel::Workers,
    simd::{Kernel, Lanes, Level, fill},
    transpose::transpose,
};

/// Inputs whose filters are transformed at a time: about as much as the cache holds.
pub(super) const INPUTS: usize = 64;

/// Weights `[filters, channels, 3, 3]`, laid on images of so many channels, or, flipped, on the gradient of so many
/// filters.
#[derive(Clone, Copy)]
pub(super) struct Filters<'a> {
    pub weight: &'a [f32],
    pub filters: usize,
    pub channels: usize,
    /// Whether they are laid on the gradient.
    pub flipped: bool,
}

impl Filters<'_> {
    /// Returns the number of maps that they are laid on.
    #[inline(always)]
    pub fn inputs(&self) -> usize {
        if self.flipped { self.filters } else { self.channels }
    }

    /// Returns the number of maps that come of it.
    #[inline(always)]
    pub fn outputs(&self) -> usize {
        if self.flipped { self.channels } else { self.filters }
    }

    /// Returns ranges of inputs that are worked on one after the other.
    #[inline(always)]
    pub fn blocks(&self) -> impl Iterator<Item = Range<usize>> {
        let inputs = self.inputs();
        (0..inputs).step_by(INPUTS).map(move |first| first..(first + INPUTS).min(inputs))
    }

    /// Returns the number of vectors from a place to the next, for so many inputs and vectors of outputs.
    #[inline(always)]
    pub fn place(inputs: usize, vectors: usize) -> usize {
        odd(inputs * vectors)
    }

    /// Returns the number of vectors of two vectors of outputs, for all inputs.
    #[inline(always)]
    fn pair_len<T: Tile>(&self, _: T) -> usize {
        self.blocks().map(|inputs| T::PLACES * Self::place(inputs.len(), 2)).sum()
    }

    /// Returns all of them transformed: for two vectors of outputs at a time, block by block of inputs, place by place
    /// `[input, vector]`.
    pub fn transform_all<T: Tile>(&self, tile: T, level: Level) -> Transformed {
        let pair_len = self.pair_len(tile) * level.lanes();
        let pairs = self.outputs().div_ceil(2 * level.lanes());
        let mut values = Buffer::new(pairs * pair_len);
        let tasks = values.chunks_mut(pair_len).enumerate();
        let tasks = tasks.map(|(pair, values)| All { tile, filters: self, pair, values });
        Workers::All.each(tasks.collect(), |pair| level.run(pair));
        Transformed { values, pair_len }
    }

    /// Transforms `V` vectors of outputs, from the first of a pair on, for some inputs: `[place][input][V]`.
    #[inline(always)]
    pub fn transform<T: Tile, S: Lanes, const V: usize>(
        &self, _: T, simd: S, pair: usize, inputs: Range<usize>, to: &mut [S::f32s],
    ) {
        let mut packed = Buffer::<S::f32s>::new(inputs.len() * 9 * V);
        self.pack::<S, V>(simd, pair, inputs.clone(), &mut packed);
        let place = Self::place(inputs.len(), V);
        for i in 0..inputs.len() * V {
            let weights = &packed[i / V * 9 * V + i % V..];
            let columns = if self.flipped {
                transform!(simd, T::filter, 3 => T::PIXELS, (y, x) => weights[(8 - 3 * y - x) * V])
            } else {
                transform!(simd, T::filter, 3 => T::PIXELS, (y, x) => weights[(3 * y + x) * V])
            };
            for x in 0..T::PIXELS {
                for y in 0..T::PIXELS {
                    to[(y * T::PIXELS + x) * place + i] = columns[x][y];
                }
            }
        }
    }

    /// Writes the weights as `[input, 3, 3, V]`, absent outputs as zeros.
    #[inline(always)]
    fn pack<S: Lanes, const V: usize>(&self, simd: S, pair: usize, inputs: Range<usize>, to: &mut [S::f32s]) {
        let first = pair * 2 * S::LANES;
        let (outputs, stride) = ((self.outputs() - first).min(V * S::LANES), V * S::LANES);
        if outputs < stride {
            fill(to, simd.splat_f32s(0.0));
        }
        let to: &mut [f32] = bytemuck::cast_slice_mut(to);
        if !self.flipped {
            let from = &self.weight[(first * self.channels + inputs.start) * 9..];
            transpose(simd, [outputs, inputs.len() * 9], from, self.channels * 9, to, stride);
            return;
        }
        for (i, input) in inputs.enumerate() {
            let from = &self.weight[(input * self.channels + first) * 9..];
            transpose(simd, [outputs, 9], from, 9, &mut to[i * 9 * stride..], stride);
        }
    }
}

/// One or two vectors of filters, for all inputs.
struct All<'a, T> {
    tile: T,
    filters: &'a Filters<'a>,
    pair: usize,
    values: &'a mut [f32],
}

impl<T: Tile> Kernel for All<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Lanes>(self, simd: S) {
        let two = self.filters.outputs() > (2 * self.pair + 1) * S::LANES;
        let mut values: &mut [S::f32s] = bytemuck::cast_slice_mut(self.values);
        for inputs in self.filters.blocks() {
            let len = T::PLACES * Filters::place(inputs.len(), 2);
            if two {
                self.filters.transform::<T, S, 2>(self.tile, simd, self.pair, inputs, values);
            } else {
                self.filters.transform::<T, S, 1>(self.tile, simd, self.pair, inputs, values);
            }
            values = &mut values[len..];
        }
    }
}

/// All filters, transformed.
pub(super) struct Transformed {
    values: Buffer<f32>,
    pair_len: usize,
}

impl Transformed {
    /// Returns those of one or two vectors of outputs.
    #[inline(always)]
    pub fn pair(&self, pair: usize) -> &[f32] {
        &self.values[pair * self.pair_len..][..self.pair_len]
    }
}
