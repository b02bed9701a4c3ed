//! What all plots have in common: sizes, colours, the frame of a chart, marks on its axes, the legend.

use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::{ChartBuilder, Color, DrawingArea, Rectangle, SVGBackend, Text};
use plotters::style::RGBColor;

/// A plot that can be drawn.
pub trait Plot {
    /// Draws into an SVG file.
    ///
    /// # Errors
    /// If the file cannot be written, or what is shown does not fit.
    fn draw(&self, path: &Path) -> anyhow::Result<()>;
}

/// Width and height of a plot, in pixels.
pub(super) const SIZE: (u32, u32) = (860, 460);
/// Width of the legend, at the right of the plot, where it hides nothing.
const LEGEND: u32 = 160;
/// Distance of the plot from the edges, in pixels.
const MARGIN: u32 = 12;
/// Width of the labels of the axis upwards, in pixels.
const Y_LABELS: u32 = 72;
/// Height of a title, in pixels.
pub(super) const TITLE: u32 = 20;
/// Height of all other text, in pixels.
pub(super) const TEXT: u32 = 15;
/// The text's font, as the SVG names it.
pub(super) const FONT: &str = "sans-serif";

/// The colour of series `index`: Okabe and Ito's, which the colour-blind can tell apart (2008), and grey last;
/// the same again after eight.
pub(super) fn colour(index: usize) -> RGBColor {
    const COLOURS: [(u8, u8, u8); 8] = [
        (0, 114, 178),
        (230, 159, 0),
        (0, 158, 115),
        (213, 94, 0),
        (204, 121, 167),
        (86, 180, 233),
        (0, 0, 0),
        (130, 130, 130),
    ];
    let (red, green, blue) = COLOURS[index % COLOURS.len()];
    RGBColor(red, green, blue)
}

/// The smallest and the largest of `values`, with a tenth of their distance around them.
pub(super) fn range(values: impl Iterator<Item = f64>) -> std::ops::Range<f64> {
    let (low, high) = (values.filter(|value| value.is_finite()))
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    let margin = match high - low {
        distance if distance > 0.0 => distance / 10.0,
        _ => 0.5,
    };
    match low.is_finite() {
        true => low - margin..high + margin,
        false => 0.0..1.0,
    }
}

/// A number on an axis: as many decimals as a range of this size needs.
pub(super) fn tick(value: f64, range: &std::ops::Range<f64>) -> String {
    let decimals = (2.0 - (range.end - range.start).log10()).clamp(0.0, 4.0).floor() as usize;
    format!("{value:.decimals$}")
}

/// A count on an axis: nothing between two whole numbers.
pub(super) fn whole_tick(value: f64) -> String {
    match (value - value.round()).abs() < 1e-6 {
        true => format!("{value:.0}"),
        false => String::new(),
    }
}

/// A chart that is yet to get its axes: title, and room for labels and legend.
pub(super) fn chart<'a, 'b, 'c>(
    area: &'a DrawingArea<SVGBackend<'c>, Shift>, title: &str,
) -> ChartBuilder<'a, 'b, SVGBackend<'c>> {
    let mut chart = ChartBuilder::on(area);
    chart
        .caption(title, (FONT, TITLE))
        .margin(MARGIN)
        .margin_right(LEGEND)
        .x_label_area_size(48)
        .y_label_area_size(Y_LABELS);
    chart
}

/// Draws a legend at the right of the plot: a coloured square and a name for each series.
pub(super) fn legend<'a>(
    area: &DrawingArea<SVGBackend, Shift>, names: impl Iterator<Item = &'a str>,
) -> anyhow::Result<()> {
    let left = (SIZE.0 - LEGEND + MARGIN) as i32;
    for (index, name) in names.enumerate() {
        let top = 44 + 24 * index as i32;
        let square = [(left, top), (left + 14, top + 14)];
        area.draw(&Rectangle::new(square, colour(index).filled()))?;
        area.draw(&Text::new(name.to_owned(), (left + 22, top), (FONT, TEXT)))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_no_decimals_and_nothing_between_them() {
        let marks = [1.0, 1.5, 2.0 + 1e-12].map(whole_tick);
        assert_eq!(marks, ["1", "", "2"]);
        assert_eq!(tick(0.5, &(0.0..1.0)), "0.50");
    }
}
