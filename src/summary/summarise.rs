//! Making a summary: build the model on a trace, run it, read the recording.

use std::collections::HashSet;

use burn::module::{Module, ModuleDisplay};
use burn_ir::{OperationIr, TensorId};
use serde::Serialize;

use super::calls::{Call, calls, ends};
use super::contain::{Panic, contain};
use super::error::{Phase, SummaryError};
use super::fields::{Field, fields};
use super::flow::Flow;
use super::input::Input;
use super::memory;
use super::operation::Operation;
use super::output::Output;
use super::pattern::patterns;
use super::row::{Role, Row};
use super::rows::{Sources, rows};
use super::shape::{Dimensions, Shapes};
use super::totals::{Totals, Training, parameters};
use super::trace::{Recorder, TraceBackend, TraceDevice};
use super::tree::{ModuleTree, ROOT};

/// What a model consists of and what it costs.
///
/// [`Display`](std::fmt::Display) prints it in the [`Wide`](super::Style::Wide) style.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// The model's Burn type.
    pub model: String,
    /// The batch size that multiply-adds and memory are for.
    pub batch_size: usize,
    /// Shapes of the inputs.
    pub inputs: Vec<Dimensions>,
    /// Shapes of the outputs.
    pub outputs: Vec<Dimensions>,
    /// Layers and operations in the order in which they run, containers before what they hold.
    pub rows: Vec<Row>,
    /// The sums.
    pub totals: Totals,
}

impl Summary {
    /// Summarises the model that `init` builds, as `forward` runs it on inputs of shape `input`.
    ///
    /// Built on [`TraceGrad`](super::TraceGrad), the model is summarised as it trains, with the
    /// costs of training; on [`Trace`](super::Trace), as it predicts, and every parameter counts
    /// as trainable. Both closures run twice, so that the dimensions that follow the batch size
    /// are found.
    ///
    /// # Errors
    /// [`SummaryError`] if the model reads values back, panics, or the inputs have no batch size.
    pub fn of<B, M, I, O>(
        init: impl Fn(&TraceDevice) -> M,
        input: I,
        forward: impl Fn(&M, I::Tensors) -> O,
    ) -> Result<Self, SummaryError>
    where
        B: TraceBackend,
        M: Module<B> + ModuleDisplay,
        I: Input<B>,
        O: Output<B>,
    {
        Self::try_of(|device| Ok::<M, std::convert::Infallible>(init(device)), input, forward)
    }

    /// [`of`](Self::of) for a model whose building can fail.
    ///
    /// # Errors
    /// As [`of`](Self::of); [`SummaryError::Init`] with the error of `init`.
    pub fn try_of<B, M, I, O, E>(
        init: impl Fn(&TraceDevice) -> Result<M, E>,
        input: I,
        forward: impl Fn(&M, I::Tensors) -> O,
    ) -> Result<Self, SummaryError>
    where
        B: TraceBackend,
        M: Module<B> + ModuleDisplay,
        I: Input<B>,
        O: Output<B>,
        E: std::error::Error + Send + Sync + 'static,
    {
        let batch_size = batch_size::<B, I>(&input)?;
        let pass = Pass::run(&init, &input, &forward, batch_size, true)?;
        // Another batch size shows which dimensions follow it. A model that takes no other is
        // summarised all the same.
        let probe = Pass::run(&init, &input, &forward, batch_size + 1, false).ok();
        Ok(pass.summarise::<B>(probe, batch_size))
    }
}

fn batch_size<B: TraceBackend, I: Input<B>>(input: &I) -> Result<usize, SummaryError> {
    let sizes = input.batch_sizes();
    match sizes.first() {
        Some(&first) if first > 0 && sizes.iter().all(|&size| size == first) => Ok(first),
        _ => Err(SummaryError::Batch { inputs: describe::<B, I>(input) }),
    }
}

fn describe<B: TraceBackend, I: Input<B>>(input: &I) -> String {
    let shapes: Vec<String> = input.shapes().iter().map(|shape| format!("{shape:?}")).collect();
    shapes.join(", ")
}

/// One run of the model.
struct Pass {
    tree: ModuleTree,
    fields: Vec<Field>,
    inputs: Vec<TensorId>,
    outputs: Vec<TensorId>,
    /// From the making of the inputs to the output.
    forward: Vec<Operation>,
    /// How many of these make the inputs.
    preparation: usize,
    backward: Option<Vec<Operation>>,
}

impl Pass {
    fn run<B, M, I, O, E>(
        init: impl Fn(&TraceDevice) -> Result<M, E>,
        input: &I,
        forward: impl Fn(&M, I::Tensors) -> O,
        batch_size: usize,
        with_backward: bool,
    ) -> Result<Self, SummaryError>
    where
        B: TraceBackend,
        M: Module<B> + ModuleDisplay,
        I: Input<B>,
        O: Output<B>,
        E: std::error::Error + Send + Sync + 'static,
    {
        let recorder = Recorder::start().ok_or(SummaryError::Busy)?;
        let device = recorder.device();
        let failed = |phase| {
            let recorder = &recorder;
            move |panic: Panic| failure::<B, I>(recorder, phase, panic, input)
        };
        let (model, tree, fields) = contain(|| {
            init(&device).map(|model| {
                let tree = ModuleTree::of::<B, M>(&model);
                let fields = fields(&model);
                (model, tree, fields)
            })
        })
        .map_err(failed(Phase::Init))?
        .map_err(|error| SummaryError::Init(Box::new(error)))?;

        recorder.take();
        let tensors = input.tensors(batch_size, &device);
        let preparation = recorder.position();
        let output = contain(|| forward(&model, tensors)).map_err(failed(Phase::Forward))?;
        if let Some(misfit) = recorder.misfit() {
            let phase = Phase::Forward;
            return Err(SummaryError::Misfit { phase, misfit });
        }
        let outputs = output.ids();
        let recorded = digest(&recorder.take());
        let backward = match with_backward && B::DIFFERENTIABLE {
            true => contain(|| run_backward::<B, O>(&recorder, output)).ok().flatten(),
            false => None,
        };
        // Dropping the model and the graph belongs to this recording, and must not print either.
        let _ = contain(|| drop(model));
        Ok(Self {
            tree,
            fields,
            inputs: made(&recorded[..preparation.min(recorded.len())]),
            outputs,
            forward: recorded,
            preparation,
            backward,
        })
    }

