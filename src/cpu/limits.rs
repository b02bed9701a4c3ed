//! What the machine can do at most.

use std::hint::black_box;
use std::time::{Duration, Instant};

use super::{
    buffer::{Buffer, LINE_LEN},
    simd::{Kernel, Lanes, Level},
};

/// Sums that do not wait for each other: more than a multiply-add takes cycles, times two a cycle.
const SUMS: usize = 12;
/// Rounds of a run on registers alone.
const ROUNDS: usize = 100_000;
/// Values that all threads together stream over: more than caches hold.
const VALUES: usize = 1 << 26;
/// How long each limit is looked for.
const DURATION: Duration = Duration::from_secs(1);

/// Returns the multiply-adds in a second that so many threads do together, and the bytes that they read and write.
pub fn measure(threads: usize) -> Option<[f64; 2]> {
    let (level, threads) = (Level::current(), threads.max(1));
    let multiply_adds = together(threads, || best(|| level.run(MultiplyAdds)));
    let bytes = together(threads, || {
        let len = (VALUES / 2 / threads).next_multiple_of(LINE_LEN);
        let (mut to, from) = (Buffer::zeros(len), Buffer::zeros(len));
        best(|| level.run(Stream { from: &from, to: &mut to }))
    });
    Some([multiply_adds, bytes])
}

/// Returns the sum of what so many threads see, each while the others work too.
fn together(threads: usize, work: impl Fn() -> f64 + Sync) -> f64 {
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(&work)).collect();
        workers.into_iter().map(|worker| worker.join().unwrap_or(0.0)).sum()
    })
}

fn best(mut run: impl FnMut() -> f64) -> f64 {
    let start = Instant::now();
    let mut best = 0.0;
    while start.elapsed() < DURATION {
        best = run().max(best);
    }
    best
}

struct MultiplyAdds;

impl Kernel for MultiplyAdds {
    /// Multiply-adds per second.
    type Output = f64;

    #[inline(always)]
    fn run<S: Lanes>(self, simd: S) -> f64 {
        let factor = simd.splat_f32s(black_box(1.0));
        let mut sums = [factor; SUMS];
        let start = Instant::now();
        for _ in 0..ROUNDS {
            for sum in &mut sums {
                *sum = simd.multiply_add(factor, factor, *sum);
            }
            black_box(()); // keeps the rounds apart
        }
        let seconds = start.elapsed().as_secs_f64();
        for sum in sums {
            black_box(simd.reduce_sum_f32s(sum));
        }
        (ROUNDS * SUMS * S::LANES) as f64 / seconds
    }
}

/// Adds one array to another.
struct Stream<'a> {
    from: &'a [f32],
    to: &'a mut [f32],
}

impl Kernel for Stream<'_> {
    /// Bytes per second.
    type Output = f64;

    #[inline(always)]
    fn run<S: Lanes>(self, simd: S) -> f64 {
        let start = Instant::now();
        let from: &[S::f32s] = bytemuck::cast_slice(self.from);
        let to: &mut [S::f32s] = &mut bytemuck::cast_slice_mut(self.to)[..from.len()];
        for i in 0..from.len() {
            to[i] = simd.add_f32s(to[i], from[i]);
        }
        black_box(&*to);
        3.0 * size_of_val(self.from) as f64 / start.elapsed().as_secs_f64()
    }
}
