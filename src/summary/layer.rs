//! What is known of layers by their Burn type.

use super::tree::{ModuleTensor, ModuleTree, NodeId};

/// Burn's recurrent layers: one call runs their inner layers once for every time step.
const RECURRENT: [&str; 6] = ["Rnn", "BiRnn", "Lstm", "BiLstm", "Gru", "BiGru"];

/// Burn's containers whose forward pass ends with their last layer.
const ENDS_WITH_LAYER: [&str; 3] = ["MultiHeadAttention", "CrossAttention", "PositionWiseFeedForward"];

/// Returns whether it is one of Burn's recurrent layers: named so, and made of nothing but gates.
pub(super) fn is_recurrent(tree: &ModuleTree, node: NodeId) -> bool {
    RECURRENT.contains(&tree.kind(node))
        && tree.nodes[node]
            .children
            .iter()
            .filter(|&&child| tree.nodes[child].holds_tensors)
            .all(|&child| tree.kind(child) == "GateController" || is_recurrent(tree, child))
}

/// Returns whether its forward pass runs the sequence in both directions, and joins the results.
pub(super) fn is_bidirectional(tree: &ModuleTree, node: NodeId) -> bool {
    tree.kind(node).starts_with("Bi") && is_recurrent(tree, node)
}

/// Returns whether nothing of the container runs after its last layer.
pub(super) fn ends_with_layer(tree: &ModuleTree, node: NodeId) -> bool {
    ENDS_WITH_LAYER.contains(&tree.kind(node))
}

/// Returns the layer that a tensor belongs to: its module, or the recurrent layer around it.
pub(super) fn layer_of(tree: &ModuleTree, tensor: &ModuleTensor) -> NodeId {
    let recurrent = tree.ancestors(tensor.node).filter(|&node| is_recurrent(tree, node));
    recurrent.last().unwrap_or(tensor.node)
}

/// Returns whether the owner of a call is no layer but a module with modules inside, of which the call uses a tensor.
pub(super) fn holds_tensor_itself(tree: &ModuleTree, owner: NodeId) -> bool {
    !tree.nodes[owner].children.is_empty() && !is_recurrent(tree, owner)
}

/// Returns the container that a layer lies in.
pub(super) fn container_of(tree: &ModuleTree, owner: NodeId) -> NodeId {
    match tree.nodes[owner].parent {
        Some(parent) if !holds_tensor_itself(tree, owner) => parent,
        _ => owner,
    }
}
