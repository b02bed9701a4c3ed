//! Layers whose calls are more than their operations with parameters: normalisations and recurrent layers.

use std::collections::{BTreeSet, HashSet};

use burn_ir::TensorId;

use super::call::{Call, merge};
use super::flow::{Flow, Origin};
use super::layer::{is_bidirectional, is_recurrent};
use super::operation::Operation;
use super::tree::ModuleTree;

/// A normalisation computes its statistics before it uses a parameter. From the first operation of
/// the last call, goes back over elementwise operations, reshapes and reductions to the one tensor
/// that all of them start from, and merges what lies between into the call.
pub(super) fn absorb_statistics(flow: &Flow, tree: &ModuleTree, calls: &mut Vec<Call>) {
    let Some((call, earlier)) = calls.split_last() else { return };
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

    /// Goes back until one tensor is left, over at least one reduction; tells whether there were several on the way.
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
            if call.owner.is_some() || call.is_function() {
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

/// Completes the calls of recurrent layers: the last time step ends, like each before it, with
/// operations that have no parameters, and the first begins with some.
pub(super) fn complete_recurrent(flow: &Flow, tree: &ModuleTree, calls: &mut Vec<Call>) {
    let mut index = 0;
    while index < calls.len() {
        let recurrent = calls[index].owner.is_some_and(|owner| is_recurrent(tree, owner));
        if recurrent && let Some(step) = Step::of(flow, &calls[index]) {
            let after = calls[index + 1..].iter();
            let tail = matching(flow, after, &step.tail, |left, own| left.strip_prefix(own));
            let before = calls[..index].iter().rev();
            let head = matching(flow, before, &step.head, |left, own| left.strip_suffix(own));
            merge(calls, index - head..index + 1 + tail, index);
            index -= head;
            if calls[index].owner.is_some_and(|owner| is_bidirectional(tree, owner)) {
                let joins = joins(flow, &calls[index], &calls[index + 1..]);
                merge(calls, index..index + 1 + joins, index);
            }
        }
        index += 1;
    }
}

/// Returns how many of the calls that follow put results of the call together.
fn joins(flow: &Flow, call: &Call, after: &[Call]) -> usize {
    let mut results: HashSet<TensorId> = HashSet::new();
    let is_result = |results: &HashSet<_>, id| {
        results.contains(&id) || flow.producer(id).is_some_and(|producer| call.contains(producer))
    };
    let mut count = 0;
    for (index, next) in after.iter().enumerate().take_while(|(_, next)| next.owner.is_none()) {
        let operations = || next.operations.iter().map(|&it| (it, &flow.operations[it]));
        let belongs = |(it, operation): (usize, &Operation)| {
            (operation.name == "Cat" || operation.is_view()) && flow.data_inputs(it).all(|id| is_result(&results, id))
        };
        if !operations().all(belongs) {
            break;
        }
        results.extend(operations().flat_map(|(_, operation)| &operation.outputs).map(|output| output.id));
        if operations().any(|(_, operation)| operation.name == "Cat") {
            count = index + 1;
        }
    }
    count
}

/// A convolution or a pool whose padding differs from side to side computes with a larger tensor, into which its
/// input was written. Merges that into the call.
pub(super) fn absorb_padding(flow: &Flow, calls: &mut Vec<Call>) {
    let mut index = 1;
    while index < calls.len() {
        let first = &flow.operations[calls[index].operations[0]];
        let padded = first.inputs.first().and_then(|input| flow.producer(input.id)).filter(|_| first.window.is_some());
        let is_padding = |&producer: &usize| {
            let operation = &flow.operations[producer];
            let base = operation.inputs.first().map(|base| flow.origin(base.id));
            operation.is_padding() && base == Some(&Origin::Constant) && flow.consumers(first.inputs[0].id).len() == 1
        };
        if padded.filter(is_padding).is_some_and(|producer| calls[index - 1].operations == [producer]) {
            merge(calls, index - 1..index + 1, index);
        } else {
            index += 1;
        }
    }
}

/// The names of what a recurrent layer does in a time step beside the operations with parameters.
struct Step {
    /// Before the first of them: taking the step's input.
    head: Vec<String>,
    /// After the last of them.
    tail: Vec<String>,
}

impl Step {
    /// Read off where one time step meets the next: between the last two uses of the tensor that is used last.
    fn of(flow: &Flow, call: &Call) -> Option<Self> {
        let operations = &call.operations;
        let has_parameters = |operation: &usize| !flow.held_by(*operation).is_empty();
        let last = operations.iter().rposition(has_parameters)?;
        let marker = flow.held_by(operations[last]);
        let marked = |end: usize| operations[..end].iter().rposition(|&operation| flow.held_by(operation) == marker);
        let before = marked(last)?;
        let after = operations[before + 1..].iter().copied();
        let between: Vec<_> = after.take_while(|operation| !has_parameters(operation)).collect();
        // The next step's input depends on nothing that this step has made.
        let start = operations[marked(before).unwrap_or(0)];
        let depends = |&operation: &usize| {
            let mut producers = flow.data_inputs(operation).filter_map(|id| flow.producer(id));
            producers.any(|producer| producer >= start)
        };
        let split = between.iter().position(|operation| !depends(operation));
        let (tail, head) = between.split_at(split.unwrap_or(between.len()));
        Some(Self { head: names(flow, head), tail: names(flow, tail) })
    }
}

fn names(flow: &Flow, operations: &[usize]) -> Vec<String> {
    operations.iter().map(|&operation| flow.operations[operation].name.clone()).collect()
}

/// Returns how many of the calls, from the first on, do what the names say; `strip` takes a call's names off
/// those that are left, at one end.
fn matching<'a>(
    flow: &Flow, calls: impl Iterator<Item = &'a Call>, mut left: &[String],
    strip: for<'b> fn(&'b [String], &[String]) -> Option<&'b [String]>,
) -> usize {
    let matches = |call: &&Call| {
        let rest = strip(left, &names(flow, &call.operations)).filter(|_| call.owner.is_none());
        left = rest.unwrap_or_default();
        rest.is_some()
    };
    calls.take_while(matches).count()
}
