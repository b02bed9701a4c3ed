//! How much memory activations take, from when tensors are made and last used.
//!
//! A view shares its input's storage. Nothing is reused in place. The module's own tensors are
//! not activations; the inputs are.

use std::collections::{HashMap, HashSet};

use burn_ir::TensorId;

use super::operation::Operation;

/// Tensors by the storage they share.
#[derive(Default)]
struct Storage {
    root: HashMap<TensorId, TensorId>,
    bytes: HashMap<TensorId, usize>,
}

impl Storage {
    /// The storage of everything that the operations make, but for `uncounted`.
    fn of(operations: &[Operation], uncounted: &HashSet<TensorId>) -> Self {
        let mut storage = Self::default();
        for operation in operations.iter().filter(|operation| !operation.is_drop) {
            let viewed = operation.inputs.first().filter(|_| operation.is_view());
            for output in &operation.outputs {
                let root = viewed.map_or(output.id, |input| storage.root(input.id));
                storage.root.insert(output.id, root);
                if root == output.id {
                    storage.bytes.insert(root, output.bytes());
                }
            }
        }
        storage.bytes.retain(|root, _| !uncounted.contains(root));
        storage
    }

    fn root(&self, tensor: TensorId) -> TensorId {
        self.root.get(&tensor).copied().unwrap_or(tensor)
    }
}

/// The most that is alive at any moment of an inference pass, in which every tensor goes as soon
/// as nothing uses it any more.
pub(super) fn inference_peak(
    operations: &[Operation],
    uncounted: &HashSet<TensorId>,
    outputs: &[TensorId],
) -> usize {
    let storage = Storage::of(operations, uncounted);
    let mut last_use: HashMap<TensorId, usize> = HashMap::new();
    for (index, operation) in operations.iter().enumerate() {
        if operation.is_drop {
            continue;
        }
        for tensor in operation.inputs.iter().chain(&operation.outputs) {
            last_use.insert(storage.root(tensor.id), index);
        }
    }
    for &output in outputs {
        last_use.insert(storage.root(output), operations.len());
    }
    let mut ending: Vec<Vec<TensorId>> = vec![Vec::new(); operations.len() + 1];
    for (root, index) in last_use {
        ending[index].push(root);
    }
    let (mut alive, mut peak) = (0, 0);
    for (index, operation) in operations.iter().enumerate() {
        let made: usize =
            operation.outputs.iter().filter_map(|output| storage.bytes.get(&output.id)).sum();
        alive += made;
        peak = peak.max(alive);
        let freed: usize = ending[index].iter().filter_map(|root| storage.bytes.get(root)).sum();
        alive -= freed;
    }
    peak
}

/// What is still alive when the operations have run, by the drops that were recorded.
pub(super) fn alive_after(operations: &[Operation], uncounted: &HashSet<TensorId>) -> usize {
    let storage = Storage::of(operations, uncounted);
    let mut alive: HashSet<TensorId> = HashSet::new();
    for operation in operations {
        if operation.is_drop {
            for tensor in &operation.inputs {
                alive.remove(&tensor.id);
            }
            continue;
        }
        for tensor in operation.inputs.iter().filter(|tensor| tensor.consumed) {
            alive.remove(&tensor.id);
        }
        alive.extend(operation.outputs.iter().map(|output| output.id));
    }
    let roots: HashSet<TensorId> = alive.iter().map(|&id| storage.root(id)).collect();
    roots.iter().filter_map(|root| storage.bytes.get(root)).sum()
}
