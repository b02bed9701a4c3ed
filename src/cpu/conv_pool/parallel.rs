//! Cutting a batch into pieces, and working on them in the current thread pool.

use std::ops::Range;

use rayon::prelude::*;

/// Cuts a batch into at most `count` ranges of images.
pub(super) fn pieces(
    batch: usize,
    count: usize,
) -> impl ExactSizeIterator<Item = Range<usize>> + use<> {
    let size = batch.div_ceil(count).max(1);
    (0..batch.div_ceil(size)).map(move |i| i * size..((i + 1) * size).min(batch))
}

/// Takes the first `len` values off a slice.
#[inline(always)]
pub(super) fn cut<'a, T>(rest: &mut &'a mut [T], len: usize) -> &'a mut [T] {
    let (first, others) = std::mem::take(rest).split_at_mut(len);
    *rest = others;
    first
}

/// Does the work for each piece, on the threads of the current pool.
pub(super) fn for_each<T: Send>(pieces: Vec<T>, work: impl Fn(T) + Sync + Send) {
    if pieces.len() == 1 || rayon::current_num_threads() == 1 {
        pieces.into_iter().for_each(work);
    } else {
        // Each by itself: a thread that has to be woken first finds less to do than one that is awake.
        pieces.into_par_iter().with_max_len(1).for_each(work);
    }
}

/// The part of one image, of what belongs to all.
#[inline(always)]
pub(super) fn part<T>(all: &[T], image: usize, images: usize) -> &[T] {
    let len = all.len() / images;
    &all[image * len..][..len]
}

/// The part of one image, of what belongs to all.
#[inline(always)]
pub(super) fn part_mut<T>(all: &mut [T], image: usize, images: usize) -> &mut [T] {
    let len = all.len() / images;
    &mut all[image * len..][..len]
}
