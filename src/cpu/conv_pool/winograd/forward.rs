//! The sums of the forward pass.

use super::{
    convolve::Convolve,
    filters::{Filters, Transformed},
    layout::Layout,
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
        let filters = Filters { weight, filters, channels, turned: false };
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
        let layout = Layout::cover(tile, plan.group, geometry.positions, channels.div_ceil(lanes));
        let image_len = geometry.problem.image_len();
        let count = images.len() / image_len;
        let group_len = layout.group_len(tile) * lanes;
        let mut pixels = Buffer::new(count.div_ceil(plan.group) * group_len);
        let groups = pixels.chunks_mut(group_len).zip(images.chunks(plan.group * image_len));
        let groups = groups.map(|(pixels, images)| Images { tile, geometry, layout, images, pixels });
        workers.each(groups.collect(), |group| level.run(group));
        let convolve = Convolve {
            tile,
            level,
            layout,
            outputs: geometry.positions,
            start: self.bias,
            filters: self.filters,
            transformed: self.transformed.as_ref(),
        };
        convolve.run(workers, count, &pixels)
    }
}

/// Transforms the images of a group.
struct Images<'a, T> {
    tile: T,
    geometry: &'a Geometry,
    layout: Layout,
    images: &'a [f32],
    pixels: &'a mut [f32],
}

impl<T: Tile> Kernel for Images<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Lanes>(self, simd: S) {
        let mut pixels = Pixels::new(self.tile, self.geometry, self.layout, simd);
        let to: &mut [S::f32s] = bytemuck::cast_slice_mut(self.pixels);
        for (i, image) in self.images.chunks_exact(self.geometry.problem.image_len()).enumerate() {
            pixels.transform(self.tile, simd, image, i, to);
        }
    }
}

/// Room for an image within its padding, channels last.
pub(super) struct Pixels<'a, S: Lanes> {
    geometry: &'a Geometry,
    layout: Layout,
    /// Rows and columns.
    size: [usize; 2],
    padded: Buffer<S::f32s>,
}

impl<'a, S: Lanes> Pixels<'a, S> {
    #[inline(always)]
    pub fn new<T: Tile>(_: T, geometry: &'a Geometry, layout: Layout, _: S) -> Self {
        let size = layout.tiles.map(|tiles| tiles * T::OUTPUTS + 2);
        Self { geometry, layout, size, padded: Buffer::zeros(size[0] * size[1] * layout.vectors) }
    }

    /// Transforms an image `[channels, height, width]`, the `number`th of its group.
    #[inline(always)]
    pub fn transform<T: Tile>(&mut self, tile: T, simd: S, image: &[f32], number: usize, to: &mut [S::f32s]) {
        let problem = &self.geometry.problem;
        let ([height, width], [above, left]) = (problem.image, problem.padding);
        let [rows, columns] = self.size;
        let stride = self.layout.vectors * S::LANES;
        let padded: &mut [f32] = bytemuck::cast_slice_mut(&mut self.padded);
        // What no position reaches has no room.
        let size = [problem.channels, width.min(columns - left)];
        for row in 0..height.min(rows.saturating_sub(above)) {
            let to = &mut padded[((row + above) * columns + left) * stride..];
            transpose(simd, size, &image[row * width..], height * width, to, stride);
        }
        let map = Map { values: &self.padded, row_len: columns * self.layout.vectors };
        transform_tiles::<T, S, false>(tile, simd, map, &self.layout, number, to);
    }
}