    fn summarise<B: TraceBackend>(self, probe: Option<Self>, batch_size: usize) -> Summary {
        let held: HashSet<TensorId> =
            self.tree.tensors.iter().map(|tensor| tensor.tensor).collect();
        let probe = probe.map(|probe| probe.forward).unwrap_or_default();
        let shapes = Shapes::new(&self.forward, batch_size, &probe, batch_size + 1);
        let computing = self.forward[self.preparation.min(self.forward.len())..].to_vec();
        let flow = Flow::new(computing, &self.tree.tensors);
        let calls = calls(&flow, &self.tree, patterns::<B>());
        let sources = Sources {
            flow: &flow,
            tree: &self.tree,
            fields: &self.fields,
            shapes: &shapes,
            inputs: &self.inputs,
            outputs: &self.outputs,
        };
        let rows = rows(&sources, &calls);
        let totals = self.totals(&flow, &calls, &rows, &held);
        let shape =
            |ids: &[TensorId]| ids.iter().filter_map(|&id| shapes.get(id).cloned()).collect();
        Summary {
            model: self.tree.kind(ROOT).to_string(),
            batch_size,
            inputs: shape(&self.inputs),
            outputs: shape(&self.outputs),
            rows,
            totals,
        }
    }

    fn totals(
        &self,
        flow: &Flow,
        calls: &[Call],
        rows: &[Row],
        held: &HashSet<TensorId>,
    ) -> Totals {
        // A backend has an activation function as one operation, of which the router knows the
        // parts only: its intermediate results are not made.
        let uncounted = held | &intermediate(flow, calls);
        let (parameters, trainable_bytes, non_trainable_bytes) = parameters(&self.tree.tensors);
        let multiply_adds = |operations: &[Operation]| -> u64 {
            operations.iter().map(|operation| operation.multiply_adds).sum()
        };
        let forward_multiply_adds = multiply_adds(&flow.operations);
        let inputs = &self.forward[..self.preparation.min(self.forward.len())];
        Totals {
            parameters,
            unused_parameters: rows
                .iter()
                .filter(|row| row.role == Role::Unused)
                .map(|row| row.parameters.total())
                .sum(),
            trainable_bytes,
            non_trainable_bytes,
            forward_multiply_adds,
            input_bytes: inputs
                .iter()
                .flat_map(|operation| &operation.outputs)
                .filter(|tensor| self.inputs.contains(&tensor.id))
                .map(|tensor| tensor.bytes())
                .sum(),
            activation_bytes: rows
                .iter()
                .filter(|row| row.runs())
                .map(|row| row.activation_bytes)
                .sum(),
            peak_activation_bytes: memory::inference_peak(&self.forward, &uncounted, &self.outputs),
            training: self.backward.as_ref().map(|backward| Training {
                multiply_adds: forward_multiply_adds + multiply_adds(backward),
                kept_bytes: memory::alive_after(&self.forward, held),
                gradient_bytes: trainable_bytes,
                adam_bytes: 2 * trainable_bytes,
            }),
        }
    }
}

/// What known functions make on the way to their results.
fn intermediate(flow: &Flow, calls: &[Call]) -> HashSet<TensorId> {
    calls
        .iter()
        .filter(|call| call.function.is_some())
        .flat_map(|call| {
            let (_, output) = ends(flow, call, &[]);
            call.operations
                .iter()
                .flat_map(|&operation| &flow.operations[operation].outputs)
                .map(|made| made.id)
                .filter(move |&id| Some(id) != output)
        })
        .collect()
}

/// Runs the backward pass and returns what it records; `None` if nothing can be differentiated.
fn run_backward<B: TraceBackend, O: Output<B>>(
    recorder: &Recorder,
    output: O,
) -> Option<Vec<Operation>> {
    let loss = output.sum()?;
    recorder.take();
    let mut recorded = None;
    B::backward(loss, &mut || recorded = Some(recorder.take()));
    recorded.map(|recorded| digest(&recorded))
}

fn digest(recorded: &[OperationIr]) -> Vec<Operation> {
    recorded.iter().map(Operation::new).collect()
}

/// What the operations made and did not give up again.
fn made(operations: &[Operation]) -> Vec<TensorId> {
    let used: HashSet<TensorId> =
        operations.iter().flat_map(|operation| &operation.inputs).map(|input| input.id).collect();
    operations
        .iter()
        .flat_map(|operation| &operation.outputs)
        .map(|output| output.id)
        .filter(|id| !used.contains(id))
        .collect()
}

fn failure<B: TraceBackend, I: Input<B>>(
    recorder: &Recorder,
    phase: Phase,
    panic: Panic,
    input: &I,
) -> SummaryError {
    // What came first is the cause: a misfit goes unnoticed until something else fails.
    if let Some(misfit) = recorder.misfit() {
        return SummaryError::Misfit { phase, misfit };
    }
    if let Some(shape) = recorder.read_back() {
        return SummaryError::ReadBack { phase, shape };
    }
    SummaryError::Panicked {
        phase,
        message: panic.message,
        location: panic.location,
        inputs: describe::<B, I>(input),
    }
}
