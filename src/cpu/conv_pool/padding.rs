//! An image within its padding.

use super::problem::Geometry;
use crate::cpu::buffer::Buffer;

/// Copies images into zeros, where they have to be copied.
pub(super) struct Padding<'a> {
    geometry: &'a Geometry,
    /// Values that may be read past an image's end.
    slack: usize,
    /// The padded image `[channels, height, width]` and the slack, or nothing if no image is ever copied.
    padded: Buffer<f32>,
}

impl<'a> Padding<'a> {
    /// Creates it; `slack` arbitrary values may be read past an image's end.
    pub fn new(geometry: &'a Geometry, slack: usize) -> Self {
        let needed = slack > 0 || geometry.problem.padding != [0, 0];
        let len = geometry.padded_len() + slack;
        Self { geometry, slack, padded: Buffer::zeros(if needed { len } else { 0 }) }
    }

    /// Returns the first of some images within its padding.
    #[inline(always)]
    pub fn pad<'b>(&'b mut self, images: &'b [f32]) -> &'b [f32] {
        let problem = &self.geometry.problem;
        let ([height, width], [above, left]) = (problem.image, problem.padding);
        let (image, next) = images.split_at(problem.image_len());
        let padded = &mut *self.padded;
        if [above, left] == [0, 0] {
            // What is read past the end is read in the images that follow, if they are long enough.
            if next.len() >= self.slack {
                return images;
            }
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
