//! A call: operations of a forward pass that belong together.

use std::collections::BTreeSet;
use std::ops::Range;

use burn_ir::{TensorId, TensorIr};

use super::{flow::Flow, flow::Origin, operation::Operation, tree::NodeId};

#[derive(Clone, Debug, Default)]
pub(super) struct Call {
    /// The operations' places in the flow, ascending.
    pub operations: Vec<usize>,
    /// The layer, if it is a layer's call.
    pub owner: Option<NodeId>,
    /// The names of the functions that it can be, if it is a known one.
    pub functions: Vec<String>,
    /// The module's tensors that it computes with.
    pub held: BTreeSet<usize>,
    /// Whether it is all time steps of a recurrent layer.
    pub is_recurrent: bool,
    /// Multiply-adds of tensors without data, such as the product of two weights, that no call has used before.
    pub without_data: u128,
}

impl Call {
    pub fn is_function(&self) -> bool {
        !self.functions.is_empty()
    }

    pub fn contains(&self, operation: usize) -> bool {
        self.operations.binary_search(&operation).is_ok()
    }

    /// Returns what its operations are.
    pub fn steps<'a>(&'a self, flow: &'a Flow) -> impl DoubleEndedIterator<Item = &'a Operation> + Clone {
        self.operations.iter().map(move |&operation| flow.operations[operation])
    }

    /// Returns the data that its operations compute with.
    pub fn data<'a>(&'a self, flow: &'a Flow) -> impl Iterator<Item = TensorId> + Clone {
        self.operations.iter().flat_map(move |&operation| flow.data_inputs(operation))
    }

    /// Returns all that its operations make.
    pub fn made<'a>(&'a self, flow: &'a Flow) -> impl Iterator<Item = &'a TensorIr> {
        self.steps(flow).flat_map(|operation| &operation.outputs)
    }

    /// Returns the first tensor from outside that it computes with.
    pub fn input(&self, flow: &Flow) -> Option<TensorId> {
        let made_inside = |&id: &TensorId| flow.producer(id).is_some_and(|producer| self.contains(producer));
        let outside = || self.data(flow).filter(|id| !made_inside(id));
        // What the pass neither was given nor made, the module was built with: a table of positions.
        let in_pass = |id: &TensorId| flow.producer(*id).is_some() || flow.inputs.contains(id);
        outside().find(in_pass).or_else(|| outside().next()).or_else(|| {
            // An embedding of a range: its input is a constant.
            let mut inputs = self.steps(flow).flat_map(|operation| &operation.inputs);
            inputs.find(|input| *flow.origin(input.id) == Origin::Constant).map(|input| input.id)
        })
    }

    /// Returns the last tensor that is used outside, or the last operation's if none is; of a recurrent layer the largest,
    /// which is its sequence.
    pub fn output(&self, flow: &Flow) -> Option<TensorId> {
        let used_outside = |made: &&TensorIr| {
            let mut consumers = flow.consumers(made.id).iter();
            flow.outputs.contains(&made.id) || consumers.any(|&consumer| !self.contains(consumer))
        };
        let mut results = self.steps(flow).filter_map(|operation| operation.outputs.first());
        // Without sizes, all are equal, of which the last counts.
        let size = |made: &&TensorIr| self.is_recurrent.then(|| made.shape.num_elements());
        let result = results.clone().filter(used_outside).max_by_key(size).or_else(|| results.next_back());
        result.map(|made| made.id)
    }
}

/// Merges neighbouring calls into one, which is of the layer or function of the one at `kept`.
pub(super) fn merge(calls: &mut Vec<Call>, neighbours: Range<usize>, kept: usize) {
    let (owner, functions) = (calls[kept].owner, std::mem::take(&mut calls[kept].functions));
    let later: Vec<Call> = calls.drain(neighbours.start + 1..neighbours.end).collect();
    let merged = &mut calls[neighbours.start];
    (merged.owner, merged.functions) = (owner, functions);
    for call in later {
        merged.operations.extend(call.operations);
        merged.held.extend(call.held);
        merged.without_data += call.without_data;
    }
}
