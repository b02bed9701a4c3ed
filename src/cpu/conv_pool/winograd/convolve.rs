//! A convolution of maps with filters of 3x3.

use std::ops::Range;

use super::{
    filters::{Filters, INPUTS, Transformed},
    layout::Layout,
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
    /// Returns the sums `[image, row, column, vector]` of so many images, from their transformed tiles.
    pub fn run(&self, workers: Workers, images: usize, pixels: &[f32]) -> Buffer<f32> {
        let lanes = self.level.lanes();
        let groups = images.div_ceil(self.layout.group);
        let vectors = self.start.len() / lanes;
        let pair_len = |vectors| self.of_pair(vectors).group_len(self.tile) * groups * lanes;
        let pairs = vectors.div_ceil(2);
        let mut products = Buffer::new(pairs * pair_len(2));
        let each = products.chunks_mut(pair_len(2)).enumerate().map(|(pair, products)| Multiply {
            convolve: self,
            images,
            pair,
            vectors: (vectors - 2 * pair).min(2),
            pixels,
            products,
        });
        workers.each(each.collect(), |pair| self.level.run(pair));

        let image_len = self.outputs[0] * self.outputs[1] * vectors * lanes;
        let mut sums = Buffer::new(images * image_len);
        let group_len = self.layout.group * image_len;
        let each = sums.chunks_mut(group_len).enumerate();
        let each = each.map(|(group, sums)| TransformBack { convolve: self, images, group, products: &products, sums });
        workers.each(each.collect(), |group| self.level.run(group));
        sums
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
    images: usize,
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
        let groups = self.images.div_ceil(layout.group);
        for place in 0..T::PLACES {
            let filters = &filters[place * of_place..][..V * inputs.len()];
            for group in 0..groups {
                let pixels = Matrix {
                    values: &self.pixels[group * from_group + place * from_place..][..from_place],
                    tiles: layout.tiles(layout.images(group, self.images)),
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

/// Transforms the products of a group of images into its sums.
struct TransformBack<'a, T> {
    convolve: &'a Convolve<'a, T>,
    images: usize,
    group: usize,
    products: &'a [f32],
    sums: &'a mut [f32],
}

impl<T: Tile> Kernel for TransformBack<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Lanes>(self, simd: S) {
        let &Convolve { tile, layout, outputs: [rows, columns], start, .. } = self.convolve;
        let start: &[S::f32s] = bytemuck::cast_slice(start);
        let products: &[S::f32s] = bytemuck::cast_slice(self.products);
        let sums: &mut [S::f32s] = bytemuck::cast_slice_mut(self.sums);
        let vectors = start.len();
        let groups = self.images.div_ceil(layout.group);
        let pair_len = self.convolve.of_pair(2).group_len(tile) * groups;
        for v in 0..vectors {
            let of_pair = self.convolve.of_pair((vectors - v / 2 * 2).min(2));
            let place = of_pair.place();
            let products = &products[v / 2 * pair_len + self.group * of_pair.group_len(tile) + v % 2..];
            for tile in 0..layout.tiles(layout.images(self.group, self.images)) {
                let (image, tile_in) = (tile / layout.tiles(1), tile % layout.tiles(1));
                let [row, column] = [tile_in / layout.tiles[1] * T::OUTPUTS, tile_in % layout.tiles[1] * T::OUTPUTS];
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
