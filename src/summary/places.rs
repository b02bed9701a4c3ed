//! Where in the module each call lies.
//!
//! A layer's place is known. What runs between two layers lies on the way from the one to the other: out of the
//! containers that are left, into those that are entered, and never back into one that was left. On that way
//!
//! 1. what joins two tensors that a container made lies in it, as a container returns one;
//! 2. what a field can be lies with the field, nearest first: on the way out, where both ways meet, on the way in;
//! 3. a sum with what went into a block closes the block; blocks are repeated;
//! 4. an activation without a field belongs to the container that is left;
//! 5. anything else lies where the ways meet.
//!
//! Out of a container only that can be computed which it has made, or what went into it.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::Range;

use burn_ir::TensorId;

use super::call::Call;
use super::candidates::{Candidates, Named};
use super::flow::Flow;
use super::layer::ends_with_layer;
use super::naming::Traits;
use super::tree::{ModuleTree, NodeId};
use super::visits::{VisitId, Visits, WHOLE};

#[derive(Clone, Debug)]
pub(super) struct Place {
    pub visit: VisitId,
    /// The field that an operation without parameters stands for.
    pub field: Option<Named>,
}

/// Finds the places of a forward pass's calls.
pub(super) struct Places<'a> {
    flow: &'a Flow,
    tree: &'a ModuleTree,
    calls: &'a [Call],
    traits: &'a [Traits],
    visits: &'a mut Visits,
    candidates: Candidates<'a>,
    /// What runs between the elements of a list.
    in_lists: HashSet<(VisitId, &'a str)>,
    /// What runs in a container before its first layer.
    entries: HashMap<NodeId, Vec<&'a [String]>>,
}

/// The way between two layers: the visits that are left, the one around both, those that are entered.
struct Way {
    visits: Vec<VisitId>,
    /// The place of the one around both.
    middle: usize,
}

impl<'a> Places<'a> {
    pub fn find(
        flow: &'a Flow, tree: &'a ModuleTree, calls: &'a [Call], traits: &'a [Traits], visits: &'a mut Visits,
    ) -> Vec<Place> {
        let known = visits.of_calls.clone();
        let candidates = Candidates::new(tree, calls, traits);
        let mut places =
            Self { flow, tree, calls, traits, visits, candidates, in_lists: HashSet::new(), entries: HashMap::new() };
        let mut found = Vec::new();
        let (mut before, mut start) = (None, 0);
        for (call, visit) in known.iter().enumerate().filter_map(|(call, visit)| Some((call, (*visit)?))) {
            found.extend(places.between(start..call, before, Some(call)));
            found.push(Place { visit, field: None });
            (before, start) = (Some(call), call + 1);
        }
        found.extend(places.between(start..calls.len(), before, None));
        found
    }

    /// Returns the places of the calls between two layers' calls.
    fn between(&mut self, gap: Range<usize>, before: Option<usize>, after: Option<usize>) -> Vec<Place> {
        let (way, gap_start) = (self.way(before, after), gap.start);
        let (mut most, mut first) = (vec![way.visits.len() - 1; gap.len()], 0);
        let mut joined = self.joins(&gap, &way);
        for index in (0..gap.len()).rev() {
            let latest = most.get(index + 1).copied().unwrap_or(usize::MAX);
            most[index] = joined[index].take().unwrap_or(usize::MAX).min(latest).min(way.visits.len() - 1);
        }
        let entered = self.entered_again(&gap, &way);
        let mut places = Vec::new();
        for ((call, most), entered) in gap.zip(most).zip(entered) {
            let limits =
                entered.filter(|step| *step >= first).map_or(first..most.max(first) + 1, |step| step..step + 1);
            let (step, field) = self.step(call, &way, limits, (before, after));
            let visit = way.visits[step];
            let begin = &mut self.visits.all[visit].begin;
            *begin = (*begin).min(self.calls[call].operations[0]);
            if let Some(name) = self.traits[call].names.first().filter(|_| self.is_list(visit)) {
                self.in_lists.insert((visit, name));
            }
            places.push(Place { visit, field });
            first = step;
        }
        self.note_entries(&places, &way, gap_start);
        places
    }

