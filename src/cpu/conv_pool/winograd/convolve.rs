//! A convolution of maps with filters of 3x3.

use std::ops::Range;

use super::{
    filters::{Filters, INPUTS, Transformed},
    layout::{Group, Layout},
    product::Matrix,
    tile::{MOST, Tile, transform},
};
use crate::cpu::{
    buffer::Buffer,
    parallel::Workers,
    simd::{Kernel, Lanes, Level},
};

/// Filters that are laid on maps.
pub(super) struct Convolve<'a, T> {
    pub tile: T,
    pub level: Level,
    /// The maps' tiles.
    pub layout: Layout,
    /// Rows and columns of sums.
    pub outputs: [usize; 2],
    /// What the sums start from: a value for each filter, and zeros up to a whole vector.
    pub start: &'a [f32],
    pub filters: Filters<'a>,
    /// The filters, transformed, if threads share them.
    pub transformed: Option<&'a Transformed>,
}

impl<T: Tile> Convolve<'_, T> {
    /// Writes the sums `[image, row, column, vector]` of groups, one after the other, from their transformed tiles. Returns
    /// the room that is left.
    pub fn run<'b>(&self, workers: Workers, groups: &[Group], pixels: &[f32], sums: &'b mut [f32]) -> &'b mut [f32] {
        let lanes = self.level.lanes();
        let vectors = self.start.len() / lanes;
        let pair_len = self.of_pair(2).group_len(self.tile) * groups.len() * lanes;
        let mut products = Buffer::new(vectors.div_ceil(2) * pair_len);
        let tasks = products.chunks_mut(pair_len).enumerate().map(|(pair, products)| Multiply {
            convolve: self,
            groups,
            pair,
            vectors: (vectors - 2 * pair).min(2),
            pixels,
            products,
        });
        workers.each(tasks.collect(), |pair| self.level.run(pair));

        let (mut tasks, mut rest) = (Vec::with_capacity(groups.len()), sums);
        for number in 0..groups.len() {
            let rows = groups[number].images.len() * self.rows(&groups[number]).len();
            let (sums, left) = rest.split_at_mut(rows * self.outputs[1] * self.start.len());
            rest = left;
            tasks.push(TransformBack { convolve: self, groups, number, products: &products, sums });
        }
        workers.each(tasks, |group| self.level.run(group));
        rest
    }

    /// Returns the rows of outputs that a group covers.
    #[inline(always)]
    fn rows(&self, group: &Group) -> Range<usize> {
        group.rows.start * T::OUTPUTS..(group.rows.end * T::OUTPUTS).min(self.outputs[0])
    }

    /// Returns where the products with one or two vectors of filters lie.
    #[inline(always)]
    fn of_pair(&self, vectors: usize) -> Layout {
        Layout { vectors, ..self.layout }
    }
}

/// Multiplies all tiles by one or two vectors of filters.
struct Multiply<'a, T> {
    convolve: &'a Convolve<'a, T>,
    groups: &'a [Group],
    pair: usize,
    vectors: usize,
    pixels: &'a [f32],
    products: &'a mut [f32],
}

impl<T: Tile> Kernel for Multiply<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Lanes>(mut self, simd: S) {
        if self.vectors == 2 {
            self.multiply::<S, 2>(simd);
        } else {
            self.multiply::<S, 1>(simd);
        }
    }
}

