//! The application of an operation on slices to tensors of any backend.

use std::any::TypeId;

use burn::tensor::{Tensor, TensorPrimitive, backend::Backend, ops::FloatTensor};
use burn_autodiff::Autodiff;
use burn_autodiff::checkpoint::strategy::{BalancedCheckpointing, NoCheckpointing};

use super::backend::{CpuBackend, same};
use super::operation::{Operation, timed_forward, values};
use super::recorded::record;

/// Returns the output of an operation; `None` if `B` is no CPU backend or an input's dtype is not `f32`.
pub fn apply<B: Backend, O: Operation<N>, const N: usize, const D: usize>(
    operation: &O, inputs: [FloatTensor<B>; N],
) -> Option<Tensor<B, D>> {
    let attempts: &[Attempt<B, O, N>] = &[
        #[cfg(feature = "flex")]
        apply_on::<B, burn_flex::Flex, O, N>,
        #[cfg(feature = "ndarray")]
        apply_on::<B, burn_ndarray::NdArray, O, N>,
    ];
    let mut inputs = Some(inputs);
    let output = attempts.iter().find_map(|attempt| attempt(operation, &mut inputs))?;
    Some(Tensor::from_primitive(TensorPrimitive::Float(output)))
}

/// Applies an operation if `B` is a certain backend, and only then takes the inputs: a clone of a tensor allocates.
type Attempt<B, O, const N: usize> = fn(&O, &mut Option<[FloatTensor<B>; N]>) -> Option<FloatTensor<B>>;

/// Returns the output if `B` is `A`, alone or under `Autodiff`.
fn apply_on<B: Backend, A: CpuBackend, O: Operation<N>, const N: usize>(
    operation: &O, inputs: &mut Option<[FloatTensor<B>; N]>,
) -> Option<FloatTensor<B>> {
    // Tensors are of one type for every strategy of checkpointing, so the backends are compared.
    let backend = TypeId::of::<B>();
    if backend == TypeId::of::<A>() {
        same(infer::<A, O, N>(operation, &same(inputs.take()?)?)?)
    } else if backend == TypeId::of::<Autodiff<A, NoCheckpointing>>() {
        same(record::<A, NoCheckpointing, O, N>(operation, &same(inputs.take()?)?)?)
    } else if backend == TypeId::of::<Autodiff<A, BalancedCheckpointing>>() {
        same(record::<A, BalancedCheckpointing, O, N>(operation, &same(inputs.take()?)?)?)
    } else {
        None
    }
}

/// Returns the output on a backend that computes no gradients.
fn infer<A: CpuBackend, O: Operation<N>, const N: usize>(
    operation: &O, inputs: &[FloatTensor<A>; N],
) -> Option<FloatTensor<A>> {
    let values = values::<A, N>(inputs.each_ref())?;
    let slices = values.each_ref().map(|values| &**values);
    let output = timed_forward(operation, "inference", slices, || operation.infer(slices));
    Some(A::tensor(output, operation.output_shape()))
}
