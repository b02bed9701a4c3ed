//! Keeping the worker threads of rayon's pool awake while a step runs many short parallel operations.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use burn::tensor::backend::Backend;

use super::bridge::is_cpu;

thread_local! {
    /// Whether this thread is in the midst of work that keeps the others awake.
    static AT_WORK: Cell<bool> = const { Cell::new(false) };
}

/// How long a thread stays awake without finding anything to do: longer than the pauses between the operations of a
/// step. It must not be for ever: what others wait for may lie below on its stack.
const IDLE_TIMEOUT: Duration = Duration::from_micros(500);

/// Calls to stay awake that have not been followed yet, and how many there may be: a thread that is blocked by something
/// else must not collect one a step for ever.
static CALLS: AtomicUsize = AtomicUsize::new(0);
const MOST_CALLS: usize = 1024;

/// The work is over when this is dropped: also if it panics.
struct SpinGuard {
    over: Arc<AtomicBool>,
    before: bool,
}

impl Drop for SpinGuard {
    fn drop(&mut self) {
        AT_WORK.set(self.before);
        self.over.store(true, Ordering::Release);
    }
}

/// Does work that is made of many short parallel operations, while the other threads of the pool stay awake for them.
///
/// Between two operations they would go to sleep, and to wake one takes as long as a small operation. Nothing waits for
/// them: one that is busy elsewhere comes late or never. Only work on a thread of the pool is helped; another would
/// compete with those that it keeps awake.
pub fn keep_workers_awake<B: Backend, R>(work: impl FnOnce() -> R) -> R {
    let threads = rayon::current_num_threads();
    let inside = rayon::current_thread_index().is_some();
    if !is_cpu::<B>() || threads == 1 || !inside || CALLS.load(Ordering::Relaxed) > MOST_CALLS {
        return work();
    }
    let over = Arc::new(AtomicBool::new(false));
    CALLS.fetch_add(threads, Ordering::Relaxed);
    let call = over.clone();
    rayon::spawn_broadcast(move |_| {
        CALLS.fetch_sub(1, Ordering::Relaxed);
        stay_awake_until(&call);
    });
    let before = AT_WORK.replace(true);
    let _guard = SpinGuard { over, before };
    work()
}

/// Takes on what others leave to do, until the work is over or there has been nothing for a while.
fn stay_awake_until(over: &AtomicBool) {
    let mut idle_since = Instant::now();
    // A thread that is at work itself gets here while it waits for others: it has to go on as soon as it can.
    while !AT_WORK.get() && !over.load(Ordering::Acquire) && idle_since.elapsed() < IDLE_TIMEOUT {
        match rayon::yield_now() {
            Some(rayon::Yield::Executed) => idle_since = Instant::now(),
            _ => std::thread::yield_now(),
        }
    }
}

#[cfg(all(test, feature = "flex"))]
mod tests {
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
}
