//! Turns calls into rows: with paths, shapes and costs, and the containers around them.

use std::collections::{BTreeMap, HashSet};

use burn::module::ParamId;

use super::{
    call::Call, error::SummaryError, flow::Flow, loops::Branch, loops::fold, naming::Traits, naming::traits,
    operation::bytes, operation::total_multiply_adds, places::Place, places::Places, receptive::receptive_fields,
    row::ParameterCount, row::Role, row::Row, row::Weight, shape::Shapes, tree::ModuleTensor, tree::ModuleTree,
    tree::NodeId, visits::VisitId, visits::Visits,
};

/// Returns the rows of a forward pass, containers before what they hold, unused modules last; and the row of each call.
pub(super) fn rows(
    flow: &Flow, tree: &ModuleTree, shapes: &Shapes, calls: &[Call],
) -> Result<(Vec<Row>, Vec<Option<usize>>), SummaryError> {
    let mut counted = HashSet::new();
    let traits = traits(flow, tree, calls);
    let fields = receptive_fields(flow, calls, &traits)?;
    let mut visits = Visits::of(flow, tree, calls);
    let places = Places::find(flow, tree, calls, &traits, &mut visits);
    let mut nest = Nest { flow, tree, shapes, visits: &visits, open: vec![Open::default()] };
    for (((index, call), traits), Place { visit, field }) in calls.iter().enumerate().zip(traits).zip(places) {
        let Traits { names, kernel, .. } = traits;
        let row = names.into_iter().next().map(|kind| {
            let mut row = Row { kernel, ..measure(flow, shapes, call, kind) };
            row.receptive_field = call.output(flow).and_then(|id| fields.get(&id).cloned());
            if !call.held.is_empty() {
                row.path = held_path(tree, call);
                (row.parameters, row.shared) = count(tree, call, &mut counted);
                row.weights = weights(tree, call);
            }
            if let Some(field) = field {
                (row.path, row.kind, row.is_certain) = (field.path, field.kind, field.is_certain);
            }
            Branch { row, calls: vec![index], inside: Vec::new() }
        });
        nest.add(visit, call, row);
    }
    let (mut rows, mut rows_of_calls) = (Vec::new(), vec![None; calls.len()]);
    flatten(fold(nest.close()), 0, &mut rows, &mut rows_of_calls);
    rows.extend(unused(tree, &mut counted));
    Ok((rows, rows_of_calls))
}

fn measure(flow: &Flow, shapes: &Shapes, call: &Call, kind: String) -> Row {
    let (input, output) = (call.input(flow), call.output(flow));
    let role = if call.held.is_empty() { Role::Operation } else { Role::Layer };
    Row {
        input: input.and_then(|id| shapes.get(id)),
        output: output.and_then(|id| shapes.get(id)),
        multiply_adds: total_multiply_adds(call.steps(flow)) + call.without_data as u64,
        activation_bytes: call.made(flow).find(|tensor| Some(tensor.id) == output).map_or(0, bytes),
        kind,
        role,
        repeats: 1,
        is_certain: true,
        ..Row::default()
    }
}

/// Returns the parameters that the call is the first to use, and whether it is the first for none.
fn count(tree: &ModuleTree, call: &Call, counted: &mut HashSet<ParamId>) -> (ParameterCount, bool) {
    let (mut parameters, held) = (ParameterCount::default(), call.held.iter().map(|&index| &tree.tensors[index]));
    let new: Vec<_> = held.filter(|tensor| counted.insert(tensor.parameter)).collect();
    new.iter().for_each(|tensor| parameters += tensor.count());
    (parameters, new.is_empty())
}

/// Returns the tensors of the module that the call computes with, by their names in the module that holds them.
fn weights(tree: &ModuleTree, call: &Call) -> Vec<Weight> {
    let weight = |&index: &usize| {
        let ModuleTensor { path, tensor, .. } = &tree.tensors[index];
        let holder = call.owner.map_or("", |owner| &tree.nodes[owner].path);
        let name = path.strip_prefix(holder).unwrap_or(path).trim_start_matches('.');
        Weight { name: name.to_owned(), shape: tensor.shape.to_vec() }
    };
    call.held.iter().map(weight).collect()
}

/// Returns the path of the layer, or of the tensor that the call computes with.
fn held_path(tree: &ModuleTree, call: &Call) -> String {
    match (call.owner, call.held.first()) {
        (Some(owner), _) if !tree.holds_tensor_itself(owner) => tree.nodes[owner].path.clone(),
        (_, tensor) => tensor.map(|&tensor| tree.tensors[tensor].path.clone()).unwrap_or_default(),
    }
}

