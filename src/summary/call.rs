//! A call: operations of a forward pass that belong together.

use std::collections::BTreeSet;
use std::ops::Range;

use burn_ir::TensorId;

use super::flow::{Flow, Origin};
use super::tree::NodeId;

#[derive(Clone, Debug)]
pub(super) struct Call {
    /// The operations' places in the flow, ascending.
    pub operations: Vec<usize>,
    /// The layer, if it is a layer's call.
    pub owner: Option<NodeId>,
    /// The function, if it is a known one.
    pub function: Option<String>,
    /// The module's tensors that it computes with.
    pub held: BTreeSet<usize>,
}

impl Call {
    pub fn last(&self) -> usize {
        self.operations.last().copied().unwrap_or_default()
    }

    fn contains(&self, operation: usize) -> bool {
        self.operations.binary_search(&operation).is_ok()
    }

    /// Returns the first tensor from outside that it computes with.
    pub fn input(&self, flow: &Flow) -> Option<TensorId> {
        let made_inside = |&id: &TensorId| flow.producer(id).is_some_and(|producer| self.contains(producer));
        let mut data = self.operations.iter().flat_map(|&operation| flow.data_inputs(operation));
        data.find(|id| !made_inside(id)).or_else(|| {
            // An embedding of a range: its input is a constant.
            let operations = self.operations.iter().map(|&operation| &flow.operations[operation]);
            let mut inputs = operations.flat_map(|operation| &operation.inputs);
            inputs.find(|input| *flow.origin(input.id) == Origin::Constant).map(|input| input.id)
        })
    }

    /// Returns the last tensor that is used outside, or the last operation's if none is.
    pub fn output(&self, flow: &Flow) -> Option<TensorId> {
        let used_outside = |id: &TensorId| {
            flow.outputs.contains(id) || flow.consumers(*id).iter().any(|&consumer| !self.contains(consumer))
        };
        let made = |&operation: &usize| Some(flow.operations[operation].outputs.first()?.id);
        let mut results = self.operations.iter().rev().filter_map(made);
        results.find(used_outside).or_else(|| made(self.operations.last()?))
    }
}

/// Merges neighbouring calls into one, which is of the layer or function of the one at `kept`.
pub(super) fn merge(calls: &mut Vec<Call>, neighbours: Range<usize>, kept: usize) {
    let (owner, function) = (calls[kept].owner, calls[kept].function.take());
    let later: Vec<Call> = calls.drain(neighbours.start + 1..neighbours.end).collect();
    let merged = &mut calls[neighbours.start];
    (merged.owner, merged.function) = (owner, function);
    for call in later {
        merged.operations.extend(call.operations);
        merged.held.extend(call.held);
    }
}
