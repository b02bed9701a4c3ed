//! Plots as SVG within the page: they take its colours, in dark mode and in print.

use maud::{Markup, html};

/// Height and width of a plot, in units of the SVG.
const SIZE: [f64; 2] = [300.0, 640.0];
/// What the axes and their labels need: at the top, right, bottom and left.
const MARGIN: [f64; 4] = [14.0, 150.0, 44.0, 58.0];
/// The least distance between two labels, one above the other.
const LINE: f64 = 16.0;

/// A line of a plot.
pub struct Line {
    pub name: String,
    /// Which of the page's colours, from 0.
    pub colour: usize,
    pub is_dashed: bool,
    pub points: Vec<(f64, f64)>,
}

/// What a plot shows and how its axes are called.
pub struct Titles<'a> {
    pub title: &'a str,
    pub x: &'a str,
    pub y: &'a str,
}

/// An axis, from the value at its beginning to that at its end.
struct Axis {
    values: [f64; 2],
    pixels: [f64; 2],
}

impl Axis {
    fn of(values: impl Iterator<Item = f64>, pixels: [f64; 2]) -> Self {
        let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.filter(|value| value.is_finite()) {
            (least, most) = (least.min(value), most.max(value));
        }
        if !least.is_finite() {
            (least, most) = (0.0, 1.0);
        } else if least == most {
            (least, most) = (least - 0.5, most + 0.5);
        }
        Self { values: [least, most], pixels }
    }

    fn pixel(&self, value: f64) -> f64 {
        let share = (value - self.values[0]) / (self.values[1] - self.values[0]);
        self.pixels[0] + share * (self.pixels[1] - self.pixels[0])
    }

    /// Values that people read: steps of 1, 2 or 5 times a power of ten, at most about six.
    fn ticks(&self) -> Vec<String> {
        let range = self.values[1] - self.values[0];
        let power = 10f64.powf((range / 6.0).log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power).into_iter().find(|step| range / step <= 6.0);
        let step = step.unwrap_or(range);
        let digits = (-step.log10().floor()).max(0.0) as usize;
        let (first, last) = ((self.values[0] / step).ceil() as i64, (self.values[1] / step).floor() as i64);
        (first..=last).map(|count| format!("{:.digits$}", count as f64 * step)).collect()
    }
}

/// Lines over a quantity, each with its name at its end, and the numbers as a table.
pub fn lines(titles: &Titles, lines: &[Line]) -> Markup {
    let points = || lines.iter().flat_map(|line| line.points.iter().copied());
    let [height, width] = SIZE;
    let x = Axis::of(points().map(|(x, _)| x), [MARGIN[3], width - MARGIN[1]]);
    let y = Axis::of(points().map(|(_, y)| y), [height - MARGIN[2], MARGIN[0]]);
    let drawing = html! {
        @for (line, label) in lines.iter().zip(labels(lines, &y)) {
            polyline class={ "line c" (line.colour % 8) @if line.is_dashed { " dashed" } }
                points=(line.points.iter().map(|&(at, value)| format!("{:.1},{:.1} ", x.pixel(at), y.pixel(value))).collect::<String>()) {}
            @if let Some(&(at, value)) = line.points.last() {
                circle class={ "dot c" (line.colour % 8) } cx=(short(x.pixel(at))) cy=(short(y.pixel(value))) r="3" {}
                text class={ "label c" (line.colour % 8) } x=(short(x.pixel(at) + 10.0)) y=(short(label + 4.0)) { (line.name) }
            }
        }
    };
    html! {
        figure {
            figcaption { (titles.title) }
            (framed(titles, &x, &y, &drawing))
            (numbers(titles, lines))
        }
    }
}

