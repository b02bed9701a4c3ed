//! How tensors go from row to row.

use std::collections::{BTreeSet, HashMap};

use burn_ir::TensorId;
use serde::Serialize;

use super::{call::Call, flow::Flow, shape::Dimensions, shape::Shapes};

/// A tensor that goes from one row to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Edge {
    /// The number of the row that made it; `None` for an input of the model.
    pub from: Option<usize>,
    /// The number of the row that computes with it; `None` for an output of the model.
    pub to: Option<usize>,
    /// Its shape where it was made.
    pub shape: Option<Dimensions>,
}

/// A tensor, and the row that made it.
type Source = (Option<usize>, TensorId);

/// Returns the edges of a forward pass, those of a row together. What has no row passes its inputs on.
pub(super) fn edges(flow: &Flow, shapes: &Shapes, calls: &[Call], rows: &[Option<usize>]) -> Vec<Edge> {
    let mut sources: HashMap<TensorId, BTreeSet<Source>> =
        flow.inputs.iter().map(|&input| (input, [(None, input)].into())).collect();
    let mut edges: Vec<Edge> = Vec::new();
    let mut seen = BTreeSet::new();
    let mut add = |(from, tensor): Source, to: Option<usize>| {
        // Of a loop, one run is shown; of the model's inputs and outputs, each.
        let is_end = from.is_none() || to.is_none();
        let is_new = seen.insert((from, to, is_end.then_some(tensor))) && from.is_none_or(|from| Some(from) != to);
        edges.extend(is_new.then(|| Edge { from, to, shape: shapes.get(tensor) }));
    };
    for (call, &row) in calls.iter().zip(rows) {
        let from: BTreeSet<Source> = call.data(flow).filter_map(|id| sources.get(&id)).flatten().copied().collect();
        if row.is_some() {
            from.iter().filter(|(source, _)| *source != row).for_each(|&source| add(source, row));
        }
        for output in call.made(flow) {
            let source = if row.is_some() { [(row, output.id)].into() } else { from.clone() };
            sources.insert(output.id, source);
        }
    }
    let outputs = flow.outputs.iter().filter_map(|id| sources.get(id)).flatten();
    outputs.for_each(|&source| add(source, None));
    edges
}
