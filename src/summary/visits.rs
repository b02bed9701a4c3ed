//! Which container runs when.
//!
//! A visit is one run of a container: it is entered with its first layer and left with its last one. That a container
//! runs again is seen by its layers: all that ran since it was entered run again, in the same order. A list whose
//! elements run one here, one there, is no container: they lie in the one around.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::{call::Call, flow::Flow, tree::ModuleTree, tree::NodeId, tree::ROOT};

/// The number of a visit in [`Visits::all`]; that of the container around it is smaller.
pub(super) type VisitId = usize;

/// The visit of the module itself.
pub(super) const WHOLE: VisitId = 0;

#[derive(Clone, Debug)]
pub(super) struct Visit {
    pub node: NodeId,
    pub parent: Option<VisitId>,
    /// From the first call to the one after the last.
    pub calls: Range<usize>,
    /// The first operation.
    pub begin: usize,
}

/// The visits of a forward pass, in the order in which they begin, outer before inner.
#[derive(Clone, Debug)]
pub(super) struct Visits {
    pub all: Vec<Visit>,
    /// The innermost visit of each call; unknown for a call of no layer.
    pub of_calls: Vec<Option<VisitId>>,
}

/// A layer's call, and the containers around it, the root first.
struct Step {
    call: usize,
    owner: NodeId,
    containers: Vec<NodeId>,
}

impl Visits {
    pub fn of(flow: &Flow, tree: &ModuleTree, calls: &[Call]) -> Self {
        let step = |(call, it): (usize, &Call)| {
            let owner = it.owner?;
            let mut containers: Vec<_> = tree.ancestors(tree.container_of(owner)).collect();
            containers.reverse();
            Some(Step { call, owner, containers })
        };
        let mut steps: Vec<Step> = calls.iter().enumerate().filter_map(step).collect();
        let scattered = scattered_lists(tree, &steps);
        steps.iter_mut().for_each(|step| step.containers.retain(|container| !scattered.contains(container)));
        let begin = flow.computing().next().unwrap_or_default();
        let whole = Visit { node: ROOT, parent: None, calls: 0..calls.len(), begin };
        let mut visits = Self { all: vec![whole], of_calls: vec![None; calls.len()] };
        visits.fill(WHOLE, 1, &steps, calls);
        visits
    }

    /// Adds what runs inside of a visit, whose container is the `depth`th of all steps.
    fn fill(&mut self, visit: VisitId, depth: usize, steps: &[Step], calls: &[Call]) {
        for group in steps.chunk_by(|a, b| a.containers.get(depth) == b.containers.get(depth)) {
            let Some(&node) = group[0].containers.get(depth) else {
                group.iter().for_each(|step| self.of_calls[step.call] = Some(visit));
                continue;
            };
            for steps in group.chunks(period(group)) {
                let (first, last) = (steps[0].call, steps[steps.len() - 1].call);
                let begin = calls[first].operations[0];
                self.all.push(Visit { node, parent: Some(visit), calls: first..last + 1, begin });
                self.fill(self.all.len() - 1, depth + 1, steps, calls);
            }
        }
    }

    /// Returns the visit and those around it, the visit first.
    pub fn around(&self, visit: VisitId) -> impl Iterator<Item = VisitId> + '_ {
        std::iter::successors(Some(visit), |&visit| self.all[visit].parent)
    }

    /// Returns the innermost visit around both.
    pub fn common(&self, mut a: VisitId, mut b: VisitId) -> VisitId {
        while a != b {
            let inner = if a > b { &mut a } else { &mut b };
            *inner = self.all[*inner].parent.unwrap_or(WHOLE);
        }
        a
    }
}

/// Returns the lists of which further elements run after something else with parameters.
fn scattered_lists(tree: &ModuleTree, steps: &[Step]) -> HashSet<NodeId> {
    /// What ran of a list before anything else, and the step after its last one.
    type Run = (HashSet<NodeId>, usize);
    let (mut runs, mut scattered): (HashMap<NodeId, Run>, _) = (HashMap::new(), HashSet::new());
    for (index, step) in steps.iter().enumerate() {
        let elements = step.containers[1..].iter().chain([&step.owner]).copied();
        for (list, element) in
            step.containers.iter().copied().zip(elements).filter(|(list, _)| tree.nodes[*list].is_list)
        {
            let (elements, end) = runs.entry(list).or_insert((HashSet::new(), index));
            match *end == index {
                true => (_, *end) = (elements.insert(element), index + 1),
                false if !elements.contains(&element) => _ = scattered.insert(list),
                false => {}
            }
        }
    }
    scattered
}

/// Returns the length of the shortest beginning of which the steps are a repetition.
fn period(steps: &[Step]) -> usize {
    let repeats = |length: &usize| steps.iter().zip(&steps[*length..]).all(|(step, later)| step.owner == later.owner);
    (1..steps.len()).filter(|length| steps.len().is_multiple_of(*length)).find(repeats).unwrap_or(steps.len())
}
