//! What a summary can count. Beyond it a sum would wrap around and be smaller than its parts.

use super::error::SummaryError;

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

/// Refuses a sum that does not fit into the type that holds it.
pub(super) fn at_most(most: u128, what: &'static str, found: u128) -> Result<(), SummaryError> {
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
