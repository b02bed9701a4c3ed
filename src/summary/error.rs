//! Why a summary could not be made.

use std::fmt;

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
    /// The inputs' first dimensions are not one batch size of at least 1.
    #[error(
        "expected inputs whose first dimension is the batch size, at least 1 and the same for \
         all, found {inputs}; mark an input without a batch dimension with `unbatched`"
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
        /// The largest number that can be told.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Building the model.
    Init,
    /// The forward pass.
    Forward,
}

impl fmt::Display for Phase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Init => "building the model",
            Self::Forward => "the forward pass",
        })
    }
}
