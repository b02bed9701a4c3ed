//! One run of a model on a trace, and what was recorded.

use std::collections::HashSet;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use burn_ir::{OperationIr, TensorId};

use super::{
    error::Phase, error::SummaryError, error::at_most, error::tensor_error, flow::Flow, inputs_outputs::Input,
    inputs_outputs::Output, inputs_outputs::Sizes, inputs_outputs::describe, operation::Operation, operation::bytes,
    operation::multiplies, recording::Recorder, recording::TraceDevice, trace::TraceBackend, tree::ModuleTensor,
    tree::ModuleTree,
};
use crate::contain::{Panic, contain};
use crate::layer_scope::LayerRun;

pub(super) struct Pass {
    pub tree: ModuleTree,
    pub inputs: Vec<TensorId>,
    pub outputs: Vec<TensorId>,
    /// The operations that make the inputs, then those of the forward pass.
    pub operations: Vec<OperationIr>,
    /// The layer that ran at each of them, where it said so.
    layers: Vec<Option<LayerRun>>,
    /// How many of them make the inputs.
    pub preparation: usize,
    /// What the backward pass costs; or why it was not run, if the backend has one.
    pub backward: Option<Result<Backward, String>>,
}

/// What a backward pass costs. As they are: in 64 bits, the sums may wrap around.
pub(super) struct Backward {
    pub multiply_adds: u128,
    /// The size of all that it makes.
    pub bytes: u128,
}

impl Pass {
    pub fn run<B: TraceBackend, M: Module<B>, I: Input<B>, O: Output<B>>(
        build: impl Fn(&TraceDevice) -> Result<(ModuleTree, M), SummaryError>, input: &I,
        forward: impl Fn(&M, I::Tensors) -> O, sizes: Sizes,
    ) -> Result<Self, SummaryError> {
        let recorder = Recorder::start().ok_or(SummaryError::TooMany)?;
        let device = recorder.device();
        let (tree, model) =
            contain(|| build(&device)).map_err(|panic| failure::<B, I>(&recorder, Phase::Init, panic, input))??;
        check(&recorder, Phase::Init)?;

        share_graph::<B, M>(&model);
        recorder.take();
        let tensors = sizes.tensors::<B, I>(input, &device);
        let preparation = recorder.with(|recording| recording.operations.len());
        let output = contain(|| forward(&model, tensors))
            .map_err(|panic| failure::<B, I>(&recorder, Phase::Forward, panic, input))?;
        check(&recorder, Phase::Forward)?;
        let outputs = output.ids();
        let (operations, layers) = recorder.take_with_layers();
        // Also where nobody reads it: a graph without a backward pass is slow to drop.
        let backward = B::DIFFERENTIABLE.then(|| run_backward::<B, O>(&recorder, output));
        check(&recorder, Phase::Forward)?;
        // Dropping the model and the graph belongs to this recording, and must not print either.
        let _ = contain(|| drop(model));
        let inputs = made(&operations[..preparation]);
        Ok(Self { tree, inputs, outputs, operations, layers, preparation, backward })
    }

    /// Returns the operations in the form that the rest of the summary reads.
    pub fn read(&self) -> Vec<Operation> {
        let pairs = self.operations.iter().zip(&self.layers);
        pairs.map(|(ir, layer)| Operation { layer: layer.clone(), ..Operation::new(ir) }).collect()
    }

    /// Returns the forward pass as a flow of tensors, of the operations that were read.
    pub fn flow<'a>(&self, operations: &'a [Operation]) -> Flow<'a> {
        let mut flow = Flow::new(operations[self.preparation..].iter(), &self.tree.tensors);
        (flow.inputs, flow.outputs) = (self.inputs.clone(), self.outputs.clone());
        flow
    }

    /// Refuses totals that do not fit into a [`Totals`](super::Totals). Every other sum of a summary is a part of one
    /// of these, and needs no check.
    pub fn check_totals(&self, operations: &[Operation]) -> Result<(), SummaryError> {
        let backward = self.backward.iter().flatten().next();
        let forward: u128 = operations.iter().map(|operation| operation.multiply_adds).sum();
        let held = |tensor: &ModuleTensor| bytes(&tensor.tensor) as u128;
        // Training holds the parameters' size four times: parameters, gradients, and two moments.
        let made = bytes_made(&self.operations) + 4 * self.tree.tensors.iter().map(held).sum::<u128>();
        at_most(u64::MAX.into(), "multiply-adds in all", forward + backward.map_or(0, |it| it.multiply_adds))?;
        at_most(usize::MAX as u128, "bytes of tensors in all", made + backward.map_or(0, |it| it.bytes))
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

/// Runs the backward pass and returns what it records, or why it cannot be run.
fn run_backward<B: TraceBackend, O: Output<B>>(recorder: &Recorder, output: O) -> Result<Backward, String> {
    let run = || {
        let loss = output.sum()?;
        recorder.take();
        let mut recorded = None;
        B::backward(loss, &mut || recorded = Some(recorder.take()));
        recorded
    };
    match contain(run) {
        Ok(Some(operations)) => {
            let multiply_adds =
                operations.iter().filter(|ir| multiplies(ir)).map(|ir| Operation::new(ir).multiply_adds);
            Ok(Backward { multiply_adds: multiply_adds.sum(), bytes: bytes_made(&operations) })
        }
        Ok(None) => Err("the model returns no float tensor".to_owned()),
        Err(Panic { message, .. }) => Err(message),
    }
}

/// Returns the size of all that the operations make.
fn bytes_made(operations: &[OperationIr]) -> u128 {
    operations.iter().flat_map(OperationIr::outputs).map(|tensor| bytes(tensor) as u128).sum()
}

/// Returns what the operations made and did not use again.
fn made(operations: &[OperationIr]) -> Vec<TensorId> {
    let used: HashSet<TensorId> = operations.iter().flat_map(OperationIr::inputs).map(|input| input.id).collect();
    let outputs = operations.iter().flat_map(OperationIr::outputs);
    outputs.map(|output| output.id).filter(|id| !used.contains(id)).collect()
}

/// Refuses a recording in which shapes did not match, or were too large to count.
fn check(recorder: &Recorder, phase: Phase) -> Result<(), SummaryError> {
    recorder.with(|recording| {
        let too_large = recording.too_large.take().map(|shape| tensor_error(&shape));
        let mismatch = recording.mismatch.take().map(|mismatch| SummaryError::ShapeMismatch { phase, mismatch });
        too_large.or(mismatch).map_or(Ok(()), Err)
    })
}

fn failure<B: TraceBackend, I: Input<B>>(recorder: &Recorder, phase: Phase, panic: Panic, input: &I) -> SummaryError {
    // What came first is the cause: a mismatch goes unnoticed until something else fails.
    let (Panic { message, location }, inputs) = (panic, describe::<B, I>(input));
    let read_back = recorder.with(|recording| recording.read_back.take());
    check(recorder, phase).err().unwrap_or_else(|| match read_back {
        Some(shape) => SummaryError::ReadBack { phase, shape },
        None => SummaryError::Panicked { phase, message, location, inputs },
    })
}
