//! Turns calls into rows: with paths, shapes and costs, and the containers around them.

use std::collections::{BTreeMap, HashSet};

use burn::module::ParamId;

use super::call::Call;
use super::error::SummaryError;
use super::flow::Flow;
use super::layer::holds_tensor_itself;
use super::loops::{Branch, fold};
use super::naming::traits;
use super::operation::{bytes, total_multiply_adds};
use super::places::{Place, Places};
use super::receptive::receptive_fields;
use super::row::{ParameterCount, Role, Row, Weight};
use super::shape::Shapes;
use super::tree::{ModuleTree, NodeId};
use super::visits::{Visit, VisitId, Visits, WHOLE};

/// Returns the rows of a forward pass, containers before what they hold, unused modules last; and the row of each call.
pub(super) fn rows(
    flow: &Flow, tree: &ModuleTree, shapes: &Shapes, calls: &[Call],
) -> Result<(Vec<Row>, Vec<Option<usize>>), SummaryError> {
    let mut counted = HashSet::new();
    let fields = receptive_fields(flow)?;
    let traits = traits(flow, tree, calls);
    let mut visits = Visits::of(flow, tree, calls);
    let places = Places::find(flow, tree, calls, &traits, &mut visits);
    let mut nest = Nest::new(flow, tree, shapes, &visits);
    for (((index, call), traits), Place { visit, field }) in calls.iter().enumerate().zip(traits).zip(places) {
        let Some(kind) = traits.names.into_iter().next() else {
            nest.pass(visit, call);
            continue;
        };
        let mut row = measure(flow, shapes, call, kind);
        row.receptive_field = call.output(flow).and_then(|id| fields.get(&id).cloned());
        if !call.held.is_empty() {
            row.path = held_path(tree, call);
            (row.parameters, row.shared) = count(tree, call, &mut counted);
            row.weights = weights(tree, call, &row.path);
        }
        if let Some(field) = field {
            (row.path, row.kind, row.is_certain) = (field.path, field.kind, field.is_certain);
        }
        nest.pass(visit, call);
        nest.add(Branch { row, calls: vec![index], inside: Vec::new() });
    }
    let (mut rows, mut rows_of_calls) = (Vec::new(), vec![None; calls.len()]);
    flatten(fold(nest.close()), 0, &mut rows, &mut rows_of_calls);
    rows.extend(unused(tree, &mut counted));
    Ok((rows, rows_of_calls))
}

