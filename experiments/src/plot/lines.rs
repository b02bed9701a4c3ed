//! Lines with the intervals around them as bands or as bars.

use std::path::Path;

use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::{Circle, Color, IntoDrawingArea, IntoLogRange, PathElement, Polygon, SVGBackend, WHITE};
use plotters::series;

use super::canvas::{FONT, Plot, SIZE, TEXT, chart, colour, legend, range, tick, whole_tick};
use crate::statistics::Interval;

/// A line for each of several series over one quantity.
#[derive(Clone, Debug)]
pub struct Lines {
    /// What is shown.
    pub title: String,
    /// The quantity across, with its unit.
    pub x_label: String,
    /// The quantity upwards, with its unit.
    pub y_label: String,
    /// Whether the quantity across is drawn by its logarithm.
    pub logarithmic: bool,
    /// Whether the intervals are a band, as for curves; else a bar at each point.
    pub bands: bool,
    /// The lines.
    pub series: Vec<LineSeries>,
}

/// One line.
#[derive(Clone, Debug)]
pub struct LineSeries {
    /// What the legend calls it.
    pub name: String,
    /// The points, from left to right.
    pub points: Vec<(f64, Interval)>,
}

impl Plot for Lines {
    fn draw(&self, path: &Path) -> anyhow::Result<()> {
        let across = range(self.points().map(|(x, _)| x));
        let whole = self.points().all(|(x, _)| x.fract() == 0.0);
        match self.logarithmic {
            false => self.draw_over(path, across.clone(), |x| match whole {
                true => whole_tick(*x),
                false => tick(*x, &across),
            }),
            true => {
                let (low, high) =
                    self.points().fold((f64::INFINITY, 1.0f64), |(low, high), (x, _)| (low.min(x), high.max(x)));
                self.draw_over(path, (low / 1.2..high * 1.2).log_scale(), |x| format!("{x:.0}"))
            }
        }
    }
}

impl Lines {
    fn points(&self) -> impl Iterator<Item = (f64, Interval)> {
        self.series.iter().flat_map(|series| series.points.iter().copied())
    }

    fn draw_over<X>(&self, path: &Path, across: X, x_tick: impl Fn(&f64) -> String) -> anyhow::Result<()>
    where
        X: AsRangedCoord<Value = f64>,
        X::CoordDescType: ValueFormatter<f64>,
    {
        let area = SVGBackend::new(path, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        let upwards = range(self.points().flat_map(|(_, interval)| [interval.mean, interval.lower, interval.upper]));
        let mut chart = chart(&area, &self.title).build_cartesian_2d(across, upwards.clone())?;
        chart
            .configure_mesh()
            .x_desc(&self.x_label)
            .y_desc(&self.y_label)
            .light_line_style(WHITE)
            .label_style((FONT, TEXT))
            .axis_desc_style((FONT, TEXT))
            .x_label_formatter(&x_tick)
            .y_label_formatter(&|y| tick(*y, &upwards))
            .draw()?;
        for (index, series) in self.series.iter().enumerate() {
            let colour = colour(index);
            let line = series.points.iter().map(|(x, interval)| (*x, interval.mean));
            if self.bands {
                chart.draw_series([Polygon::new(series.band(), colour.mix(0.18))])?;
            } else {
                let bars = series.finite().map(|(x, interval)| {
                    PathElement::new([(x, interval.lower), (x, interval.upper)], colour.stroke_width(2))
                });
                chart.draw_series(bars)?;
                chart.draw_series(line.clone().map(|point| Circle::new(point, 3, colour.filled())))?;
            }
            chart.draw_series(series::LineSeries::new(line, colour.stroke_width(2)))?;
        }
        legend(&area, self.series.iter().map(|series| series.name.as_str()))?;
        area.present()?;
        Ok(())
    }
}

impl LineSeries {
    fn finite(&self) -> impl DoubleEndedIterator<Item = (f64, Interval)> + '_ {
        (self.points.iter().copied()).filter(|(_, interval)| interval.half_width().is_finite())
    }

    /// The lower ends from left to right, then the upper ends back.
    fn band(&self) -> Vec<(f64, f64)> {
        let lower = self.finite().map(|(x, interval)| (x, interval.lower));
        let upper = self.finite().rev().map(|(x, interval)| (x, interval.upper));
        lower.chain(upper).collect()
    }
}
