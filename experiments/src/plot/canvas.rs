//! What all plots have in common: sizes, the frame with its axes, text.

use plotters::coord::Shift;
use plotters::prelude::{
    BLACK, DrawingArea, IntoDrawingArea, IntoFont, PathElement, SVGBackend, Text, TextStyle, WHITE,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontTransform, RGBColor};

use super::ticks::{Axis, tick};

/// A plot that can be drawn.
pub trait Plot {
    /// Draws an SVG picture.
    ///
    /// # Errors
    /// If what is shown does not fit.
    fn svg(&self) -> anyhow::Result<String>;
}

/// Height of a title, in pixels.
pub(super) const TITLE: u32 = 18;
/// Height of all other text, in pixels.
pub(super) const TEXT: u32 = 14;
/// The text's font, as the SVG names it.
pub(super) const FONT: &str = "sans-serif";
/// What is drawn on.
pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
/// A place, in pixels from the left and from the top.
pub(super) type Point = (i32, i32);

/// Lines between values, and around pictures.
pub(super) const GRID: RGBColor = RGBColor(225, 225, 225);
const AXIS: RGBColor = RGBColor(110, 110, 110);

/// An SVG picture of `size`, white, with what `draw` draws.
pub(super) fn picture(size: (u32, u32), draw: impl FnOnce(&Area) -> anyhow::Result<()>) -> anyhow::Result<String> {
    let mut svg = String::new();
    let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
    area.fill(&WHITE)?;
    draw(&area)?;
    area.present()?;
    drop(area);
    Ok(svg)
}

/// Writes `text` with its middle, left or right end at `place`, in the middle of its height.
pub(super) fn write(
    area: &Area, text: &str, place: Point, height: u32, horizontal: HPos, colour: RGBColor,
) -> anyhow::Result<()> {
    let style = TextStyle::from((FONT, height).into_font()).color(&colour).pos(Pos::new(horizontal, VPos::Center));
    Ok(area.draw(&Text::new(text.to_owned(), place, style))?)
}

/// The black of [`write`].
pub(super) const INK: RGBColor = RGBColor(0, 0, 0);

/// Where a plot's values are: a rectangle of pixels with two axes.
pub(super) struct Frame {
    /// The quantity across.
    pub x: Axis,
    /// The quantity upwards, if there is one.
    pub y: Option<Axis>,
    /// Left and right end, in pixels.
    pub across: (i32, i32),
    /// Upper and lower end, in pixels.
    pub down: (i32, i32),
}

impl Frame {
    /// Where a value across is.
    pub fn column(&self, x: f64) -> i32 {
        between(self.across, self.x.place(x))
    }

    /// Where a value upwards is.
    pub fn row(&self, y: f64) -> i32 {
        between((self.down.1, self.down.0), self.y.as_ref().map_or(0.5, |axis| axis.place(y)))
    }

    /// Draws title, grid, ticks and what the axes show.
    pub fn draw(&self, area: &Area, title: &str, x_label: &str, y_label: &str) -> anyhow::Result<()> {
        let ((left, right), (top, bottom)) = (self.across, self.down);
        let line = |ends: [Point; 2], colour: RGBColor| area.draw(&PathElement::new(ends, colour));
        write(area, title, (left, 20), TITLE, HPos::Left, INK)?;
        for &value in &self.x.ticks {
            let column = self.column(value);
            line([(column, top), (column, bottom)], GRID)?;
            write(area, &tick(value), (column, bottom + 14), TEXT, HPos::Center, INK)?;
        }
        for &value in self.y.iter().flat_map(|axis| &axis.ticks) {
            let row = self.row(value);
            line([(left, row), (right, row)], GRID)?;
            write(area, &tick(value), (left - 8, row), TEXT, HPos::Right, INK)?;
        }
        line([(left, bottom), (right, bottom)], AXIS)?;
        line([(left, top), (left, bottom)], AXIS)?;
        write(area, x_label, ((left + right) / 2, bottom + 36), TEXT, HPos::Center, INK)?;
        let upright = TextStyle::from((FONT, TEXT).into_font().transform(FontTransform::Rotate270))
            .color(&BLACK)
            .pos(Pos::new(HPos::Center, VPos::Center));
        area.draw(&Text::new(y_label.to_owned(), (16, (top + bottom) / 2), upright))?;
        Ok(())
    }
}

fn between((start, end): (i32, i32), share: f64) -> i32 {
    start + (f64::from(end - start) * share).round() as i32
}
