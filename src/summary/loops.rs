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
    /// Whether both are the same layer or operation, at the same place, with the same shapes.
    fn is_like(&self, other: &Self) -> bool {
        let key = |placed: &Self| {
            let row = &placed.row;
            (placed.container, row.path.clone(), row.kind.clone(), row.output.clone())
        };
        key(self) == key(other)
    }
}

/// The fewest times that something is repeated for it to be a loop, and not two calls.
const LOOP: usize = 3;

/// The most rows that one turn of a loop has.
const LONGEST_TURN: usize = 64;

/// Rows that repeat one after the other, as in a loop over time that the model runs itself,
/// become one turn, with the cost of all.
pub(super) fn fold_loops(placed: Vec<Placed>) -> Vec<Placed> {
    let mut folded: Vec<Placed> = Vec::new();
    let mut rest = placed.as_slice();
    while let Some(first) = rest.first() {
        let (turn, count) = turns(rest);
        if count < LOOP {
            folded.push(first.clone());
            rest = &rest[1..];
            continue;
        }
        for (index, placed) in rest[..turn].iter().enumerate() {
            let all = || rest[index..].iter().step_by(turn).take(count);
            let mut placed = placed.clone();
            placed.row.repeats = count;
            placed.row.multiply_adds = all().map(|placed| placed.row.multiply_adds).sum();
            placed.row.activation_bytes = all().map(|placed| placed.row.activation_bytes).sum();
            folded.push(placed);
        }
        rest = &rest[turn * count..];
    }
    folded
}

/// The length of the shortest turn of a loop that begins here, and how often it is run. A loop
/// runs a layer.
fn turns(rows: &[Placed]) -> (usize, usize) {
    let longest = LONGEST_TURN.min(rows.len() / LOOP);
    (1..=longest)
        .filter(|&turn| rows[..turn].iter().any(|row| row.row.role == Role::Layer))
        .map(|turn| {
            let first = &rows[..turn];
            let count = rows
                .chunks_exact(turn)
                .take_while(|chunk| chunk.iter().zip(first).all(|(a, b)| a.is_like(b)))
                .count();
            (turn, count)
        })
        .find(|&(_, count)| count >= LOOP)
        .unwrap_or((1, 1))
}
