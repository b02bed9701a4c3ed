//! The sums of the forward pass.

use super::{
    convolve::Convolve,
    filters::{Filters, Transformed},
    layout::{Group, Layout},
    plan::Plan,
    tile::Tile,
    transform::{Map, transform_tiles},
};
use crate::cpu::{
    buffer::Buffer,
    conv_pool::problem::{Geometry, Problem},
    parallel::Workers,
    simd::{Kernel, Lanes, Level},
    transpose::transpose,
};

/// Filters that are laid on images.
pub(in crate::cpu::conv_pool) struct Forward<'a, T> {
    tile: T,
    level: Level,
    geometry: &'a Geometry,
    plan: Plan,
    filters: Filters<'a>,
    /// The filters, transformed, if threads share them.
    transformed: Option<Transformed>,
    /// What the sums start from.
    bias: &'a [f32],
}

impl<'a, T: Tile> Forward<'a, T> {
    /// Creates it for weights `[filters, channels, 3, 3]`, and biases with zeros up to a whole vector.
    pub fn new(tile: T, level: Level, geometry: &'a Geometry, weight: &'a [f32], bias: &'a [f32]) -> Self {
        let plan = Plan::of(tile, geometry, level.lanes());
        let Problem { filters, channels, .. } = geometry.problem;
        let filters = Filters { weight, filters, channels, flipped: false };
        let transformed = (!plan.is_shared).then(|| filters.transform_all(tile, level));
        Self { tile, level, geometry, plan, filters, transformed, bias }
    }

    /// Returns how the batch is split.
    pub fn plan(&self) -> Plan {
        self.plan
    }

    /// Returns the sums `[image, row, column, vector of filters]` of a block of images `[channels, height, width]`.
    pub fn sums(&self, workers: Workers, images: &[f32]) -> Buffer<f32> {
        let &Self { tile, level, geometry, plan, .. } = self;
        let (channels, lanes) = (geometry.problem.channels, level.lanes());
        let [rows, columns] = geometry.positions;
        let layout = plan.layout(tile, geometry.positions, channels.div_ceil(lanes));
        let count = images.len() / geometry.problem.image_len();
        let convolve = Convolve {
            tile,
            level,
            layout,
            outputs: geometry.positions,
            start: self.bias,
            filters: self.filters,
            transformed: self.transformed.as_ref(),
        };
        let mut sums = Buffer::new(count * rows * columns * self.bias.len());
        let mut rest = &mut sums[..];
        for groups in plan.steps(tile, 0..count, rows) {
            let group_len = layout.group_len(tile) * lanes;
            let mut pixels = Buffer::new(groups.len() * group_len);
            let tasks = groups.iter().zip(pixels.chunks_mut(group_len));
            let tasks = tasks.map(|(group, pixels)| Images { tile, geometry, layout, group, images, pixels });
            workers.each(tasks.collect(), |task| level.run(task));
            rest = convolve.run(workers, &groups, &pixels, rest);
        }
        sums
    }
}

/// Transforms a group.
struct Images<'a, T> {
    tile: T,
    geometry: &'a Geometry,
    layout: Layout,
    group: &'a Group,
    /// Those of the block.
    images: &'a [f32],
    pixels: &'a mut [f32],
}

impl<T: Tile> Kernel for Images<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Lanes>(self, simd: S) {
        let mut pixels = Pixels::new(self.tile, self.geometry, self.layout, self.group, simd);
        let to: &mut [S::f32s] = bytemuck::cast_slice_mut(self.pixels);
        let image_len = self.geometry.problem.image_len();
        for (number, image) in self.group.images.clone().enumerate() {
            pixels.transform(self.tile, simd, &self.images[image * image_len..][..image_len], number, to);
        }
    }
}

/// Room for the rows of an image, within its padding, that a group's tiles reach, channels last.
pub(super) struct Pixels<'a, S: Lanes> {
    geometry: &'a Geometry,
    layout: Layout,
    group: &'a Group,
    columns: usize,
    padded: Buffer<S::f32s>,
}

impl<'a, S: Lanes> Pixels<'a, S> {
    #[inline(always)]
    pub fn new<T: Tile>(_: T, geometry: &'a Geometry, layout: Layout, group: &'a Group, _: S) -> Self {
        let [rows, columns] = [group.rows.len(), layout.across].map(|tiles| tiles * T::OUTPUTS + 2);
        Self { geometry, layout, group, columns, padded: Buffer::zeros(rows * columns * layout.vectors) }
    }

    /// Transforms an image `[channels, height, width]`, the `number`th of the group.
    #[inline(always)]
    pub fn transform<T: Tile>(&mut self, tile: T, simd: S, image: &[f32], number: usize, to: &mut [S::f32s]) {
        let (problem, rows, columns) = (&self.geometry.problem, self.group.rows.len(), self.columns);
        let ([height, width], [above, left]) = (problem.image, problem.padding);
        let stride = self.layout.vectors * S::LANES;
        let padded: &mut [f32] = bytemuck::cast_slice_mut(&mut self.padded);
        // What no position reaches has no room.
        let size = [problem.channels, width.min(columns - left)];
        let first = self.group.rows.start * T::OUTPUTS;
        for row in 0..rows * T::OUTPUTS + 2 {
            if (above..above + height).contains(&(first + row)) {
                let to = &mut padded[(row * columns + left) * stride..];
                transpose(simd, size, &image[(first + row - above) * width..], height * width, to, stride);
            }
        }
        let map = Map { values: &self.padded, row_len: columns * self.layout.vectors };
        let first = number * rows * self.layout.across;
        transform_tiles::<T, S, false>(tile, simd, map, &self.layout, rows, first, to);
    }
}
