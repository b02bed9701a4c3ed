//! Groups operations into calls: of a layer of the module, or of a function.
//!
//! Burn has no hooks, so that a layer ran is known by its parameters: an operation that computes
//! with a layer's tensors belongs to a call of that layer, and so does what lies between two such
//! operations. A layer whose tensors are used again is called again.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::{
    call::Call, call::merge, extent::absorb_padding, extent::absorb_statistics, extent::complete_recurrent, flow::Flow,
    naming::name_own_functions, pattern::Pattern, pattern::global_pool, tree::ModuleTree, tree::NodeId,
};

/// Returns the calls of a forward pass, in order.
pub(super) fn calls(flow: &Flow, tree: &ModuleTree, patterns: &[Pattern]) -> Vec<Call> {
    let mut calls: Vec<Call> = Vec::new();
    let mut last_owned: Option<usize> = None;
    for call in functions(flow, tree, patterns) {
        let owned = call.owner.is_some();
        let continued = last_owned.filter(|&index| continues(&calls[index], &call, tree));
        calls.push(call);
        if let Some(index) = continued {
            let all = index..calls.len();
            merge(&mut calls, all, index);
        } else if owned {
            absorb_statistics(flow, tree, &mut calls);
            last_owned = Some(calls.len() - 1);
        }
    }
    complete_recurrent(flow, tree, &mut calls);
    join_reshapes(flow, &mut calls);
    absorb_padding(flow, &mut calls);
    release_tied(flow, tree, &mut calls);
    name_own_functions(flow, tree, &mut calls);
    calls
}

/// Returns whether the call continues the one before: the same layer, and none of its tensors twice.
fn continues(before: &Call, call: &Call, tree: &ModuleTree) -> bool {
    before.owner == call.owner
        && before.owner.is_some_and(|owner| {
            tree.is_recurrent(owner) || tree.nodes[owner].children.is_empty() && before.held.is_disjoint(&call.held)
        })
}

/// A layer that flattens the dimensions before the last one and restores them afterwards, as an
/// embedding does, includes the two reshapes.
fn join_reshapes(flow: &Flow, calls: &mut Vec<Call>) {
    let mut index = 0;
    while index + 1 < calls.len() {
        if let Some(flatten) = reshape_around(flow, &calls[index], &calls[index + 1]) {
            if index > 0 && calls[index - 1].operations == [flatten] {
                calls.remove(index - 1);
                index -= 1;
            }
            calls[index].operations.insert(0, flatten);
            merge(calls, index..index + 2, index);
        }
        index += 1;
    }
}

/// Returns the reshape before the call, if the one after it, `restore`, undoes it.
fn reshape_around(flow: &Flow, call: &Call, restore: &Call) -> Option<usize> {
    let flatten = flow.producer(call.input(flow)?)?;
    let [restore] = restore.operations.as_slice() else { return None };
    let (before, after) = (&flow.operations[flatten], &flow.operations[*restore]);
    let undoes = call.owner.is_some()
        && before.name == "Reshape"
        && after.name == "Reshape"
        && call.output(flow) == Some(after.inputs[0].id)
        && flow.consumers(before.outputs[0].id).len() == 1
        && before.outputs[0].shape.first() == after.inputs[0].shape.first()
        && before.inputs[0].shape.len() > before.outputs[0].shape.len()
        && after.outputs[0]
            .shape
            .split_last()
            .is_some_and(|(_, restored)| before.inputs[0].shape.starts_with(restored));
    undoes.then_some(flatten)
}

/// A layer's tensor that another operation than the layer's own computes with, such as an embedding's weight in a
/// product, is no call of the layer.
fn release_tied(flow: &Flow, tree: &ModuleTree, calls: &mut [Call]) {
    let mut own: HashMap<NodeId, HashSet<&str>> = HashMap::new();
    for call in calls {
        let is_layer = |&owner: &NodeId| !tree.is_recurrent(owner) && !tree.holds_tensor_itself(owner);
        let Some(owner) = call.owner.filter(is_layer) else { continue };
        let with_tensors = call.operations.iter().filter(|&&operation| !flow.held_by(operation).is_empty());
        let names: HashSet<&str> = with_tensors.map(|&operation| flow.operations[operation].name.as_str()).collect();
        if own.entry(owner).or_insert_with(|| names.clone()).is_disjoint(&names) {
            call.owner = None;
        }
    }
}

/// Returns known functions as one call each, every other operation as a call of its own.
fn functions(flow: &Flow, tree: &ModuleTree, patterns: &[Pattern]) -> Vec<Call> {
    let (computing, mut calls): (Vec<usize>, _) = (flow.computing().collect(), Vec::new());
    let (mut rest, mut known) = (computing.as_slice(), HashSet::new());
    while !rest.is_empty() {
        let (functions, length) = function_at(flow, rest, patterns);
        let (operations, after) = rest.split_at(length);
        let held: BTreeSet<usize> = operations.iter().flat_map(|&operation| flow.held_by(operation)).collect();
        let layers = held.iter().map(|&tensor| tree.layer_of(tensor));
        let owner = layers.reduce(|a, b| tree.common(a, b));
        let without_data = operations.iter().map(|&operation| flow.without_data(operation, &mut known)).sum();
        calls.push(Call { operations: operations.to_vec(), owner, functions, held, without_data, ..Call::default() });
        rest = after;
    }
    calls
}

/// Returns the functions that the next operations can be, and how many operations they take.
fn function_at(flow: &Flow, rest: &[usize], patterns: &[Pattern]) -> (Vec<String>, usize) {
    let operations = || rest.iter().map(|&index| flow.operations[index]);
    if let Some(layer) = &flow.operations[rest[0]].layer {
        let length = operations().take_while(|operation| operation.layer.as_ref() == Some(layer)).count();
        return (vec![layer.name.to_owned()], length);
    }
    let mut matching = patterns.iter().filter(|pattern| pattern.matches(operations()));
    let Some(longest) = matching.next() else {
        return global_pool(operations()).map_or((Vec::new(), 1), |(name, length)| (vec![name], length));
    };
    let alike = matching.take_while(|pattern| pattern.len() == longest.len()).map(|pattern| pattern.name.to_owned());
    ([longest.name.to_owned()].into_iter().chain(alike).collect(), longest.len())
}
