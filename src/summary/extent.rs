//! Layers whose calls are more than their operations with parameters: normalisations and recurrent layers.

use std::collections::{BTreeSet, HashSet};

use burn_ir::TensorId;

use super::call::{Call, merge};
use super::flow::{Flow, Origin};
use super::layer::{is_bidirectional, is_recurrent};
use super::operation::Operation;
use super::pattern::is_layer;
use super::tree::ModuleTree;

/// A normalisation computes its statistics before it uses a parameter. Merges into the last call what leads to its first
/// operation.
pub(super) fn absorb_statistics(flow: &Flow, tree: &ModuleTree, calls: &mut Vec<Call>) {
    let Some((call, earlier)) = calls.split_last() else { return };
    let first = call.operations[0];
    let normalises = call.owner.is_some_and(|owner| tree.kind(owner).contains("Norm"));
    if flow.operations[first].is_elementwise()
        && let Some(start) = statistics(flow, earlier, first, normalises)
    {
        let kept = earlier.len();
        merge(calls, start..kept + 1, kept);
    }
}

/// Returns the number of the call at which statistics for the operation `first` begin, if there are any: elementwise
/// operations, views and at least one reduction that start from one tensor. A layer that is no normalisation by name
/// must look like one: its branches must meet.
fn statistics(flow: &Flow, earlier: &[Call], first: usize, normalises: bool) -> Option<usize> {
    let result = &flow.operations[first].outputs[0].shape;
    let mut from: BTreeSet<TensorId> = flow.data_inputs(first).collect();
    let mut used = from.clone();
    let (mut found, mut reduced, mut branched) = (None, false, from.len() > 1);
    // A normalisation without parameters is the beginning of one with them.
    let is_other = |call: &Call| call.owner.is_some() || call.functions.first().is_some_and(|name| !is_layer(name));
    let calls = earlier.iter().enumerate().rev().take_while(|(_, call)| !is_other(call));
    for (start, index) in calls.flat_map(|(start, call)| call.operations.iter().rev().map(move |&index| (start, index)))
    {
        let operation = &flow.operations[index];
        let leads = |id: TensorId| used.contains(&id) || operation.inputs[0].shape == *result;
        let leads = flow.data_inputs(index).all(leads);
        used.extend(flow.data_inputs(index));
        if !operation.outputs.iter().any(|output| from.remove(&output.id)) {
            continue;
        }
        let (reduces, is_view) = (operation.reduced_axis().is_some(), operation.is_view());
        if !(operation.is_elementwise() || is_view || reduces) {
            break;
        }
        // A view before the statistics belongs to them if it leads from what is normalised: a tensor that is used again, or
        // that has the result's shape.
        let is_first_view = found.is_some() && is_view && leads;
        from.extend(flow.data_inputs(index));
        (reduced, branched) = (reduced || reduces, branched || from.len() > 1);
        if from.len() == 1 && (is_first_view || reduced && (branched || normalises && found.is_none())) {
            (found, reduced, branched) = (Some(start), false, false);
        }
    }
    found
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
