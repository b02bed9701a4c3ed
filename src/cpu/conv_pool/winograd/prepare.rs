//! What images contribute to the gradients, transformed.

use std::sync::atomic::{AtomicBool, Ordering};

use super::{
    forward::Pixels,
    layout::{Group, Layout},
    tile::Tile,
    transform::{Map, transform_tiles},
};
use crate::cpu::{
    buffer::Buffer,
    conv_pool::{
        gradients::Passed,
        problem::Geometry,
        spread::{OfWindows, of_windows, spread},
    },
    parallel::image_of,
    simd::{Kernel, Lanes},
};

/// Writes the gradient of an image's windows.
pub(super) struct Windows<'a> {
    pub passed: &'a Passed<'a>,
    pub image: usize,
    /// No magnitude of the gradient may be larger.
    pub most: f32,
    /// Set to false where one is.
    pub finite: &'a AtomicBool,
    pub windows: &'a mut [f32],
}

impl Kernel for Windows<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Lanes>(self, simd: S) {
        let geometry = self.passed.geometry;
        if !geometry.problem.filters.is_multiple_of(S::LANES) {
            for value in &mut *self.windows {
                *value = 0.0; // absent filters
            }
        }
        let largest = of_windows(simd, self.passed, self.image, self.windows);
        if largest.is_nan() || largest > self.most {
            self.finite.store(false, Ordering::Relaxed);
        }
    }
}

/// The gradient of the positions of a block's images.
#[derive(Clone, Copy)]
pub(super) struct Positions<'a> {
    pub passed: &'a Passed<'a>,
    /// The first image of the block.
    pub first: usize,
    /// That of their windows, as many values for each image.
    pub windows: &'a [f32],
    pub windows_len: usize,
}

impl Positions<'_> {
    /// Writes some rows of it into a map whose first row is one of the image, counted from above its padding.
    #[inline(always)]
    fn write<S: Lanes>(
        &self, simd: S, image: usize, [above, left]: [isize; 2], rows: usize, map: &mut [S::f32s], row_len: usize,
    ) {
        let geometry: &Geometry = self.passed.geometry;
        let gates = image_of(&self.passed.saved.gates, image, geometry.problem.batch);
        let values = &self.windows[(image - self.first) * self.windows_len..][..self.windows_len];
        let [first, end] = [above, above + rows as isize].map(|row| row.clamp(0, geometry.positions[0] as isize));
        let at = (first - above) as usize * row_len + left as usize * geometry.vectors(S::LANES);
        if first < end {
            let windows = OfWindows { geometry, values, gates };
            spread(simd, windows, first as usize..end as usize, &mut map[at..], row_len);
        }
    }
}

/// Transforms what a group contributes to the gradient of filters and bias.
pub(super) struct ForFilters<'a, T> {
    pub tile: T,
    pub positions: Positions<'a>,
    pub group: &'a Group,
    /// Where the transformed pixels and the gradient lie.
    pub layouts: [Layout; 2],
    pub pixels: &'a mut [f32],
    pub gradient: &'a mut [f32],
    pub bias: &'a mut [f32],
}

impl<T: Tile> Kernel for ForFilters<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Lanes>(self, simd: S) {
        let Self { tile, positions, group, layouts: [of_pixels, layout], .. } = self;
        let passed = positions.passed;
        let (geometry, batch, vectors) = (passed.geometry, passed.geometry.problem.batch, layout.vectors);
        let [rows, columns] = [group.rows.len(), layout.across].map(|tiles| tiles * T::OUTPUTS);
        let row_len = columns * vectors;
        let mut map = Buffer::<S::f32s>::zeros(rows * row_len);
        let mut pixels = Pixels::new(tile, geometry, of_pixels, group, simd);
        let bias: &mut [S::f32s] = bytemuck::cast_slice_mut(self.bias);
        let above = (group.rows.start * T::OUTPUTS) as isize;
        for (number, i) in group.images.clone().enumerate() {
            positions.write(simd, i, [above, 0], rows, &mut map, row_len);
            // A row by itself first: fewer additions to a large number round less.
            for row in map.chunks_exact(row_len) {
                for v in 0..vectors {
                    let mut sum = simd.splat_f32s(0.0);
                    for column in 0..columns {
                        sum = simd.add_f32s(sum, row[column * vectors + v]);
                    }
                    bias[v] = simd.add_f32s(bias[v], sum);
                }
            }
            let to = bytemuck::cast_slice_mut(&mut *self.pixels);
            pixels.transform(tile, simd, image_of(passed.input, i, batch), number, to);
            let map = Map { values: &map, row_len };
            let to = bytemuck::cast_slice_mut(&mut *self.gradient);
            let first = number * group.rows.len() * layout.across;
            transform_tiles::<T, S, true>(tile, simd, map, &layout, group.rows.len(), first, to);
        }
    }
}

/// Transforms what a group contributes to the gradient of the images.
pub(super) struct ForImages<'a, T> {
    pub tile: T,
    pub positions: Positions<'a>,
    pub group: &'a Group,
    pub layout: Layout,
    pub gradient: &'a mut [f32],
}

impl<T: Tile> Kernel for ForImages<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Lanes>(self, simd: S) {
        let Self { tile, positions, group, layout, .. } = self;
        let [rows, columns] = [group.rows.len(), layout.across].map(|tiles| tiles * T::OUTPUTS + 2);
        let row_len = columns * layout.vectors;
        let mut map = Buffer::<S::f32s>::zeros(rows * row_len);
        // From the image's upper left corner, the first position is up to two rows and columns away.
        let [above, left] = positions.passed.geometry.problem.padding.map(|padding| 2 - padding as isize);
        let above = (group.rows.start * T::OUTPUTS) as isize - above;
        for (number, i) in group.images.clone().enumerate() {
            positions.write(simd, i, [above, left], rows, &mut map, row_len);
            let map = Map { values: &map, row_len };
            let to = bytemuck::cast_slice_mut(&mut *self.gradient);
            let first = number * group.rows.len() * layout.across;
            transform_tiles::<T, S, false>(tile, simd, map, &layout, group.rows.len(), first, to);
        }
    }
}
