//! Turns calls into rows: with paths, shapes and costs, and the containers around them.

use std::collections::{BTreeMap, HashSet};

use burn::module::ParamId;

use super::call::Call;
use super::error::SummaryError;
use super::flow::Flow;
use super::operation::{bytes, total_multiply_adds};
use super::places::{Places, holds_tensor_itself};
use super::receptive::receptive_fields;
use super::row::{ParameterCount, Role, Row};
use super::shape::Shapes;
use super::tree::{ModuleTree, NodeId};

/// Returns the rows of a forward pass: containers before what they hold, unused modules last.
pub(super) fn rows(flow: &Flow, tree: &ModuleTree, shapes: &Shapes, calls: &[Call]) -> Result<Vec<Row>, SummaryError> {
    let mut counted = HashSet::new();
    let fields = receptive_fields(flow)?;
    let kinds: Vec<Option<String>> = calls
        .iter()
        .map(|call| match call.owner {
            Some(owner) => Some(layer_kind(flow, tree, call, owner)),
            None => operation_kind(flow, call),
        })
        .collect();
    let places = Places::find(flow, tree, calls, &kinds);
    let placed = calls.iter().zip(kinds).zip(places).filter_map(|((call, kind), place)| {
        let mut row = measure(flow, shapes, call, kind?);
        row.receptive_field = call.output(flow).and_then(|id| fields.get(&id).cloned());
        if let Some(owner) = call.owner {
            row.path = layer_path(tree, call, owner);
            (row.parameters, row.shared) = count(tree, call, &mut counted);
        }
        if let Some((path, kind)) = place.field {
            (row.path, row.kind) = (path, kind);
        }
        Some(Placed { row, container: place.container })
    });
    let mut rows = nest(tree, fold_loops(placed.collect()));
    rows.extend(unused(tree, &mut counted));
    Ok(rows)
}

fn measure(flow: &Flow, shapes: &Shapes, call: &Call, kind: String) -> Row {
    let (input, output) = (call.input(flow), call.output(flow));
    let operations = || call.operations.iter().map(|&index| &flow.operations[index]);
    let mut made = operations().flat_map(|operation| &operation.outputs);
    let role = if call.owner.is_some() { Role::Layer } else { Role::Operation };
    Row {
        input: input.and_then(|id| shapes.get(id)),
        output: output.and_then(|id| shapes.get(id)),
        window: operations().find_map(|operation| operation.window.clone()),
        multiply_adds: total_multiply_adds(operations()),
        activation_bytes: made.find(|tensor| Some(tensor.id) == output).map_or(0, bytes),
        kind,
        role,
        ..Row::default()
    }
}

/// Returns the parameters that the call is the first to use, and whether it is the first for none.
fn count(tree: &ModuleTree, call: &Call, counted: &mut HashSet<ParamId>) -> (ParameterCount, bool) {
    let mut parameters = ParameterCount::default();
    let mut shared = true;
    for tensor in call.held.iter().map(|&index| &tree.tensors[index]) {
        if counted.insert(tensor.parameter) {
            shared = false;
            parameters += tensor.count();
        }
    }
    (parameters, shared)
}

/// Returns a layer's type; for a tensor that a container holds itself, the operation that uses it.
fn layer_kind(flow: &Flow, tree: &ModuleTree, call: &Call, owner: NodeId) -> String {
    if !holds_tensor_itself(tree, owner) {
        return tree.kind(owner).to_string();
    }
    let operation = call.operations.first().map(|&index| flow.operations[index].name.clone());
    call.function.clone().or(operation).unwrap_or_default()
}

fn layer_path(tree: &ModuleTree, call: &Call, owner: NodeId) -> String {
    match call.held.first() {
        Some(&tensor) if holds_tensor_itself(tree, owner) => tree.tensors[tensor].path.clone(),
        _ => tree.nodes[owner].path.clone(),
    }
}

/// Returns what an operation without parameters is called; `None` for one that only rearranges,
/// converts or scales what is there.
fn operation_kind(flow: &Flow, call: &Call) -> Option<String> {
    if let Some(function) = &call.function {
        return Some(function.clone());
    }
    let operation = &flow.operations[*call.operations.first()?];
    let name = match operation.name.as_str() {
        "Reshape" => {
            let (input, output) = (&operation.inputs[0].shape, &operation.outputs[0].shape);
            let flattens = output.len() == 2 && input.len() > 2 && input[0] == output[0];
            return flattens.then(|| "Flatten".to_string());
        }
        "SwapDims" | "Permute" | "Expand" | "ToDevice" | "Cast" | "IntoFloat" | "IntoInt" | "Random" | "AddScalar"
        | "SubScalar" | "MulScalar" | "DivScalar" => return None,
        name => name.strip_suffix("WithIndices").unwrap_or(name),
    };
    Some(name.to_string())
}

