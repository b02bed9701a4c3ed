//! A batch in chunks of images, and work on them in the current thread pool.

use std::ops::Range;

use rayon::prelude::*;

/// Splits a batch into at most `count` ranges of images.
pub(super) fn chunks(batch: usize, count: usize) -> Vec<Range<usize>> {
    let size = batch.div_ceil(count).max(1);
    (0..batch).step_by(size).map(|start| start..(start + size).min(batch)).collect()
}

/// Splits the values of a whole batch, as many for each image, into those of each chunk.
pub(super) fn split_mut<'a, T>(mut values: &'a mut [T], chunks: &[Range<usize>]) -> impl Iterator<Item = &'a mut [T]> {
    let batch = chunks.last().map_or(1, |last| last.end);
    let each = values.len() / batch;
    chunks.iter().map(move |images| {
        let (first, rest) = std::mem::take(&mut values).split_at_mut(images.len() * each);
        values = rest;
        first
    })
}

/// Who works on the items of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Workers {
    /// The thread that asks.
    One,
    /// All threads of the current pool.
    All,
}

impl Workers {
    /// Runs the work for each item.
    pub fn each<T: Send>(self, items: Vec<T>, work: impl Fn(T) + Sync + Send) {
        if self == Workers::One || items.len() == 1 || rayon::current_num_threads() == 1 {
            items.into_iter().for_each(work);
        } else {
            // Each by itself: a thread that has to be woken first finds less to do than one that is awake.
            items.into_par_iter().with_max_len(1).for_each(work);
        }
    }
}

/// Returns the values of one image, of those of `count`.
#[inline(always)]
pub(super) fn image_of<T>(values: &[T], image: usize, count: usize) -> &[T] {
    let len = values.len() / count;
    &values[image * len..][..len]
}

/// Returns the values of one image, of those of `count`.
#[inline(always)]
pub(super) fn image_of_mut<T>(values: &mut [T], image: usize, count: usize) -> &mut [T] {
    let len = values.len() / count;
    &mut values[image * len..][..len]
}
