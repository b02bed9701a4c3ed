//! Turns calls into rows: with paths, shapes and costs, and the containers around them.

use std::collections::{BTreeMap, HashMap, HashSet};

use burn::module::ParamId;
use burn_ir::TensorId;

use super::calls::{Call, ends};
use super::fields::Field;
use super::flow::Flow;
use super::loops::{Placed, fold_loops};
use super::places::{Places, holds_tensor_itself};
use super::receptive::receptive_fields;
use super::row::{ParameterCount, Role, Row, Window};
use super::shape::Shapes;
use super::tree::{ModuleTree, NodeId, ROOT};

/// What the rows are made from.
pub(super) struct Sources<'a> {
    pub flow: &'a Flow,
    pub tree: &'a ModuleTree,
    pub fields: &'a [Field],
    pub shapes: &'a Shapes,
    pub inputs: &'a [TensorId],
    pub outputs: &'a [TensorId],
}

/// The rows of a forward pass: containers before what they hold, unused modules last.
pub(super) fn rows(sources: &Sources<'_>, calls: &[Call]) -> Vec<Row> {
    let mut counted = HashSet::new();
    let placed = place(sources, calls, &mut counted);
    let mut rows = nest(sources.tree, fold_loops(placed));
    rows.extend(unused(sources.tree, &counted));
    rows
}

fn place(sources: &Sources<'_>, calls: &[Call], counted: &mut HashSet<ParamId>) -> Vec<Placed> {
    let Sources { flow, tree, fields, .. } = *sources;
    let receptive = receptive_fields(flow, sources.inputs);
    let kinds: Vec<Option<String>> = calls
        .iter()
        .map(|call| match call.owner {
            Some(owner) => Some(layer_kind(sources, call, owner)),
            None => operation_kind(flow, call),
        })
        .collect();
    let places = Places::find(flow, tree, fields, calls, &kinds, sources.outputs);
    calls
        .iter()
        .zip(kinds)
        .zip(places)
        .filter_map(|((call, kind), place)| {
            let mut row = measure(sources, call, kind?, &receptive);
            if let Some(owner) = call.owner {
                row.path = layer_path(tree, call, owner);
                (row.parameters, row.shared) = count(tree, call, counted);
            }
            if let Some((path, kind)) = place.field {
                (row.path, row.kind) = (path, kind);
            }
            Some(Placed { row, container: place.container })
        })
        .collect()
}

fn measure(
    sources: &Sources<'_>,
    call: &Call,
    kind: String,
    fields: &HashMap<TensorId, Vec<usize>>,
) -> Row {
    let flow = sources.flow;
    let (input, output) = ends(flow, call, sources.outputs);
    let operations = || call.operations.iter().map(|&index| &flow.operations[index]);
    let output_bytes = operations()
        .flat_map(|operation| &operation.outputs)
        .find(|tensor| Some(tensor.id) == output)
        .map_or(0, |tensor| tensor.bytes());
    let shape = |id: Option<TensorId>| sources.shapes.get(id?).cloned();
    Row {
        path: String::new(),
        kind,
        role: if call.owner.is_some() { Role::Layer } else { Role::Operation },
        depth: 0,
        input: shape(input),
        output: shape(output),
        window: operations().find_map(|operation| {
            operation.sliding.as_ref().map(|sliding| Window {
                size: sliding.size.clone(),
                stride: sliding.stride.clone(),
                dilation: sliding.dilation.clone(),
            })
        }),
        parameters: ParameterCount::default(),
        shared: false,
        repeats: 1,
        multiply_adds: operations().map(|operation| operation.multiply_adds).sum(),
        activation_bytes: output_bytes,
        receptive_field: output.and_then(|id| fields.get(&id).cloned()),
    }
}

/// Parameters that the call is the first to use, and whether it has some but is the first for none.
fn count(tree: &ModuleTree, call: &Call, counted: &mut HashSet<ParamId>) -> (ParameterCount, bool) {
    let mut parameters = ParameterCount::default();
    let mut shared = true;
    for &index in &call.held {
        let tensor = &tree.tensors[index];
        if counted.insert(tensor.parameter) {
            shared = false;
            parameters += counting(tensor.elements(), tensor.trainable);
        }
    }
    (parameters, shared)
}

fn counting(elements: usize, trainable: bool) -> ParameterCount {
    match trainable {
        true => ParameterCount { trainable: elements, non_trainable: 0 },
        false => ParameterCount { trainable: 0, non_trainable: elements },
    }
}

/// A layer's type; for a tensor that a container holds itself, the operation that uses it.
fn layer_kind(sources: &Sources<'_>, call: &Call, owner: NodeId) -> String {
    if !holds_tensor_itself(sources.tree, owner) {
        return sources.tree.kind(owner).to_string();
    }
    let operation =
        call.operations.first().map(|&index| sources.flow.operations[index].name.clone());
    call.function.clone().or(operation).unwrap_or_default()
}

fn layer_path(tree: &ModuleTree, call: &Call, owner: NodeId) -> String {
    match call.held.first() {
        Some(&tensor) if holds_tensor_itself(tree, owner) => tree.tensors[tensor].path.clone(),
        _ => tree.nodes[owner].path.clone(),
    }
}

/// What an operation without parameters is called; `None` for one that only rearranges, converts
/// or scales what is there.
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
        "SwapDims" | "Permute" | "Expand" | "ToDevice" | "Cast" | "IntoFloat" | "IntoInt"
        | "Random" | "AddScalar" | "SubScalar" | "MulScalar" | "DivScalar" => return None,
        name => name.strip_suffix("WithIndices").unwrap_or(name),
    };
    Some(name.to_string())
}

/// Puts containers before what they hold.
fn nest(tree: &ModuleTree, placed: Vec<Placed>) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let mut open: Vec<(NodeId, usize)> = Vec::new();
    for Placed { mut row, container } in placed {
        let lineage: Vec<NodeId> =
            tree.lineage(container).into_iter().filter(|&node| node != ROOT).collect();
        let common = open.iter().zip(&lineage).take_while(|(open, node)| open.0 == **node).count();
        open.truncate(common);
        for &node in &lineage[common..] {
            let depth = open.len();
            open.push((node, rows.len()));
            rows.push(Row {
                path: tree.nodes[node].path.clone(),
                kind: tree.kind(node).to_string(),
                role: Role::Container,
                depth,
                window: None,
                receptive_field: None,
                parameters: ParameterCount::default(),
                shared: true,
                repeats: 1,
                multiply_adds: 0,
                activation_bytes: 0,
                input: row.input.clone(),
                output: None,
            });
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

/// A row for each module that holds parameters which the forward pass never uses.
fn unused(tree: &ModuleTree, counted: &HashSet<ParamId>) -> Vec<Row> {
    let mut counted = counted.clone();
    let mut by_node: BTreeMap<NodeId, ParameterCount> = BTreeMap::new();
    for tensor in &tree.tensors {
        if counted.insert(tensor.parameter) {
            let parameters = by_node.entry(tensor.node).or_default();
            *parameters += counting(tensor.elements(), tensor.trainable);
        }
    }
    by_node
        .into_iter()
        .map(|(node, parameters)| Row {
            path: tree.nodes[node].path.clone(),
            kind: tree.kind(node).to_string(),
            role: Role::Unused,
            depth: 0,
            input: None,
            output: None,
            window: None,
            parameters,
            shared: false,
            repeats: 1,
            multiply_adds: 0,
            activation_bytes: 0,
            receptive_field: None,
        })
        .collect()
}
