//! Moved, rotated and scaled images.
//!
//! ```
//! use burn_pooling::transform::Transform;
//!
//! let image = [0.0, 1.0, 0.0, 0.0]; // [2, 2]
//! let mut moved = [0.0; 4];
//! Transform { down: 1.0, ..Default::default() }.resample(&image, &mut moved, [2, 2]);
//! assert_eq!(moved, [0.0, 0.0, 0.0, 1.0]);
//! ```

use serde::{Deserialize, Serialize};

/// A shift, a rotation and a change of size, around the centre of an image.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Transform {
    /// Shift down, in pixels.
    pub down: f64,
    /// Shift to the right, in pixels.
    pub right: f64,
    /// Rotation, in degrees, clockwise.
    pub rotation: f64,
    /// The new size as a multiple of the old one: more than 0.
    pub scale: f64,
}

impl Default for Transform {
    /// Leaves an image as it is.
    fn default() -> Self {
        Self { down: 0.0, right: 0.0, rotation: 0.0, scale: 1.0 }
    }
}

impl Transform {
    /// Fills `target` with the transformed `source`, both `[height, width]`. Pixels between those of the image are
    /// interpolated bilinearly; outside of it all is 0.
    pub fn resample(&self, source: &[f32], target: &mut [f32], [height, width]: [usize; 2]) {
        let angle = self.rotation.to_radians();
        let [cosine, sine] = [angle.cos(), angle.sin()].map(|value| (value / self.scale) as f32);
        let [down, right] = [self.down as f32, self.right as f32];
        let centre = [height, width].map(|side| (side as f32 - 1.0) / 2.0);
        for (row, target) in target.chunks_exact_mut(width.max(1)).enumerate() {
            let y = row as f32 - centre[0] - down;
            for (column, target) in target.iter_mut().enumerate() {
                let x = column as f32 - centre[1] - right;
                let from_y = cosine * y - sine * x + centre[0];
                let from_x = sine * y + cosine * x + centre[1];
                *target = bilinear(source, [height, width], [from_y, from_x]);
            }
        }
    }
}

/// The value between the four pixels around a place, 0 outside of the image.
fn bilinear(plane: &[f32], [height, width]: [usize; 2], [y, x]: [f32; 2]) -> f32 {
    let (top, left) = (y.floor(), x.floor());
    let (down, across) = (y - top, x - left);
    let pixel = |row: f32, column: f32| {
        let inside = (0.0..height as f32).contains(&row) && (0.0..width as f32).contains(&column);
        if inside { plane[row as usize * width + column as usize] } else { 0.0 }
    };
    let upper = pixel(top, left) * (1.0 - across) + pixel(top, left + 1.0) * across;
    let lower = pixel(top + 1.0, left) * (1.0 - across) + pixel(top + 1.0, left + 1.0) * across;
    upper * (1.0 - down) + lower * down
}
