//! An operation on slices.

use std::borrow::Cow;
use std::fmt::Debug;

use burn::tensor::{Shape, ops::FloatTensor};

use super::backend::CpuBackend;
use crate::profile::{Work, timed};

/// An operation on `N` inputs, each a slice in row-major order, with one output.
pub trait Operation<const N: usize>: Clone + Debug + Send + 'static {
    /// What the backward pass needs beside the inputs and the output.
    type Saved: Clone + Debug + Send + 'static;

    /// Returns whether the backward pass needs the output.
    fn needs_output(&self) -> bool;

    /// Returns the shape of the output.
    fn output_shape(&self) -> Shape;

    /// Returns what it computes, in a few words.
    fn name(&self) -> String;

    /// Returns the multiply-adds of the forward pass, by the definition; the gradients of weights and of the input need
    /// as many each.
    fn multiply_adds(&self) -> usize;

    /// Returns the output.
    fn infer(&self, inputs: [&[f32]; N]) -> Vec<f32>;

    /// Returns the output, and what the backward pass needs.
    fn forward(&self, inputs: [&[f32]; N]) -> (Vec<f32>, Self::Saved);

    /// Returns the gradients of the inputs, of at least those that are `wanted`, from the gradient of the output.
    ///
    /// The output is empty unless it is needed.
    fn backward(
        &self, saved: &Self::Saved, inputs: [&[f32]; N], output: &[f32], gradient: &[f32], wanted: [bool; N],
    ) -> [Option<Vec<f32>>; N];
}

/// Runs a forward pass of an operation, which [`record`](crate::profile::record) may time.
pub(super) fn timed_forward<O: Operation<N>, R, const N: usize>(
    operation: &O, pass: &str, inputs: [&[f32]; N], run: impl FnOnce() -> R,
) -> R {
    let describe = || {
        let values = count(inputs) + operation.output_shape().num_elements();
        let work = Work { multiply_adds: operation.multiply_adds(), bytes: values * size_of::<f32>() };
        (format!("{}, {pass}", operation.name()), work)
    };
    timed(describe, run)
}

/// Runs a backward pass of an operation, which [`record`](crate::profile::record) may time.
pub(super) fn timed_backward<O: Operation<N>, R, const N: usize>(
    operation: &O, inputs: [&[f32]; N], gradient: &[f32], wanted: [bool; N], run: impl FnOnce() -> R,
) -> R {
    let describe = || {
        // Gradients of the input and of the weights take as long as the forward pass, that of a bias next to nothing.
        let passes = wanted.iter().take(2).filter(|wanted| **wanted).count();
        let mut written = inputs;
        for i in 0..N {
            written[i] = if wanted[i] { inputs[i] } else { &[] };
        }
        let values = count(inputs) + gradient.len() + count(written);
        let work = Work { multiply_adds: passes * operation.multiply_adds(), bytes: values * size_of::<f32>() };
        (format!("{}, backward", operation.name()), work)
    };
    timed(describe, run)
}

fn count<const N: usize>(all: [&[f32]; N]) -> usize {
    all.iter().map(|values| values.len()).sum()
}

/// Returns the values of all tensors; `None` unless the dtype of each is `f32`.
pub(super) fn values<'a, A: CpuBackend, const N: usize>(
    tensors: [&'a FloatTensor<A>; N],
) -> Option<[Cow<'a, [f32]>; N]> {
    let values: Vec<_> = tensors.into_iter().map(A::values).collect::<Option<_>>()?;
    values.try_into().ok()
}
