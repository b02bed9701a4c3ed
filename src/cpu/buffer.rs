//! Aligned arrays, whose memory a thread keeps for the next ones.

use std::{
    cell::RefCell,
    marker::PhantomData,
    ops::{Deref, DerefMut},
};

use bytemuck::{Pod, Zeroable};

use super::simd::fill;

/// Number of `f32` values in a cache line, which is at least a vector of every level.
pub(super) const LINE_LEN: usize = 16;

/// A cache line.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
struct Line([f32; LINE_LEN]);

thread_local! {
    static FREE: RefCell<Vec<Vec<Line>>> = const { RefCell::new(Vec::new()) };
}

/// Takes the memory for `count` lines, or more, from the thread.
#[inline]
fn take_lines(count: usize) -> Vec<Line> {
    if count == 0 {
        return Vec::new();
    }
    let free = FREE.try_with(|free| free.borrow_mut().pop());
    let mut lines = free.ok().flatten().unwrap_or_default();
    if lines.len() < count {
        lines.resize(count, Line::zeroed());
    }
    lines
}

/// Keeps the memory for the thread's next buffer.
#[inline]
fn keep_lines(lines: Vec<Line>) {
    if lines.is_empty() {
        return;
    }
    // A thread that ends has no list any more.
    let _ = FREE.try_with(|free| free.borrow_mut().push(lines));
}

/// An array that starts on a cache line, so that no vector in it straddles two.
pub(super) struct Buffer<T> {
    lines: Vec<Line>,
    len: usize,
    values: PhantomData<T>,
}

impl<T: Pod> Buffer<T> {
    /// Returns `len` arbitrary values: what the memory last held.
    #[inline(always)]
    pub fn new(len: usize) -> Self {
        let bytes = len * size_of::<T>();
        Self { lines: take_lines(bytes.div_ceil(size_of::<Line>())), len, values: PhantomData }
    }

    /// Returns `len` zeros.
    pub fn zeros(len: usize) -> Self {
        let mut buffer = Self::new(len);
        fill(&mut buffer, T::zeroed());
        buffer
    }
}

impl<T> Drop for Buffer<T> {
    #[inline(always)]
    fn drop(&mut self) {
        keep_lines(std::mem::take(&mut self.lines));
    }
}

impl<T: Pod> Deref for Buffer<T> {
    type Target = [T];

    #[inline(always)]
    fn deref(&self) -> &[T] {
        &bytemuck::cast_slice(&self.lines)[..self.len]
    }
}

impl<T: Pod> DerefMut for Buffer<T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [T] {
        &mut bytemuck::cast_slice_mut(&mut self.lines)[..self.len]
    }
}
