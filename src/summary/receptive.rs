//! The receptive field: how much of the input one position of a tensor sees.
//!
//! A window of `k` positions, `j` input positions apart, widens the field by `(k - 1) * j`; its
//! stride multiplies `j`. Where branches of one spacing meet, the wider field counts.

use std::collections::HashMap;

use burn_ir::TensorId;

use super::flow::Flow;
use super::operation::{Operation, Sliding};

/// Size and spacing along each spatial dimension.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Field {
    size: Vec<usize>,
    spacing: Vec<usize>,
}

impl Field {
    /// A position of an image `[batch, channels, spatial...]` sees itself.
    fn of_input(shape: &[usize]) -> Option<Self> {
        let spatial = shape.len().checked_sub(2).filter(|&spatial| spatial > 0)?;
        Some(Self { size: vec![1; spatial], spacing: vec![1; spatial] })
    }

    fn through(&self, window: &Sliding) -> Option<Self> {
        if window.transposed || window.size.len() != self.size.len() {
            return None;
        }
        let mut field = self.clone();
        for axis in 0..field.size.len() {
            field.size[axis] +=
                (window.size[axis].saturating_sub(1)) * window.dilation[axis] * field.spacing[axis];
            field.spacing[axis] *= window.stride[axis];
        }
        Some(field)
    }

    fn merge(&self, other: &Self) -> Option<Self> {
        (self.spacing == other.spacing).then(|| Self {
            size: self.size.iter().zip(&other.size).map(|(&a, &b)| a.max(b)).collect(),
            spacing: self.spacing.clone(),
        })
    }
}

/// The receptive field of every tensor that has one.
pub(super) fn receptive_fields(flow: &Flow, inputs: &[TensorId]) -> HashMap<TensorId, Vec<usize>> {
    let mut fields: HashMap<TensorId, Field> = HashMap::new();
    for index in flow.computing() {
        let operation = &flow.operations[index];
        let operands: Vec<Option<Field>> = flow
            .data_inputs(index)
            .filter(|&id| spreads(flow, operation, id))
            .map(|id| match fields.get(&id) {
                None if inputs.contains(&id) => Field::of_input(&shape_of(operation, id)),
                known => known.cloned(),
            })
            .collect();
        let field = operands.into_iter().reduce(|a, b| a?.merge(&b?)).flatten().and_then(|field| {
            match &operation.sliding {
                Some(window) => field.through(window),
                None => operation.is_elementwise().then_some(field),
            }
        });
        if let Some(field) = field {
            for output in &operation.outputs {
                fields.insert(output.id, field.clone());
            }
        }
    }
    fields.into_iter().map(|(id, field)| (id, field.size)).collect()
}

/// Whether an operand brings its field along: not random numbers, and not statistics that an
/// elementwise operation spreads over all positions.
fn spreads(flow: &Flow, operation: &Operation, id: TensorId) -> bool {
    let random =
        flow.producer(id).is_some_and(|producer| flow.operations[producer].name == "Random");
    let broadcast = operation.is_elementwise()
        && operation.outputs.iter().all(|output| output.shape != shape_of(operation, id));
    !random && !broadcast
}

fn shape_of(operation: &Operation, id: TensorId) -> Vec<usize> {
    operation
        .inputs
        .iter()
        .find(|input| input.id == id)
        .map(|input| input.shape.clone())
        .unwrap_or_default()
}
