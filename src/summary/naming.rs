//! What calls are called.

use std::collections::HashMap;

use super::call::{Call, merge};
use super::fields::Field;
use super::flow::Flow;
use super::layer::{container_of, holds_tensor_itself};
use super::pattern::patterns;
use super::trace::TraceGrad;
use super::tree::{ModuleTree, NodeId};

/// What is known of a call.
#[derive(Clone, Debug, Default)]
pub(super) struct Traits {
    /// What it can be: a layer, a function, or an operation; nothing if it has no row.
    pub names: Vec<String>,
    /// Whether every element of its result depends on the elements at its own place alone.
    pub is_elementwise: bool,
}

/// Returns what is known of each call.
pub(super) fn traits(flow: &Flow, tree: &ModuleTree, calls: &[Call]) -> Vec<Traits> {
    let traits = |call: &Call| {
        let mut operations = call.operations.iter().map(|&operation| &flow.operations[operation]);
        let shapes = [call.input(flow), call.output(flow)].map(|id| flow.shape(id?));
        let is_elementwise = match call.is_function() {
            true => shapes[0].is_some() && shapes[0] == shapes[1],
            false => operations.all(|operation| operation.is_elementwise()),
        };
        Traits { names: names(flow, tree, call), is_elementwise }
    };
    calls.iter().map(traits).collect()
}

/// Returns a layer's type; for a tensor that a container holds itself, and for what has no parameters, the function or
/// the operation; nothing for what only rearranges, converts or scales what is there.
fn names(flow: &Flow, tree: &ModuleTree, call: &Call) -> Vec<String> {
    if let Some(owner) = call.owner.filter(|&owner| !holds_tensor_itself(tree, owner)) {
        return vec![tree.kind(owner).to_owned()];
    }
    if call.is_function() {
        return call.functions.clone();
    }
    let Some(&operation) = call.operations.first() else { return Vec::new() };
    let operation = &flow.operations[operation];
    let name = match operation.name.as_str() {
        name if !call.held.is_empty() => name,
        "Reshape" => {
            let (input, output) = (&operation.inputs[0].shape, &operation.outputs[0].shape);
            let flattens = output.len() == 2 && input.len() > 2 && input[0] == output[0];
            return if flattens { vec!["Flatten".to_owned()] } else { Vec::new() };
        }
        "SwapDims" | "Permute" | "Expand" | "ToDevice" | "Cast" | "IntoFloat" | "IntoInt" | "Random" | "AddScalar"
        | "SubScalar" | "MulScalar" | "DivScalar" => return Vec::new(),
        name => name.strip_suffix("WithIndices").unwrap_or(name),
    };
    vec![name.to_owned()]
}

/// Merges what follows a layer into one call, if the layer's container has a module without parameters whose type is
/// not Burn's: an activation of the model's own. It starts from one tensor, elementwise, and is no known function.
pub(super) fn name_own_functions(flow: &Flow, tree: &ModuleTree, calls: &mut Vec<Call>) {
    let own = own_kinds(tree);
    let mut index = 0;
    while index < calls.len() {
        let container = calls[index].owner.map(|owner| container_of(tree, owner));
        let kind = container.and_then(|container| own.get(&container));
        let length = kind.map_or(0, |_| own_function(flow, &calls[index + 1..]));
        if let Some(kind) = kind.filter(|_| length > 0) {
            merge(calls, index + 1..index + 1 + length, index + 1);
            calls[index + 1].functions = vec![kind.clone()];
        }
        index += 1;
    }
}

/// Returns how many calls, from the first on, compute elementwise with one tensor and what they make of it.
fn own_function(flow: &Flow, calls: &[Call]) -> usize {
    let mut known = Vec::new();
    let belongs = |call: &&Call| {
        let operations = || call.operations.iter().map(|&operation| &flow.operations[operation]);
        let mut inputs: Vec<_> = call.operations.iter().flat_map(|&it| flow.data_inputs(it)).collect();
        inputs.dedup();
        let begins = known.is_empty() && inputs.len() == 1 && !call.is_function();
        let belongs = call.owner.is_none()
            && operations().all(|operation| operation.is_elementwise())
            && (begins || !known.is_empty() && inputs.iter().all(|id| known.contains(id)));
        known.extend(inputs);
        known.extend(operations().flat_map(|operation| &operation.outputs).map(|output| output.id));
        belongs
    };
    calls.iter().take_while(belongs).count()
}

/// What a display shows that is no module.
const NO_MODULES: [&str; 7] = ["None", "Some", "Valid", "Same", "Explicit", "Tensor", "ParamTensor"];

/// Burn's layers without parameters that are one operation.
const OPERATIONS: [&str; 6] = ["MaxPool", "AvgPool", "AdaptiveAvgPool", "Interpolate", "Unfold", "LocalResponseNorm"];

/// Returns the container's type of a module without parameters that Burn does not have.
fn own_kinds(tree: &ModuleTree) -> HashMap<NodeId, String> {
    let holders: HashMap<&str, NodeId> = (tree.nodes.iter().enumerate())
        .filter(|(_, node)| node.holds_tensors)
        .map(|(id, node)| (node.path.as_str(), id))
        .collect();
    let own = |field: &Field| {
        let container = *holders.get(field.path.rsplit_once('.').map_or("", |(container, _)| container))?;
        let kind = field.kind().filter(|kind| !NO_MODULES.contains(kind))?;
        let mut known = patterns::<TraceGrad>().iter().map(|pattern| pattern.name);
        let is_known = known.any(|name| field.kind_for(name).is_some())
            || OPERATIONS.iter().any(|name| kind.starts_with(name))
            || holders.contains_key(field.path.as_str());
        (!is_known && !tree.nodes[container].children.is_empty()).then(|| (container, kind.to_owned()))
    };
    tree.fields.iter().filter_map(own).collect()
}