fn measure(flow: &Flow, shapes: &Shapes, call: &Call, kind: String) -> Row {
    let (input, output) = (call.input(flow), call.output(flow));
    let operations = || call.operations.iter().map(|&index| &flow.operations[index]);
    let mut made = operations().flat_map(|operation| &operation.outputs);
    let role = if call.held.is_empty() { Role::Operation } else { Role::Layer };
    Row {
        input: input.and_then(|id| shapes.get(id)),
        output: output.and_then(|id| shapes.get(id)),
        window: operations().find_map(|operation| operation.window.clone()),
        multiply_adds: total_multiply_adds(operations()),
        activation_bytes: made.find(|tensor| Some(tensor.id) == output).map_or(0, bytes),
        kind,
        role,
        repeats: 1,
        is_certain: true,
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

/// Returns the tensors of the module that the call computes with, by their names in the layer.
fn weights(tree: &ModuleTree, call: &Call, layer: &str) -> Vec<Weight> {
    let weight = |&index: &usize| {
        let tensor = &tree.tensors[index];
        let name = tensor.path.strip_prefix(layer).filter(|name| !name.is_empty()).unwrap_or(&tensor.path);
        Weight { name: name.trim_start_matches('.').to_owned(), shape: tensor.tensor.shape.to_vec() }
    };
    call.held.iter().map(weight).collect()
}

/// Returns the path of the layer, or of the tensor that the call computes with.
fn held_path(tree: &ModuleTree, call: &Call) -> String {
    match (call.owner, call.held.first()) {
        (Some(owner), _) if !holds_tensor_itself(tree, owner) => tree.nodes[owner].path.clone(),
        (_, tensor) => tensor.map(|&tensor| tree.tensors[tensor].path.clone()).unwrap_or_default(),
    }
}

fn module_row(tree: &ModuleTree, node: NodeId, role: Role) -> Row {
    let (path, mut kind) = (tree.nodes[node].path.clone(), tree.kind(node).to_string());
    if tree.nodes[node].is_list
        && let Some(&element) = tree.nodes[node].children.first()
        && kind != "Tuple"
    {
        kind = format!("{kind}<{}>", tree.kind(element));
    }
    Row { path, kind, role, repeats: 1, is_certain: true, ..Row::default() }
}

/// Puts rows into the containers that run them.
struct Nest<'a> {
    flow: &'a Flow,
    tree: &'a ModuleTree,
    shapes: &'a Shapes,
    visits: &'a Visits,
    /// The visits that were entered and not left.
    open: Vec<Open>,
}

struct Open {
    visit: VisitId,
    inside: Vec<Branch>,
    /// The operations, from the first to the last.
    operations: Vec<usize>,
}

impl<'a> Nest<'a> {
    fn new(flow: &'a Flow, tree: &'a ModuleTree, shapes: &'a Shapes, visits: &'a Visits) -> Self {
        let open = vec![Open { visit: WHOLE, inside: Vec::new(), operations: Vec::new() }];
        Self { flow, tree, shapes, visits, open }
    }

    fn add(&mut self, branch: Branch) {
        self.open.last_mut().into_iter().for_each(|open| open.inside.push(branch.clone()));
    }

    /// Enters and leaves containers up to the visit, in which the call runs.
    fn pass(&mut self, visit: VisitId, call: &Call) {
        let mut way: Vec<_> = self.visits.around(visit).collect();
        way.reverse();
        let common = self.open.iter().zip(&way).take_while(|(open, visit)| open.visit == **visit).count();
        self.leave(common);
        for &visit in &way[common..] {
            self.open.push(Open { visit, inside: Vec::new(), operations: Vec::new() });
        }
        self.open.last_mut().into_iter().for_each(|open| open.operations.extend(&call.operations));
    }

    /// Leaves containers until so many are open.
    fn leave(&mut self, depth: usize) {
        while self.open.len() > depth.max(1)
            && let Some(left) = self.open.pop()
            && let Some(around) = self.open.last_mut()
        {
            around.operations.extend(&left.operations);
            let row = container(self.flow, self.shapes, self.tree, &self.visits.all[left.visit], &left);
            around.inside.push(Branch { row, calls: Vec::new(), inside: left.inside });
        }
    }

    fn close(mut self) -> Vec<Branch> {
        self.leave(1);
        self.open.pop().map(|whole| whole.inside).unwrap_or_default()
    }
}

/// Returns the row of a container, with the sums of what ran inside.
fn container(flow: &Flow, shapes: &Shapes, tree: &ModuleTree, visit: &Visit, left: &Open) -> Row {
    let all = Call { operations: left.operations.clone(), ..Call::default() };
    let mut row = module_row(tree, visit.node, Role::Container);
    row.input = all.input(flow).and_then(|id| shapes.get(id));
    row.output = all.output(flow).and_then(|id| shapes.get(id));
    row.shared = true;
    for Branch { row: inner, .. } in &left.inside {
        row.parameters += inner.parameters;
        row.multiply_adds += inner.multiply_adds;
        row.activation_bytes += inner.activation_bytes;
        row.shared &= inner.shared || inner.role == Role::Operation;
    }
    row
}

/// Puts containers before what they hold, and notes the row of each call.
fn flatten(branches: Vec<Branch>, depth: usize, rows: &mut Vec<Row>, rows_of_calls: &mut [Option<usize>]) {
    for Branch { row, calls, inside } in branches {
        calls.into_iter().for_each(|call| rows_of_calls[call] = Some(rows.len()));
        rows.push(Row { depth, ..row });
        flatten(inside, depth + 1, rows, rows_of_calls);
    }
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
