//! Groups operations into calls: of a layer of the module, or of a function.
//!
//! Burn has no hooks, so that a layer ran is known by its parameters: an operation that computes
//! with a layer's tensors belongs to a call of that layer, and so does what lies between two such
//! operations. A layer whose tensors are used again is called again.

use std::collections::BTreeSet;

use burn_ir::TensorId;

use super::flow::{Flow, Origin};
use super::pattern::{Pattern, global_pool};
use super::tree::{ModuleTensor, ModuleTree, NodeId};

/// Burn's recurrent layers: one call runs their inner layers once for every time step.
const RECURRENT: [&str; 6] = ["Rnn", "BiRnn", "Lstm", "BiLstm", "Gru", "BiGru"];

/// What recurrent layers are made of.
const GATE: &str = "GateController";

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
    fn last(&self) -> usize {
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

/// Whether it is one of Burn's recurrent layers: named so, and made of nothing but gates.
pub(super) fn is_recurrent(tree: &ModuleTree, node: NodeId) -> bool {
    RECURRENT.contains(&tree.kind(node))
        && tree
            .children(node)
            .filter(|&child| tree.holds_tensors(child))
            .all(|child| tree.kind(child) == GATE || is_recurrent(tree, child))
}

/// The layer that a tensor of the module belongs to: its module, or the recurrent layer around it.
fn layer_of(tree: &ModuleTree, tensor: &ModuleTensor) -> NodeId {
    tree.ancestors(tensor.node)
        .filter(|&node| is_recurrent(tree, node))
        .last()
        .unwrap_or(tensor.node)
}

/// Known functions as one call each, every other operation as a call of its own.
fn functions(flow: &Flow, tree: &ModuleTree, patterns: &[Pattern]) -> Vec<Call> {
    let computing: Vec<usize> = flow.computing().collect();
    let mut calls = Vec::new();
    let mut rest = computing.as_slice();
    while !rest.is_empty() {
        let (function, length) = function_at(flow, rest, patterns);
        let (operations, after) = rest.split_at(length);
        let held: BTreeSet<usize> = operations
            .iter()
            .flat_map(|&operation| flow.held_by(operation))
            .collect();
        let owner = held
            .iter()
            .map(|&tensor| layer_of(tree, &tree.tensors[tensor]))
            .reduce(|a, b| tree.common(a, b));
        calls.push(Call {
            operations: operations.to_vec(),
            owner,
            function,
            held,
        });
        rest = after;
    }
    calls
}

fn function_at(flow: &Flow, rest: &[usize], patterns: &[Pattern]) -> (Option<String>, usize) {
    let operations = || rest.iter().map(|&index| &flow.operations[index]);
    if let Some(pattern) = patterns
        .iter()
        .find(|pattern| pattern.matches(operations()))
    {
        return (Some(pattern.name.to_string()), pattern.len());
    }
    let ahead: Vec<_> = operations().take(8).collect();
    match global_pool(&ahead) {
        Some((name, length)) => (Some(name), length),
        None => (None, 1),
    }
}

/// A normalisation works out its statistics before it touches a parameter. From its first
/// operation with a parameter, goes back over elementwise operations, reshapes and reductions to
/// the one tensor that all of them start from.
fn absorb_normalisation(
    flow: &Flow,
    tree: &ModuleTree,
    calls: &mut Vec<Call>,
    mut call: Call,
) -> Call {
    let first = call.operations[0];
    if !flow.operations[first].is_elementwise() {
        return call;
    }
    let normalises = call
        .owner
        .is_some_and(|owner| tree.kind(owner).contains("Norm"));
    let statistics = Statistics {
        flow,
        calls,
        start: calls.len(),
        frontier: flow.data_inputs(first).collect(),
    };
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
        while let Some((next, branched)) = self.clone().to_one_tensor() {
            if !branched && !(normalises && found.is_none()) {
                break;
            }
            self = next;
            let input = *self.frontier.first()?;
            found = Some(before_views(
                self.flow, self.calls, first, self.start, input,
            ));
        }
        found
    }

    /// Goes back until one tensor is left, over at least one reduction; tells whether there were
    /// several on the way.
    fn to_one_tensor(mut self) -> Option<(Self, bool)> {
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
        let latest = self
            .frontier
            .iter()
            .copied()
            .max_by_key(|&id| flow.producer(id))?;
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

/// The last time step of a recurrent layer ends, like each before it, with operations that have
/// no parameters; and the first begins with some.
fn complete_recurrent(flow: &Flow, tree: &ModuleTree, calls: &mut Vec<Call>) {
    let mut index = 0;
    while index < calls.len() {
        let recurrent = calls[index]
            .owner
            .is_some_and(|owner| is_recurrent(tree, owner));
        if recurrent && let Some(step) = Step::of(flow, &calls[index]) {
            let tail = following(flow, &calls[index + 1..], &step.tail);
            for call in calls.drain(index + 1..index + 1 + tail).collect::<Vec<_>>() {
                calls[index].operations.extend(call.operations);
            }
            let head = preceding(flow, &calls[..index], &step.head);
            let mut operations: Vec<usize> = calls
                .drain(index - head..index)
                .flat_map(|call| call.operations)
                .collect();
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
        let head_inputs: Vec<usize> = between
            .iter()
            .copied()
            .filter(|&operation| !own(operation))
            .collect();
        let split = head_inputs
            .first()
            .and_then(|first| between.iter().position(|operation| operation == first))
            .unwrap_or(between.len());
        let names = |operations: &[usize]| {
            operations
                .iter()
                .map(|&operation| flow.operations[operation].name.clone())
                .collect()
        };
        Some(Self {
            head: names(&between[split..]),
            tail: names(&between[..split]),
        })
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

/// The tensor that a call takes and the one that it gives; `outputs` are the model's.
pub(super) fn ends(
    flow: &Flow,
    call: &Call,
    outputs: &[TensorId],
) -> (Option<TensorId>, Option<TensorId>) {
    let inside = |id: TensorId| {
        flow.producer(id)
            .is_some_and(|producer| call.operations.binary_search(&producer).is_ok())
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
