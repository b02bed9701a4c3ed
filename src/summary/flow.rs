//! How tensors flow through a recorded forward pass: what each operation computes with.

use std::collections::{BTreeSet, HashMap, HashSet};

use burn_ir::TensorId;

use super::{operation::Operation, tree::ModuleTensor};

/// What a tensor was made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// From nothing: zeros, a range.
    Constant,
    /// From these tensors of the module alone, by their number: a transposed weight.
    Held(BTreeSet<usize>),
    /// From the inputs, from random numbers, or from anything together with them.
    Data,
}

/// The operations of a forward pass, drops left out.
#[derive(Clone, Debug, Default)]
pub(super) struct Flow<'a> {
    pub operations: Vec<&'a Operation>,
    pub inputs: Vec<TensorId>,
    pub outputs: Vec<TensorId>,
    origins: HashMap<TensorId, Origin>,
    /// The operation that made a tensor.
    producers: HashMap<TensorId, usize>,
    /// The operations that use a tensor.
    consumers: HashMap<TensorId, Vec<usize>>,
}

impl<'a> Flow<'a> {
    pub fn new(operations: impl Iterator<Item = &'a Operation>, held: &[ModuleTensor]) -> Self {
        let mut flow = Self::default();
        for (number, tensor) in held.iter().enumerate() {
            flow.origins.insert(tensor.tensor.id, Origin::Held([number].into()));
        }
        for operation in operations.filter(|operation| !operation.is_drop) {
            let origin = flow.origin_of_result(operation);
            let index = flow.operations.len();
            for input in &operation.inputs {
                flow.consumers.entry(input.id).or_default().push(index);
            }
            for output in &operation.outputs {
                flow.origins.insert(output.id, origin.clone());
                flow.producers.insert(output.id, index);
            }
            flow.operations.push(operation);
        }
        flow
    }

    fn origin_of_result(&self, operation: &Operation) -> Origin {
        let mut held = BTreeSet::new();
        let mut constant = operation.inputs.is_empty() && !operation.name.ends_with("Random");
        for input in &operation.inputs {
            match self.origin(input.id) {
                Origin::Data => return Origin::Data,
                Origin::Constant => constant = true,
                Origin::Held(tensors) => held.extend(tensors),
            }
        }
        match (held.is_empty(), constant) {
            (true, true) => Origin::Constant,
            (false, false) => Origin::Held(held),
            // A table looked up by a range, such as learned positions; random numbers.
            _ => Origin::Data,
        }
    }

    /// Returns what the tensor was made from; one that the recording does not know is data.
    pub fn origin(&self, tensor: TensorId) -> &Origin {
        self.origins.get(&tensor).unwrap_or(&Origin::Data)
    }

    /// Returns the shape of a tensor that an operation uses or makes.
    pub fn shape(&self, tensor: TensorId) -> Option<&[usize]> {
        let operation = self.producer(tensor).or_else(|| self.consumers(tensor).first().copied())?;
        let found = self.operations[operation].tensors().find(|found| found.id == tensor);
        found.map(|tensor| &tensor.shape[..])
    }

    pub fn producer(&self, tensor: TensorId) -> Option<usize> {
        self.producers.get(&tensor).copied()
    }

    pub fn consumers(&self, tensor: TensorId) -> &[usize] {
        self.consumers.get(&tensor).map_or(&[], Vec::as_slice)
    }

    /// Returns the operations that compute with data, in order.
    pub fn computing(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.operations.len()).filter(|&index| {
            let output = self.operations[index].outputs.first();
            output.is_some_and(|output| *self.origin(output.id) == Origin::Data)
        })
    }

    fn inputs_of(&self, operation: usize) -> impl Iterator<Item = TensorId> + Clone + '_ {
        self.operations[operation].inputs.iter().map(|input| input.id)
    }

    /// Returns the module's tensors that an operation computes with, directly or by way of others.
    pub fn held_by(&self, operation: usize) -> BTreeSet<usize> {
        let held = |id| if let Origin::Held(held) = self.origin(id) { Some(held) } else { None };
        self.inputs_of(operation).filter_map(held).flatten().copied().collect()
    }

    /// Returns the multiply-adds of what leads to an operation and has no data, leaving out what is `known`.
    pub fn without_data(&self, operation: usize, known: &mut HashSet<usize>) -> u128 {
        let (mut multiply_adds, mut rest) = (0, vec![operation]);
        while let Some(operation) = rest.pop() {
            let is_computed = |id: &TensorId| *self.origin(*id) != Origin::Data;
            let producers = self.inputs_of(operation).filter(is_computed).filter_map(|id| self.producer(id));
            let new: Vec<usize> = producers.filter(|producer| known.insert(*producer)).collect();
            multiply_adds += new.iter().map(|&new| self.operations[new].multiply_adds).sum::<u128>();
            rest.extend(new);
        }
        multiply_adds
    }

    /// Returns the operation's inputs that are data.
    pub fn data_inputs(&self, operation: usize) -> impl Iterator<Item = TensorId> + Clone + '_ {
        self.inputs_of(operation).filter(|&id| *self.origin(id) == Origin::Data)
    }
}
