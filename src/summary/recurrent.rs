//! Burn's recurrent layers, whose calls are loops over time.

use super::calls::Call;
use super::flow::Flow;
use super::tree::{ModuleTensor, ModuleTree, NodeId};

/// Burn's recurrent layers: one call runs their inner layers once for every time step.
const RECURRENT: [&str; 6] = ["Rnn", "BiRnn", "Lstm", "BiLstm", "Gru", "BiGru"];

/// What recurrent layers are made of.
const GATE: &str = "GateController";

/// Whether it is one of Burn's recurrent layers: named so, and made of nothing but gates.
pub(super) fn is_recurrent(tree: &ModuleTree, node: NodeId) -> bool {
    RECURRENT.contains(&tree.kind(node))
        && tree
            .children(node)
            .filter(|&child| tree.holds_tensors(child))
            .all(|child| tree.kind(child) == GATE || is_recurrent(tree, child))
}

/// The layer that a tensor of the module belongs to: its module, or the recurrent layer around it.
pub(super) fn layer_of(tree: &ModuleTree, tensor: &ModuleTensor) -> NodeId {
    tree.ancestors(tensor.node)
        .filter(|&node| is_recurrent(tree, node))
        .last()
        .unwrap_or(tensor.node)
}

/// The last time step of a recurrent layer ends, like each before it, with operations that have
/// no parameters; and the first begins with some.
pub(super) fn complete_recurrent(flow: &Flow, tree: &ModuleTree, calls: &mut Vec<Call>) {
    let mut index = 0;
    while index < calls.len() {
        let recurrent = calls[index].owner.is_some_and(|owner| is_recurrent(tree, owner));
        if recurrent && let Some(step) = Step::of(flow, &calls[index]) {
            let tail = following(flow, &calls[index + 1..], &step.tail);
            for call in calls.drain(index + 1..index + 1 + tail).collect::<Vec<_>>() {
                calls[index].operations.extend(call.operations);
            }
            let head = preceding(flow, &calls[..index], &step.head);
            let mut operations: Vec<usize> =
                calls.drain(index - head..index).flat_map(|call| call.operations).collect();
            index -= head;
            operations.append(&mut calls[index].operations);
            calls[index].operations = operations;
        }
        index += 1;
    }
}

/// What a recurrent layer does in a time step beside the operations with parameters.
struct Step {
    /// Before the first of them: taking the step's input.
    head: Vec<String>,
    /// After the last of them.
    tail: Vec<String>,
}

impl Step {
    /// Read off where one time step meets the next: between the last two uses of the tensor that
    /// is used last.
    fn of(flow: &Flow, call: &Call) -> Option<Self> {
        let uses = |operation: &usize| !flow.held_by(*operation).is_empty();
        let last = call.operations.iter().rposition(uses)?;
        let marker = flow.held_by(call.operations[last]);
        let before = call.operations[..last]
            .iter()
            .rposition(|&operation| flow.held_by(operation) == marker)?;
        let between: Vec<usize> = call.operations[before + 1..]
            .iter()
            .copied()
            .take_while(|operation| !uses(operation))
            .collect();
        // The next step's input depends on nothing that this step has made.
        let start = call.operations[..before]
            .iter()
            .rfind(|&&operation| flow.held_by(operation) == marker)
            .unwrap_or(&call.operations[0]);
        let own = |operation: usize| {
            flow.data_inputs(operation)
                .filter_map(|id| flow.producer(id))
                .any(|producer| producer >= *start)
        };
        let head_inputs: Vec<usize> =
            between.iter().copied().filter(|&operation| !own(operation)).collect();
        let split = head_inputs
            .first()
            .and_then(|first| between.iter().position(|operation| operation == first))
            .unwrap_or(between.len());
        let names = |operations: &[usize]| {
            operations.iter().map(|&operation| flow.operations[operation].name.clone()).collect()
        };
        Some(Self { head: names(&between[split..]), tail: names(&between[..split]) })
    }
}

fn following(flow: &Flow, calls: &[Call], names: &[String]) -> usize {
    let mut names = names;
    let mut count = 0;
    for call in calls {
        let Some(rest) = strip(flow, call, names) else {
            break;
        };
        names = rest;
        count += 1;
    }
    count
}

fn strip<'a>(flow: &Flow, call: &Call, names: &'a [String]) -> Option<&'a [String]> {
    let matches = call.owner.is_none()
        && call.operations.len() <= names.len()
        && call
            .operations
            .iter()
            .zip(names)
            .all(|(&operation, name)| &flow.operations[operation].name == name);
    matches.then(|| &names[call.operations.len()..])
}

fn preceding(flow: &Flow, calls: &[Call], names: &[String]) -> usize {
    let mut left = names.len();
    let mut count = 0;
    for call in calls.iter().rev() {
        let length = call.operations.len();
        if length > left || strip(flow, call, &names[left - length..left]).is_none() {
            break;
        }
        left -= length;
        count += 1;
    }
    count
}
