//! The totals of a summary.
//!
//! The memory that activations take is computed from when tensors are made and last used. A view shares its
//! input's storage. Nothing is reused in place. The module's own tensors are not activations; the inputs are.

use std::collections::{HashMap, HashSet};

use burn_ir::{TensorId, TensorIr, TensorStatus};
use serde::Serialize;

use super::call::Call;
use super::flow::Flow;
use super::operation::{Operation, bytes, total_multiply_adds};
use super::pass::Pass;
use super::pattern::is_layer;
use super::row::{ParameterCount, Role, Row};
use super::tree::ModuleTree;

/// The totals of a summary, for its batch size. Sizes are in bytes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Totals {
    /// All parameters, each counted once.
    pub parameters: ParameterCount,
    /// Number of parameters that the forward pass never uses.
    pub unused_parameters: usize,
    /// Size of the trainable parameters.
    pub trainable_bytes: usize,
    /// Size of the non-trainable parameters.
    pub non_trainable_bytes: usize,
    /// Multiply-adds of a forward pass.
    pub forward_multiply_adds: u64,
    /// Size of the inputs.
    pub input_bytes: usize,
    /// Size of all outputs together, one for each row.
    pub activation_bytes: usize,
    /// Peak activation memory of an inference pass, inputs included.
    pub peak_activation_bytes: usize,
    /// What training costs; `None` for a model on [`Trace`](super::Trace), or if the backward pass cannot be run.
    pub training: Option<Training>,
    /// Why the backward pass could not be run, if it was tried and could not.
    pub no_training: Option<String>,
}

/// What training costs beyond a forward pass.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Training {
    /// Multiply-adds of the forward and the backward pass.
    pub multiply_adds: u64,
    /// Size of the inputs and activations that the forward pass keeps for the backward pass.
    pub kept_bytes: usize,
    /// Size of the gradients of the parameters.
    pub gradient_bytes: usize,
    /// Size of Adam's first and second moments.
    pub adam_bytes: usize,
}

impl Totals {
    pub(super) fn of(pass: &Pass, operations: &[Operation], flow: &Flow, calls: &[Call], rows: &[Row]) -> Self {
        let tree = &pass.tree;
        let held: HashSet<TensorId> = tree.tensors.iter().map(|tensor| tensor.tensor.id).collect();
        // A backend has an activation function as one operation, of which the router knows the
        // parts only: its intermediate results are not made.
        let uncounted = &held | &intermediate(flow, calls);
        let (parameters, trainable_bytes, non_trainable_bytes) = parameters(tree);
        let forward_multiply_adds = total_multiply_adds(flow.operations.iter());
        let made = operations[..pass.preparation].iter().flat_map(|operation| &operation.outputs);
        let unused = rows.iter().filter(|row| row.role == Role::Unused);
        let activations = rows.iter().filter(|row| row.runs());
        Self {
            parameters,
            unused_parameters: unused.map(|row| row.parameters.total()).sum(),
            trainable_bytes,
            non_trainable_bytes,
            forward_multiply_adds,
            input_bytes: made.filter(|tensor| flow.inputs.contains(&tensor.id)).map(bytes).sum(),
            activation_bytes: activations.map(|row| row.activation_bytes).sum(),
            peak_activation_bytes: inference_peak(operations, &uncounted, &flow.outputs),
            no_training: pass.backward.as_ref().and_then(|backward| backward.as_ref().err().cloned()),
            training: pass.backward.iter().flatten().next().map(|backward| Training {
                multiply_adds: forward_multiply_adds + backward.multiply_adds as u64,
                kept_bytes: alive_after(operations, &held),
                gradient_bytes: trainable_bytes,
                adam_bytes: 2 * trainable_bytes,
            }),
        }
    }

    /// Returns the size of all parameters.
    pub fn parameter_bytes(&self) -> usize {
        self.trainable_bytes + self.non_trainable_bytes
    }

    /// Returns an estimate of the memory of a training step with Adam: parameters, their
    /// gradients, Adam's two moments, and the activations kept for the backward pass.
    pub fn adam_training_bytes(&self) -> Option<usize> {
        let Training { gradient_bytes, adam_bytes, kept_bytes, .. } = self.training.as_ref()?;
        Some(self.parameter_bytes() + gradient_bytes + adam_bytes + kept_bytes)
    }
}

