//! How a batch is split.

use std::ops::Range;

use super::{
    layout::{Group, Layout},
    tile::Tile,
};
use crate::cpu::{conv_pool::problem::Geometry, parallel::Workers};

/// Values of transformed filters that the threads share: beyond, they work on one block of images together, each with
/// filters of its own.
const MANY_FILTERS: usize = if cfg!(test) { 1 << 16 } else { 1 << 20 };
/// Values of a group that one thread works on: about what its cache holds.
const CACHED: usize = if cfg!(test) { 1 << 13 } else { 1 << 17 };
/// Values of a block that all threads work on.
const SHARED: usize = if cfg!(test) { 1 << 16 } else { 1 << 23 };
/// Tiles for which a filter should be read once.
const TILES: usize = 64;

/// How a batch is split into blocks of images, and these into groups.
#[derive(Clone, Copy, Debug)]
pub(in crate::cpu::conv_pool) struct Plan {
    /// Images of a block.
    pub block: usize,
    /// Whether all threads work on one block, or each on its own.
    pub is_shared: bool,
    /// Images of a group.
    images: usize,
    /// Rows of tiles of a group; of several images, all.
    rows: usize,
}

impl Plan {
    /// Returns the plan for maps of so many channels, which become so many.
    pub fn of<T: Tile>(_: T, geometry: &Geometry, lanes: usize) -> Self {
        let problem = &geometry.problem;
        let [channels, filters] = [problem.channels, problem.filters].map(|count| count.next_multiple_of(lanes));
        // Those of the positions or of the image, whichever has more.
        let tiles = |i: usize| geometry.positions[i].max(problem.image[i]).div_ceil(T::OUTPUTS);
        let [down, across] = [tiles(0), tiles(1)];
        let row = T::PLACES * across * (channels + filters);
        let is_shared = T::PLACES * channels * filters > MANY_FILTERS;
        let many = TILES.div_ceil(down * across);
        if is_shared {
            let block = (SHARED / (row * down)).clamp(1, problem.batch.max(1));
            let images = (many / 4).clamp(1, block);
            return Self { block, is_shared, images, rows: (SHARED / row).clamp(1, down) };
        }
        let images = many.min(CACHED / (row * down)).clamp(1, problem.batch.div_ceil(32).max(1));
        let rows = if images > 1 { down } else { (CACHED / row).max(TILES.div_ceil(across)).clamp(1, down) };
        Self { block: images, is_shared, images, rows }
    }

    /// Returns how often the filters are transformed, divided by the number of images.
    pub fn filter_transforms(&self, batch: usize) -> f32 {
        1.0 / if self.is_shared { self.block } else { batch } as f32
    }

    /// Returns how often the filters' gradient is transformed, for so many rows of outputs, divided by the number of
    /// images.
    pub fn gradient_transforms<T: Tile>(&self, _: T, outputs: usize) -> f32 {
        let steps = if self.is_shared { 1 } else { outputs.div_ceil(T::OUTPUTS).div_ceil(self.rows) };
        steps as f32 / self.block as f32
    }

    /// Returns who works on blocks, and who in one.
    pub fn workers(&self) -> [Workers; 2] {
        if self.is_shared { [Workers::One, Workers::All] } else { [Workers::All, Workers::One] }
    }

    /// Returns where the tiles lie that cover so many outputs.
    pub(super) fn layout<T: Tile>(&self, _: T, outputs: [usize; 2], vectors: usize) -> Layout {
        let [down, across] = outputs.map(|outputs| outputs.div_ceil(T::OUTPUTS));
        Layout { most: self.images * self.rows.min(down) * across, across, vectors }
    }

    /// Returns the groups of some images, for so many rows of outputs: those of each step together.
    pub(super) fn steps<T: Tile>(&self, _: T, images: Range<usize>, outputs: usize) -> Vec<Vec<Group>> {
        let down = outputs.div_ceil(T::OUTPUTS);
        let cut = |all: Range<usize>, size: usize| {
            let end = all.end;
            all.step_by(size).map(move |first| first..(first + size).min(end))
        };
        let groups = cut(images, self.images)
            .flat_map(|images| cut(0..down, self.rows).map(move |rows| Group { images: images.clone(), rows }));
        if self.is_shared { vec![groups.collect()] } else { groups.map(|group| vec![group]).collect() }
    }
}
