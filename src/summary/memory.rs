//! The memory that tensors take, from when they are made and last used.
//!
//! A view shares its input's storage. Nothing is reused in place.

use std::collections::{HashMap, HashSet};

use burn_ir::{TensorId, TensorIr, TensorStatus};

use super::operation::{Operation, bytes};

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
pub(super) fn inference_peak(operations: &[Operation], uncounted: &HashSet<TensorId>, outputs: &[TensorId]) -> usize {
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
pub(super) fn alive_after(operations: &[Operation], uncounted: &HashSet<TensorId>) -> usize {
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
