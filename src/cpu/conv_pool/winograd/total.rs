//! The gradient of the filters, from the sums of all chunks.

use std::mem::MaybeUninit;

use crate::cpu::{
    buffer::Buffer,
    conv_pool::problem::Problem,
    parallel::Workers,
    simd::{Kernel, Lanes, Level},
    transpose::transpose,
};

/// Returns the total of all chunks' sums as weights `[filters, channels, 3, 3]`.
pub(super) fn total(problem: &Problem, level: Level, sums: &[f32], sums_len: usize) -> Vec<f32> {
    let len = problem.filters * problem.filter_len();
    let mut weight = Vec::with_capacity(len);
    let pair_len = 2 * level.lanes() * problem.filter_len();
    let pairs = weight.spare_capacity_mut()[..len].chunks_mut(pair_len).enumerate();
    let pairs = pairs.map(|(pair, weight)| {
        let sums = &sums[pair * pair_len..];
        Total { taps: problem.filter_len(), sums, sums_len, weight }
    });
    Workers::All.each(pairs.collect(), |pair| level.run(pair));
    // SAFETY: the pairs cover the weights, and each has written all of its own.
    unsafe { weight.set_len(len) };
    weight
}

/// One or two vectors of filters.
struct Total<'a> {
    taps: usize,
    /// Of the first chunk, then as many values for each.
    sums: &'a [f32],
    sums_len: usize,
    weight: &'a mut [MaybeUninit<f32>],
}

impl Kernel for Total<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Lanes>(self, simd: S) {
        let filters = self.weight.len() / self.taps;
        let stride = filters.next_multiple_of(S::LANES);
        let len = self.taps * stride;
        let mut total = Buffer::new(len);
        for (chunk, sums) in self.sums.chunks(self.sums_len).enumerate() {
            let (total, sums): (&mut [S::f32s], &[S::f32s]) =
                (bytemuck::cast_slice_mut(&mut total), bytemuck::cast_slice(&sums[..len]));
            for i in 0..total.len() {
                total[i] = if chunk == 0 { sums[i] } else { simd.add_f32s(total[i], sums[i]) };
            }
        }
        transpose(simd, [self.taps, filters], &total, stride, self.weight, self.taps);
    }
}
