//! Shapes in which the batch dimension stays open.

use std::collections::HashMap;
use std::fmt;

use burn_ir::TensorId;
use serde::{Serialize, Serializer};

use super::operation::Operation;

/// One dimension of a tensor.
///
/// Which dimensions follow the batch size is not guessed: the model is run with two batch sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dimension {
    /// The same for every batch size.
    Fixed(usize),
    /// This many times the batch size.
    Batch(usize),
}

impl Dimension {
    /// Its size for a batch size.
    pub fn size(self, batch_size: usize) -> usize {
        match self {
            Self::Fixed(size) => size,
            Self::Batch(factor) => factor * batch_size,
        }
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(size) => write!(formatter, "{size}"),
            Self::Batch(1) => write!(formatter, "N"),
            Self::Batch(factor) => write!(formatter, "{factor}N"),
        }
    }
}

impl Serialize for Dimension {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Fixed(size) => serializer.serialize_u64(*size as u64),
            Self::Batch(_) => serializer.collect_str(self),
        }
    }
}

/// A tensor's shape, such as `[N, 32, 26, 26]`, where `N` is the batch size.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Dimensions(pub Vec<Dimension>);

impl Dimensions {
    /// Number of elements for a batch size.
    pub fn elements(&self, batch_size: usize) -> usize {
        self.0.iter().map(|dimension| dimension.size(batch_size)).product()
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
    pub fn new(
        recorded: &[Operation],
        batch: usize,
        probe: &[Operation],
        probe_batch: usize,
    ) -> Self {
        let comparable = recorded.len() == probe.len()
            && recorded.iter().zip(probe).all(|(a, b)| a.name == b.name);
        let mut shapes = HashMap::new();
        for (index, operation) in recorded.iter().enumerate() {
            let tensors = operation.inputs.iter().chain(&operation.outputs);
            let other = probe.get(index).filter(|_| comparable);
            let mut others =
                other.into_iter().flat_map(|other| other.inputs.iter().chain(&other.outputs));
            for tensor in tensors {
                let other = others.next().filter(|other| other.shape.len() == tensor.shape.len());
                let dimensions = match other {
                    Some(other) => tensor
                        .shape
                        .iter()
                        .zip(&other.shape)
                        .map(|(&size, &other)| follow(size, batch, other, probe_batch))
                        .collect(),
                    None => guess(&tensor.shape, batch),
                };
                shapes.insert(tensor.id, Dimensions(dimensions));
            }
        }
        Self(shapes)
    }

    pub fn get(&self, tensor: TensorId) -> Option<&Dimensions> {
        self.0.get(&tensor)
    }
}

fn follow(size: usize, batch: usize, other: usize, other_batch: usize) -> Dimension {
    let proportional = size * other_batch == other * batch && size.is_multiple_of(batch);
    if size != other && proportional {
        Dimension::Batch(size / batch)
    } else {
        Dimension::Fixed(size)
    }
}

fn guess(shape: &[usize], batch: usize) -> Vec<Dimension> {
    shape
        .iter()
        .enumerate()
        .map(|(axis, &size)| match axis == 0 && size == batch {
            true => Dimension::Batch(1),
            false => Dimension::Fixed(size),
        })
        .collect()
}
