//! One run of a model on a trace, and what was recorded.

use std::collections::HashSet;

use burn::module::{Module, ModuleDisplay, ModuleVisitor, Param};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use burn_ir::TensorId;

use super::error::{Phase, SummaryError};
use super::flow::Flow;
use super::inputs_outputs::{Input, Output, describe};
use super::limits::{at_most, tensor_error};
use super::operation::{Operation, bytes};
use super::recording::{Recorder, TraceDevice};
use super::trace::TraceBackend;
use super::tree::{ModuleTensor, ModuleTree};
use crate::contain::{Panic, contain};

pub(super) struct Pass {
    pub tree: ModuleTree,
    pub inputs: Vec<TensorId>,
    pub outputs: Vec<TensorId>,
    /// The operations that make the inputs, then those of the forward pass.
    pub operations: Vec<Operation>,
    /// How many of them make the inputs.
    pub preparation: usize,
    /// The operations of the backward pass, if it was run.
    pub backward: Option<Vec<Operation>>,
}

impl Pass {
    pub fn run<B: TraceBackend, M: Module<B> + ModuleDisplay, I: Input<B>, O: Output<B>>(
        init: impl Fn(&TraceDevice) -> Result<M, SummaryError>, input: &I, forward: impl Fn(&M, I::Tensors) -> O,
        batch_size: usize, with_backward: bool,
    ) -> Result<Self, SummaryError> {
        let recorder = Recorder::start().ok_or(SummaryError::TooMany)?;
        let device = recorder.device();
        let build = || init(&device).map(|model| (ModuleTree::of::<B, M>(&model), model));
        let (tree, model) = contain(build).map_err(|panic| failure::<B, I>(&recorder, Phase::Init, panic, input))??;
        check(&recorder, Phase::Init)?;

        share_graph::<B, M>(&model);
        recorder.take();
        let tensors = input.tensors(batch_size, &device);
        let preparation = recorder.with(|recording| recording.operations.len());
        let output = contain(|| forward(&model, tensors))
            .map_err(|panic| failure::<B, I>(&recorder, Phase::Forward, panic, input))?;
        check(&recorder, Phase::Forward)?;
        let outputs = output.ids();
        let operations = recorder.take();
        let run = || with_backward.then(|| run_backward::<B, O>(&recorder, output))?;
        let backward = contain(run).ok().flatten();
        check(&recorder, Phase::Forward)?;
        // Dropping the model and the graph belongs to this recording, and must not print either.
        let _ = contain(|| drop(model));
        let inputs = made(&operations[..preparation]);
        Ok(Self { tree, inputs, outputs, operations, preparation, backward })
    }

    /// Returns the forward pass as a flow of tensors.
    pub fn flow(&self) -> Flow {
        let forward = self.operations[self.preparation..].iter().cloned();
        let mut flow = Flow::new(forward, &self.tree.tensors);
        flow.inputs.clone_from(&self.inputs);
        flow.outputs.clone_from(&self.outputs);
        flow
    }

    /// Refuses totals that do not fit into a [`Totals`](super::Totals). Every other sum of a summary is a part of one of
    /// these, and needs no check.
    pub fn check_totals(&self) -> Result<(), SummaryError> {
        let operations = || self.operations.iter().chain(self.backward.iter().flatten());
        let multiply_adds: u128 = operations().map(|operation| operation.multiply_adds).sum();
        let made = |operation: &Operation| operation.outputs.iter().map(|tensor| bytes(tensor) as u128).sum::<u128>();
        let held = |tensor: &ModuleTensor| bytes(&tensor.tensor) as u128;
        // Training holds the parameters' size four times: parameters, gradients, and two moments.
        let bytes: u128 = operations().map(made).sum::<u128>() + 4 * self.tree.tensors.iter().map(held).sum::<u128>();
        at_most(u64::MAX.into(), "multiply-adds in all", multiply_adds)?;
        at_most(usize::MAX as u128, "bytes of tensors in all", bytes)
    }
}

/// Puts all parameters into one graph of automatic differentiation, by an operation that takes all of them.
///
/// Burn begins a graph at every parameter, and joins two where they meet at the cost of either one: layer by layer, the
/// time would be quadratic in the number of layers.
fn share_graph<B: TraceBackend, M: Module<B>>(model: &M) {
    struct Sums<B: Backend>(Vec<Tensor<B, 1>>);
    impl<B: Backend> ModuleVisitor<B> for Sums<B> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
            self.0.push(param.val().sum());
        }
    }
    let mut sums = Sums(Vec::new());
    model.visit(&mut sums);
    if B::DIFFERENTIABLE && !sums.0.is_empty() {
        Tensor::cat(sums.0, 0);
    }
}

/// Runs the backward pass and returns what it records; `None` if nothing can be differentiated.
fn run_backward<B: TraceBackend, O: Output<B>>(recorder: &Recorder, output: O) -> Option<Vec<Operation>> {
    let loss = output.sum()?;
    recorder.take();
    let mut recorded = None;
    B::backward(loss, &mut || recorded = Some(recorder.take()));
    recorded
}

/// Returns what the operations made and did not use again.
fn made(operations: &[Operation]) -> Vec<TensorId> {
    let inputs = operations.iter().flat_map(|operation| &operation.inputs);
    let used: HashSet<TensorId> = inputs.map(|input| input.id).collect();
    let outputs = operations.iter().flat_map(|operation| &operation.outputs);
    outputs.map(|output| output.id).filter(|id| !used.contains(id)).collect()
}

/// Refuses a recording in which shapes did not match, or were too large to count.
fn check(recorder: &Recorder, phase: Phase) -> Result<(), SummaryError> {
    recorder.with(|recording| {
        if let Some(shape) = recording.too_large.take() {
            return Err(tensor_error(&shape));
        }
        match recording.mismatch.take() {
            Some(mismatch) => Err(SummaryError::ShapeMismatch { phase, mismatch }),
            None => Ok(()),
        }
    })
}

fn failure<B: TraceBackend, I: Input<B>>(recorder: &Recorder, phase: Phase, panic: Panic, input: &I) -> SummaryError {
    // What came first is the cause: a mismatch goes unnoticed until something else fails.
    let inputs = describe::<B, I>(input);
    if let Err(cause) = check(recorder, phase) {
        return cause;
    }
    recorder.with(|recording| {
        if let Some(shape) = recording.read_back.take() {
            return SummaryError::ReadBack { phase, shape };
        }
        let Panic { message, location } = panic;
        SummaryError::Panicked { phase, message, location, inputs }
    })
}
