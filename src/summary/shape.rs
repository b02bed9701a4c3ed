//! Shapes in which the batch size stays open, and a length.

use std::collections::HashMap;
use std::fmt;

use burn_ir::{OperationIr, TensorId, TensorIr};
use serde::{Serialize, Serializer};

use super::operation::Operation;

/// One dimension of a tensor.
///
/// Which dimensions depend on the sizes that are free is not guessed: the model is run with other sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dimension {
    /// The same for every size.
    Constant(usize),
    /// This many times the batch size.
    Batch(usize),
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
            Self::Length(factor) => factor.checked_mul(length),
            Self::BatchLength(factor) => factor.checked_mul(batch_size)?.checked_mul(length),
        }
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (factor, name) = match *self {
            Self::Constant(size) => return write!(formatter, "{size}"),
            Self::Batch(factor) => (factor, "N"),
            Self::Length(factor) => (factor, "T"),
            Self::BatchLength(factor) => (factor, "NT"),
        };
        match factor {
            1 => formatter.write_str(name),
            factor => write!(formatter, "{factor}{name}"),
        }
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

impl Dimensions {
    /// Returns the number of elements for a batch size and a length; `None` if a `usize` does not hold it.
    pub fn elements(&self, batch_size: usize, length: usize) -> Option<usize> {
        self.0.iter().try_fold(1_usize, |elements, dimension| elements.checked_mul(dimension.size(batch_size, length)?))
    }
}

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
    /// The size in the recording that is compared, and the other one.
    pub sizes: (usize, usize),
}

impl Shapes {
    /// Compares a recording with those that have another batch size and another length. Without one that runs the same
    /// operations, a first dimension of the batch size is taken for the batch, and no dimension for the length.
    pub fn new(recorded: &[Operation], batch: usize, by_batch: Option<Probe>, by_length: Option<Probe>) -> Self {
        let comparable = |probe: &Probe| {
            let others = &probe.operations;
            let ranks =
                |tensors: &mut dyn Iterator<Item = &TensorIr>| tensors.map(|it| it.shape.len()).collect::<Vec<_>>();
            let is_like = |(a, b): (&Operation, &OperationIr)| ranks(&mut a.tensors()) == ranks(&mut tensors(b));
            recorded.len() == others.len() && recorded.iter().zip(others).all(is_like)
        };
        let (by_batch, by_length) = (by_batch.filter(comparable), by_length.filter(comparable));
        let length = by_length.as_ref().map_or(1, |probe| probe.sizes.0);
        let mut shapes = HashMap::new();
        for (index, operation) in recorded.iter().enumerate() {
            for (number, tensor) in operation.tensors().enumerate() {
                let factor = |probe: &Option<Probe>, axis: usize| {
                    let Probe { operations, sizes } = probe.as_ref()?;
                    let other = tensors(&operations[index]).nth(number)?;
                    factor(tensor.shape[axis], sizes.0, *other.shape.get(axis)?, sizes.1)
                };
                let dimension = |(axis, &size): (usize, &usize)| {
                    let guess = (by_batch.is_none() && axis == 0 && size == batch).then_some(1);
                    match (factor(&by_batch, axis).or(guess), factor(&by_length, axis)) {
                        (Some(each), Some(_)) => Dimension::BatchLength(each / length),
                        (Some(factor), _) => Dimension::Batch(factor),
                        (_, Some(factor)) => Dimension::Length(factor),
                        (None, None) => Dimension::Constant(size),
                    }
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

fn tensors(operation: &OperationIr) -> impl Iterator<Item = &TensorIr> {
    operation.inputs().chain(operation.outputs())
}

/// Returns how many times the free size it is, if it differs for another one as that one does.
fn factor(size: usize, free: usize, other: usize, other_free: usize) -> Option<usize> {
    let product = |a: usize, b: usize| a as u128 * b as u128;
    let proportional = product(size, other_free) == product(other, free) && size.is_multiple_of(free);
    (size != other && proportional).then(|| size / free)
}
