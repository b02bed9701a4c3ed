//! The receptive field: how much of the input one position of a tensor sees.
//!
//! A kernel of `k` positions, `j` input positions apart, widens the field by `(k - 1) * j`; its stride multiplies `j`.
//! Where branches of one spacing meet, the wider field counts. A normalisation's statistics, which see everything, do
//! not.

use std::collections::HashMap;

use burn_ir::TensorId;

use super::{
    call::Call, error::SummaryError, error::field_error, flow::Flow, naming::Traits, operation::Kernel,
    operation::Operation,
};

/// Size and spacing along each spatial dimension.
type Field = Vec<(usize, usize)>;

/// Returns the field of an operation's result, if it has one.
fn through(field: Field, operation: &Operation) -> Result<Option<Field>, SummaryError> {
    let Some(kernel) = &operation.kernel else {
        // Dimension 1 is that of the channels.
        let joins_channels = operation.name == "Cat" && operation.number("dim") == Some(1);
        return Ok((operation.is_elementwise() || operation.is_padding() || joins_channels).then_some(field));
    };
    if operation.name.starts_with("ConvTranspose") { Ok(None) } else { widened(field, kernel) }
}

/// Returns the field behind a kernel; `None` if its dimensions differ from the kernel's.
fn widened(field: Field, kernel: &Kernel) -> Result<Option<Field>, SummaryError> {
    if kernel.size.len() != field.len() {
        return Ok(None);
    }
    let widened = field.into_iter().enumerate().map(|(axis, (size, spacing))| {
        let growth = kernel.size[axis].saturating_sub(1).checked_mul(kernel.dilation[axis])?.checked_mul(spacing)?;
        Some((size.checked_add(growth)?, spacing.checked_mul(kernel.stride[axis])?))
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
pub(super) fn receptive_fields(
    flow: &Flow, calls: &[Call], traits: &[Traits],
) -> Result<HashMap<TensorId, Vec<usize>>, SummaryError> {
    // Of an image `[batch, channels, spatial...]` a position sees itself.
    let spatial = |id| Some(flow.shape(id)?.get(2..)?.len()).filter(|spatial| *spatial > 0);
    let own = |&id: &TensorId| Some((id, vec![(1, 1); spatial(id)?]));
    let mut fields: HashMap<TensorId, Field> = flow.inputs.iter().filter_map(own).collect();
    let is_norm = |traits: &Traits| traits.names.first().is_some_and(|name| name.contains("Norm"));
    let norms = calls.iter().zip(traits).filter(|(_, traits)| is_norm(traits)).map(|(call, _)| call);
    let norms: HashMap<_, _> = norms.filter_map(|call| Some((call.output(flow)?, call.input(flow)?))).collect();
    let slides = |(call, traits): (&Call, &Traits)| {
        let is_layer = call.steps(flow).any(|operation| operation.layer.is_some());
        Some((call.output(flow)?, (call.input(flow)?, traits.kernel.clone().filter(|_| is_layer)?)))
    };
    let layers: HashMap<_, _> = calls.iter().zip(traits).filter_map(slides).collect();
    for index in flow.computing() {
        let operation = &flow.operations[index];
        let field = |id: TensorId| fields.get(&id).cloned();
        let operands = flow.data_inputs(index).filter(|&id| spreads(flow, operation, id)).map(field);
        let merged = operands.reduce(|a, b| merge(&a?, &b?)).flatten();
        let normalised = operation.outputs.iter().find_map(|output| field(*norms.get(&output.id)?));
        let field = match operation.outputs.iter().find_map(|output| layers.get(&output.id)) {
            Some((input, kernel)) => field(*input).map(|field| widened(field, kernel)),
            None => merged.map(|field| through(field, operation)),
        };
        let field = field.transpose()?.flatten();
        if let Some(field) = normalised.or(field) {
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
    let random = producer.is_some_and(|producer| producer.name.ends_with("Random"));
    let broadcast = operation.is_elementwise()
        && !operation.is_padding()
        && operation.outputs.iter().all(|output| flow.shape(id) != Some(&output.shape[..]));
    !random && !broadcast
}