fn module_row(tree: &ModuleTree, node: NodeId, role: Role) -> Row {
    let (path, mut kind) = (tree.nodes[node].path.clone(), tree.kind(node).to_string());
    let mut elements = tree.nodes[node].children.iter().map(|&element| tree.kind(element));
    if tree.nodes[node].is_list
        && kind != "Tuple"
        && let Some(element) = elements.next()
        && elements.all(|other| other == element)
    {
        kind = format!("{kind}<{element}>");
    }
    Row { path, kind, role, repeats: 1, is_certain: true, ..Row::default() }
}

/// Puts rows into the containers that run them.
struct Nest<'a> {
    flow: &'a Flow<'a>,
    tree: &'a ModuleTree,
    shapes: &'a Shapes,
    visits: &'a Visits,
    /// The visits that were entered and not left, that of the module itself first.
    open: Vec<Open>,
}

#[derive(Default)]
struct Open {
    visit: VisitId,
    inside: Vec<Branch>,
    /// The operations, from the first to the last.
    run: Call,
}

impl Nest<'_> {
    /// Enters and leaves containers up to the visit in which the call runs, and adds its row, if it has one.
    fn add(&mut self, visit: VisitId, call: &Call, row: Option<Branch>) {
        let mut way: Vec<_> = self.visits.around(visit).collect();
        way.reverse();
        let common = self.open.iter().zip(&way).take_while(|(open, visit)| open.visit == **visit).count();
        self.leave(common);
        self.open.extend(way[common..].iter().map(|&visit| Open { visit, ..Open::default() }));
        if let Some(open) = self.open.last_mut() {
            open.run.operations.extend(&call.operations);
            open.inside.extend(row);
        }
    }

    /// Leaves containers until so many are open.
    fn leave(&mut self, depth: usize) {
        while self.open.len() > depth.max(1)
            && let Some(left) = self.open.pop()
        {
            let row = self.container(&left);
            if let Some(around) = self.open.last_mut() {
                around.run.operations.extend(left.run.operations);
                around.inside.push(Branch { row, calls: Vec::new(), inside: left.inside });
            }
        }
    }

    /// Returns the row of a container, with the sums of what ran inside.
    fn container(&self, left: &Open) -> Row {
        let ends = [left.run.input(self.flow), left.run.output(self.flow)];
        let [input, output] = ends.map(|id| self.shapes.get(id?));
        let row = module_row(self.tree, self.visits.all[left.visit].node, Role::Container);
        let mut row = Row { input, output, shared: true, ..row };
        for Branch { row: inner, .. } in &left.inside {
            row.parameters += inner.parameters;
            row.multiply_adds += inner.multiply_adds;
            row.activation_bytes += inner.activation_bytes;
            row.shared &= inner.shared || inner.role == Role::Operation;
        }
        row
    }

    fn close(mut self) -> Vec<Branch> {
        self.leave(1);
        self.open.pop().map(|whole| whole.inside).unwrap_or_default()
    }
}

/// Puts containers before what they hold, and notes the row of each call.
fn flatten(branches: Vec<Branch>, depth: usize, rows: &mut Vec<Row>, rows_of_calls: &mut [Option<usize>]) {
    for Branch { row, calls, inside } in branches {
        calls.into_iter().for_each(|call| rows_of_calls[call] = Some(rows.len()));
        rows.push(Row { depth, ..row });
        flatten(inside, depth + 1, rows, rows_of_calls);
    }
}

/// Returns a row for each module, or parameter of a container, that the forward pass never uses.
fn unused(tree: &ModuleTree, counted: &mut HashSet<ParamId>) -> Vec<Row> {
    let mut rows: BTreeMap<(NodeId, &str), Row> = BTreeMap::new();
    for tensor in tree.tensors.iter().filter(|tensor| counted.insert(tensor.parameter)) {
        let own = Some(tensor.path.as_str()).filter(|_| tree.holds_tensor_itself(tensor.node));
        let row = rows.entry((tensor.node, own.unwrap_or_default()));
        let row = row.or_insert_with(|| module_row(tree, tensor.node, Role::Unused));
        row.parameters += tensor.count();
        if let Some(path) = own {
            (row.path, row.kind) = (path.to_owned(), "Param".to_owned());
        }
    }
    rows.into_values().collect()
}
