//! Making a summary: run the model on a trace, read the recording.

use std::convert::Infallible;

use burn::module::{AutodiffModule, Module, ModuleDisplay};
use burn_ir::TensorId;
use serde::Serialize;

use super::calls::calls;
use super::edges::{Edge, edges};
use super::error::SummaryError;
use super::inputs_outputs::{Input, Output, Sizes};
use super::limits::check_inputs;
use super::pass::Pass;
use super::pattern::patterns;
use super::recording::TraceDevice;
use super::row::Row;
use super::rows::rows;
use super::shape::{Dimensions, Probe, Shapes};
use super::totals::Totals;
use super::trace::{Trace, TraceBackend, TraceGrad};
use super::tree::{ModuleTree, ROOT};

/// What a model consists of and what it costs.
///
/// [`Display`](std::fmt::Display) prints it in the [`Wide`](super::Style::Wide) style.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// The model's Burn type.
    pub model: String,
    /// The batch size that multiply-adds and memory are for; 1 if no input has one.
    pub batch_size: usize,
    /// The length that they are for, if an input has a second free dimension.
    pub length: Option<usize>,
    /// Input shapes.
    pub inputs: Vec<Dimensions>,
    /// Output shapes.
    pub outputs: Vec<Dimensions>,
    /// Layers and operations in the order in which they run, containers before what they hold.
    pub rows: Vec<Row>,
    /// How tensors go from row to row.
    pub edges: Vec<Edge>,
    /// The totals.
    pub totals: Totals,
}

impl Summary {
    /// Summarises the model that `init` builds, as `forward` runs it on inputs of shape `input`.
    ///
    /// Built on [`TraceGrad`](super::TraceGrad), the model is summarised as it trains, with the costs of
    /// training; on [`Trace`](super::Trace), as in inference. Both closures run again with other sizes, to find the dimensions
    /// that depend on the batch size.
    ///
    /// # Errors
    /// [`SummaryError`] if the model reads values back, panics, is too large to count, or the inputs have no batch size.
    pub fn of<B, M, I, O>(
        init: impl Fn(&TraceDevice) -> M, input: I, forward: impl Fn(&M, I::Tensors) -> O,
    ) -> Result<Self, SummaryError>
    where
        B: TraceBackend,
        M: Module<B> + ModuleDisplay,
        I: Input<B>,
        O: Output<B>,
    {
        Self::try_of(|device| Ok::<M, Infallible>(init(device)), input, forward)
    }

    /// Summarises a model whose `init` can fail, as [`of`](Self::of) does.
    ///
    /// # Errors
    /// As [`of`](Self::of); [`SummaryError::Init`] with the error of `init`.
    pub fn try_of<B, M, I, O, E>(
        init: impl Fn(&TraceDevice) -> Result<M, E>, input: I, forward: impl Fn(&M, I::Tensors) -> O,
    ) -> Result<Self, SummaryError>
    where
        B: TraceBackend,
        M: Module<B> + ModuleDisplay,
        I: Input<B>,
        O: Output<B>,
        E: std::error::Error + Send + Sync + 'static,
    {
        let build = |device: &_| {
            let model = init(device).map_err(|error| SummaryError::Init(error.into()))?;
            Ok((ModuleTree::of::<B, M>(&model), model))
        };
        Self::built(build, input, forward)
    }

    /// Summarises a model that can be trained, as it runs in inference: which parameters are trained is known, and the
    /// pass is that of [`AutodiffModule::valid`].
    ///
    /// ```
    /// use burn::nn::{Dropout, DropoutConfig, Linear, LinearConfig};
    /// use burn_pooling::summary::{Summary, TraceGrad};
    ///
    /// let init = |device: &_| (LinearConfig::new(8, 2).init::<TraceGrad>(device), DropoutConfig::new(0.5).init());
    /// let summary = Summary::inference(init, [1, 8], |(linear, dropout), x| dropout.forward(linear.forward(x)))?;
    /// assert_eq!(summary.rows.len(), 1, "dropout does nothing in inference");
    /// # Ok::<(), burn_pooling::summary::SummaryError>(())
    /// ```
    ///
    /// # Errors
    /// As [`of`](Self::of).
    pub fn inference<M, I, O>(
        init: impl Fn(&TraceDevice) -> M, input: I, forward: impl Fn(&M::InnerModule, I::Tensors) -> O,
    ) -> Result<Self, SummaryError>
    where
        M: AutodiffModule<TraceGrad> + ModuleDisplay,
        M::InnerModule: ModuleDisplay,
        I: Input<Trace>,
        O: Output<Trace>,
    {
        let build = |device: &_| {
            let model = init(device);
            let (trained, model) = (ModuleTree::of::<TraceGrad, M>(&model), model.valid());
            let mut tree = ModuleTree::of::<Trace, M::InnerModule>(&model);
            tree.take_trainable(&trained);
            Ok((tree, model))
        };
        Self::built(build, input, forward)
    }

    fn built<B, M, I, O>(
        build: impl Fn(&TraceDevice) -> Result<(ModuleTree, M), SummaryError>, input: I,
        forward: impl Fn(&M, I::Tensors) -> O,
    ) -> Result<Self, SummaryError>
    where
        B: TraceBackend,
        M: Module<B>,
        I: Input<B>,
        O: Output<B>,
    {
        let sizes = Sizes::of::<B, I>(&input)?;
        check_inputs(&input.shapes())?;
        let run = |sizes| Pass::run(&build, &input, &forward, sizes);
        let pass = run(sizes)?;
        let operations = pass.read();
        pass.check_totals(&operations)?;
        let batch_size = sizes.batch.unwrap_or(1);
        let by_batch =
            sizes.batch.and_then(|size| probe(size, &pass, |batch| run(Sizes { batch: Some(batch), ..sizes })));
        let by_length =
            sizes.length.and_then(|size| probe(size, &pass, |length| run(Sizes { length: Some(length), ..sizes })));
        let shapes = Shapes::new(&operations, batch_size, by_batch, by_length);
        let flow = pass.flow(&operations);
        let calls = calls(&flow, &pass.tree, patterns::<B>());
        let (rows, rows_of_calls) = rows(&flow, &pass.tree, &shapes, &calls)?;
        let edges = edges(&flow, &shapes, &calls, &rows_of_calls);
        let shapes = |ids: &[TensorId]| ids.iter().filter_map(|&id| shapes.get(id)).collect();
        Ok(Self {
            model: pass.tree.kind(ROOT).to_string(),
            batch_size,
            length: sizes.length,
            inputs: shapes(&pass.inputs),
            outputs: shapes(&pass.outputs),
            totals: Totals::of(&pass, &operations, &flow, &calls, &rows),
            rows,
            edges,
        })
    }
}

/// Runs the model with another size of a free dimension, as it was run with `size`: one more, or twice as many for a
/// model that takes even sizes only. A model that takes neither is summarised all the same.
fn probe(size: usize, pass: &Pass, run: impl Fn(usize) -> Result<Pass, SummaryError>) -> Option<Probe> {
    let others = [size.checked_add(1), size.checked_mul(2)];
    let probe = |other| Some(Probe { operations: run(other).ok()?.operations, sizes: (size, other) });
    let mut probes = others.into_iter().flatten().filter_map(probe);
    probes.find(|probe| pass.operations.len() == probe.operations.len())
}
