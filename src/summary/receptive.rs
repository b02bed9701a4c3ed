//! The receptive field: how much of the input one position of a tensor sees.
//!
//! A window of `k` positions, `j` input positions apart, widens the field by `(k - 1) * j`; its
//! stride multiplies `j`. Where branches of one spacing meet, the wider field counts.

use std::collections::HashMap;

use burn_ir::TensorId;

use super::{error::SummaryError, error::field_error, flow::Flow, operation::Operation};

/// Size and spacing along each spatial dimension.
type Field = Vec<(usize, usize)>;

/// Returns the field of an operation's result, if it has one.
fn through(field: Field, operation: &Operation) -> Result<Option<Field>, SummaryError> {
    let Some(window) = &operation.window else {
        return Ok((operation.is_elementwise() || operation.is_padding()).then_some(field));
    };
    if operation.name.starts_with("ConvTranspose") || window.size.len() != field.len() {
        return Ok(None);
    }
    let widened = field.into_iter().enumerate().map(|(axis, (size, spacing))| {
        let growth = window.size[axis].saturating_sub(1).checked_mul(window.dilation[axis])?.checked_mul(spacing)?;
        Some((size.checked_add(growth)?, spacing.checked_mul(window.stride[axis])?))
    });
    widened.collect::<Option<Field>>().map(Some).ok_or_else(field_error)
}

fn merge(a: &Field, b: &Field) -> Option<Field> {
    if a.len() != b.len() {
        return None;
    }
    let wider = |(a, b): (&(usize, usize), &(usize, usize))| (a.1 == b.1).then(|| *a.max(b));
    a.iter().zip(b).map(wider).collect()
}

/// Returns the receptive field of every tensor that has one.
///
/// # Errors
/// [`SummaryError::TooLarge`] if strides multiply to more than a `usize` holds.
pub(super) fn receptive_fields(flow: &Flow) -> Result<HashMap<TensorId, Vec<usize>>, SummaryError> {
    let mut fields: HashMap<TensorId, Field> = HashMap::new();
    for index in flow.computing() {
        let operation = &flow.operations[index];
        let field = |id: TensorId| match fields.get(&id) {
            // Of an image `[batch, channels, spatial...]` a position sees itself.
            None if flow.inputs.contains(&id) => {
                let spatial = shape_of(operation, id).get(2..).filter(|spatial| !spatial.is_empty());
                spatial.map(|spatial| vec![(1, 1); spatial.len()])
            }
            known => known.cloned(),
        };
        let operands = flow.data_inputs(index).filter(|&id| spreads(flow, operation, id)).map(field);
        let merged = operands.reduce(|a, b| merge(&a?, &b?)).flatten();
        let field = merged.map(|field| through(field, operation)).transpose()?.flatten();
        if let Some(field) = field {
            fields.extend(operation.outputs.iter().map(|output| (output.id, field.clone())));
        }
    }
    let sizes = |field: Field| field.into_iter().map(|(size, _)| size).collect();
    Ok(fields.into_iter().map(|(id, field)| (id, sizes(field))).collect())
}

/// Returns whether an operand brings its field along: not random numbers, and not statistics that
/// an elementwise operation spreads over all positions.
fn spreads(flow: &Flow, operation: &Operation, id: TensorId) -> bool {
    let producer = flow.producer(id).map(|producer| &flow.operations[producer]);
    let random = producer.is_some_and(|producer| producer.name == "Random");
    let broadcast = operation.is_elementwise()
        && !operation.is_padding()
        && operation.outputs.iter().all(|output| *output.shape != *shape_of(operation, id));
    !random && !broadcast
}

fn shape_of(operation: &Operation, id: TensorId) -> &[usize] {
    let input = operation.inputs.iter().find(|input| input.id == id);
    input.map_or(&[], |input| &input.shape)
}
