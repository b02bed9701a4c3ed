//! Shapes in which the batch dimension stays open.

use std::collections::HashMap;
use std::fmt;

use burn_ir::TensorId;
use serde::{Serialize, Serializer};

use super::operation::Operation;

/// One dimension of a tensor.
///
/// Which dimensions depend on the batch size is not guessed: the model is run with two batch sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dimension {
    /// The same for every batch size.
    Constant(usize),
    /// This many times the batch size.
    Batch(usize),
}

impl Dimension {
    /// Returns its size for a batch size; `None` if a `usize` does not hold it.
    pub fn size(self, batch_size: usize) -> Option<usize> {
        match self {
            Self::Constant(size) => Some(size),
            Self::Batch(factor) => factor.checked_mul(batch_size),
        }
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Constant(size) => write!(formatter, "{size}"),
            Self::Batch(1) => write!(formatter, "N"),
            Self::Batch(factor) => write!(formatter, "{factor}N"),
        }
    }
}

impl Serialize for Dimension {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Constant(size) => serializer.serialize_u64(*size as u64),
            Self::Batch(_) => serializer.collect_str(self),
        }
    }
}

/// A tensor's shape, such as `[N, 32, 26, 26]`, where `N` is the batch size.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Dimensions(pub Vec<Dimension>);

impl Dimensions {
    /// Returns the number of elements for a batch size; `None` if a `usize` does not hold it.
    pub fn elements(&self, batch_size: usize) -> Option<usize> {
        self.0.iter().try_fold(1_usize, |elements, dimension| elements.checked_mul(dimension.size(batch_size)?))
    }
}

impl fmt::Display for Dimensions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sizes: Vec<_> = self.0.iter().map(Dimension::to_string).collect();
        formatter.pad(&format!("[{}]", sizes.join(", ")))
    }
}

/// The shape of every tensor, with the batch dimensions found.
#[derive(Debug)]
pub(super) struct Shapes(HashMap<TensorId, Dimensions>);

impl Shapes {
    /// Compares a recording with one of the same model at another batch size. Where the two do
    /// not run the same operations, a first dimension of the batch size is taken for the batch.
    pub fn new(recorded: &[Operation], batch: usize, probe: &[Operation], probe_batch: usize) -> Self {
        let comparable = recorded.len() == probe.len() && recorded.iter().zip(probe).all(|(a, b)| a.name == b.name);
        let mut shapes = HashMap::new();
        for (index, operation) in recorded.iter().enumerate() {
            let other = probe.get(index).filter(|_| comparable);
            let mut others = other.into_iter().flat_map(Operation::tensors);
            for tensor in operation.tensors() {
                let other = others.next().filter(|other| other.shape.len() == tensor.shape.len());
                let dimension = |(axis, &size): (usize, &usize)| {
                    let factor = match other {
                        Some(other) => factor(size, batch, other.shape[axis], probe_batch),
                        None => (axis == 0 && size == batch).then_some(1),
                    };
                    factor.map_or(Dimension::Constant(size), Dimension::Batch)
                };
                let dimensions = tensor.shape.iter().enumerate().map(dimension).collect();
                shapes.insert(tensor.id, Dimensions(dimensions));
            }
        }
        Self(shapes)
    }

    /// Returns the shape of a tensor that was recorded.
    pub fn get(&self, tensor: TensorId) -> Option<Dimensions> {
        self.0.get(&tensor).cloned()
    }
}

/// Returns how many times the batch size it is, if it differs for another one as that one does.
fn factor(size: usize, batch: usize, other: usize, other_batch: usize) -> Option<usize> {
    let product = |a: usize, b: usize| a as u128 * b as u128;
    let proportional = product(size, other_batch) == product(other, batch) && size.is_multiple_of(batch);
    (size != other && proportional).then(|| size / batch)
}
