//! What the machine can do at most.

use std::hint::black_box;
use std::sync::Barrier;
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
    let multiply_adds = together(threads, || (), |()| level.run(MultiplyAdds));
    let len = (VALUES / 2 / threads).next_multiple_of(LINE_LEN);
    let arrays = || [0, 1].map(|_| Buffer::zeros(len));
    let bytes = together(threads, arrays, |[to, from]| level.run(Stream { from, to }));
    Some([multiply_adds, bytes])
}

/// Returns the sum of what so many threads see, each while all of them work.
fn together<T>(threads: usize, prepare: impl Fn() -> T + Sync, run: impl Fn(&mut T) -> f64 + Sync) -> f64 {
    let barrier = Barrier::new(threads);
    let work = || {
        let mut data = prepare();
        barrier.wait();
        best(|| run(&mut data))
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().map(|worker| worker.join().unwrap_or(0.0)).sum()
    })
}

/// Returns the best of the runs that end in time, so that none of them ran alone; of a single one if none does.
fn best(mut run: impl FnMut() -> f64) -> f64 {
    let start = Instant::now();
    let mut best = run();
    loop {
        let found = run();
        if start.elapsed() > DURATION {
            return best;
        }
        best = found.max(best);
    }
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
