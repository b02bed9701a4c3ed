//! Where the values of tiles lie in memory.

use std::ops::Range;

use super::tile::Tile;

/// Returns the number, or the next one if it is even: with a power of two from one value to the next, all would share a
/// few lines of the cache.
#[inline(always)]
pub(super) fn odd(count: usize) -> usize {
    count | 1
}

/// Rows of tiles of some images: their tiles lie in one matrix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub images: Range<usize>,
    /// Rows of tiles of each image.
    pub rows: Range<usize>,
}

/// Tiles of groups, one group after another: place by place of a tile, a matrix `[tile, vector]`.
#[derive(Clone, Copy)]
pub(super) struct Layout {
    /// Tiles of the largest group.
    pub most: usize,
    /// Tiles of an image, across.
    pub across: usize,
    /// Vectors of a tile at a place.
    pub vectors: usize,
}

impl Layout {
    /// Returns the number of tiles of a group.
    #[inline(always)]
    pub fn tiles(&self, group: &Group) -> usize {
        group.images.len() * group.rows.len() * self.across
    }

    /// Returns the number of vectors from a tile to the next, at the same place.
    #[inline(always)]
    pub fn stride(&self) -> usize {
        if self.vectors < 8 { self.vectors } else { odd(self.vectors) }
    }

    /// Returns the number of vectors from a place to the next.
    #[inline(always)]
    pub fn place(&self) -> usize {
        odd(self.most * self.stride())
    }

    /// Returns the number of vectors of a group.
    #[inline(always)]
    pub fn group_len<T: Tile>(&self, _: T) -> usize {
        T::PLACES * self.place()
    }
}
