//! Tiles into the form in which they are multiplied, and back.

use super::{
    layout::Layout,
    tile::{MOST, Tile, transform},
};
use crate::cpu::simd::Lanes;

/// A map `[row, column, vector]` whose rows lie so many vectors apart.
#[derive(Clone, Copy)]
pub(super) struct Map<'a, V> {
    pub values: &'a [V],
    pub row_len: usize,
}

/// Transforms so many rows of tiles of a map, to those from `first` on of a group: pixels, or, if `GRADIENT`, the gradient
/// of outputs.
#[inline(always)]
pub(super) fn transform_tiles<T: Tile, S: Lanes, const GRADIENT: bool>(
    _: T, simd: S, map: Map<S::f32s>, layout: &Layout, rows: usize, first: usize, to: &mut [S::f32s],
) {
    let (vectors, stride, place) = (layout.vectors, layout.stride(), layout.place());
    for tile in 0..rows * layout.across {
        let [row, column] = [tile / layout.across * T::OUTPUTS, tile % layout.across * T::OUTPUTS];
        let values = &map.values[row * map.row_len + column * vectors..];
        let to = &mut to[(first + tile) * stride..];
        for v in 0..vectors {
            let values = &values[v..];
            let columns = if GRADIENT {
                transform!(simd, T::gradient, T::OUTPUTS => T::PIXELS, (y, x) => values[y * map.row_len + x * vectors])
            } else {
                transform!(simd, T::pixels, T::PIXELS => T::PIXELS, (y, x) => values[y * map.row_len + x * vectors])
            };
            for x in 0..T::PIXELS {
                for y in 0..T::PIXELS {
                    to[(y * T::PIXELS + x) * place + v] = columns[x][y];
                }
            }
        }
    }
}

/// Adds to the gradient of weights, `[channel, 3, 3, V vectors]`, that of their transform, `[place, channel, V]`.
#[inline(always)]
pub(super) fn add_weights<T: Tile, S: Lanes, const V: usize>(
    _: T, simd: S, transformed: &[S::f32s], weight: &mut [S::f32s],
) {
    let place = transformed.len() / T::PLACES;
    for i in 0..weight.len() / 9 {
        let values = &transformed[i..];
        let columns = transform!(simd, T::weights, T::PIXELS => 3, (y, x) => values[(y * T::PIXELS + x) * place]);
        let weight = &mut weight[i / V * 9 * V + i % V..];
        for x in 0..3 {
            for y in 0..3 {
                let weight = &mut weight[(3 * y + x) * V];
                *weight = simd.add_f32s(*weight, columns[x][y]);
            }
        }
    }
}
