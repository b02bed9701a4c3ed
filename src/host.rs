//! The CPU backends: their tensors as vectors of numbers, without a copy, and their threads.

use std::any::TypeId;
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};

use burn::tensor::{Tensor, TensorData, backend::Backend};

/// Whether the backend's tensors lie in the memory of the host.
pub(crate) fn holds<B: Backend>() -> bool {
    let backend = TypeId::of::<B>();
    let known: &[TypeId] = &[
        #[cfg(feature = "flex")]
        TypeId::of::<burn_flex::Flex>(),
        #[cfg(feature = "ndarray")]
        TypeId::of::<burn_ndarray::NdArray>(),
    ];
    known.contains(&backend)
}

/// A tensor that owns its values; [`Tensor::from_data`] may only borrow them, and then copies with each clone.
pub(crate) fn tensor<B: Backend, const D: usize>(
    values: Vec<f32>,
    shape: [usize; D],
    device: &B::Device,
) -> Tensor<B, D> {
    #[cfg(feature = "ndarray")]
    if TypeId::of::<B>() == TypeId::of::<burn_ndarray::NdArray>() {
        use crate::pooling::fused::CpuBackend;
        use burn::tensor::TensorPrimitive;

        let tensor = TensorPrimitive::Float(burn_ndarray::NdArray::tensor(values, shape));
        let tensor = Tensor::<burn_ndarray::NdArray, D>::from_primitive(tensor);
        return same(tensor).expect("the backend was just compared");
    }
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// The value itself, if `To` is its type.
#[cfg(any(feature = "flex", feature = "ndarray"))]
pub(crate) fn same<From: 'static, To: 'static>(value: From) -> Option<To> {
    let mut value = Some(value);
    let value: &mut dyn std::any::Any = &mut value;
    value.downcast_mut::<Option<To>>()?.take()
}

thread_local! {
    /// Whether this thread is in the midst of work that keeps the others awake.
    static AT_WORK: Cell<bool> = const { Cell::new(false) };
}

/// The work is over when this is dropped: also if it panics.
struct Shift<'a> {
    over: &'a AtomicBool,
    before: bool,
}

impl Drop for Shift<'_> {
    fn drop(&mut self) {
        AT_WORK.set(self.before);
        self.over.store(true, Ordering::Release);
    }
}

/// Does work that is made of many short parallel operations, while the other threads of the pool stay awake for them.
///
/// Between two operations they would go to sleep, and to wake one takes as long as a small operation.
pub(crate) fn awake<B: Backend, R>(work: impl FnOnce() -> R) -> R {
    if !holds::<B>() || rayon::current_num_threads() == 1 {
        return work();
    }
    let over = AtomicBool::new(false);
    rayon::in_place_scope(|scope| {
        let over = &over;
        scope.spawn_broadcast(move |_, _| {
            // A thread that is at work itself gets here while it waits for others, who may wait for it.
            while !AT_WORK.get() && !over.load(Ordering::Acquire) {
                if rayon::yield_now() != Some(rayon::Yield::Executed) {
                    std::thread::yield_now();
                }
            }
        });
        let before = AT_WORK.replace(true);
        let _shift = Shift { over, before };
        work()
    })
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use rayon::prelude::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    fn sum_in_parallel(to: u64) -> u64 {
        (0..to).into_par_iter().sum()
    }

    /// Threads that are at work themselves do not wait for each other's work, however it is nested.
    #[test]
    fn work_within_work_beside_work_comes_to_its_end() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(4).build();
        let total: u64 = pool.unwrap().install(|| {
            (0..300u64)
                .into_par_iter()
                .map(|job| {
                    awake::<burn_flex::Flex, _>(|| {
                        let inner = || awake::<burn_flex::Flex, _>(|| sum_in_parallel(8));
                        let (left, right) = rayon::join(inner, || sum_in_parallel(8));
                        left + right + job
                    })
                })
                .sum()
        });
        assert_eq!(total, 300 * 56 + 299 * 300 / 2);
    }

    /// A panic passes through, and the other threads end their wait.
    #[test]
    fn a_panic_ends_the_work() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build();
        let pool = pool.unwrap();
        let panicking = || awake::<burn_flex::Flex, ()>(|| panic!("on purpose"));
        let caught = catch_unwind(AssertUnwindSafe(|| pool.install(panicking)));
        assert!(caught.is_err());
    }
}
