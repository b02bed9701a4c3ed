//! What the runs of one type of container have in common.
//!
//! Containers of one type run the same code. So what runs before the first layer of one of them belongs to it only if
//! it runs before the first layer of all, and what runs after the last layer likewise.

use std::collections::HashMap;

use super::tree::{ModuleTree, NodeId};

/// What runs beside all containers of a type, the nearest first, and how often the type ran.
type Common<'a> = HashMap<String, (Vec<&'a str>, usize)>;

/// The habits of all containers but lists, by their types.
#[derive(Default)]
pub(super) struct Habits<'a> {
    types: HashMap<NodeId, String>,
    before: Common<'a>,
    after: Common<'a>,
}

impl<'a> Habits<'a> {
    pub fn new(tree: &ModuleTree) -> Self {
        let mut habits = Self::default();
        let containers = tree.nodes.iter().enumerate().filter(|(_, node)| !node.is_list && !node.children.is_empty());
        habits.types.extend(containers.map(|(id, node)| (id, node.kind.clone().unwrap_or_default())));
        // A type with other switches and activations runs other code; sizes alone make no difference.
        let holders = tree.holders();
        for field in tree.fields.iter().filter(|field| field.value.contains(char::is_alphabetic)) {
            let (holder, name) = field.path.rsplit_once('.').unwrap_or(("", &field.path));
            if let Some(kind) = holders.get(holder).and_then(|holder| habits.types.get_mut(holder)) {
                let value: String = field.value.chars().filter(|letter| !letter.is_ascii_digit()).collect();
                kind.extend([";", name, ":", &value]);
            }
        }
        habits
    }

    /// Notes what runs after a container's last layer, or before its first, the nearest first.
    pub fn note(&mut self, node: NodeId, is_after: bool, names: impl Iterator<Item = &'a str> + Clone) {
        let Some(kind) = self.types.get(&node) else { return };
        let common = if is_after { &mut self.after } else { &mut self.before };
        let (known, runs) = common.entry(kind.to_owned()).or_insert_with(|| (names.clone().collect(), 0));
        known.truncate(known.iter().zip(names).take_while(|(known, name)| *known == name).count());
        *runs += 1;
    }

    /// Returns whether an operation after the container's last layer, and after `earlier` others, can be the container's.
    pub fn can_end_with(&self, node: NodeId, earlier: usize) -> bool {
        self.types.get(&node).and_then(|kind| self.after.get(kind)).is_none_or(|(after, _)| earlier < after.len())
    }

    /// Returns whether an operation before the container's first layer, and before `later` others, can be the
    /// container's. One that also runs inside can be only if others of its type begin so; one that all end with is not.
    pub fn can_begin_with(&self, node: NodeId, name: &str, later: usize, runs_inside: bool) -> bool {
        let Some(kind) = self.types.get(&node) else { return true };
        let is_end = self.after.get(kind).is_some_and(|(after, _)| after.contains(&name));
        let before = self.before.get(kind);
        !is_end && before.is_none_or(|(before, runs)| later < before.len() && (*runs > 1 || !runs_inside))
    }
}
