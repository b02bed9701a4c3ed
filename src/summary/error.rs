//! Why a summary could not be made.

/// The reason why a summary could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SummaryError {
    /// The model asked for the values of a tensor.
    #[error(
        "{phase} reads the values of a tensor of shape {shape:?} back, but a summary computes \
         shapes only; summarise the part of the model before the read, or move it out of the pass"
    )]
    ReadBack {
        /// What was running.
        phase: Phase,
        /// The shape of the tensor.
        shape: Vec<usize>,
    },
    /// The model panicked: a shape that Burn refuses, an operation that Burn's router or its
    /// automatic differentiation does not have.
    #[error(
        "{phase} panicked{}: {message}; expected a model that takes inputs of shape {inputs}",
        location.as_ref().map(|at| format!(" at {at}")).unwrap_or_default()
    )]
    Panicked {
        /// What was running.
        phase: Phase,
        /// The panic's message.
        message: String,
        /// File and line of the panic, where known.
        location: Option<String>,
        /// The input shapes.
        inputs: String,
    },
    /// A linear layer's input has another number of features than the layer expects.
    #[error("shape mismatch in {phase}: {mismatch}; change the layer's input size or the input shape")]
    ShapeMismatch {
        /// What was running.
        phase: Phase,
        /// What was expected and found, and by which operation.
        mismatch: String,
    },
    /// The model could not be built.
    #[error("the model could not be built")]
    Init(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The inputs differ in batch size or in length, or one of these is 0.
    #[error(
        "expected a batch size (the first dimension, or `N` of a `named` input) and a length (`T`) of at least 1, each \
         the same for all inputs, found {inputs}; mark an input without a batch dimension with `unbatched`"
    )]
    BatchSize {
        /// The input shapes.
        inputs: String,
    },
    /// A number of the summary would not fit its type.
    #[error(
        "expected at most {most} {what}, found {found}; summarise a smaller input, batch or model (an input that is \
         smaller than a kernel makes such sizes, too)"
    )]
    TooLarge {
        /// The largest supported number.
        most: u128,
        /// What is counted.
        what: &'static str,
        /// The number, or the shape of the tensor.
        found: String,
    },
    /// Too many summaries are being made at the same time.
    #[error("too many concurrent summaries: expected at most 65,535; try again when one is done")]
    TooMany,
}

/// What was running when a summary failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display)]
pub enum Phase {
    /// Building the model.
    #[strum(to_string = "building the model")]
    Init,
    /// The forward pass.
    #[strum(to_string = "the forward pass")]
    Forward,
}

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
    (found <= most).then_some(()).ok_or(SummaryError::TooLarge { most, what, found: found.to_string() })
}

pub(super) fn tensor_error(shape: &[usize]) -> SummaryError {
    let found = format!("a tensor of shape {shape:?}");
    SummaryError::TooLarge { most: MAX_ELEMENTS as u128, what: "elements in a tensor", found }
}

pub(super) fn field_error() -> SummaryError {
    let what = "input positions between neighbouring outputs";
    SummaryError::TooLarge { most: usize::MAX as u128, what, found: "more".to_owned() }
}