/// Returns what known functions make on the way to their results.
fn intermediate(flow: &Flow, calls: &[Call]) -> HashSet<TensorId> {
    let functions = calls.iter().filter(|call| call.functions.first().is_some_and(|name| !is_layer(name)));
    let intermediate = |call: &Call| {
        let output = call.output(flow);
        let operations = call.operations.iter().map(|&operation| &flow.operations[operation]);
        let made = operations.flat_map(|operation| &operation.outputs).map(|made| made.id);
        made.filter(|&id| Some(id) != output).collect::<Vec<_>>()
    };
    functions.flat_map(intermediate).collect()
}

/// Returns the module's parameters, and the bytes of the trainable and of the other ones.
fn parameters(tree: &ModuleTree) -> (ParameterCount, usize, usize) {
    let mut seen = HashSet::new();
    let (mut count, mut trainable, mut others) = (ParameterCount::default(), 0, 0);
    for tensor in tree.tensors.iter().filter(|tensor| seen.insert(tensor.parameter)) {
        count += tensor.count();
        *if tensor.trainable { &mut trainable } else { &mut others } += bytes(&tensor.tensor);
    }
    (count, trainable, others)
}

/// Tensors by the storage they share, and its size.
#[derive(Default)]
struct Storage {
    root: HashMap<TensorId, TensorId>,
    bytes: HashMap<TensorId, usize>,
}

impl Storage {
    /// Returns the storage of everything that the operations make, but for `uncounted`.
    fn of(operations: &[Operation], uncounted: &HashSet<TensorId>) -> Self {
        let mut storage = Self::default();
        for operation in operations.iter().filter(|operation| !operation.is_drop) {
            let viewed = operation.inputs.first().filter(|_| operation.is_view());
            for output in &operation.outputs {
                let root = viewed.map_or(output.id, |input| storage.root(input.id));
                storage.root.insert(output.id, root);
                if root == output.id {
                    storage.bytes.insert(root, bytes(output));
                }
            }
        }
        storage.bytes.retain(|root, _| !uncounted.contains(root));
        storage
    }

    fn root(&self, tensor: TensorId) -> TensorId {
        self.root.get(&tensor).copied().unwrap_or(tensor)
    }

    fn bytes<'a>(&self, roots: impl IntoIterator<Item = &'a TensorId>) -> usize {
        roots.into_iter().filter_map(|root| self.bytes.get(root)).sum()
    }
}

/// Returns the peak memory of an inference pass in which every tensor is freed as soon as nothing uses it any more.
fn inference_peak(operations: &[Operation], uncounted: &HashSet<TensorId>, outputs: &[TensorId]) -> usize {
    let storage = Storage::of(operations, uncounted);
    let mut last_use: HashMap<TensorId, usize> = HashMap::new();
    for (index, operation) in operations.iter().enumerate().filter(|(_, it)| !it.is_drop) {
        last_use.extend(operation.tensors().map(|tensor| (storage.root(tensor.id), index)));
    }
    last_use.extend(outputs.iter().map(|&output| (storage.root(output), operations.len())));
    let mut ending: Vec<Vec<TensorId>> = vec![Vec::new(); operations.len() + 1];
    for (root, index) in last_use {
        ending[index].push(root);
    }
    let (mut alive, mut peak) = (0, 0);
    for (operation, ending) in operations.iter().zip(&ending) {
        alive += storage.bytes(operation.outputs.iter().map(|output| &output.id));
        peak = peak.max(alive);
        alive -= storage.bytes(ending);
    }
    peak
}

/// Returns what is still alive when the operations have run, by the drops that were recorded.
fn alive_after(operations: &[Operation], uncounted: &HashSet<TensorId>) -> usize {
    let storage = Storage::of(operations, uncounted);
    let mut alive: HashSet<TensorId> = HashSet::new();
    for operation in operations {
        let last = |&tensor: &&TensorIr| operation.is_drop || tensor.status == TensorStatus::ReadWrite;
        operation.inputs.iter().filter(last).for_each(|tensor| _ = alive.remove(&tensor.id));
        alive.extend(operation.outputs.iter().map(|output| output.id));
    }
    let roots: HashSet<TensorId> = alive.iter().map(|&id| storage.root(id)).collect();
    storage.bytes(&roots)
}
