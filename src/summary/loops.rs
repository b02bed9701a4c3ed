//! Rows as a tree, and loops in it.

use std::collections::HashMap;

use super::row::{Role, Row};

/// A row, and the rows inside of it if it is a container's.
#[derive(Clone, Debug)]
pub(super) struct Branch {
    pub row: Row,
    /// The calls that it stands for; none of a container.
    pub calls: Vec<usize>,
    pub inside: Vec<Branch>,
}

/// The fewest runs of a module that are a loop, and not a module that runs again.
const LOOP: usize = 3;

/// The most operations that a run is looked at to begin with.
const MOST_OPERATIONS: usize = 32;

/// What a row in a loop stands for: the module that ran last, how many operations ago, and what the row itself is.
type Key = (Option<String>, usize, String);

/// Folds the runs of a loop, such as a loop over time that the model runs itself, into one with the cost of all. A
/// module that runs three times or more is in a loop, with all that runs from its first run to its last.
pub(super) fn fold(branches: Vec<Branch>) -> Vec<Branch> {
    let mut branches: Vec<Branch> =
        branches.into_iter().map(|branch| Branch { inside: fold(branch.inside), ..branch }).collect();
    let mut runs: HashMap<String, (usize, usize, usize)> = HashMap::new();
    for (index, branch) in branches.iter().enumerate().filter(|(_, branch)| branch.row.role != Role::Operation) {
        let (count, _, last) = runs.entry(signature(branch)).or_insert((0, index, index));
        (*count, *last) = (*count + 1, index);
    }
    let mut once: Vec<_> = runs.values().filter(|(count, ..)| *count == 1).map(|(_, first, _)| *first).collect();
    once.sort_unstable();
    // Where something runs once between the runs, it is a module that runs again, not a loop.
    let is_loop =
        |first: usize, last: usize| once.partition_point(|it| *it < first) == once.partition_point(|it| *it < last);
    let runs = runs.into_values().filter(|(count, first, last)| *count >= LOOP && is_loop(*first, *last));
    let mut loops: Vec<_> = runs.map(|(_, first, last)| (first, last)).collect();
    loops.sort_unstable();
    let mut folded = Vec::new();
    let mut done = 0;
    let mut loops = loops.into_iter().peekable();
    let mut rest = branches.drain(..);
    while let Some((first, mut last)) = loops.next() {
        while let Some((_, later)) = loops.next_if(|(start, _)| *start <= last) {
            last = last.max(later);
        }
        // What follows the last run's module as it followed the others' belongs to the loop.
        folded.extend(rest.by_ref().take(first.saturating_sub(done)));
        let mut body = Body::default();
        let before = folded.len();
        rest.by_ref().take(last + 1 - first.max(done)).for_each(|branch| body.add(branch));
        done = last + 1;
        while let Some(branch) = rest.as_slice().first()
            && body.contains(branch)
        {
            rest.by_ref().take(1).for_each(|branch| body.add(branch));
            done += 1;
        }
        folded.extend(body.branches);
        begin_with_operations(&mut folded, before);
    }
    folded.extend(rest);
    folded
}

/// A loop whose runs begin with operations was found at its first module: what stands before it, and again at its end,
/// is the first run's. Joins the two.
fn begin_with_operations(branches: &mut Vec<Branch>, start: usize) {
    let runs = branches.get(start).map_or(0, |first| first.row.repeats);
    let is_like = |before: &Branch, end: &Branch| {
        before.row.role == Role::Operation
            && end.row.repeats + 1 == runs
            && before.row.repeats == 1
            && signature(before) == signature(end)
    };
    let longest = start.min(branches.len() - start).min(MOST_OPERATIONS);
    let fits = |count: &usize| {
        (0..*count).all(|it| is_like(&branches[start - count + it], &branches[branches.len() - count + it]))
    };
    let Some(count) = (1..=longest).rev().find(fits) else { return };
    let end = branches.split_off(branches.len() - count);
    for (place, branch) in (start - count..start).zip(end) {
        join(&mut branches[place], branch);
    }
}

/// The body of a loop, as far as it was seen.
#[derive(Default)]
struct Body {
    branches: Vec<Branch>,
    places: HashMap<Key, usize>,
    module: Option<String>,
    operations: usize,
    /// The place of what was added last.
    last: Option<usize>,
}

impl Body {
    fn key(&self, branch: &Branch) -> Key {
        match branch.row.role {
            Role::Operation => (self.module.clone(), self.operations, signature(branch)),
            _ => (None, 0, signature(branch)),
        }
    }

    fn contains(&self, branch: &Branch) -> bool {
        branch.row.role == Role::Operation && self.places.contains_key(&self.key(branch))
    }

    fn add(&mut self, branch: Branch) {
        let key = self.key(&branch);
        match branch.row.role {
            Role::Operation => self.operations += 1,
            _ => (self.module, self.operations) = (Some(key.2.clone()), 0),
        }
        self.last = Some(match self.places.get(&key) {
            Some(&place) => {
                join(&mut self.branches[place], branch);
                place
            }
            None => {
                // What the first runs lack stands where it was found.
                let place = self.last.map_or(0, |last| last + 1);
                self.places.values_mut().filter(|other| **other >= place).for_each(|other| *other += 1);
                self.branches.insert(place, branch);
                self.places.insert(key, place);
                place
            }
        });
    }
}

/// Returns what two runs must have in common to be the same: what they are, where, and their results' shape.
fn signature(branch: &Branch) -> String {
    let Row { path, kind, output, .. } = &branch.row;
    let output = output.as_ref().map(ToString::to_string).unwrap_or_default();
    let inside: Vec<String> = branch.inside.iter().map(signature).collect();
    format!("{path}:{kind}:{output}({})", inside.join(","))
}

/// Adds another run to the first one.
fn join(first: &mut Branch, other: Branch) {
    first.calls.extend(other.calls);
    first.row.repeats += other.row.repeats;
    first.row.multiply_adds += other.row.multiply_adds;
    first.row.activation_bytes += other.row.activation_bytes;
    for (first, other) in first.inside.iter_mut().zip(other.inside) {
        join(first, other);
    }
}
