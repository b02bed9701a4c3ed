//! What a summary can count. Beyond it a sum would wrap around and be smaller than its parts.

use super::error::SummaryError;
use super::operation::{Operation, bytes};
use super::pass::Pass;
use super::tree::ModuleTensor;

/// The most elements of a tensor: their bytes, and what Burn adds to a dimension, still fit into a `usize`.
const MAX_ELEMENTS: usize = isize::MAX as usize / 16;

/// Returns whether no product of dimensions wraps around.
pub(super) fn is_countable(shape: &[usize]) -> bool {
    // An empty dimension counts as 1: when it reshapes, Burn multiplies the others alone.
    let elements = shape.iter().try_fold(1_usize, |elements, &size| elements.checked_mul(size.max(1)));
    elements.is_some_and(|elements| elements <= MAX_ELEMENTS)
}

/// Refuses inputs whose elements cannot be counted.
pub(super) fn check_inputs(shapes: &[Vec<usize>]) -> Result<(), SummaryError> {
    shapes.iter().find(|shape| !is_countable(shape)).map_or(Ok(()), |shape| Err(tensor_error(shape)))
}

/// Refuses a pass whose totals have no place in a [`Totals`](super::Totals). Every other sum of a summary is a part of
/// one of these, and needs no check.
pub(super) fn check_totals(pass: &Pass) -> Result<(), SummaryError> {
    let operations = || pass.operations.iter().chain(pass.backward.iter().flatten());
    let multiply_adds: u128 = operations().map(|operation| operation.multiply_adds).sum();
    let made = |operation: &Operation| operation.outputs.iter().map(|tensor| bytes(tensor) as u128).sum::<u128>();
    let held = |tensor: &ModuleTensor| bytes(&tensor.tensor) as u128;
    // Of the parameters' size there are four in training: their own, the gradient's, two moments'.
    let bytes: u128 = operations().map(made).sum::<u128>() + 4 * pass.tree.tensors.iter().map(held).sum::<u128>();
    at_most(u64::MAX.into(), "multiply-adds in all", multiply_adds)?;
    at_most(usize::MAX as u128, "bytes of tensors in all", bytes)
}

fn at_most(most: u128, what: &'static str, found: u128) -> Result<(), SummaryError> {
    match found <= most {
        true => Ok(()),
        false => Err(SummaryError::TooLarge { most, what, found: found.to_string() }),
    }
}

pub(super) fn tensor_error(shape: &[usize]) -> SummaryError {
    let found = format!("a tensor of shape {shape:?}");
    SummaryError::TooLarge { most: MAX_ELEMENTS as u128, what: "elements in a tensor", found }
}

pub(super) fn field_error() -> SummaryError {
    let what = "positions of the input between two of a layer";
    SummaryError::TooLarge { most: usize::MAX as u128, what, found: "more".to_owned() }
}
