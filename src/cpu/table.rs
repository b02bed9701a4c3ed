//! Where each tap of each window reads, in a table.

use super::taps::Taps;

/// The places of all windows of an image.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    /// Height times width of the image.
    pub area: usize,
    /// Number of windows.
    pub windows: usize,
    /// Taps of a window.
    pub taps: usize,
    /// How many taps of each window read something.
    pub inside: Vec<f32>,
    /// Whether the only window is all of the image.
    #[allow(dead_code, reason = "used if a CPU backend is compiled in")]
    pub is_whole: bool,
    /// `[window, tap]`
    places: Vec<u32>,
}

impl Table {
    /// Returns the table of some windows.
    pub fn new(taps: &Taps) -> Self {
        let ([height, width], [down, across]) = (taps.image, &taps.axes);
        let area = height * width;
        let (mut places, mut inside) = (Vec::with_capacity(taps.windows() * taps.count()), Vec::new());
        for row in 0..down.spans.len() {
            for column in 0..across.spans.len() {
                for y in 0..down.taps {
                    let start = down.place(row, y).map(|y| y * width);
                    let place = |x| Some(start? + across.place(column, x)?);
                    places.extend((0..across.taps).map(|x| place(x).unwrap_or(area) as u32));
                }
                inside.push((down.spans[row].len * across.spans[column].len) as f32);
            }
        }
        Self { area, windows: taps.windows(), taps: taps.count(), inside, is_whole: taps.is_whole(), places }
    }

    /// Returns where in an image each tap of a window reads: below the image's area, or there if it lies outside.
    #[inline(always)]
    pub fn places(&self, window: usize) -> &[u32] {
        &self.places[window * self.taps..][..self.taps]
    }
}