    /// Returns the step at which a container is entered that ran before, for what ran before its first layer then.
    fn entered_again(&self, gap: &Range<usize>, way: &Way) -> Vec<Option<usize>> {
        let (mut steps, mut end) = (vec![None; gap.len()], gap.len());
        for step in (way.middle + 1..way.visits.len()).rev() {
            let Some(entry) = self.entries.get(&self.visits.all[way.visits[step]].node) else { continue };
            let names = || self.traits[gap.clone()][..end].iter().map(|traits| traits.names.as_slice());
            if entry.len() <= end && names().skip(end - entry.len()).eq(entry.iter().copied()) {
                steps[end - entry.len()..end].fill(Some(step));
                end -= entry.len();
            }
        }
        steps
    }

    /// Notes what ran in the containers that were entered before their first layers, the first time.
    fn note_entries(&mut self, places: &[Place], way: &Way, start: usize) {
        for &visit in &way.visits[way.middle + 1..] {
            let inside = places.iter().enumerate().filter(|(_, place)| place.visit == visit);
            let names = inside.map(|(index, _)| self.traits[start + index].names.as_slice()).collect();
            self.entries.entry(self.visits.all[visit].node).or_insert(names);
        }
    }

    fn way(&self, before: Option<usize>, after: Option<usize>) -> Way {
        let visit = |call: Option<usize>| call.and_then(|call| self.visits.of_calls[call]).unwrap_or(WHOLE);
        let (from, to) = (visit(before), visit(after));
        let common = self.visits.common(from, to);
        let below = |visit| self.visits.around(visit).take_while(move |&around| around != common);
        let can_end = |visit: &VisitId| !ends_with_layer(self.tree, self.visits.all[*visit].node);
        let mut visits: Vec<_> = below(from).filter(can_end).collect();
        let middle = visits.len();
        visits.push(common);
        let mut entered: Vec<_> = below(to).filter(|&visit| !self.is_list(visit)).collect();
        entered.reverse();
        visits.extend(entered);
        Way { visits, middle }
    }

    fn is_list(&self, visit: VisitId) -> bool {
        visit != WHOLE && self.tree.nodes[self.visits.all[visit].node].is_list
    }

    /// Returns the visit, or for a list, which has no forward pass, that of the module around it.
    fn module(&self, visit: VisitId) -> VisitId {
        self.visits.around(visit).find(|&visit| !self.is_list(visit)).unwrap_or(WHOLE)
    }

    /// Returns, for each call, the first step of the way whose container must hold it: one that made two of the tensors
    /// that it joins.
    fn joins(&self, gap: &Range<usize>, way: &Way) -> Vec<Option<usize>> {
        let mut sources: HashMap<TensorId, BTreeSet<TensorId>> = HashMap::new();
        let first = self.calls.get(gap.start).map_or(usize::MAX, |call| call.operations[0]);
        let step = |call: usize| {
            let (mut joined, mut inputs) = (BTreeSet::new(), BTreeSet::new());
            for &operation in &self.calls[call].operations {
                let mut from = BTreeSet::new();
                for input in self.flow.data_inputs(operation) {
                    let is_own = self.flow.producer(input).is_some_and(|producer| self.calls[call].contains(producer));
                    inputs.extend((!is_own).then_some(input));
                    match sources.get(&input) {
                        Some(known) => from.extend(known.iter().copied().take(MOST_SOURCES)),
                        None => _ = from.insert(input),
                    }
                }
                let outputs = self.flow.operations[operation].outputs.iter();
                sources.extend(outputs.map(|output| (output.id, from.clone())));
                joined.extend(from);
            }
            let is_join = inputs.len() > 1;
            (0..way.middle).filter(|&step| is_join && !self.is_list(way.visits[step])).find(|&step| {
                let begin = self.visits.all[way.visits[step]].begin;
                let made = |&&id: &&TensorId| self.flow.producer(id).is_some_and(|it| (begin..first).contains(&it));
                joined.iter().filter(made).count() > 1
            })
        };
        gap.clone().map(step).collect()
    }

