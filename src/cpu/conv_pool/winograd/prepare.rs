//! What images contribute to the gradients, transformed.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{
    forward::Pixels,
    layout::Tiles,
    tile::Tile,
    transform::{Map, transform_tiles},
};
use crate::cpu::{
    buffer::Buffer,
    conv_pool::{
        gradients::{Passed, Wanted},
        spread::{OfWindows, of_windows, spread},
    },
    parallel::image_of,
    simd::{Kernel, Lanes},
};

/// Transforms what a group of images contributes.
pub(super) struct Prepare<'a, T> {
    pub tile: T,
    pub passed: &'a Passed<'a>,
    pub wanted: Wanted,
    pub tiles: &'a Tiles,
    /// No magnitude of the gradient may be larger.
    pub most: f32,
    /// Set to false where one is.
    pub finite: &'a AtomicBool,
    pub images: Range<usize>,
    pub pixels: &'a mut [f32],
    /// Of the outputs, for the filters.
    pub gradient: &'a mut [f32],
    /// Of the outputs, for the images.
    pub turned: &'a mut [f32],
    pub bias: &'a mut [f32],
}

impl<T: Tile> Kernel for Prepare<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Lanes>(self, simd: S) {
        let Self { tile, passed, wanted, tiles, .. } = self;
        let Tiles { pixels: ref pixel_tiles, ref positions, ref image, offset } = *tiles;
        let vectors = positions.vectors;
        let (geometry, batch) = (passed.geometry, passed.geometry.problem.batch);
        let [rows, columns] = geometry.positions;
        let size: [usize; 2] = std::array::from_fn(|i| {
            let of_positions = offset[i] + positions.tiles[i] * T::OUTPUTS;
            of_positions.max(image.tiles[i] * T::OUTPUTS + 2)
        });
        let row_len = size[1] * vectors;
        let mut map = Buffer::<S::f32s>::zeros(size[0] * row_len);
        let first = offset[0] * row_len + offset[1] * vectors;
        let mut windows = Buffer::zeros(geometry.windows() * vectors * S::LANES);
        let mut pixels = Pixels::new(tile, geometry, *pixel_tiles, simd);
        let bias: &mut [S::f32s] = bytemuck::cast_slice_mut(self.bias);
        for (number, i) in self.images.enumerate() {
            let largest = of_windows(simd, geometry, image_of(passed.gradient, i, batch), &mut windows);
            if largest.is_nan() || largest > self.most {
                self.finite.store(false, Ordering::Relaxed);
            }
            let gates = image_of(&passed.saved.gates, i, batch);
            let of_windows = OfWindows { geometry, values: &windows, gates };
            spread(simd, of_windows, 0..rows, &mut map[first..], row_len);
            if wanted.filters {
                for row in 0..rows {
                    let row = &map[first + row * row_len..][..columns * vectors];
                    for position in row.chunks_exact(vectors) {
                        for v in 0..vectors {
                            bias[v] = simd.add_f32s(bias[v], position[v]);
                        }
                    }
                }
                let to = bytemuck::cast_slice_mut(&mut *self.pixels);
                pixels.transform(tile, simd, image_of(passed.input, i, batch), number, to);
                let map = Map { values: &map[first..], row_len };
                let to = bytemuck::cast_slice_mut(&mut *self.gradient);
                transform_tiles::<T, S, true>(tile, simd, map, positions, number, to);
            }
            if wanted.input {
                let map = Map { values: &map, row_len };
                let to = bytemuck::cast_slice_mut(&mut *self.turned);
                transform_tiles::<T, S, false>(tile, simd, map, image, number, to);
            }
        }
    }
}
