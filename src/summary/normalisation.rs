//! Layers that compute statistics before they use a parameter.

use std::collections::BTreeSet;

use burn_ir::TensorId;

use super::call::{Call, merge};
use super::flow::Flow;
use super::tree::ModuleTree;

/// A normalisation computes its statistics before it uses a parameter. From the first operation of
/// the last call, goes back over elementwise operations, reshapes and reductions to the one tensor
/// that all of them start from, and merges what lies between into the call.
pub(super) fn absorb_statistics(flow: &Flow, tree: &ModuleTree, calls: &mut Vec<Call>) {
    let Some((call, earlier)) = calls.split_last() else {
        return;
    };
    let first = call.operations[0];
    if !flow.operations[first].is_elementwise() {
        return;
    }
    let normalises = call.owner.is_some_and(|owner| tree.kind(owner).contains("Norm"));
    let frontier = flow.data_inputs(first).collect();
    let statistics = Statistics { flow, calls: earlier, start: earlier.len(), frontier };
    if let Some(start) = statistics.start(first, normalises) {
        let kept = earlier.len();
        merge(calls, start..kept + 1, kept);
    }
}

/// A walk back from the first operation with a parameter.
#[derive(Clone)]
struct Statistics<'a> {
    flow: &'a Flow,
    calls: &'a [Call],
    /// The first call that was walked over.
    start: usize,
    /// The inputs of the operations that were walked over.
    frontier: BTreeSet<TensorId>,
}

impl Statistics<'_> {
    /// Returns the number of the call at which the statistics begin, if there are any. A layer that
    /// is no normalisation by name must look like one: its branches must meet.
    fn start(mut self, first: usize, normalises: bool) -> Option<usize> {
        let mut found = None;
        while let Some((next, branched)) = self.clone().back_to_one_tensor()
            && (branched || normalises && found.is_none())
        {
            self = next;
            found = Some(self.before_views(first, *self.frontier.first()?));
        }
        found
    }

    /// Goes back until one tensor is left, over at least one reduction; tells whether there were
    /// several on the way.
    fn back_to_one_tensor(mut self) -> Option<(Self, bool)> {
        let (mut reduced, mut branched) = (false, false);
        while !(reduced && self.frontier.len() == 1) {
            branched |= self.frontier.len() > 1;
            reduced |= self.step()?;
        }
        Some((self, branched))
    }

    /// Goes back over the latest operation; tells whether it reduces.
    fn step(&mut self) -> Option<bool> {
        let flow = self.flow;
        let latest = self.frontier.iter().copied().max_by_key(|&id| flow.producer(id))?;
        let producer = flow.producer(latest)?;
        while self.start > 0 && self.calls[self.start - 1].last() >= producer {
            self.start -= 1;
            let call = &self.calls[self.start];
            if call.owner.is_some() || call.function.is_some() {
                return None;
            }
        }
        let operation = &flow.operations[producer];
        let reduces = operation.reduced_axis().is_some();
        if !(operation.is_elementwise() || operation.is_view() || reduces) {
            return None;
        }
        self.frontier.remove(&latest);
        self.frontier.extend(flow.data_inputs(producer));
        Some(reduces)
    }

    /// Views before the statistics belong to them if they lead from what is normalised: a tensor
    /// that is used again later, or that has the result's shape.
    fn before_views(&self, first: usize, input: TensorId) -> usize {
        let Self { flow, calls, start, .. } = *self;
        let result = &flow.operations[first].outputs[0].shape;
        let (mut tensor, mut earlier, mut found) = (input, start, start);
        while earlier > 0
            && let Some(producer) = flow.producer(tensor)
            && flow.operations[producer].is_view()
            && calls[earlier - 1].operations == [producer]
            && calls[earlier - 1].owner.is_none()
        {
            let before = &flow.operations[producer].inputs[0];
            tensor = before.id;
            earlier -= 1;
            let mut later = calls[start..].iter().flat_map(|call| &call.operations);
            let used_again = later.any(|&operation| flow.data_inputs(operation).any(|id| id == tensor));
            if used_again || before.shape == *result {
                found = earlier;
            }
        }
        found
    }
}