impl<T: Tile> Multiply<'_, T> {
    #[inline(always)]
    fn multiply<S: Lanes, const V: usize>(&mut self, simd: S) {
        let &Convolve { tile, filters, transformed, .. } = self.convolve;
        let mut own = Buffer::new(0);
        let mut shared: &[S::f32s] = &[];
        match transformed {
            Some(transformed) => shared = bytemuck::cast_slice(transformed.pair(self.pair)),
            None => own = Buffer::new(T::PLACES * Filters::place(INPUTS.min(filters.inputs()), V)),
        }
        for inputs in filters.blocks() {
            if transformed.is_none() {
                filters.transform::<T, S, V>(tile, simd, self.pair, inputs.clone(), &mut own);
            }
            let some = if transformed.is_some() { shared } else { &own };
            if inputs.start == 0 {
                self.multiply_inputs::<S, V, true>(simd, some, inputs.clone());
            } else {
                self.multiply_inputs::<S, V, false>(simd, some, inputs.clone());
            }
            if transformed.is_some() {
                // As many as of a whole pair, even if it has one vector only.
                shared = &shared[T::PLACES * Filters::place(inputs.len(), 2)..];
            }
        }
    }

    /// Adds the products of some inputs; `FIRST`, they are written.
    #[inline(always)]
    fn multiply_inputs<S: Lanes, const V: usize, const FIRST: bool>(
        &mut self, simd: S, filters: &[S::f32s], inputs: Range<usize>,
    ) {
        let layout = self.convolve.layout;
        let of_place = Filters::place(inputs.len(), V);
        let products: &mut [S::f32s] = bytemuck::cast_slice_mut(self.products);
        let of_pair = self.convolve.of_pair(V);
        let (from_place, to_place) = (layout.place() * S::LANES, of_pair.place());
        let (from_group, to_group) = (from_place * T::PLACES, to_place * T::PLACES);
        for place in 0..T::PLACES {
            let filters = &filters[place * of_place..][..V * inputs.len()];
            for group in 0..self.groups.len() {
                let pixels = Matrix {
                    values: &self.pixels[group * from_group + place * from_place..][..from_place],
                    tiles: layout.tiles(&self.groups[group]),
                    columns: layout.vectors * S::LANES,
                    stride: layout.stride() * S::LANES,
                };
                let products = &mut products[group * to_group + place * to_place..][..to_place];
                let pixels = Matrix { columns: inputs.len(), ..pixels.from(0, inputs.start) };
                pixels.multiply::<S, V, FIRST>(simd, filters, products);
            }
        }
    }
}

/// Transforms the products of a group into its sums.
struct TransformBack<'a, T> {
    convolve: &'a Convolve<'a, T>,
    groups: &'a [Group],
    /// Of the group.
    number: usize,
    products: &'a [f32],
    sums: &'a mut [f32],
}

impl<T: Tile> Kernel for TransformBack<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Lanes>(self, simd: S) {
        let &Convolve { tile, layout, outputs: [_, columns], start, .. } = self.convolve;
        let start: &[S::f32s] = bytemuck::cast_slice(start);
        let products: &[S::f32s] = bytemuck::cast_slice(self.products);
        let sums: &mut [S::f32s] = bytemuck::cast_slice_mut(self.sums);
        let (vectors, group) = (start.len(), &self.groups[self.number]);
        let rows = self.convolve.rows(group).len();
        let of_image = group.rows.len() * layout.across;
        let pair_len = self.convolve.of_pair(2).group_len(tile) * self.groups.len();
        for v in 0..vectors {
            let of_pair = self.convolve.of_pair((vectors - v / 2 * 2).min(2));
            let place = of_pair.place();
            let products = &products[v / 2 * pair_len + self.number * of_pair.group_len(tile) + v % 2..];
            for tile in 0..layout.tiles(group) {
                let (image, tile_in) = (tile / of_image, tile % of_image);
                let [row, column] = [tile_in / layout.across * T::OUTPUTS, tile_in % layout.across * T::OUTPUTS];
                let [height, width] = [T::OUTPUTS.min(rows - row), T::OUTPUTS.min(columns - column)];
                let products = &products[tile * of_pair.vectors..];
                let outputs = transform!(
                    simd, T::outputs, T::PIXELS => T::OUTPUTS, (y, x) => products[(y * T::PIXELS + x) * place]
                );
                let sums = &mut sums[((image * rows + row) * columns + column) * vectors + v..];
                // Constant bounds keep the outputs in registers.
                for x in 0..T::OUTPUTS {
                    for y in 0..T::OUTPUTS {
                        if x < width && y < height {
                            sums[(y * columns + x) * vectors] = simd.add_f32s(outputs[x][y], start[v]);
                        }
                    }
                }
            }
        }
    }
}
