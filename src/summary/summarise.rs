//! Making a summary: run the model on a trace, read the recording.

use std::convert::Infallible;

use burn::module::{Module, ModuleDisplay};
use burn_ir::TensorId;
use serde::Serialize;

use super::calls::calls;
use super::error::SummaryError;
use super::inputs_outputs::{Input, Output, batch_size};
use super::limits::check_inputs;
use super::pass::Pass;
use super::pattern::patterns;
use super::recording::TraceDevice;
use super::row::Row;
use super::rows::rows;
use super::shape::{Dimensions, Shapes};
use super::totals::Totals;
use super::trace::TraceBackend;
use super::tree::ROOT;

/// What a model consists of and what it costs.
///
/// [`Display`](std::fmt::Display) prints it in the [`Wide`](super::Style::Wide) style.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// The model's Burn type.
    pub model: String,
    /// The batch size that multiply-adds and memory are for.
    pub batch_size: usize,
    /// Input shapes.
    pub inputs: Vec<Dimensions>,
    /// Output shapes.
    pub outputs: Vec<Dimensions>,
    /// Layers and operations in the order in which they run, containers before what they hold.
    pub rows: Vec<Row>,
    /// The totals.
    pub totals: Totals,
}

impl Summary {
    /// Summarises the model that `init` builds, as `forward` runs it on inputs of shape `input`.
    ///
    /// Built on [`TraceGrad`](super::TraceGrad), the model is summarised as it trains, with the costs of
    /// training; on [`Trace`](super::Trace), as in inference, and every parameter counts as trainable. Both
    /// closures run twice, with two batch sizes, to find the dimensions that depend on the batch size.
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
        let batch_size = batch_size::<B, I>(&input)?;
        check_inputs(&input.shapes())?;
        let init = |device: &_| init(device).map_err(|error| SummaryError::Init(error.into()));
        let pass = Pass::run(init, &input, &forward, batch_size, true)?;
        pass.check_totals()?;
        // Another batch size shows which dimensions depend on it. A model that takes no other is
        // summarised all the same.
        let probe = Pass::run(init, &input, &forward, batch_size + 1, true);
        let probe = probe.map(|probe| probe.operations).unwrap_or_default();
        let shapes = Shapes::new(&pass.operations, batch_size, &probe, batch_size + 1);
        let flow = pass.flow();
        let calls = calls(&flow, &pass.tree, patterns::<B>());
        let rows = rows(&flow, &pass.tree, &shapes, &calls)?;
        let shapes = |ids: &[TensorId]| ids.iter().filter_map(|&id| shapes.get(id)).collect();
        Ok(Self {
            model: pass.tree.kind(ROOT).to_string(),
            batch_size,
            inputs: shapes(&pass.inputs),
            outputs: shapes(&pass.outputs),
            totals: Totals::of(&pass, &flow, &calls, &rows),
            rows,
        })
    }
}
