//! Lines with the intervals around them, each named at its end.

use plotters::prelude::{Circle, Color, PathElement, Polygon};
use plotters::style::text_anchor::HPos;

use super::canvas::{Area, Frame, Plot, Point, TEXT, picture, write};
use super::style::{Style, style};
use super::ticks::Axis;
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
    /// Whether the quantities across and upwards are drawn by their logarithms.
    pub logarithmic: [bool; 2],
    /// Whether the points are marked: where few values were tried.
    pub marks: bool,
    /// The lines.
    pub series: Vec<LineSeries>,
}

/// One line.
#[derive(Clone, Debug)]
pub struct LineSeries {
    /// What it is called; a network's name decides its colour.
    pub name: String,
    /// The points, from left to right.
    pub points: Vec<(f64, Interval)>,
}

const SIZE: (u32, u32) = (860, 460);
/// Room for the names, at the right.
const NAMES: i32 = 170;

impl Plot for Lines {
    fn svg(&self) -> anyhow::Result<String> {
        picture(SIZE, |area| {
            let frame = self.frame();
            frame.draw(area, &self.title, &self.x_label, &self.y_label)?;
            let styles: Vec<_> =
                self.series.iter().enumerate().map(|(index, series)| style(&series.name, index)).collect();
            for (series, style) in self.series.iter().zip(&styles) {
                series.draw(area, &frame, *style, self.marks)?;
            }
            let ends: Vec<_> = self.series.iter().filter_map(|series| series.end(&frame)).collect();
            let rows = apart(ends.iter().map(|(_, row)| *row).collect(), frame.down);
            for (((series, style), end), row) in self.series.iter().zip(&styles).zip(ends).zip(rows) {
                let left = frame.across.1 + 26;
                area.draw(&PathElement::new([(end.0 + 3, end.1), (left - 4, row)], style.colour.mix(0.5)))?;
                write(area, &series.name, (left, row), TEXT, HPos::Left, style.colour)?;
            }
            Ok(())
        })
    }
}

impl Lines {
    fn frame(&self) -> Frame {
        let points = || self.series.iter().flat_map(|series| &series.points);
        let heights = points().flat_map(|(_, interval)| [interval.mean, interval.lower, interval.upper]);
        let [across, upwards] = self.logarithmic;
        Frame {
            x: Axis::of(points().map(|(x, _)| *x), across, 8),
            y: Some(Axis::of(heights, upwards, 7)),
            across: (78, SIZE.0 as i32 - NAMES),
            down: (40, SIZE.1 as i32 - 56),
        }
    }
}

impl LineSeries {
    fn draw(&self, area: &Area, frame: &Frame, style: Style, marks: bool) -> anyhow::Result<()> {
        let at = |x: f64, y: f64| (frame.column(x), frame.row(y));
        let finite = || self.points.iter().filter(|(_, interval)| interval.half_width().is_finite());
        let lower = finite().map(|(x, interval)| at(*x, interval.lower));
        let upper = finite().rev().map(|(x, interval)| at(*x, interval.upper));
        let band: Vec<Point> = lower.chain(upper).collect();
        // The band of a single point has no area.
        if let [lower, upper] = band[..] {
            area.draw(&PathElement::new([lower, upper], style.colour.mix(0.5).stroke_width(2)))?;
        }
        area.draw(&Polygon::new(band, style.colour.mix(0.15)))?;
        let line: Vec<Point> = self.points.iter().map(|(x, interval)| at(*x, interval.mean)).collect();
        for piece in pieces(&line, style.dashes) {
            area.draw(&PathElement::new(piece, style.colour.stroke_width(2)))?;
        }
        for &point in line.iter().filter(|_| marks) {
            area.draw(&Circle::new(point, 3, style.colour.filled()))?;
        }
        Ok(())
    }

    fn end(&self, frame: &Frame) -> Option<Point> {
        self.points.last().map(|(x, interval)| (frame.column(*x), frame.row(interval.mean)))
    }
}

/// A line in dashes: pieces of it, along its length.
fn pieces(line: &[Point], dashes: Option<(u32, u32)>) -> Vec<Vec<Point>> {
    let Some((dash, space)) = dashes else { return vec![line.to_vec()] };
    let (mut pieces, mut piece, mut done) = (Vec::new(), Vec::new(), 0.0);
    for ends in line.windows(2) {
        let [start, end] = [ends[0], ends[1]].map(|(x, y)| (f64::from(x), f64::from(y)));
        let length = (end.0 - start.0).hypot(end.1 - start.1);
        for step in 0..length.ceil() as usize {
            let share = step as f64 / length;
            let point = (start.0 + share * (end.0 - start.0), start.1 + share * (end.1 - start.1));
            if (done + step as f64) % f64::from(dash + space) < f64::from(dash) {
                piece.push((point.0.round() as i32, point.1.round() as i32));
            } else if !piece.is_empty() {
                pieces.push(std::mem::take(&mut piece));
            }
        }
        done += length;
    }
    pieces.push(piece);
    pieces
}

/// Rows near `rows`, in the same order, so far apart that text fits, and as far as possible within `bounds`.
fn apart(rows: Vec<i32>, bounds: (i32, i32)) -> Vec<i32> {
    let distance = TEXT as i32 + 3;
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by_key(|&index| rows[index]);
    let mut placed = rows;
    let mut least = bounds.0;
    for &index in &order {
        placed[index] = placed[index].max(least);
        least = placed[index] + distance;
    }
    let mut most = bounds.1;
    for &index in order.iter().rev() {
        placed[index] = placed[index].min(most);
        most = placed[index] - distance;
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_do_not_hide_each_other() {
        assert_eq!(apart(vec![100, 102, 50], (0, 400)), [100, 117, 50]);
        assert_eq!(apart(vec![398, 399], (0, 400)), [383, 400]);
    }

    #[test]
    fn dashes_follow_the_line_round_its_corners() {
        let dashes = pieces(&[(0, 0), (10, 0), (10, 10)], Some((4, 2)));
        assert_eq!(dashes.len(), 4);
        assert_eq!(dashes[1], [(6, 0), (7, 0), (8, 0), (9, 0)]);
        assert_eq!(pieces(&[(0, 0), (9, 9)], None), [[(0, 0), (9, 9)]]);
    }
}
