//! An image within its padding.

use super::problem::Geometry;
use crate::cpu::buffer::{Buffer, LINE_LEN};

/// Copies images into zeros, where they have to be copied.
pub(super) struct Padding<'a> {
    geometry: &'a Geometry,
    /// The padded image `[channels, height, width]` and a cache line of zeros, or nothing.
    padded: Buffer<f32>,
}

impl<'a> Padding<'a> {
    /// Creates it; with `slack` a vector may be read from any position to past the image's end.
    pub fn new(geometry: &'a Geometry, slack: bool) -> Self {
        let needed = slack || geometry.problem.padding != [0, 0];
        let len = geometry.padded_len() + LINE_LEN;
        Self { geometry, padded: Buffer::zeros(if needed { len } else { 0 }) }
    }

    /// Returns the image within its padding.
    #[inline(always)]
    pub fn pad<'b>(&'b mut self, image: &'b [f32]) -> &'b [f32] {
        let padded = &mut *self.padded;
        if padded.is_empty() {
            return image;
        }
        let ([height, width], [above, left]) = (self.geometry.problem.image, self.geometry.problem.padding);
        if [above, left] == [0, 0] {
            padded[..image.len()].copy_from_slice(image);
            return padded;
        }
        let [padded_height, padded_width] = self.geometry.padded;
        for (channel, plane) in image.chunks_exact(height * width).enumerate() {
            for (row, values) in plane.chunks_exact(width).enumerate() {
                let row = channel * padded_height + above + row;
                padded[row * padded_width + left..][..width].copy_from_slice(values);
            }
        }
        padded
    }
}
