//! Memory that a thread keeps between calls, and pieces of it.

use std::cell::RefCell;

use bytemuck::{Pod, Zeroable};

use super::simd::Lanes;

/// A cache line: memory made of them starts on a line, so no vector straddles two.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
pub(super) struct Line([f32; PIECE]);

/// Values in a line: a piece of memory starts on a multiple of it.
pub(super) const PIECE: usize = 16;

impl Line {
    pub const ZERO: Line = Line([0.0; PIECE]);

    /// Lines that hold this many values.
    pub fn count(values: usize) -> usize {
        values.div_ceil(PIECE)
    }
}

/// `values` zeros that start on a cache line.
pub(super) fn aligned(values: usize) -> Vec<Line> {
    vec![Line::ZERO; Line::count(values)]
}

/// Runs `work` on memory of at least `values` values, which hold what was last written there.
pub(super) fn with_scratch<R>(values: usize, work: impl FnOnce(Pieces<'_>) -> R) -> R {
    thread_local! {
        static SCRATCH: RefCell<Vec<Line>> = const { RefCell::new(Vec::new()) };
    }
    SCRATCH.with_borrow_mut(|lines| {
        if lines.len() < Line::count(values) {
            lines.resize(Line::count(values), Line::ZERO);
        }
        work(Pieces(lines))
    })
}

/// What is left of a thread's memory.
pub(super) struct Pieces<'a>(&'a mut [Line]);

impl<'a> Pieces<'a> {
    /// The same memory once more, when this borrow of it has ended.
    pub fn again(&mut self) -> Pieces<'_> {
        Pieces(self.0)
    }

    /// The next `values` values.
    pub fn take(&mut self, values: usize) -> &'a mut [f32] {
        let (piece, rest) = std::mem::take(&mut self.0).split_at_mut(Line::count(values));
        self.0 = rest;
        &mut bytemuck::cast_slice_mut(piece)[..values]
    }

    /// The next `count` vectors.
    pub fn vectors<S: Lanes>(&mut self, count: usize) -> &'a mut [S::f32s] {
        bytemuck::cast_slice_mut(self.take(count * S::LANES))
    }
}
