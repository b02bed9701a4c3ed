//! Where the values of tiles lie in memory.

use super::tile::Tile;

/// Returns the number, or the next one if it is even: with a power of two from one value to the next, all would share a
/// few lines of the cache.
#[inline(always)]
pub(super) fn odd(count: usize) -> usize {
    count | 1
}

/// Tiles of some groups of images: group by group, place by place of a tile, a matrix `[tile, vector]`.
#[derive(Clone, Copy)]
pub(super) struct Layout {
    /// Images in a group; the last may have fewer.
    pub group: usize,
    /// Tiles of an image, down and across.
    pub tiles: [usize; 2],
    /// Vectors of a tile at a place.
    pub vectors: usize,
}

impl Layout {
    /// Returns the tiles that cover so many outputs, down and across.
    pub fn cover<T: Tile>(_: T, group: usize, outputs: [usize; 2], vectors: usize) -> Self {
        Self { group, tiles: outputs.map(|outputs| outputs.div_ceil(T::OUTPUTS)), vectors }
    }

    /// Returns the number of tiles of so many images.
    #[inline(always)]
    pub fn tiles(&self, images: usize) -> usize {
        images * self.tiles[0] * self.tiles[1]
    }

    /// Returns the number of vectors from a tile to the next, at the same place.
    #[inline(always)]
    pub fn stride(&self) -> usize {
        if self.vectors < 8 { self.vectors } else { odd(self.vectors) }
    }

    /// Returns the number of vectors from a place to the next.
    #[inline(always)]
    pub fn place(&self) -> usize {
        odd(self.tiles(self.group) * self.stride())
    }

    /// Returns the number of vectors of a group.
    #[inline(always)]
    pub fn group_len<T: Tile>(&self, _: T) -> usize {
        T::PLACES * self.place()
    }

    /// Returns the number of images in a group, of so many in all.
    #[inline(always)]
    pub fn images(&self, group: usize, images: usize) -> usize {
        self.group.min(images - group * self.group)
    }
}

/// The tiles that the backward pass works on.
#[derive(Clone, Copy)]
pub(super) struct Tiles {
    /// Of the pixels, for the filters' gradient.
    pub pixels: Layout,
    /// Of the positions' gradient, for that of the filters.
    pub positions: Layout,
    /// Of the positions' gradient, for that of the image.
    pub image: Layout,
    /// From the upper left corner of the image, the rows and columns above and left of the first position.
    pub offset: [usize; 2],
}
