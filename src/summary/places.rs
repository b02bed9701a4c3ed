//! Where in the module each call lies.
//!
//! A layer's place is known. An operation without parameters is a field of the module, if there
//! is one of its sort nearby; a sum closes a residual block, if its operands show that; anything
//! else lies in the deepest module around the layers before and after it.

use std::collections::HashSet;

use burn_ir::TensorId;

use super::call::Call;
use super::extent::is_recurrent;
use super::flow::Flow;
use super::pattern::is_activation;
use super::tree::{ModuleTree, NodeId, ROOT};

#[derive(Clone, Debug)]
pub(super) struct Place {
    pub container: NodeId,
    /// The field that an operation without parameters stands for: its path and its type.
    pub field: Option<(String, String)>,
}

/// Finds the places of a forward pass's calls.
pub(super) struct Places<'a> {
    flow: &'a Flow,
    tree: &'a ModuleTree,
    calls: &'a [Call],
    used: HashSet<usize>,
    /// Containers, as far as they are known.
    known: Vec<Option<NodeId>>,
}

impl<'a> Places<'a> {
    pub fn find(flow: &'a Flow, tree: &'a ModuleTree, calls: &'a [Call], kinds: &[Option<String>]) -> Vec<Place> {
        let container = |call: &Call| call.owner.map(|owner| container_of(tree, owner));
        let known = calls.iter().map(container).collect();
        let mut places = Self { flow, tree, calls, used: HashSet::new(), known };
        let mut field =
            |(index, kind): (usize, &Option<String>)| kind.as_deref().and_then(|kind| places.field(index, kind));
        let found: Vec<_> = kinds.iter().enumerate().map(&mut field).collect();
        let place = |(index, field)| Place { container: places.container(index), field };
        found.into_iter().enumerate().map(place).collect()
    }

    /// Returns the nearest containers before and after a call.
    fn around(&self, index: usize) -> (NodeId, NodeId) {
        let before = self.known[..index].iter().rev().flatten().next();
        let after = self.known[index + 1..].iter().flatten().next();
        (before.copied().unwrap_or(ROOT), after.copied().unwrap_or(ROOT))
    }

    fn container(&self, index: usize) -> NodeId {
        self.known[index].unwrap_or_else(|| {
            let (before, after) = self.around(index);
            self.tree.common(before, after)
        })
    }

    /// Returns the field that an operation stands for. Notes the container, also of a sum that is none.
    fn field(&mut self, index: usize, kind: &str) -> Option<(String, String)> {
        if self.known[index].is_some() {
            return None;
        }
        let (before, after) = self.around(index);
        let Some(number) = self.nearest(kind, before, after) else {
            self.known[index] = self.residual_block(index, before, after);
            return None;
        };
        self.used.insert(number);
        let field = &self.tree.fields[number];
        self.known[index] = self.node(&field.container);
        Some((field.path.clone(), field.kind_for(kind).unwrap_or(kind).to_string()))
    }

    /// Returns the deepest module on a path.
    fn node(&self, path: &str) -> Option<NodeId> {
        self.tree
            .nodes
            .iter()
            .rposition(|node| node.path.is_empty() || node.path == path || path.starts_with(&format!("{}.", node.path)))
    }

    /// Fresh fields come first, those of the module just run before those around it; then fields
    /// used before; then those of the module about to run. An activation is no such beginning: a
    /// plain function after the layer before is likelier.
    fn nearest(&self, kind: &str, before: NodeId, after: NodeId) -> Option<usize> {
        let common = self.tree.common(before, after);
        let inner = |node| self.tree.ancestors(node).take_while(move |&node| node != common);
        let outer = || self.tree.ancestors(common);
        let field = |node: NodeId, fresh: bool| {
            let path = &self.tree.nodes[node].path;
            self.tree.fields.iter().enumerate().position(|(number, field)| {
                field.container == *path && field.kind_for(kind).is_some() && self.used.contains(&number) != fresh
            })
        };
        let fresh = |node| field(node, true);
        let used = |node| field(node, false);
        inner(before)
            .chain(outer())
            .find_map(fresh)
            .or_else(|| outer().chain(inner(before)).find_map(used))
            .or_else(|| inner(after).find_map(fresh).filter(|_| !is_activation(kind)))
    }

    /// A sum lies in a residual block if each operand was made in the block or is what went into
    /// it. Blocks are repeated: in a list, or beside others of their type.
    fn residual_block(&self, index: usize, before: NodeId, after: NodeId) -> Option<NodeId> {
        let (call, common) = (&self.calls[index], self.tree.common(before, after));
        let inputs = |&operation: &usize| self.flow.data_inputs(operation);
        let operands: Vec<TensorId> = call.operations.iter().flat_map(inputs).collect();
        if call.function.is_some() || operands.len() < 2 || before == after {
            return None;
        }
        self.tree
            .ancestors(before)
            .take_while(|&node| node != common && node != ROOT)
            .filter(|&node| self.is_repeated(node))
            .find(|&block| self.closes(block, index, &operands))
    }

    fn is_repeated(&self, node: NodeId) -> bool {
        let nodes = &self.tree.nodes;
        let Some(parent) = nodes[node].parent else { return false };
        nodes[parent].is_list
            || nodes.iter().enumerate().any(|(other, sibling)| {
                other != node && sibling.parent == Some(parent) && sibling.kind == nodes[node].kind
            })
    }

    fn closes(&self, block: NodeId, index: usize, operands: &[TensorId]) -> bool {
        let inside = |&call: &usize| self.known[call].is_some_and(|node| self.tree.contains(block, node));
        let outside = |&call: &usize| self.known[call].is_some() && !inside(&call);
        let start = (0..index).rev().find(outside).map_or(0, |outside| outside + 1);
        let Some(first) = (start..index).find(inside) else { return false };
        let entering = self.calls[first].input(self.flow);
        let begin = self.calls[first].operations[0];
        let made = |id: TensorId| self.flow.producer(id).is_some_and(|producer| producer >= begin);
        operands.iter().all(|&id| made(id) || Some(id) == entering) && operands.iter().any(|&id| made(id))
    }
}

/// Returns whether the owner of a call is no layer but a module with modules inside, of which the call uses a tensor.
pub(super) fn holds_tensor_itself(tree: &ModuleTree, owner: NodeId) -> bool {
    tree.nodes[owner].has_children && !is_recurrent(tree, owner)
}

fn container_of(tree: &ModuleTree, owner: NodeId) -> NodeId {
    match tree.nodes[owner].parent {
        Some(parent) if !holds_tensor_itself(tree, owner) => parent,
        _ => owner,
    }
}
