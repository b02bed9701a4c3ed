//! The drawing: rows of maps before and after pooling, as SVG of which every pixel stays a sharp square.

use std::fmt::Write;

use burn::tensor::Tensor;
use burn_flex::Flex;

/// One map of values that are not negative.
#[derive(Clone)]
pub struct Map {
    /// Height and width.
    size: [usize; 2],
    /// Row by row.
    pub values: Vec<f32>,
}

/// One network.
pub struct Row {
    pub name: &'static str,
    /// What its pooling is, and what it leaves.
    pub pooling: &'static str,
    /// Maps before pooling, and the same after it.
    pub before: Vec<Map>,
    pub after: Vec<Map>,
}

/// The whole picture.
pub struct Drawing {
    pub image: Map,
    pub rows: Vec<Row>,
}

/// Width and height of a map, and the distance between two.
const SIDE: usize = 78;
const STEP: usize = SIDE + 8;
/// Left edges of image, maps before pooling, and maps after it.
const IMAGE: usize = 24;
const BEFORE: usize = 158;
const AFTER: usize = 546;
const WIDTH: usize = AFTER + 3 * STEP + SIDE + 18;
/// Height of the captions above all rows, and of a row.
const HEADER: usize = 66;
const ROW: usize = 122;
/// Red, green and blue from 0 to the largest value.
const INK: [[f32; 3]; 2] = [[255.0; 3], [0.0; 3]];
const BLUES: [[f32; 3]; 4] = [[255.0; 3], [127.0, 196.0, 236.0], [0.0, 114.0, 178.0], [0.0, 34.0, 72.0]];
/// Tones between white and the darkest.
const TONES: usize = 24;

impl Map {
    /// The only image and channel of a tensor: `[1, 1, height, width]`.
    pub fn of(map: Tensor<Flex, 4>) -> Self {
        let [.., height, width] = map.dims();
        Self { size: [height, width], values: map.into_data().iter::<f32>().collect() }
    }

    fn largest(&self) -> f32 {
        self.values.iter().copied().fold(0.0, f32::max)
    }
}

impl Drawing {
    /// The SVG.
    pub fn svg(&self) -> String {
        let height = HEADER + ROW * self.rows.len();
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
             height=\"{height}\" font-family=\"sans-serif\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
        );
        for (x, name, size) in [
            (IMAGE, "image", "28x28"),
            (BEFORE, "after convolution and ReLU", "26x26, 4 of 32 maps; 0 is white"),
            (AFTER, "after pooling", "the same maps in the same tones"),
        ] {
            text(&mut svg, [x, 26], "17\" font-weight=\"bold", name);
            text(&mut svg, [x, 46], "14\" fill=\"#444", size);
        }
        for (index, row) in self.rows.iter().enumerate() {
            self.row(&mut svg, row, HEADER + ROW * index);
        }
        svg + "</svg>\n"
    }

    /// All maps of a row have one scale of tones: white is 0, the darkest is the largest value before pooling.
    fn row(&self, svg: &mut String, row: &Row, top: usize) {
        let darkest = row.before.iter().map(Map::largest).fold(f32::MIN_POSITIVE, f32::max);
        let maps = top + 24;
        text(svg, [IMAGE, top + 14], "16\" font-weight=\"bold", row.name);
        text(svg, [AFTER, top + 14], "14", row.pooling);
        map(svg, &self.image, [IMAGE, maps], 1.0, &INK);
        arrow(svg, [IMAGE + SIDE + 14, maps + SIDE / 2], BEFORE - 12);
        arrow(svg, [BEFORE + 3 * STEP + SIDE + 14, maps + SIDE / 2], AFTER - 12);
        for (place, (before, after)) in row.before.iter().zip(&row.after).enumerate() {
            map(svg, before, [BEFORE + STEP * place, maps], darkest, &BLUES);
            map(svg, after, [AFTER + STEP * place, maps], darkest, &BLUES);
        }
    }
}

/// Draws a map with its upper left corner at `[x, y]`; of a single value the number as well.
fn map(svg: &mut String, map: &Map, [x, y]: [usize; 2], darkest: f32, colours: &[[f32; 3]]) {
    let ([height, width], side) = (map.size, SIDE as f64);
    let [across, down] = [width, height].map(|pixels| side / pixels as f64);
    let _ = writeln!(
        svg,
        "<g transform=\"translate({x} {y}) scale({across:.4} {down:.4})\" shape-rendering=\"crispEdges\">"
    );
    let tones: Vec<usize> = map.values.iter().map(|value| tone(value / darkest)).collect();
    for wanted in 1..=TONES {
        let path = squares(&tones, width, wanted);
        if !path.is_empty() {
            let colour = colour(colours, wanted as f32 / TONES as f32);
            let _ = writeln!(svg, "<path fill=\"{colour}\" d=\"{path}\"/>");
        }
    }
    let frame = "fill=\"none\" stroke=\"#999\"";
    let _ = writeln!(svg, "</g>\n<rect x=\"{x}\" y=\"{y}\" width=\"{SIDE}\" height=\"{SIDE}\" {frame}/>");
    if let [value] = map.values[..] {
        let style = match tones[0] > TONES / 2 {
            true => "18\" text-anchor=\"middle\" fill=\"#fff",
            false => "18\" text-anchor=\"middle",
        };
        text(svg, [x + SIDE / 2, y + SIDE / 2 + 6], style, &format!("{value:.2}"));
    }
}

/// A share of the darkest as a tone, 0 for white.
fn tone(share: f32) -> usize {
    (share.clamp(0.0, 1.0) * TONES as f32).round() as usize
}

/// A path around the pixels of one tone, run by run.
fn squares(tones: &[usize], width: usize, wanted: usize) -> String {
    let mut path = String::new();
    for (y, line) in tones.chunks_exact(width).enumerate() {
        let mut x = 0;
        for run in line.chunk_by(|one, next| one == next) {
            let length = run.len();
            if run[0] == wanted {
                let _ = write!(path, "M{x} {y}h{length}v1h-{length}z");
            }
            x += length;
        }
    }
    path
}

/// The colour at a share (0 to 1) of the way through `colours`.
fn colour(colours: &[[f32; 3]], share: f32) -> String {
    let place = share * (colours.len() - 1) as f32;
    let index = (place as usize).min(colours.len() - 2);
    let mixed = |part: usize| {
        let [from, to] = [colours[index][part], colours[index + 1][part]];
        (from + (to - from) * (place - index as f32)).round() as u8
    };
    format!("#{:02x}{:02x}{:02x}", mixed(0), mixed(1), mixed(2))
}

fn arrow(svg: &mut String, [x, y]: [usize; 2], end: usize) {
    let (shaft, [above, below]) = (end - 6, [y - 5, y + 5]);
    let _ = writeln!(
        svg,
        "<path d=\"M{x} {y}H{shaft}M{shaft} {above}L{end} {y}L{shaft} {below}\" fill=\"none\" stroke=\"#555\" \
         stroke-width=\"1.5\"/>"
    );
}

/// Writes a text; `style` is the size of the font, and any attributes after it without the last quotation mark.
fn text(svg: &mut String, [x, y]: [usize; 2], style: &str, text: &str) {
    let _ = writeln!(svg, "<text x=\"{x}\" y=\"{y}\" font-size=\"{style}\">{text}</text>");
}
