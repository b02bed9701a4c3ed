//! Where in the module each call lies.
//!
//! A layer's place is known. What runs between two layers lies on the way from the one to the other: out of the
//! containers that are left, into those that are entered, and never back into one that was left. On that way
//!
//! 1. what a field can be lies with the field: of a container that all of its type begin with it; else nearest first,
//!    on the way out, where both ways meet, on the way in;
//! 2. what joins tensors of a container lies in it, as a container returns one; a product with what went in closes it,
//!    and so does a sum, if it is one of several;
//! 3. an activation without a field belongs to the container that is left;
//! 4. anything else lies where the ways meet: between the elements of a list, in the list, and as much after the last.
//!
//! In a container lies only what computes with what it has made, or with what went into it, and what its type allows.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use burn_ir::TensorId;

use super::{
    call::Call, flow::Flow, habits::Habits, naming::Traits, pattern::is_activation, tree::ModuleTree, tree::Node,
    tree::NodeId, visits::Visit, visits::VisitId, visits::Visits, visits::WHOLE,
};

#[derive(Clone, Debug)]
pub(super) struct Place {
    pub visit: VisitId,
    /// The field that an operation without parameters stands for.
    pub field: Option<Named>,
}

/// Finds the places of a forward pass's calls.
pub(super) struct Places<'a> {
    flow: &'a Flow<'a>,
    tree: &'a ModuleTree,
    calls: &'a [Call],
    traits: &'a [Traits],
    visits: &'a mut Visits,
    candidates: Candidates<'a>,
    habits: Habits<'a>,
    /// What ran between the elements of a list, or in a module that has no field for it; on a way with so many rows.
    ran: HashMap<(VisitId, &'a str), usize>,
}

/// The way between two layers' calls: the visits that are left, the one around both, those that are entered.
struct Way {
    /// The calls on the way.
    calls: Range<usize>,
    visits: Vec<VisitId>,
    /// The place of the one around both.
    middle: usize,
}

impl<'a> Places<'a> {
    pub fn find(
        flow: &'a Flow<'a>, tree: &'a ModuleTree, calls: &'a [Call], traits: &'a [Traits], visits: &'a mut Visits,
    ) -> Vec<Place> {
        let (candidates, habits) = (Candidates::new(tree, traits), Habits::new(tree));
        let mut places = Self { flow, tree, calls, traits, visits, candidates, habits, ran: HashMap::new() };
        let known = places.visits.of_calls.clone();
        let layers = known.iter().enumerate().filter_map(|(call, visit)| Some((call, (*visit)?)));
        let befores = [None].into_iter().chain(layers.clone().map(Some));
        let ways: Vec<_> = befores.zip(layers.map(Some).chain([None])).map(|(a, b)| places.way(a, b)).collect();
        for Way { calls, visits, middle } in &ways {
            let names: Vec<&str> = calls.clone().filter_map(|call| places.name(call)).collect();
            let node = |visit: &VisitId| places.visits.all[*visit].node;
            visits[..*middle].iter().for_each(|visit| places.habits.note(node(visit), true, names.iter().copied()));
            let before = names.iter().rev().copied();
            visits[middle + 1..].iter().for_each(|visit| places.habits.note(node(visit), false, before.clone()));
        }
        let mut found = Vec::new();
        for way in ways {
            found.extend(places.on(&way));
            found.extend(known.get(way.calls.end).map(|visit| Place { visit: visit.unwrap_or(WHOLE), field: None }));
        }
        found
    }

