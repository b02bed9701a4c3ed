//! Galleries of small pictures.

use anyhow::{Context, ensure};
use plotters::element::{BitMapElement, Rectangle};
use plotters::style::text_anchor::HPos;

use super::canvas::{GRID, INK, Plot, TEXT, TITLE, picture, write};

/// A small picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Height and width.
    pub size: [usize; 2],
    /// Red, green, blue, `[row, column]`.
    pub pixels: Vec<[u8; 3]>,
}

impl Picture {
    /// Grey values from 0 (white, as ink on paper) to 1 (black); others are clipped.
    ///
    /// # Panics
    /// If the number of values is not height times width.
    pub fn ink(values: &[f32], size: [usize; 2]) -> Self {
        let grey = |value: &f32| [(255.0 * (1.0 - value.clamp(0.0, 1.0))).round() as u8; 3];
        Self::of(values.iter().map(grey), size)
    }

    /// `ink` with `heat` over it, from 0 (nothing) to 1 (orange); others are clipped.
    ///
    /// # Panics
    /// If the number of values is not height times width.
    pub fn heat(ink: &[f32], heat: &[f32], size: [usize; 2]) -> Self {
        const ORANGE: [f32; 3] = [230.0, 110.0, 0.0];
        let mixed = |(ink, heat): (&f32, &f32)| {
            let (grey, share) = (255.0 * (1.0 - 0.8 * ink.clamp(0.0, 1.0)), 0.85 * heat.clamp(0.0, 1.0));
            ORANGE.map(|colour| (grey * (1.0 - share) + colour * share).round() as u8)
        };
        Self::of(ink.iter().zip(heat).map(mixed), size)
    }

    fn of(pixels: impl Iterator<Item = [u8; 3]>, size: [usize; 2]) -> Self {
        let pixels: Vec<_> = pixels.collect();
        assert_eq!(pixels.len(), size[0] * size[1], "a value for each pixel");
        Self { size, pixels }
    }

    /// Every pixel as a square of `scale` pixels, so that no viewer blurs them: rows of red, green, blue.
    fn enlarged(&self, scale: usize) -> Vec<u8> {
        let row = |row: &[[u8; 3]]| -> Vec<u8> { (row.iter()).flat_map(|pixel| pixel.repeat(scale)).collect() };
        (self.pixels.chunks_exact(self.size[1])).flat_map(|pixels| row(pixels).repeat(scale)).collect()
    }
}

/// Pictures in rows and columns, with names above and at the left.
#[derive(Clone, Debug)]
pub struct Gallery {
    /// What is shown.
    pub title: String,
    /// The columns' names.
    pub columns: Vec<String>,
    /// The rows: a name and a picture for each column.
    pub rows: Vec<(String, Vec<Picture>)>,
}

/// Side of a picture's place, in pixels.
const PLACE: usize = 92;
/// Distance between pictures, in pixels.
const GAP: usize = 8;
/// Width of the rows' names, in pixels.
const NAMES: usize = 150;
/// Height of the title and the columns' names, in pixels.
const HEADER: usize = 72;

impl Plot for Gallery {
    /// Refuses a picture that is larger than its place (92x92).
    fn svg(&self) -> anyhow::Result<String> {
        let step = PLACE + GAP;
        let size = (NAMES + step * self.columns.len(), HEADER + step * self.rows.len());
        picture((size.0.max(560) as u32, size.1 as u32), |area| {
            let text = |text: &str, place: (usize, usize), height: u32, horizontal: HPos| {
                write(area, text, (place.0 as i32, place.1 as i32), height, horizontal, INK)
            };
            text(&self.title, (GAP, 22), TITLE, HPos::Left)?;
            for (column, name) in self.columns.iter().enumerate() {
                text(name, (NAMES + step * column + PLACE / 2, HEADER - 14), TEXT, HPos::Center)?;
            }
            for (row, (name, pictures)) in self.rows.iter().enumerate() {
                let top = HEADER + step * row;
                text(name, (GAP, top + PLACE / 2), TEXT, HPos::Left)?;
                for (column, picture) in pictures.iter().enumerate() {
                    let [height, width] = picture.size;
                    let scale = PLACE / height.max(width).max(1);
                    ensure!(scale > 0, "a picture of {height}x{width} is too large: expected at most {PLACE}x{PLACE}");
                    let corner = ((NAMES + step * column) as i32, top as i32);
                    let size = ((width * scale) as u32, (height * scale) as u32);
                    let bitmap = BitMapElement::with_owned_buffer(corner, size, picture.enlarged(scale));
                    area.draw(&bitmap.context("a picture without pixels")?)?;
                    // A white picture on a white page has no edge of its own.
                    let edge = [(corner.0 - 1, corner.1 - 1), (corner.0 + size.0 as i32, corner.1 + size.1 as i32)];
                    area.draw(&Rectangle::new(edge, GRID))?;
                }
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ink_is_black_on_white_and_squares_stay_squares() {
        let picture = Picture::ink(&[0.0, 1.0], [1, 2]);
        assert_eq!(picture.pixels, [[255; 3], [0; 3]]);
        assert_eq!(picture.enlarged(2), [[255; 6], [0; 6], [255; 6], [0; 6]].concat());
    }
}
