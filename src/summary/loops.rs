//! Loops over time that a model runs itself.

use super::row::{Role, Row};
use super::tree::NodeId;

/// A row with the module it lies in.
#[derive(Clone)]
pub(super) struct Placed {
    pub row: Row,
    pub container: NodeId,
}

impl Placed {
    /// Returns whether both are the same layer or operation, at the same place, with the same output shape.
    fn is_like(&self, other: &Self) -> bool {
        let (a, b) = (&self.row, &other.row);
        self.container == other.container
            && (&a.path, &a.kind, &a.output) == (&b.path, &b.kind, &b.output)
    }
}

/// The fewest iterations that are a loop, and not a layer that is called again.
const LOOP: usize = 3;

/// The most rows that one iteration has.
const LONGEST_ITERATION: usize = 64;

/// Folds rows that repeat one after the other, as in a loop over time that the model runs itself,
/// into one iteration with the cost of all.
pub(super) fn fold_loops(placed: Vec<Placed>) -> Vec<Placed> {
    let mut folded: Vec<Placed> = Vec::new();
    let mut rest = placed.as_slice();
    while !rest.is_empty() {
        let (length, count) = iterations(rest).unwrap_or((1, 1));
        for (index, placed) in rest[..length].iter().enumerate() {
            let all = || rest[index..].iter().step_by(length).take(count).map(|all| &all.row);
            let mut placed = placed.clone();
            placed.row.repeats = count;
            placed.row.multiply_adds = all().map(|row| row.multiply_adds).sum();
            placed.row.activation_bytes = all().map(|row| row.activation_bytes).sum();
            folded.push(placed);
        }
        rest = &rest[length * count..];
    }
    folded
}

/// Returns the length of the shortest iteration of a loop that begins here, and their number. A
/// loop runs a layer.
fn iterations(rows: &[Placed]) -> Option<(usize, usize)> {
    let longest = LONGEST_ITERATION.min(rows.len() / LOOP);
    (1..=longest)
        .filter(|&length| rows[..length].iter().any(|row| row.row.role == Role::Layer))
        .map(|length| {
            let is_like = |chunk: &&[Placed]| chunk.iter().zip(rows).all(|(a, b)| a.is_like(b));
            (length, rows.chunks_exact(length).take_while(is_like).count())
        })
        .find(|&(_, count)| count >= LOOP)
}
