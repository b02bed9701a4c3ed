//! Where the time of a step goes: what each operation takes, next to what it has to compute and to move.
//!
//! ```
//! # #[cfg(feature = "flex")] {
//! use burn::tensor::Tensor;
//! use burn_pooling::pooling::ConvPool2dConfig;
//! use burn_pooling::profile::record;
//!
//! let device = Default::default();
//! let block = ConvPool2dConfig::new(16, [3, 3]).max_pool(2).init::<burn_flex::Flex>(1, &device);
//! let images = Tensor::zeros([8, 1, 28, 28], &device); // [batch, channels, height, width]
//! let (_, operations) = record(|| block.forward(images));
//! assert_eq!(operations[0].work.multiply_adds, 8 * 26 * 26 * 16 * 9);
//! # }
//! ```

use std::cell::RefCell;

use web_time::Instant;

/// What an operation has to do, however it does it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Multiply-adds, by the definition: Winograd's algorithm needs fewer.
    pub multiply_adds: usize,
    /// Bytes of its inputs and outputs, each read or written once.
    pub bytes: usize,
}

/// What all calls of an operation took together.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    /// What it computes, such as `convolution 32x13x13, 32 filters 3x3, max 2x2, backward`.
    pub name: String,
    /// Number of calls.
    pub calls: usize,
    /// Seconds of all calls.
    pub seconds: f64,
    /// The work of all calls.
    pub work: Work,
}

thread_local! {
    static OPERATIONS: RefCell<Option<Vec<Operation>>> = const { RefCell::new(None) };
}

/// Runs some work, and returns what its operations took, in the order in which they ran first.
///
/// Recorded is what the calling thread asks for; other threads may help it. These operations are known: those of this
/// crate on the CPU backends (the fused block, linear layers, ReLU, pooling, Adam), and what [`timed`] is given.
pub fn record<R>(work: impl FnOnce() -> R) -> (R, Vec<Operation>) {
    let before = Before(OPERATIONS.replace(Some(Vec::new())));
    let result = work();
    let operations = OPERATIONS.take().unwrap_or_default();
    drop(before);
    (result, operations)
}

/// What the thread recorded before; recorded on when it is dropped, also by a panic.
struct Before(Option<Vec<Operation>>);

impl Drop for Before {
    fn drop(&mut self) {
        OPERATIONS.set(self.0.take());
    }
}

/// Runs an operation, and notes what it takes if the thread [records](record).
pub fn timed<R>(describe: impl FnOnce() -> (String, Work), operation: impl FnOnce() -> R) -> R {
    if OPERATIONS.with_borrow(Option::is_none) {
        return operation();
    }
    let start = Instant::now();
    let result = operation();
    let seconds = start.elapsed().as_secs_f64();
    let (name, work) = describe();
    OPERATIONS.with_borrow_mut(|operations| note(operations.get_or_insert_default(), name, seconds, work));
    result
}

fn note(operations: &mut Vec<Operation>, name: String, seconds: f64, work: Work) {
    let place = operations.iter().position(|operation| operation.name == name).unwrap_or(operations.len());
    if place == operations.len() {
        operations.push(Operation { name, calls: 0, seconds: 0.0, work: Work::default() });
    }
    let operation = &mut operations[place];
    operation.calls += 1;
    operation.seconds += seconds;
    operation.work.multiply_adds += work.multiply_adds;
    operation.work.bytes += work.bytes;
}