    /// Returns the name of what a call can be, if it has a row.
    fn name(&self, call: usize) -> Option<&'a str> {
        self.traits[call].names.first().map(String::as_str)
    }

    /// Returns the places of the calls on a way.
    fn on(&mut self, way: &Way) -> Vec<Place> {
        let (mut places, mut first) = (Vec::new(), 0);
        let named: Vec<_> = way.calls.clone().filter_map(|call| Some((call, self.name(call)?))).collect();
        for (earlier, &(call, name)) in named.iter().enumerate() {
            let (step, field) = self.step(call, name, way, first, [earlier, named.len() - earlier - 1]);
            // What has no row lies where the next row does.
            let (visit, begin) = (way.visits[step], way.calls.start + places.len());
            places.extend((begin..call).map(|_| Place { visit, field: None }));
            if self.is_list(visit) || field.is_none() {
                self.ran.entry((visit, name)).or_insert(named.len());
            }
            places.push(Place { visit, field });
            let known = &mut self.visits.all[visit].begin;
            *known = (*known).min(self.calls[begin].operations[0]);
            first = step;
        }
        let visit = way.visits[first.max(way.middle)];
        places.resize(way.calls.len(), Place { visit, field: None });
        places
    }

    /// Returns the way from one layer's call to the next.
    fn way(&self, before: Option<(usize, VisitId)>, after: Option<(usize, VisitId)>) -> Way {
        let calls = before.map_or(0, |(call, _)| call + 1)..after.map_or(self.calls.len(), |(call, _)| call);
        let [from, to] = [before, after].map(|layer| layer.map_or(WHOLE, |(_, visit)| visit));
        let common = self.visits.common(from, to);
        let below = |visit| self.visits.around(visit).take_while(move |&around| around != common);
        let can_end = |visit: &VisitId| !self.tree.ends_with_layer(self.visits.all[*visit].node);
        let mut visits: Vec<_> = below(from).filter(can_end).collect();
        let middle = visits.len();
        visits.push(common);
        let mut entered: Vec<_> = below(to).collect();
        entered.reverse();
        visits.extend(entered);
        Way { calls, visits, middle }
    }

    fn is_list(&self, visit: VisitId) -> bool {
        self.tree.nodes[self.visits.all[visit].node].is_list
    }

    /// Returns the step of the way at which a call lies, the `first` or a later one, and the field that it is. On the way
    /// are `earlier` and `later` other calls with rows.
    fn step(
        &mut self, call: usize, name: &'a str, way: &Way, first: usize, [earlier, later]: [usize; 2],
    ) -> (usize, Option<Named>) {
        let is_left = |&step: &usize| {
            let (visit, node) = (way.visits[step], self.visits.all[way.visits[step]].node);
            let is_element = || !self.candidates.alike(node, call).is_empty();
            let is_between = || self.ran.get(&(visit, name)).is_some_and(|rows| earlier < *rows);
            let can_lie_in = !self.is_list(visit) || is_between() || is_element();
            can_lie_in && self.is_own(visit, call) && self.habits.can_end_with(node, earlier)
        };
        let out: Vec<usize> = (first..way.middle).filter(is_left).collect();
        let on_the_way_out = || out.iter().copied().chain((first <= way.middle).then_some(way.middle));
        let field = self.entered(call, name, way, first, later, true);
        let field = field.or_else(|| self.field(call, way, on_the_way_out(), true));
        let field = field.or_else(|| self.entered(call, name, way, first, later, false));
        // A container that runs the same inside, without a field for it, has no use for one further out that ran before.
        let has_own =
            |&step: &usize| !self.is_list(way.visits[step]) && self.ran.contains_key(&(way.visits[step], name));
        let own = out.iter().position(has_own).filter(|_| self.calls[call].is_function());
        let known = on_the_way_out().take(own.map_or(usize::MAX, |own| own + 1));
        if let Some((step, field)) = field.or_else(|| self.field(call, way, known, false)) {
            return (step, Some(field));
        }
        let inputs: HashSet<_> = self.calls[call].data(self.flow).collect();
        let is_join = inputs.len() > 1 && self.calls[call].operations.len() == 1;
        let ends = |step: &&usize| match (way.visits[**step], is_join) {
            (visit, _) if self.is_list(visit) => true,
            (visit, true) => name == "Mul" || self.is_repeated(visit) || inputs.iter().all(|&id| self.makes(visit, id)),
            (_, false) => self.traits[call].keeps_shape && self.calls[call].is_function(),
        };
        let left = out.iter().find(ends).copied();
        let around = self.visits.around(way.visits[way.middle]).map(|visit| self.visits.all[visit].node);
        (left.unwrap_or(way.middle).max(first), self.candidates.outside(around, call))
    }

    /// Returns the first step with a field that the call can be: one not used in its visit, or one that was.
    fn field(
        &mut self, call: usize, way: &Way, mut steps: impl Iterator<Item = usize>, fresh: bool,
    ) -> Option<(usize, Named)> {
        steps.find_map(|step| {
            // A list has no forward pass: what runs in it can be a field of the module around it.
            let module = self.visits.around(way.visits[step]).find(|&visit| !self.is_list(visit));
            let mut visits = [way.visits[step]].into_iter().chain(module);
            let named = visits.find_map(|visit| self.candidates.take(visit, self.visits.all[visit].node, call, fresh));
            Some((step, named?))
        })
    }

    /// Returns the first step on the way in with a field that the call can be: `surely`, if it also runs inside, and all
    /// others of its type begin so. A list begins with those of its elements that have no parameters.
    fn entered(
        &mut self, call: usize, name: &str, way: &Way, first: usize, later: usize, surely: bool,
    ) -> Option<(usize, Named)> {
        (first.max(way.middle + 1)..way.visits.len()).find_map(|step| {
            let (visit, Visit { node, calls, .. }) = (way.visits[step], &self.visits.all[way.visits[step]]);
            let runs_inside = calls.clone().any(|other| self.name(other) == Some(name));
            let can_begin = match self.tree.nodes[*node].is_list {
                true => !surely && self.candidates.is_before(*node, call, self.calls[way.calls.end].owner),
                false => (runs_inside || !surely) && self.habits.can_begin_with(*node, name, later, runs_inside),
            };
            can_begin.then_some(())?;
            Some((step, self.candidates.take(visit, *node, call, true)?))
        })
    }

    /// Returns whether the call computes with what the visit has made, and with nothing else but what went into it; a
    /// list has no forward pass that anything could go into.
    fn is_own(&self, visit: VisitId, call: usize) -> bool {
        let (begin, end) = (self.visits.all[visit].begin, self.calls[call].operations[0]);
        let made = |id| self.makes(visit, id);
        let went_in = |id| {
            let consumers = self.flow.consumers(id);
            consumers.get(consumers.partition_point(|&it| it < begin)).is_some_and(|&it| it < end)
        };
        let mut inputs = self.calls[call].data(self.flow);
        inputs.clone().any(made) && (self.is_list(visit) || inputs.all(|id| made(id) || went_in(id)))
    }

    /// Returns whether the tensor is made in the visit.
    fn makes(&self, visit: VisitId, tensor: TensorId) -> bool {
        self.flow.producer(tensor).is_some_and(|producer| producer >= self.visits.all[visit].begin)
    }

    /// Returns whether the module stands in a list, or beside others of its type.
    fn is_repeated(&self, visit: VisitId) -> bool {
        let (nodes, node) = (&self.tree.nodes, self.visits.all[visit].node);
        let alike = |&&other: &&NodeId| nodes[other].kind == nodes[node].kind;
        let is_one_of = |node: &Node| node.is_list || node.children.iter().filter(alike).count() > 1;
        nodes[node].parent.is_some_and(|parent| is_one_of(&nodes[parent]))
    }
}

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
    traits: &'a [Traits],
    /// The fields of each container, by their numbers in [`ModuleTree::fields`].
    of_nodes: Vec<Vec<usize>>,
    used: HashMap<(VisitId, usize), usize>,
}

