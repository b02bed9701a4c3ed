//! Burn's recurrent layers, whose calls are loops over time.

use super::call::{Call, merge};
use super::flow::Flow;
use super::tree::{ModuleTensor, ModuleTree, NodeId};

/// Burn's recurrent layers: one call runs their inner layers once for every time step.
const RECURRENT: [&str; 6] = ["Rnn", "BiRnn", "Lstm", "BiLstm", "Gru", "BiGru"];

/// What recurrent layers are made of.
const GATE: &str = "GateController";

/// Returns whether it is one of Burn's recurrent layers: named so, and made of nothing but gates.
pub(super) fn is_recurrent(tree: &ModuleTree, node: NodeId) -> bool {
    RECURRENT.contains(&tree.kind(node))
        && tree
            .children(node)
            .filter(|&child| tree.holds_tensors(child))
            .all(|child| tree.kind(child) == GATE || is_recurrent(tree, child))
}

/// Returns the layer that a tensor belongs to: its module, or the recurrent layer around it.
pub(super) fn layer_of(tree: &ModuleTree, tensor: &ModuleTensor) -> NodeId {
    let recurrent = tree.ancestors(tensor.node).filter(|&node| is_recurrent(tree, node));
    recurrent.last().unwrap_or(tensor.node)
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
        }
        index += 1;
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
    /// Read off where one time step meets the next: between the last two uses of the tensor that
    /// is used last.
    fn of(flow: &Flow, call: &Call) -> Option<Self> {
        let operations = &call.operations;
        let has_parameters = |operation: &usize| !flow.held_by(*operation).is_empty();
        let last = operations.iter().rposition(has_parameters)?;
        let marker = flow.held_by(operations[last]);
        let marked = |end: usize| operations[..end].iter().rposition(|&operation| flow.held_by(operation) == marker);
        let before = marked(last)?;
        let between: Vec<usize> =
            operations[before + 1..].iter().copied().take_while(|operation| !has_parameters(operation)).collect();
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

/// Takes a call's names off the names that are left, at one end.
type Strip = for<'a> fn(&'a [String], &[String]) -> Option<&'a [String]>;

/// Returns how many of the calls, from the first on, do what the names say.
fn matching<'a>(flow: &Flow, calls: impl Iterator<Item = &'a Call>, names_left: &[String], strip: Strip) -> usize {
    let mut left = names_left;
    let matches = |call: &&Call| {
        let rest = strip(left, &names(flow, &call.operations)).filter(|_| call.owner.is_none());
        left = rest.unwrap_or_default();
        rest.is_some()
    };
    calls.take_while(matches).count()
}
