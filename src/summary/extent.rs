//! Layers whose calls are more than their operations with parameters: normalisations and recurrent layers.

use std::collections::{BTreeSet, HashSet};

use burn_ir::TensorId;

use super::{call::Call, call::merge, flow::Flow, flow::Origin, pattern::is_layer, tree::ModuleTree};

/// A normalisation computes its statistics before it uses a parameter. Merges into the last call what leads to its
/// first operation.
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
        // A view before the statistics belongs to them if it leads from what is normalised: a tensor that is used
        // again, or that has the result's shape.
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
        let recurrent = calls[index].owner.is_some_and(|owner| tree.is_recurrent(owner));
        if recurrent && let Some([head, tail]) = step(flow, &calls[index]) {
            let tail = matching(flow, calls[index + 1..].iter(), &tail, |left, own| left.strip_prefix(own));
            let head = matching(flow, calls[..index].iter().rev(), &head, |left, own| left.strip_suffix(own));
            merge(calls, index - head..index + 1 + tail, index);
            index -= head;
            calls[index].is_recurrent = true;
            if calls[index].owner.is_some_and(|owner| tree.kind(owner).starts_with("Bi")) {
                let joins = joins(flow, &calls[index], &calls[index + 1..]);
                merge(calls, index..index + 1 + joins, index);
            }
        }
        index += 1;
    }
}

/// Returns how many of the calls that follow put results of the call together.
fn joins(flow: &Flow, call: &Call, after: &[Call]) -> usize {
    let mut results: HashSet<TensorId> = call.made(flow).map(|made| made.id).collect();
    let belongs = |next: &&Call| {
        let joins = next.steps(flow).all(|operation| operation.name == "Cat" || operation.is_view());
        let belongs = next.owner.is_none() && joins && next.data(flow).all(|id| results.contains(&id));
        results.extend(next.made(flow).map(|made| made.id));
        belongs
    };
    let joins: Vec<&Call> = after.iter().take_while(belongs).collect();
    let last = joins.iter().rposition(|call| call.steps(flow).any(|operation| operation.name == "Cat"));
    last.map_or(0, |last| last + 1)
}

/// A convolution or a pool whose padding differs from side to side computes with a larger tensor, into which its
/// input was written. Merges that into the call.
pub(super) fn absorb_padding(flow: &Flow, calls: &mut Vec<Call>) {
    for index in (1..calls.len()).rev() {
        let [padding] = calls[index - 1].operations[..] else { continue };
        let [padding, first] = [padding, calls[index].operations[0]].map(|operation| &flow.operations[operation]);
        let pads = padding.is_padding() && *flow.origin(padding.inputs[0].id) == Origin::Constant;
        let padded = padding.outputs[0].id;
        let takes = first.kernel.is_some() && first.inputs[0].id == padded && flow.consumers(padded).len() == 1;
        if pads && takes {
            merge(calls, index - 1..index + 1, index);
        }
    }
}

/// Returns the names of what a recurrent layer does in a time step before the first operation with parameters, and
/// after the last. Read off where one step meets the next: between the last two uses of the tensor that is used last.
fn step(flow: &Flow, call: &Call) -> Option<[Vec<String>; 2]> {
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
    Some([head, tail].map(|operations| names(flow, operations)))
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
