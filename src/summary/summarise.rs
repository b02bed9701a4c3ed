//! Making a summary: run the model on a trace, read the recording.

use std::convert::Infallible;

use burn::module::{AutodiffModule, Module, ModuleDisplay};
use burn_ir::TensorId;
use serde::Serialize;

use super::{
    calls::calls, edges::Edge, edges::edges, error::SummaryError, error::check_inputs, inputs_outputs::Input,
    inputs_outputs::Output, inputs_outputs::Sizes, inputs_outputs::shapes_of, operation::Operation, pass::Pass,
    pattern::patterns, recording::TraceDevice, row::Row, rows::rows, shape::Dimensions, shape::Probe, shape::Shapes,
    totals::Totals, trace::Trace, trace::TraceBackend, trace::TraceGrad, tree::ModuleTree, tree::ROOT,
};

/// An error of any type.
type Cause = Box<dyn std::error::Error + Send + Sync>;

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
    /// Built on [`TraceGrad`](super::TraceGrad), the model is summarised as it trains, with the costs of training; on
    /// [`Trace`](super::Trace), as in inference. Both closures run again with other sizes, to find the dimensions that
    /// depend on the batch size.
    ///
    /// # Errors
    /// [`SummaryError`] if the model reads values back, panics, does not fit its inputs or is too large to count, or
    /// if the inputs' batch sizes differ.
    pub fn of<B: TraceBackend, M: Module<B> + ModuleDisplay, I: Input<B>, O: Output<B>>(
        init: impl Fn(&TraceDevice) -> M, input: I, forward: impl Fn(&M, I::Tensors) -> O,
    ) -> Result<Self, SummaryError> {
        Self::try_of(|device| Ok::<M, Infallible>(init(device)), input, forward)
    }

    /// Summarises a model whose `init` can fail, as [`of`](Self::of) does.
    ///
    /// # Errors
    /// As [`of`](Self::of); [`SummaryError::Init`] with the error of `init`.
    pub fn try_of<B: TraceBackend, M: Module<B> + ModuleDisplay, I: Input<B>, O: Output<B>, E: Into<Cause>>(
        init: impl Fn(&TraceDevice) -> Result<M, E>, input: I, forward: impl Fn(&M, I::Tensors) -> O,
    ) -> Result<Self, SummaryError> {
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
    pub fn inference<M: AutodiffModule<TraceGrad> + ModuleDisplay, I: Input<Trace>, O: Output<Trace>>(
        init: impl Fn(&TraceDevice) -> M, input: I, forward: impl Fn(&M::InnerModule, I::Tensors) -> O,
    ) -> Result<Self, SummaryError>
    where
        M::InnerModule: ModuleDisplay,
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

    fn built<B: TraceBackend, M: Module<B>, I: Input<B>, O: Output<B>>(
        build: impl Fn(&TraceDevice) -> Result<(ModuleTree, M), SummaryError>, input: I,
        forward: impl Fn(&M, I::Tensors) -> O,
    ) -> Result<Self, SummaryError> {
        let sizes = Sizes::of::<B, I>(&input)?;
        check_inputs(&shapes_of::<B, I>(&input))?;
        let run = |sizes| Pass::run(&build, &input, &forward, sizes);
        let pass = run(sizes)?;
        let operations = pass.read();
        pass.check_totals(&operations)?;
        let by_batch = probe(sizes.batch, &operations, |batch| run(Sizes { batch, ..sizes }));
        let by_length = probe(sizes.length, &operations, |length| run(Sizes { length, ..sizes }));
        let shapes = Shapes::new(&operations, sizes, by_batch, by_length);
        let flow = pass.flow(&operations);
        let calls = calls(&flow, &pass.tree, patterns::<B>());
        let (rows, rows_of_calls) = rows(&flow, &pass.tree, &shapes, &calls)?;
        let edges = edges(&flow, &shapes, &calls, &rows_of_calls);
        let shapes = |ids: &[TensorId]| ids.iter().filter_map(|&id| shapes.get(id)).collect();
        Ok(Self {
            model: pass.tree.kind(ROOT).to_string(),
            batch_size: sizes.batch.unwrap_or(1),
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
fn probe(
    size: Option<usize>, recorded: &[Operation], run: impl Fn(Option<usize>) -> Result<Pass, SummaryError>,
) -> Option<Probe> {
    let others = [size?.checked_add(1), size?.checked_mul(2)];
    let probe = |size| Some(Probe { operations: run(Some(size)).ok()?.operations, size });
    others.into_iter().flatten().filter_map(probe).find(|probe| probe.is_like(recorded))
}
