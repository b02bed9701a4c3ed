//! Keeping the worker threads awake blocks nobody and ends.

use super::*;
use rayon::prelude::*;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::channel;

fn pool(threads: usize) -> rayon::ThreadPool {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
    pool.build().unwrap()
}

fn sum_in_parallel(to: u64) -> u64 {
    (0..to).into_par_iter().sum()
}

/// What the work returns, if it ends: a test that hangs would say nothing.
fn in_time<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> R {
    let (sender, receiver) = channel();
    std::thread::spawn(move || sender.send(work()));
    let result = receiver.recv_timeout(Duration::from_secs(60));
    result.expect("it should have ended")
}

/// Threads that are at work themselves do not wait for each other's work, however it is nested.
#[test]
fn work_within_work_beside_work_comes_to_its_end() {
    let total: u64 = in_time(|| {
        pool(4).install(|| {
            let jobs = (0..300u64).into_par_iter().map(|job| {
                keep_workers_awake::<burn_flex::Flex, _>(|| {
                    let inner = || keep_workers_awake::<burn_flex::Flex, _>(|| sum_in_parallel(8));
                    let (left, right) = rayon::join(inner, || sum_in_parallel(8));
                    left + right + job
                })
            });
            jobs.sum()
        })
    });
    assert_eq!(total, 300 * 56 + 299 * 300 / 2);
}

/// Work ends although another thread of the pool is blocked until after its end.
#[test]
fn nobody_waits_for_a_thread_that_is_blocked() {
    in_time(|| {
        let (sender, receiver) = channel();
        pool(2).install(|| {
            rayon::scope(|scope| {
                scope.spawn(move |_| receiver.recv().unwrap());
                // Enough calls to be more than may be outstanding.
                for _ in 0..MOST_CALLS {
                    assert_eq!(keep_workers_awake::<burn_flex::Flex, _>(|| 1 + 1), 2);
                }
                sender.send(()).unwrap();
            });
        });
    });
}

/// A thread that finds nothing to do gives up although the work goes on.
#[test]
fn the_idle_timeout_ends_the_wait() {
    in_time(|| stay_awake_until(&AtomicBool::new(false)));
}

#[test]
fn a_panic_passes_through_and_the_pool_goes_on() {
    in_time(|| {
        let pool = pool(2);
        let panicking = || keep_workers_awake::<burn_flex::Flex, ()>(|| panic!("on purpose"));
        assert!(catch_unwind(AssertUnwindSafe(|| pool.install(panicking))).is_err());
        assert_eq!(pool.install(|| sum_in_parallel(8)), 28);
        assert!(!pool.broadcast(|_| AT_WORK.get()).contains(&true));
    });
}
