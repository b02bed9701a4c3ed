//! Layers that work out statistics before they touch a parameter.

use std::collections::BTreeSet;

use burn_ir::TensorId;

use super::calls::Call;
use super::flow::Flow;
use super::tree::ModuleTree;

/// A normalisation works out its statistics before it touches a parameter. From its first
/// operation with a parameter, goes back over elementwise operations, reshapes and reductions to
/// the one tensor that all of them start from.
pub(super) fn absorb_normalisation(
    flow: &Flow,
    tree: &ModuleTree,
    calls: &mut Vec<Call>,
    mut call: Call,
) -> Call {
    let first = call.operations[0];
    if !flow.operations[first].is_elementwise() {
        return call;
    }
    let normalises = call.owner.is_some_and(|owner| tree.kind(owner).contains("Norm"));
    let statistics =
        Statistics { flow, calls, start: calls.len(), frontier: flow.data_inputs(first).collect() };
    let Some(start) = statistics.start(first, normalises) else {
        return call;
    };
    let earlier = calls.split_off(start);
    let operations = earlier.into_iter().flat_map(|call| call.operations);
    call.operations = operations.chain(call.operations).collect();
    call
}

/// A walk back from the first operation with a parameter.
#[derive(Clone)]
struct Statistics<'a> {
    flow: &'a Flow,
    calls: &'a [Call],
    /// The first call that was walked over.
    start: usize,
    /// What the walked operations take.
    frontier: BTreeSet<TensorId>,
}

impl Statistics<'_> {
    /// The number of the call at which the statistics begin, if there are any. A layer that is no
    /// normalisation by name must look like one: its branches must meet.
    fn start(mut self, first: usize, normalises: bool) -> Option<usize> {
        let mut found = None;
        while let Some((next, branched)) = self.clone().back_to_one_tensor() {
            let first_of_norm = normalises && found.is_none();
            if !(branched || first_of_norm) {
                break;
            }
            self = next;
            let input = *self.frontier.first()?;
            found = Some(before_views(self.flow, self.calls, first, self.start, input));
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
}

/// Views before the statistics belong to them if they lead from what is normalised: a tensor that
/// is used again later, or that has the result's shape.
fn before_views(flow: &Flow, calls: &[Call], first: usize, start: usize, input: TensorId) -> usize {
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
        let used_again = calls[start..]
            .iter()
            .flat_map(|call| &call.operations)
            .any(|&operation| flow.data_inputs(operation).any(|id| id == tensor));
        if used_again || before.shape == *result {
            found = earlier;
        }
    }
    found
}
