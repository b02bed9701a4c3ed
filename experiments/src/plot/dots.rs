//! A dot with its interval for each of several names.

use plotters::prelude::{Circle, Color, PathElement};
use plotters::style::text_anchor::HPos;

use super::canvas::{Frame, INK, Plot, TEXT, picture, write};
use super::style::style;
use super::ticks::Axis;
use crate::statistics::Interval;

/// A row for each name, with a dot and an interval for each series.
#[derive(Clone, Debug)]
pub struct Dots {
    /// What is shown.
    pub title: String,
    /// The quantity, with its unit.
    pub x_label: String,
    /// Whether it is drawn by its logarithm.
    pub logarithmic: bool,
    /// What the dots of a row are, from above; the names of networks decide the colours. Of a single series no name is
    /// needed: then the rows' names decide.
    pub series: Vec<String>,
    /// The rows: a name, and a value for each series.
    pub rows: Vec<(String, Vec<Interval>)>,
}

const WIDTH: u32 = 860;
/// Height of a dot with the space around it.
const DOT: i32 = 16;
/// Height of the names beside the dots, in pixels.
const SMALL: u32 = 12;
/// Where the dots begin, from above.
const TOP: i32 = 40;

impl Plot for Dots {
    fn svg(&self) -> anyhow::Result<String> {
        let several = self.series.len() > 1;
        let row = DOT * self.series.len().max(1) as i32 + 8;
        let bottom = TOP + row * self.rows.len() as i32;
        picture((WIDTH, bottom as u32 + 56), |area| {
            let values = self.rows.iter().flat_map(|(_, values)| values);
            let frame = Frame {
                x: Axis::of(values.flat_map(|value| [value.mean, value.lower, value.upper]), self.logarithmic, 8),
                y: None,
                across: (190, WIDTH as i32 - if several { 150 } else { 70 }),
                down: (TOP, bottom),
            };
            frame.draw(area, &self.title, &self.x_label, "")?;
            for (index, (name, values)) in self.rows.iter().enumerate() {
                let top = TOP + row * index as i32;
                let own = if several { INK } else { style(name, index).colour };
                write(area, name, (frame.across.0 - 10, top + row / 2), TEXT, HPos::Right, own)?;
                for (place, (value, series)) in values.iter().zip(&self.series).enumerate() {
                    let colour = if several { style(series, place).colour } else { own };
                    let height = top + 4 + DOT * place as i32 + DOT / 2;
                    let [lower, mean, upper] = [value.lower, value.mean, value.upper].map(|value| frame.column(value));
                    area.draw(&PathElement::new([(lower, height), (upper, height)], colour.stroke_width(2)))?;
                    area.draw(&Circle::new((mean, height), 4, colour.filled()))?;
                    if several {
                        write(area, series, (upper.max(mean + 4) + 8, height), SMALL, HPos::Left, colour)?;
                    }
                }
            }
            Ok(())
        })
    }
}