    /// Returns the step of the way at which a call lies, within limits, and the field that it is.
    fn step(
        &mut self, call: usize, way: &Way, limits: Range<usize>, around: (Option<usize>, Option<usize>),
    ) -> (usize, Option<Named>) {
        let traits = &self.traits[call];
        let within = |step: usize| step.clamp(limits.start, limits.end - 1);
        let out: Vec<usize> = limits
            .clone()
            .filter(|&step| step < way.middle && self.is_own(way.visits[step], call))
            .filter(|&step| !self.is_list(way.visits[step]) || self.goes_on(way.visits[step], call))
            .collect();
        let middle = Some(way.middle).filter(|middle| limits.contains(middle));
        if let Some((step, field)) = self.field(call, way, out.iter().copied().chain(middle), around) {
            // An element of a list that is left lies in the list.
            let path = |step: usize| self.tree.nodes[self.visits.all[way.visits[step]].node].path.as_str();
            let is_in = |step: &usize| {
                let inner = field.path.strip_prefix(path(*step));
                self.is_list(way.visits[*step]) && inner.is_some_and(|inner| inner.starts_with('.'))
            };
            return ((limits.start..step).find(is_in).unwrap_or(step), Some(field));
        }
        let inward = limits.clone().filter(|&step| step > way.middle);
        if let Some((step, field)) = self.entered(call, way, inward, around) {
            return (step, Some(field));
        }
        let inputs = self.calls[call].operations.iter().flat_map(|&operation| self.flow.data_inputs(operation));
        let is_join = inputs.collect::<HashSet<_>>().len() > 1 && self.calls[call].operations.len() == 1;
        let is_left = |step: &usize| match is_join {
            _ if self.is_list(way.visits[*step]) => true,
            true => self.is_repeated(self.visits.all[way.visits[*step]].node),
            false => traits.is_elementwise,
        };
        let named = !traits.names.is_empty();
        let left = out.into_iter().find(|step| named && is_left(step));
        let field = self
            .candidates
            .outside(self.visits.around(way.visits[way.middle]).map(|it| self.visits.all[it].node), call);
        (within(left.unwrap_or(way.middle)), field)
    }

    /// Returns the first step with a field that the call can be, one not used in its visit before others.
    fn field(
        &mut self, call: usize, way: &Way, steps: impl Iterator<Item = usize> + Clone,
        around: (Option<usize>, Option<usize>),
    ) -> Option<(usize, Named)> {
        for fresh in [true, false] {
            for step in steps.clone() {
                let visit = self.module(way.visits[step]);
                if let Some(field) = self.candidates.take((visit, self.visits.all[visit].node), call, fresh, around) {
                    return Some((step, field));
                }
            }
        }
        None
    }

    /// Returns the first step on the way in with a field that the call can be. A field that runs inside of the container
    /// is not also its beginning.
    fn entered(
        &mut self, call: usize, way: &Way, mut steps: impl Iterator<Item = usize>,
        around: (Option<usize>, Option<usize>),
    ) -> Option<(usize, Named)> {
        steps.find_map(|step| {
            let visit = way.visits[step];
            let inside = self.visits.all[visit].calls.clone();
            let runs_inside = self.traits[inside].iter().any(|other| other.names == self.traits[call].names);
            let is_known = self.entries.get(&self.visits.all[visit].node).is_some_and(|entry| !entry.is_empty());
            if runs_inside && !is_known {
                return None;
            }
            let field = self.candidates.take((visit, self.visits.all[visit].node), call, true, around);
            field.map(|field| (step, field))
        })
    }

    /// Returns whether the call, after the last element of a list, does what was done after one before.
    fn goes_on(&self, list: VisitId, call: usize) -> bool {
        self.traits[call].names.first().is_some_and(|name| self.in_lists.contains(&(list, name)))
    }

    /// Returns whether the call computes with what the visit has made, and with nothing else but what went into it.
    fn is_own(&self, visit: VisitId, call: usize) -> bool {
        let (begin, end) = (self.visits.all[visit].begin, self.calls[call].operations[0]);
        let made = |id: TensorId| self.flow.producer(id).is_some_and(|producer| producer >= begin);
        let went_in = |id: TensorId| {
            let consumers = self.flow.consumers(id);
            consumers.get(consumers.partition_point(|&it| it < begin)).is_some_and(|&it| it < end)
        };
        let inputs = || self.calls[call].operations.iter().flat_map(|&operation| self.flow.data_inputs(operation));
        inputs().any(made) && inputs().all(|id| made(id) || went_in(id))
    }

    /// Returns whether the module stands in a list, or beside others of its type.
    fn is_repeated(&self, node: NodeId) -> bool {
        let nodes = &self.tree.nodes;
        nodes[node].parent.is_some_and(|parent| {
            let alike = |&&other: &&NodeId| nodes[other].kind == nodes[node].kind;
            nodes[parent].is_list || nodes[parent].children.iter().filter(alike).count() > 1
        })
    }
}

/// So many tensors are enough to see that two of them are a container's.
const MOST_SOURCES: usize = 8;