impl<'a> Candidates<'a> {
    pub fn new(tree: &'a ModuleTree, traits: &'a [Traits]) -> Self {
        Self { tree, traits, of_nodes: tree.fields_of_modules(), used: HashMap::new() }
    }

    /// Returns the numbers and types of the container's fields that the call can be.
    fn alike(&self, node: NodeId, call: usize) -> Vec<(usize, &'a str)> {
        let Traits { names, kernel, .. } = &self.traits[call];
        let can_be = |&number: &usize| {
            let field = &self.tree.fields[number];
            let fits = kernel.as_ref().is_none_or(|kernel| field.fits(kernel));
            Some((number, names.iter().find_map(|name| field.kind_for(name)).filter(|_| fits)?))
        };
        let mut found: Vec<_> = self.of_nodes[node].iter().filter_map(can_be).collect();
        found.dedup_by_key(|(number, _)| &self.tree.fields[*number].path);
        found
    }

    /// Returns whether the call can be an element of the list before the one that the layer lies in.
    fn is_before(&self, list: NodeId, call: usize, layer: Option<NodeId>) -> bool {
        let path = &self.tree.nodes[list].path;
        let number = |inner: &str| inner.strip_prefix(path)?.split('.').nth(1)?.parse::<usize>().ok();
        let entered = layer.and_then(|layer| number(&self.tree.nodes[layer].path));
        self.alike(list, call).iter().any(|(field, _)| number(&self.tree.fields[*field].path) < entered)
    }

    /// Takes a field of a visit's container for the call: one that did not run in that visit, or one that did.
    pub fn take(&mut self, visit: VisitId, node: NodeId, call: usize, fresh: bool) -> Option<Named> {
        let alike = self.alike(node, call);
        let uses = |number| self.used.get(&(visit, number)).copied().unwrap_or_default();
        let free = alike.iter().filter(|(number, _)| (uses(*number) == 0) == fresh);
        let (number, kind) = *free.min_by_key(|&&(number, _)| (uses(number), number))?;
        *self.used.entry((visit, number)).or_default() += 1;
        Some(Named { path: self.tree.fields[number].path.clone(), kind: kind.to_owned(), is_certain: alike.len() == 1 })
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
