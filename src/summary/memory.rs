//! The memory that tensors take, from when they are made and last used.
//!
//! A view shares its input's storage. Nothing is reused in place.

use std::collections::{HashMap, HashSet};

use burn_ir::{TensorId, TensorIr, TensorStatus};

use super::operation::{Operation, bytes};

/// The storage of each tensor that an operation makes: the tensor that it was made for, and its size.
struct Storage(HashMap<TensorId, (TensorId, usize)>);

impl Storage {
    /// Returns the storage of everything that the operations make; that of `uncounted` takes nothing.
    fn of(operations: &[Operation], uncounted: &HashSet<TensorId>) -> Self {
        let mut storage = Self(HashMap::new());
        for operation in operations.iter().filter(|operation| !operation.is_drop) {
            let viewed = operation.inputs.first().filter(|_| operation.is_view()).map(|input| storage.get(input.id));
            for output in &operation.outputs {
                let size = if uncounted.contains(&output.id) { 0 } else { bytes(output) };
                storage.0.insert(output.id, viewed.unwrap_or((output.id, size)));
            }
        }
        storage
    }

    /// Returns the storage of a tensor; one that no operation made takes nothing.
    fn get(&self, tensor: TensorId) -> (TensorId, usize) {
        self.0.get(&tensor).copied().unwrap_or((tensor, 0))
    }
}

/// Returns the peak memory of an inference pass in which every tensor is freed as soon as nothing uses it any more.
pub(super) fn inference_peak(operations: &[Operation], uncounted: &HashSet<TensorId>, outputs: &[TensorId]) -> usize {
    let storage = Storage::of(operations, uncounted);
    let mut last_use: HashMap<(TensorId, usize), usize> = HashMap::new();
    for (index, operation) in operations.iter().enumerate().filter(|(_, it)| !it.is_drop) {
        last_use.extend(operation.tensors().map(|tensor| (storage.get(tensor.id), index)));
    }
    last_use.extend(outputs.iter().map(|&output| (storage.get(output), operations.len())));
    let mut freed = vec![0; operations.len() + 1];
    last_use.into_iter().for_each(|((_, size), index)| freed[index] += size);
    let (mut alive, mut peak) = (0, 0);
    for (operation, freed) in operations.iter().zip(freed) {
        let made = operation.outputs.iter().map(|output| (output.id, storage.get(output.id)));
        alive += made.filter(|(id, (root, _))| id == root).map(|(_, (_, size))| size).sum::<usize>();
        peak = peak.max(alive);
        alive -= freed;
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
    let storages: HashSet<_> = alive.into_iter().map(|id| storage.get(id)).collect();
    storages.into_iter().map(|(_, size)| size).sum()
}
