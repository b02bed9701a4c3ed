//! What the runs of one type of container have in common.
//!
//! Containers of one type run the same code. So what runs before the first layer of one of them belongs to it only if it
//! runs before the first layer of all, and what runs after the last layer likewise.

use std::collections::HashMap;
use std::ops::Range;

use super::{naming::Traits, tree::ModuleTree, tree::NodeId};

/// What runs before and after the layers of a container, as far as it can be the container's.
#[derive(Clone, Debug, Default)]
struct Habit<'a> {
    before: Option<Vec<&'a str>>,
    after: Option<Vec<&'a str>>,
    /// How often the type runs.
    runs: usize,
}

/// The habits of all containers, by their types.
pub(super) struct Habits<'a> {
    types: HashMap<NodeId, String>,
    by_type: HashMap<String, Habit<'a>>,
    traits: &'a [Traits],
}

impl<'a> Habits<'a> {
    pub fn new(tree: &ModuleTree, traits: &'a [Traits]) -> Self {
        let types = tree.nodes.iter().enumerate().filter(|(_, node)| !node.is_list && !node.children.is_empty());
        let types = types.map(|(id, node)| (id, node.kind.clone().unwrap_or_default()));
        let mut types: HashMap<NodeId, String> = types.collect();
        let holders = tree.holders();
        for field in &tree.fields {
            let (holder, name) = field.path.rsplit_once('.').unwrap_or(("", &field.path));
            let kind = holders.get(holder).and_then(|holder| types.get_mut(holder));
            if let Some(kind) = kind.filter(|_| field.is_of_the_type()) {
                kind.extend([";", name, ":", &field.value]);
            }
        }
        Self { types, by_type: HashMap::new(), traits }
    }

    fn names(&self, calls: Range<usize>) -> Vec<&'a str> {
        self.traits[calls].iter().filter_map(|traits| traits.names.first()).map(String::as_str).collect()
    }

    /// Notes what runs between two layers: after the containers that are left, and before those that are entered.
    pub fn note(
        &mut self, gap: &Range<usize>, left: impl Iterator<Item = NodeId>, entered: impl Iterator<Item = NodeId>,
    ) {
        let names = self.names(gap.clone());
        let alike = |a: &[&str], b: &[&str]| a.iter().zip(b).take_while(|(a, b)| a == b).count();
        for node in left {
            let Some(habit) = self.types.get(&node).map(|kind| self.by_type.entry(kind.clone()).or_default()) else {
                continue;
            };
            let after = habit.after.get_or_insert_with(|| names.clone());
            after.truncate(alike(after, &names));
        }
        let reversed: Vec<&str> = names.into_iter().rev().collect();
        for node in entered {
            let Some(habit) = self.types.get(&node).map(|kind| self.by_type.entry(kind.clone()).or_default()) else {
                continue;
            };
            let before = habit.before.get_or_insert_with(|| reversed.clone());
            before.truncate(alike(before, &reversed));
            habit.runs += 1;
        }
    }

    fn of(&self, node: NodeId) -> Option<&Habit<'a>> {
        self.by_type.get(self.types.get(&node)?)
    }

    /// Returns whether the container can end with a call: all of its type run so much, after their last layer.
    pub fn can_end_with(&self, node: NodeId, gap: &Range<usize>, call: usize) -> bool {
        let after = self.of(node).and_then(|habit| habit.after.as_ref());
        after.is_none_or(|after| self.names(gap.start..call).len() < after.len())
    }

    /// Returns whether the container can begin with a call: all of its type run so much, before their first layer.
    /// What can be their end is likelier that.
    pub fn can_begin_with(&self, node: NodeId, gap: &Range<usize>, call: usize, runs_inside: bool) -> bool {
        let Some(Habit { before: Some(before), after, runs }) = self.of(node) else { return true };
        let is_end = after.iter().flatten().any(|name| self.traits[call].names.first().is_some_and(|own| own == name));
        self.names(call + 1..gap.end).len() < before.len() && !is_end && (*runs > 1 || !runs_inside)
    }
}
