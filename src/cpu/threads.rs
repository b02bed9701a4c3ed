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
#[path = "../../tests/unit/threads.rs"]
mod tests;
