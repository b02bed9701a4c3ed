//! Groups operations into calls: of a layer of the module, or of a function.
//!
//! Burn has no hooks, so that a layer ran is known by its parameters: an operation that computes
//! with a layer's tensors belongs to a call of that layer, and so does what lies between two such
//! operations. A layer whose tensors are used again is called again.

use std::collections::BTreeSet;

use burn_ir::TensorId;

use super::flow::{Flow, Origin};
use super::normalisation::absorb_normalisation;
use super::pattern::{Pattern, global_pool};
use super::recurrent::{complete_recurrent, is_recurrent, layer_of};
use super::tree::{ModuleTree, NodeId};

/// Operations that belong together.
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
    /// The place of its last operation.
    pub fn last(&self) -> usize {
        self.operations.last().copied().unwrap_or_default()
    }
}

/// The calls of a forward pass, in order.
pub(super) fn calls(flow: &Flow, tree: &ModuleTree, patterns: &[Pattern]) -> Vec<Call> {
    let functions = functions(flow, tree, patterns);
    let mut calls: Vec<Call> = Vec::new();
    let mut last_owned: Option<usize> = None;
    for call in functions {
        if call.owner.is_none() {
            calls.push(call);
            continue;
        }
        let continued = last_owned.filter(|&index| continues(&calls[index], &call, tree));
        match continued {
            Some(index) => {
                let between = calls.split_off(index + 1);
                for part in between.into_iter().chain([call]) {
                    calls[index].operations.extend(part.operations);
                    calls[index].held.extend(part.held);
                }
            }
            None => {
                let fresh = absorb_normalisation(flow, tree, &mut calls, call);
                last_owned = Some(calls.len());
                calls.push(fresh);
            }
        }
    }
    complete_recurrent(flow, tree, &mut calls);
    join_reshapes(flow, &mut calls);
    calls
}

/// A layer that flattens the dimensions before the last one and restores them afterwards, as an
/// embedding does, takes and gives the tensors outside of the two reshapes.
fn join_reshapes(flow: &Flow, calls: &mut Vec<Call>) {
    let mut index = 0;
    while index + 1 < calls.len() {
        if let Some(flatten) = reshape_around(flow, &calls[index], &calls[index + 1]) {
            let restore = calls.remove(index + 1);
            if index > 0 && calls[index - 1].operations == [flatten] {
                calls.remove(index - 1);
                index -= 1;
            }
            let inside = std::mem::take(&mut calls[index].operations);
            calls[index].operations = [vec![flatten], inside, restore.operations].concat();
        }
        index += 1;
    }
}

/// The reshape before the call, if the one after it, `restore`, undoes it.
fn reshape_around(flow: &Flow, call: &Call, restore: &Call) -> Option<usize> {
    let (input, output) = ends(flow, call, &[]);
    let flatten = flow.producer(input?)?;
    let [restore] = restore.operations.as_slice() else {
        return None;
    };
    let (before, after) = (&flow.operations[flatten], &flow.operations[*restore]);
    let undoes = call.owner.is_some()
        && before.name == "Reshape"
        && after.name == "Reshape"
        && output == Some(after.inputs[0].id)
        && flow.consumers(before.outputs[0].id).len() == 1
        && before.outputs[0].shape.first() == after.inputs[0].shape.first()
        && before.inputs[0].shape.len() > before.outputs[0].shape.len()
        && after.outputs[0].shape.len() > after.inputs[0].shape.len();
    undoes.then_some(flatten)
}

/// Whether the call goes on with the one before: the same layer, and none of its tensors twice.
fn continues(before: &Call, call: &Call, tree: &ModuleTree) -> bool {
    before.owner == call.owner
        && before.owner.is_some_and(|owner| {
            is_recurrent(tree, owner)
                || !tree.nodes[owner].has_children && before.held.is_disjoint(&call.held)
        })
}

/// Known functions as one call each, every other operation as a call of its own.
fn functions(flow: &Flow, tree: &ModuleTree, patterns: &[Pattern]) -> Vec<Call> {
    let computing: Vec<usize> = flow.computing().collect();
    let mut calls = Vec::new();
    let mut rest = computing.as_slice();
    while !rest.is_empty() {
        let (function, length) = function_at(flow, rest, patterns);
        let (operations, after) = rest.split_at(length);
        let held: BTreeSet<usize> =
            operations.iter().flat_map(|&operation| flow.held_by(operation)).collect();
        let owner = held
            .iter()
            .map(|&tensor| layer_of(tree, &tree.tensors[tensor]))
            .reduce(|a, b| tree.common(a, b));
        calls.push(Call { operations: operations.to_vec(), owner, function, held });
        rest = after;
    }
    calls
}

fn function_at(flow: &Flow, rest: &[usize], patterns: &[Pattern]) -> (Option<String>, usize) {
    let operations = || rest.iter().map(|&index| &flow.operations[index]);
    if let Some(pattern) = patterns.iter().find(|pattern| pattern.matches(operations())) {
        return (Some(pattern.name.to_string()), pattern.len());
    }
    let ahead: Vec<_> = operations().take(8).collect();
    match global_pool(&ahead) {
        Some((name, length)) => (Some(name), length),
        None => (None, 1),
    }
}

/// The tensor that a call takes and the one that it gives; `outputs` are the model's.
pub(super) fn ends(
    flow: &Flow,
    call: &Call,
    outputs: &[TensorId],
) -> (Option<TensorId>, Option<TensorId>) {
    let inside = |id: TensorId| {
        flow.producer(id).is_some_and(|producer| call.operations.binary_search(&producer).is_ok())
    };
    let input = call
        .operations
        .iter()
        .flat_map(|&operation| flow.data_inputs(operation))
        .find(|&id| !inside(id))
        .or_else(|| {
            // An embedding of a range: its input is a constant.
            call.operations
                .iter()
                .flat_map(|&operation| &flow.operations[operation].inputs)
                .map(|input| input.id)
                .find(|&id| flow.origin(id) == Origin::Constant)
        });
    let output = call
        .operations
        .iter()
        .rev()
        .flat_map(|&operation| flow.operations[operation].outputs.iter().take(1))
        .map(|output| output.id)
        .find(|&id| {
            outputs.contains(&id)
                || flow
                    .consumers(id)
                    .iter()
                    .any(|consumer| call.operations.binary_search(consumer).is_err())
        })
        .or_else(|| {
            let last = call.operations.last()?;
            Some(flow.operations[*last].outputs.first()?.id)
        });
    (input, output)
}
