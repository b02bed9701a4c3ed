//! How a batch is split.

use super::tile::Tile;
use crate::cpu::{conv_pool::problem::Geometry, parallel::Workers};

/// Values of transformed filters that the threads share: beyond, they work on one block of images together, each with
/// filters of its own.
const MANY_FILTERS: usize = 1 << 20;
/// Values of a block that one thread works on: about what its cache holds.
const CACHED: usize = 1 << 18;
/// Values of a block that all threads work on.
const SHARED: usize = 1 << 23;
/// Tiles for which a filter should be read once.
const TILES: usize = 64;

/// How a batch is split into blocks, and blocks into groups of images.
#[derive(Clone, Copy, Debug)]
pub(in crate::cpu::conv_pool) struct Plan {
    /// Images whose tiles lie in one matrix.
    pub group: usize,
    /// Images of a block.
    pub block: usize,
    /// Whether all threads work on one block, or each on its own.
    pub is_shared: bool,
}

impl Plan {
    /// Returns the plan for maps of so many channels, which become so many.
    pub fn of<T: Tile>(_: T, geometry: &Geometry, lanes: usize) -> Self {
        let problem = &geometry.problem;
        let [channels, filters] = [problem.channels, problem.filters].map(|count| count.next_multiple_of(lanes));
        let tiles: usize = geometry.positions.iter().map(|positions| positions.div_ceil(T::OUTPUTS)).product();
        let image = T::PLACES * tiles * (channels + filters);
        let is_shared = T::PLACES * channels * filters > MANY_FILTERS;
        let many = TILES.div_ceil(tiles);
        if is_shared {
            let block = (SHARED / image).clamp(1, problem.batch.max(1));
            return Self { group: (many / 4).clamp(1, block), block, is_shared };
        }
        let group = many.min(CACHED / image).clamp(1, problem.batch.div_ceil(32).max(1));
        Self { group, block: group, is_shared }
    }

    /// Returns who works on blocks, and who in one.
    pub fn workers(&self) -> [Workers; 2] {
        if self.is_shared { [Workers::One, Workers::All] } else { [Workers::All, Workers::One] }
    }
}
