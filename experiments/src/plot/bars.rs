//! Bars with intervals, in groups.

use std::path::Path;

use plotters::prelude::{BLACK, Color, IntoDrawingArea, PathElement, Rectangle, SVGBackend, WHITE};

use super::canvas::{FONT, Plot, SIZE, TEXT, chart, colour, legend, range, tick};
use crate::statistics::Interval;

/// A group of bars for each of several categories, a bar in each group for each series.
#[derive(Clone, Debug)]
pub struct Bars {
    /// What is shown.
    pub title: String,
    /// What the categories are.
    pub x_label: String,
    /// The quantity upwards, with its unit.
    pub y_label: String,
    /// Whether the axis begins at zero; else shortly below the lowest bar, which the plot then says.
    pub from_zero: bool,
    /// The groups, from left to right.
    pub categories: Vec<String>,
    /// The bars of each group.
    pub series: Vec<BarSeries>,
}

/// A bar in each group.
#[derive(Clone, Debug)]
pub struct BarSeries {
    /// What the legend calls it; of a single series there is no legend.
    pub name: String,
    /// The heights, one for each category.
    pub heights: Vec<Interval>,
}

impl Plot for Bars {
    fn draw(&self, path: &Path) -> anyhow::Result<()> {
        let area = SVGBackend::new(path, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        let upwards = self.upwards();
        let mut chart =
            chart(&area, &self.title).build_cartesian_2d(-0.5..self.categories.len() as f64 - 0.5, upwards.clone())?;
        let y_label = match self.from_zero {
            true => self.y_label.clone(),
            false => format!("{} (axis not from zero)", self.y_label),
        };
        chart
            .configure_mesh()
            .disable_x_mesh()
            .x_desc(&self.x_label)
            .y_desc(y_label)
            .light_line_style(WHITE)
            .label_style((FONT, TEXT))
            .axis_desc_style((FONT, TEXT))
            .x_labels(2 * self.categories.len() + 1)
            .x_label_formatter(&|x| self.category(*x))
            .y_label_formatter(&|y| tick(*y, &upwards))
            .draw()?;
        let width = 0.8 / self.series.len().max(1) as f64;
        for (index, series) in self.series.iter().enumerate() {
            let (colour, left) = (colour(index), -0.4 + width * index as f64);
            let places = || (series.heights.iter().enumerate()).map(|(place, height)| (place as f64 + left, height));
            let bars = places().map(|(left, height)| {
                let corners = [(left + 0.06 * width, upwards.start.max(0.0)), (left + 0.94 * width, height.mean)];
                Rectangle::new(corners, colour.mix(0.75).filled())
            });
            chart.draw_series(bars)?;
            let intervals = places().filter(|(_, height)| height.half_width().is_finite());
            chart.draw_series(intervals.map(|(left, height)| {
                let middle = left + width / 2.0;
                PathElement::new([(middle, height.lower), (middle, height.upper)], BLACK.stroke_width(2))
            }))?;
        }
        if self.series.len() > 1 {
            legend(&area, self.series.iter().map(|series| series.name.as_str()))?;
        }
        area.present()?;
        Ok(())
    }
}

impl Bars {
    fn upwards(&self) -> std::ops::Range<f64> {
        let heights = self.series.iter().flat_map(|series| &series.heights);
        let range = range(heights.flat_map(|height| [height.mean, height.lower, height.upper]));
        match self.from_zero {
            true => range.start.min(0.0)..range.end,
            false => range,
        }
    }

    /// The name under a group; nothing between two.
    fn category(&self, x: f64) -> String {
        let near = (x - x.round()).abs() < 1e-6 && x > -0.5;
        let name = near.then(|| self.categories.get(x.round() as usize)).flatten();
        name.cloned().unwrap_or_default()
    }
}
