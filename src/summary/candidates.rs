//! Which field an operation without parameters can be.

use std::collections::HashMap;

use super::call::Call;
use super::naming::Traits;
use super::pattern::is_activation;
use super::tree::{ModuleTree, NodeId, ROOT};
use super::visits::VisitId;

/// The field that an operation stands for.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub path: String,
    pub kind: String,
    /// Whether no other field could be it.
    pub is_certain: bool,
}

/// The fields of the module, and those that ran.
pub(super) struct Candidates<'a> {
    tree: &'a ModuleTree,
    calls: &'a [Call],
    traits: &'a [Traits],
    /// The fields of a container that hold no parameters, by their number in [`ModuleTree::fields`].
    of_nodes: HashMap<NodeId, Vec<usize>>,
    /// The number of a field by its path.
    numbers: HashMap<&'a str, usize>,
    used: HashMap<(VisitId, usize), usize>,
}

impl<'a> Candidates<'a> {
    pub fn new(tree: &'a ModuleTree, calls: &'a [Call], traits: &'a [Traits]) -> Self {
        let nodes: HashMap<&str, NodeId> = (tree.nodes.iter().enumerate())
            .filter(|(_, node)| node.holds_tensors && !node.is_list)
            .map(|(id, node)| (node.path.as_str(), id))
            .collect();
        let mut of_nodes: HashMap<NodeId, Vec<usize>> = HashMap::new();
        for (number, field) in tree.fields.iter().enumerate() {
            let mut paths =
                std::iter::successors(Some(field.path.as_str()), |path| path.rsplit_once('.').map(|it| it.0));
            let node = paths.find_map(|path| nodes.get(path)).copied().unwrap_or(ROOT);
            of_nodes.entry(node).or_default().push(number);
        }
        let numbers = tree.fields.iter().enumerate().map(|(number, field)| (field.path.as_str(), number)).collect();
        Self { tree, calls, traits, of_nodes, numbers, used: HashMap::new() }
    }

    /// Returns the numbers and types of the container's fields that the call can be.
    fn alike(&self, node: NodeId, call: usize) -> Vec<(usize, &'a str)> {
        let fields = self.of_nodes.get(&node).map_or(&[][..], Vec::as_slice);
        let mut names = self.traits[call].names.iter();
        let alike = |name: &String| {
            let with = |&number: &usize| Some((number, self.tree.fields[number].kind_for(name)?));
            Some(fields.iter().filter_map(with).collect::<Vec<_>>()).filter(|alike| !alike.is_empty())
        };
        let mut found = names.find_map(alike).unwrap_or_default();
        found.dedup_by_key(|(number, _)| &self.tree.fields[*number].path);
        found
    }

    /// Takes a field of a visit's container for the call: one that did not run in that visit, or one that did. Of
    /// several, the one that is declared where it runs: between the two layers `around`.
    pub fn take(
        &mut self, (visit, node): (VisitId, NodeId), call: usize, fresh: bool, around: (Option<usize>, Option<usize>),
    ) -> Option<Named> {
        let alike = self.alike(node, call);
        let number_of = |layer: Option<usize>| {
            let path = self.tree.nodes[self.calls[layer?].owner?].path.as_str();
            self.numbers.get(path).copied()
        };
        let (before, after) = (number_of(around.0).unwrap_or(0), number_of(around.1).unwrap_or(usize::MAX));
        let is_between = |number: usize| (before..after).contains(&number);
        let uses = |number| self.used.get(&(visit, number)).copied().unwrap_or_default();
        let free = alike.iter().filter(|(number, _)| (uses(*number) == 0) == fresh);
        let (number, kind) = *free.min_by_key(|&&(number, _)| (uses(number), !is_between(number), number))?;
        let others = alike.iter().filter(|&&(other, _)| other != number && is_between(other));
        let is_certain = alike.len() == 1 || is_between(number) && others.count() == 0;
        *self.used.entry((visit, number)).or_default() += 1;
        Some(Named { path: self.tree.fields[number].path.clone(), kind: kind.to_owned(), is_certain })
    }

    /// Returns the field of one of the containers that the call can be, if it is their only one: a layer that is handed
    /// to what runs it. An activation is likelier a function of its own.
    pub fn outside(&self, mut nodes: impl Iterator<Item = NodeId>, call: usize) -> Option<Named> {
        if self.traits[call].names.first().is_none_or(|name| is_activation(name)) {
            return None;
        }
        let alike = nodes.find_map(|node| Some(self.alike(node, call)).filter(|alike| !alike.is_empty()))?;
        let [(number, kind)] = alike[..] else { return None };
        Some(Named { path: self.tree.fields[number].path.clone(), kind: kind.to_owned(), is_certain: true })
    }
}
