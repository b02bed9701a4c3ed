//! The receptive field: how much of the input one position of a tensor sees.
//!
//! A window of `k` positions, `j` input positions apart, widens the field by `(k - 1) * j`; its
//! stride multiplies `j`. Where branches of one spacing meet, the wider field counts.

use std::collections::HashMap;

use burn_ir::TensorId;

use super::flow::Flow;
use super::operation::Operation;

/// Size and spacing along each spatial dimension.
type Field = Vec<(usize, usize)>;

/// Returns the field of an operation's result.
fn through(field: Field, operation: &Operation) -> Option<Field> {
    let Some(window) = &operation.window else {
        return operation.is_elementwise().then_some(field);
    };
    if operation.name.starts_with("ConvTranspose") || window.size.len() != field.len() {
        return None;
    }
    let widened = field.into_iter().enumerate().map(|(axis, (size, spacing))| {
        let growth = window.size[axis].saturating_sub(1) * window.dilation[axis] * spacing;
        (size + growth, spacing * window.stride[axis])
    });
    Some(widened.collect())
}

fn merge(a: &Field, b: &Field) -> Option<Field> {
    if a.len() != b.len() {
        return None;
    }
    let wider = |(a, b): (&(usize, usize), &(usize, usize))| (a.1 == b.1).then(|| *a.max(b));
    a.iter().zip(b).map(wider).collect()
}

/// Returns the receptive field of every tensor that has one.
pub(super) fn receptive_fields(flow: &Flow) -> HashMap<TensorId, Vec<usize>> {
    let mut fields: HashMap<TensorId, Field> = HashMap::new();
    for index in flow.computing() {
        let operation = &flow.operations[index];
        let operands: Vec<Option<Field>> = flow
            .data_inputs(index)
            .filter(|&id| spreads(flow, operation, id))
            .map(|id| match fields.get(&id) {
                // Of an image `[batch, channels, spatial...]` a position sees itself.
                None if flow.inputs.contains(&id) => {
                    let spatial = shape_of(operation, id).get(2..).filter(|rest| !rest.is_empty());
                    spatial.map(|spatial| vec![(1, 1); spatial.len()])
                }
                known => known.cloned(),
            })
            .collect();
        let merged = operands.into_iter().reduce(|a, b| merge(&a?, &b?)).flatten();
        if let Some(field) = merged.and_then(|field| through(field, operation)) {
            fields.extend(operation.outputs.iter().map(|output| (output.id, field.clone())));
        }
    }
    let sizes = |field: Field| field.into_iter().map(|(size, _)| size).collect();
    fields.into_iter().map(|(id, field)| (id, sizes(field))).collect()
}

/// Returns whether an operand brings its field along: not random numbers, and not statistics that
/// an elementwise operation spreads over all positions.
fn spreads(flow: &Flow, operation: &Operation, id: TensorId) -> bool {
    let producer = flow.producer(id).map(|producer| &flow.operations[producer]);
    let random = producer.is_some_and(|producer| producer.name == "Random");
    let broadcast =
        operation.is_elementwise() && operation.outputs.iter().all(|output| *output.shape != *shape_of(operation, id));
    !random && !broadcast
}

fn shape_of(operation: &Operation, id: TensorId) -> &[usize] {
    let input = operation.inputs.iter().find(|input| input.id == id);
    input.map_or(&[], |input| &input.shape)
}
