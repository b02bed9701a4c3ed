//! Shapes in which the batch size stays open, and a length.

use std::collections::HashMap;
use std::fmt;

use burn_ir::{OperationIr, TensorId, TensorIr};
use serde::{Serialize, Serializer};

use super::{inputs_outputs::Sizes, operation::Operation};

/// One dimension of a tensor.
///
/// Which dimensions depend on the sizes that are free is not guessed: the model is run with other sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dimension {
    /// A number: the same for every size, or no multiple or part of a free one.
    Constant(usize),
    /// This many times the batch size.
    Batch(usize),
    /// The batch size divided by this number, without remainder.
    BatchPart(usize),
    /// This many times the length.
    Length(usize),
    /// This many times the batch size times the length.
    BatchLength(usize),
}

impl Dimension {
    /// Returns its size for a batch size and a length; `None` if a `usize` does not hold it.
    pub fn size(self, batch_size: usize, length: usize) -> Option<usize> {
        match self {
            Self::Constant(size) => Some(size),
            Self::Batch(factor) => factor.checked_mul(batch_size),
            Self::BatchPart(divisor) => batch_size.checked_div(divisor),
            Self::Length(factor) => factor.checked_mul(length),
            Self::BatchLength(factor) => factor.checked_mul(batch_size)?.checked_mul(length),
        }
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (factor, name) = match *self {
            Self::Constant(size) => return write!(formatter, "{size}"),
            Self::BatchPart(divisor) => return write!(formatter, "N/{divisor}"),
            Self::Batch(factor) => (factor, "N"),
            Self::Length(factor) => (factor, "T"),
            Self::BatchLength(factor) => (factor, "NT"),
        };
        let factor = if factor == 1 { String::new() } else { factor.to_string() };
        write!(formatter, "{factor}{name}")
    }
}

impl Serialize for Dimension {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Constant(size) => serializer.serialize_u64(*size as u64),
            _ => serializer.collect_str(self),
        }
    }
}

/// A tensor's shape, such as `[N, 32, 26, 26]`, where `N` is the batch size.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Dimensions(pub Vec<Dimension>);

impl fmt::Display for Dimensions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sizes: Vec<_> = self.0.iter().map(Dimension::to_string).collect();
        formatter.pad(&format!("[{}]", sizes.join(", ")))
    }
}

/// The shape of every tensor, with the free dimensions found.
#[derive(Debug)]
pub(super) struct Shapes(HashMap<TensorId, Dimensions>);

/// A recording of the same model with another size of one free dimension.
pub(super) struct Probe {
    pub operations: Vec<OperationIr>,
    /// The other size.
    pub size: usize,
}

impl Probe {
    /// Returns whether it runs the same operations, on tensors of the same ranks.
    pub fn is_like(&self, recorded: &[Operation]) -> bool {
        let rank = |tensor: &TensorIr| tensor.shape.len();
        let mut pairs = recorded.iter().zip(&self.operations);
        recorded.len() == self.operations.len()
            && pairs.all(|(a, b)| a.tensors().map(rank).eq(b.nodes().into_iter().map(rank)))
    }
}

impl Shapes {
    /// Compares a recording with those that have another batch size and another length. Without one that runs the same
    /// operations, a first dimension of the batch size is taken for the batch, and no dimension for the length.
    pub fn new(recorded: &[Operation], sizes: Sizes, by_batch: Option<Probe>, by_length: Option<Probe>) -> Self {
        let (batch, length) = (sizes.batch.unwrap_or(1), sizes.length.unwrap_or(1));
        let mut shapes = HashMap::new();
        for (index, operation) in recorded.iter().enumerate() {
            let [by_batch, by_length] = [&by_batch, &by_length]
                .map(|probe| probe.as_ref().map(|probe| (probe.operations[index].nodes(), probe.size)));
            for (number, tensor) in operation.tensors().enumerate() {
                let dimension = |(axis, &size): (usize, &usize)| {
                    let [by_batch, by_length] = [(&by_batch, batch), (&by_length, length)].map(|(probe, free)| {
                        let (others, other_free) = probe.as_ref()?;
                        Some(follows(size, others[number].shape[axis], free, *other_free))
                    });
                    let guess = axis == 0 && Some(size) == sizes.batch;
                    let times = |free: usize| size.is_multiple_of(free).then(|| size / free);
                    let part = || batch.is_multiple_of(size).then(|| Dimension::BatchPart(batch / size));
                    let dimension = match (by_batch.unwrap_or(guess), by_length.unwrap_or(false)) {
                        (true, true) => times(batch.saturating_mul(length)).map(Dimension::BatchLength),
                        (true, false) => times(batch).map(Dimension::Batch).or_else(part),
                        (false, true) => times(length).map(Dimension::Length),
                        (false, false) => None,
                    };
                    dimension.unwrap_or(Dimension::Constant(size))
                };
                shapes.insert(tensor.id, Dimensions(tensor.shape.iter().enumerate().map(dimension).collect()));
            }
        }
        Self(shapes)
    }

    /// Returns the shape of a tensor that was recorded.
    pub fn get(&self, tensor: TensorId) -> Option<Dimensions> {
        self.0.get(&tensor).cloned()
    }
}

/// Returns whether a size differs for another free size as that one does.
fn follows(size: usize, other: usize, free: usize, other_free: usize) -> bool {
    size != other && size as u128 * other_free as u128 == other as u128 * free as u128
}