fn module_row(tree: &ModuleTree, node: NodeId, role: Role) -> Row {
    let (path, kind) = (tree.nodes[node].path.clone(), tree.kind(node).to_string());
    Row { path, kind, role, repeats: 1, ..Row::default() }
}

/// Puts containers before what they hold.
fn nest(tree: &ModuleTree, placed: Vec<Placed>) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let mut open: Vec<(NodeId, usize)> = Vec::new();
    for Placed { mut row, container } in placed {
        let lineage = tree.lineage(container);
        let common = open.iter().zip(&lineage).take_while(|(open, node)| open.0 == **node).count();
        open.truncate(common);
        for &node in &lineage[common..] {
            let (depth, input) = (open.len(), row.input.clone());
            open.push((node, rows.len()));
            let container = module_row(tree, node, Role::Container);
            rows.push(Row { depth, shared: true, input, ..container });
        }
        row.depth = open.len();
        for &(_, index) in &open {
            let holder = &mut rows[index];
            holder.parameters += row.parameters;
            holder.multiply_adds += row.multiply_adds;
            holder.activation_bytes += row.activation_bytes;
            holder.output.clone_from(&row.output);
            holder.shared &= row.shared || row.role == Role::Operation;
        }
        rows.push(row);
    }
    rows
}

/// Returns a row for each module that holds parameters which the forward pass never uses.
fn unused(tree: &ModuleTree, counted: &mut HashSet<ParamId>) -> Vec<Row> {
    let mut by_node: BTreeMap<NodeId, ParameterCount> = BTreeMap::new();
    for tensor in &tree.tensors {
        if counted.insert(tensor.parameter) {
            *by_node.entry(tensor.node).or_default() += tensor.count();
        }
    }
    let row = |(node, parameters)| Row { parameters, ..module_row(tree, node, Role::Unused) };
    by_node.into_iter().map(row).collect()
}

/// A row with the module it lies in.
#[derive(Clone)]
struct Placed {
    row: Row,
    container: NodeId,
}

impl Placed {
    /// Returns whether both are the same layer or operation, at the same place, with the same output shape.
    fn is_like(&self, other: &Self) -> bool {
        let (a, b) = (&self.row, &other.row);
        self.container == other.container && (&a.path, &a.kind, &a.output) == (&b.path, &b.kind, &b.output)
    }
}

/// The fewest iterations that are a loop, and not a layer that is called again.
const LOOP: usize = 3;

/// The most rows that one iteration has.
const LONGEST_ITERATION: usize = 64;

/// Folds rows that repeat one after the other, as in a loop over time that the model runs itself,
/// into one iteration with the cost of all.
fn fold_loops(placed: Vec<Placed>) -> Vec<Placed> {
    let mut folded: Vec<Placed> = Vec::new();
    let mut rest = placed.as_slice();
    while !rest.is_empty() {
        let (length, count) = iterations(rest).unwrap_or((1, 1));
        for (index, placed) in rest[..length].iter().enumerate() {
            let all = || rest[index..].iter().step_by(length).take(count).map(|all| &all.row);
            let mut placed = placed.clone();
            placed.row.repeats = count;
            placed.row.multiply_adds = all().map(|row| row.multiply_adds).sum();
            placed.row.activation_bytes = all().map(|row| row.activation_bytes).sum();
            folded.push(placed);
        }
        rest = &rest[length * count..];
    }
    folded
}

/// Returns the length of the shortest iteration of a loop that begins here, and their number. A loop runs a layer.
fn iterations(rows: &[Placed]) -> Option<(usize, usize)> {
    let longest = LONGEST_ITERATION.min(rows.len() / LOOP);
    (1..=longest)
        .filter(|&length| rows[..length].iter().any(|row| row.row.role == Role::Layer))
        .map(|length| {
            let is_like = |chunk: &&[Placed]| chunk.iter().zip(rows).all(|(a, b)| a.is_like(b));
            (length, rows.chunks_exact(length).take_while(is_like).count())
        })
        .find(|&(_, count)| count >= LOOP)
}
