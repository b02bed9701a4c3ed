//! The hardware's limit: how many multiply-adds per second all threads together can do, on registers alone.
//!
//!     cargo run --release -p burn-pooling-experiments --bin peak -- 2
//!
//! prints the multiply-adds per second in `f32`, the best of many short runs on that many threads.

use std::hint::black_box;
use std::time::{Duration, Instant};

use pulp::{Arch, Simd, WithSimd};

/// Sums that do not wait for each other: more than a multiply-add takes cycles, times two a cycle.
const SUMS: usize = 12;
const ROUNDS: usize = 100_000;
const DURATION: Duration = Duration::from_secs(1);

struct MultiplyAdds;

impl WithSimd for MultiplyAdds {
    /// Multiply-adds per second.
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f64 {
        let factor = simd.splat_f32s(black_box(1.0));
        let mut sums = [factor; SUMS];
        let start = Instant::now();
        for _ in 0..ROUNDS {
            for sum in &mut sums {
                *sum = simd.mul_add_e_f32s(factor, factor, *sum);
            }
            black_box(()); // keeps the rounds apart
        }
        let seconds = start.elapsed().as_secs_f64();
        for sum in sums {
            black_box(simd.reduce_sum_f32s(sum));
        }
        (ROUNDS * SUMS * S::F32_LANES) as f64 / seconds
    }
}

/// The best that one thread sees while the others work too.
fn best() -> f64 {
    let start = Instant::now();
    let mut best = 0.0;
    while start.elapsed() < DURATION {
        best = Arch::new().dispatch(MultiplyAdds).max(best);
    }
    best
}

fn main() {
    let threads = std::env::args().nth(1).map_or(Ok(1), |text| text.parse());
    let Ok(threads @ 1..) = threads else {
        eprintln!("usage: peak [THREADS]: a number of threads, 1 or more");
        std::process::exit(2);
    };
    let total: f64 = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(best)).collect();
        (workers.into_iter()).map(|worker| worker.join().unwrap_or(0.0)).sum()
    });
    println!("{total:.0}");
}