/// Bars of the share of correct answers over the confidence, and the line on which they would stand if every probability
/// meant what it says.
pub fn reliability(titles: &Titles, bars: &[(f64, f64, Option<f64>)]) -> Markup {
    let [height, width] = SIZE;
    let x = Axis::of([0.0, 1.0].into_iter(), [MARGIN[3], width - MARGIN[1]]);
    let y = Axis::of([0.0, 1.0].into_iter(), [height - MARGIN[2], MARGIN[0]]);
    let drawing = html! {
        @for &(from, to, value) in bars {
            @if let Some(value) = value {
                rect class="bar c0" x=(short(x.pixel(from) + 1.0)) width=(short(x.pixel(to) - x.pixel(from) - 2.0))
                    y=(short(y.pixel(value))) height=(short(y.pixel(0.0) - y.pixel(value))) {}
            }
        }
        line class="ideal" x1=(short(x.pixel(0.0))) y1=(short(y.pixel(0.0))) x2=(short(x.pixel(1.0))) y2=(short(y.pixel(1.0))) {}
        text class="label" x=(short(x.pixel(1.0) + 8.0)) y=(short(y.pixel(1.0) + 4.0)) { "as it should be" }
    };
    framed(titles, &x, &y, &drawing)
}

fn framed(titles: &Titles, x: &Axis, y: &Axis, drawing: &Markup) -> Markup {
    let [height, width] = SIZE;
    let (left, right) = (x.pixels[0], x.pixels[1]);
    let (bottom, top) = (y.pixels[0], y.pixels[1]);
    html! {
        svg viewBox={ "0 0 " (width) " " (height) } role="img" aria-label={ (titles.title) ": " (titles.y) " over " (titles.x) } {
            @for tick in y.ticks() {
                @let row = short(y.pixel(tick.parse().unwrap_or_default()));
                line class="grid" x1=(left) x2=(right) y1=(row) y2=(row) {}
                text class="tick" x=(left - 6.0) y=(row) text-anchor="end" dominant-baseline="middle" { (tick) }
            }
            @for tick in x.ticks() {
                @let column = short(x.pixel(tick.parse().unwrap_or_default()));
                line class="axis" x1=(column) x2=(column) y1=(bottom) y2=(bottom + 5.0) {}
                text class="tick" x=(column) y=(bottom + 18.0) text-anchor="middle" { (tick) }
            }
            line class="axis" x1=(left) x2=(right) y1=(bottom) y2=(bottom) {}
            line class="axis" x1=(left) x2=(left) y1=(bottom) y2=(top) {}
            text class="title" x=((left + right) / 2.0) y=(height - 8.0) text-anchor="middle" { (titles.x) }
            text class="title" transform={ "translate(14 " ((bottom + top) / 2.0) ") rotate(-90)" } text-anchor="middle" { (titles.y) }
            (drawing)
        }
    }
}

fn numbers(titles: &Titles, lines: &[Line]) -> Markup {
    html! {
        details {
            summary { "Numbers" }
            div.scroll tabindex="0" role="region" aria-label={ (titles.title) ", numbers" } {
                table {
                    thead { tr { th scope="col" { (titles.x) } @for line in lines { th.number scope="col" { (line.name) } } } }
                    tbody {
                        @for row in 0..lines.iter().map(|line| line.points.len()).max().unwrap_or_default() {
                            tr {
                                th scope="row" { (lines.iter().find_map(|line| line.points.get(row)).map_or(0.0, |point| point.0)) }
                                @for line in lines {
                                    td.number { @if let Some((_, value)) = line.points.get(row) { (format!("{value:.4}")) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Where the names of the lines stand: at their ends, moved apart where they would lie on each other.
fn labels(lines: &[Line], y: &Axis) -> Vec<f64> {
    let ends = lines.iter().map(|line| line.points.last().map_or(0.0, |&(_, value)| y.pixel(value)));
    let mut labels: Vec<f64> = ends.collect();
    let mut order: Vec<usize> = (0..labels.len()).collect();
    order.sort_by(|&one, &other| labels[one].total_cmp(&labels[other]));
    for pair in 1..order.len() {
        labels[order[pair]] = labels[order[pair]].max(labels[order[pair - 1]] + LINE);
    }
    // What was pushed below the axis comes back up.
    let mut lowest = y.pixels[0];
    for &index in order.iter().rev() {
        labels[index] = labels[index].min(lowest);
        lowest = labels[index] - LINE;
    }
    labels
}

fn short(value: f64) -> String {
    format!("{value:.1}")
}
