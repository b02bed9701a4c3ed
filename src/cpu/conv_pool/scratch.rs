//! Memory that a thread keeps between calls, and pieces of it.

use std::{cell::RefCell, mem::MaybeUninit};

use bytemuck::{Pod, Zeroable};

use super::simd::Lanes;

/// A cache line: memory made of them starts on a line, so no vector straddles two.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
pub(super) struct Line([f32; PIECE]);

/// Values in a line: a piece of memory starts on a multiple of it.
pub(super) const PIECE: usize = 16;

impl Line {
    const ZERO: Line = Line([0.0; PIECE]);
}

/// `values` zeros that start on a cache line.
pub(super) fn aligned(values: usize) -> Vec<Line> {
    vec![Line::ZERO; values.div_ceil(PIECE)]
}

/// Runs `work` on memory for pieces of these sizes. They hold what was last written there.
pub(super) fn with_scratch<R>(sizes: &[usize], work: impl FnOnce(Pieces<'_>) -> R) -> R {
    thread_local! {
        /// One for each call that is under way.
        static FREE: RefCell<Vec<Vec<Line>>> = const { RefCell::new(Vec::new()) };
    }
    let lines = sizes.iter().map(|size| size.div_ceil(PIECE)).sum();
    let mut memory = FREE.with_borrow_mut(|free| free.pop().unwrap_or_default());
    if memory.len() < lines {
        memory.resize(lines, Line::ZERO);
    }
    let result = work(Pieces(&mut memory));
    FREE.with_borrow_mut(|free| free.push(memory));
    result
}

/// What is left of a thread's memory.
pub(super) struct Pieces<'a>(&'a mut [Line]);

impl<'a> Pieces<'a> {
    /// The same memory once more, when this borrow of it has ended.
    #[inline(always)]
    pub fn again(&mut self) -> Pieces<'_> {
        Pieces(self.0)
    }

    /// The next `values` values.
    #[inline(always)]
    pub fn take(&mut self, values: usize) -> &'a mut [f32] {
        let (piece, rest) = std::mem::take(&mut self.0).split_at_mut(values.div_ceil(PIECE));
        self.0 = rest;
        &mut bytemuck::cast_slice_mut(piece)[..values]
    }

    /// The next `count` vectors.
    #[inline(always)]
    pub fn vectors<S: Lanes>(&mut self, count: usize) -> &'a mut [S::f32s] {
        bytemuck::cast_slice_mut(self.take(count * S::LANES))
    }
}

/// A place for a value, which may never have been written.
pub(super) trait Place: Copy {
    /// A place that holds the value.
    fn of(value: f32) -> Self;
}

impl Place for f32 {
    #[inline(always)]
    fn of(value: f32) -> f32 {
        value
    }
}

impl Place for MaybeUninit<f32> {
    #[inline(always)]
    fn of(value: f32) -> MaybeUninit<f32> {
        MaybeUninit::new(value)
    }
}
