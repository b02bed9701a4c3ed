//! What calls are called.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::{
    call::Call, call::merge, fields::Field, flow::Flow, operation::Kernel, operation::Operation, pattern::patterns,
    trace::TraceGrad, tree::ModuleTree, tree::NodeId,
};

/// What is known of a call.
#[derive(Clone, Debug, Default)]
pub(super) struct Traits {
    /// What it can be: a layer, a function, or an operation; nothing if it has no row.
    pub names: Vec<String>,
    /// Whether its result has its input's shape.
    pub keeps_shape: bool,
    pub kernel: Option<Kernel>,
}

/// Returns what is known of each call.
pub(super) fn traits(flow: &Flow, tree: &ModuleTree, calls: &[Call]) -> Vec<Traits> {
    let traits = |call: &Call| {
        let shapes = [call.input(flow), call.output(flow)].map(|id| flow.shape(id?));
        let keeps_shape = shapes[0].is_some() && shapes[0] == shapes[1];
        let kernel = call.steps(flow).find_map(|operation| operation.kernel.clone());
        Traits { names: names(flow, tree, call), keeps_shape, kernel }
    };
    calls.iter().map(traits).collect()
}

/// Returns a layer's type; for a tensor that a container holds itself, and for what has no parameters, the function or
/// the operation; nothing for what only rearranges, converts or scales what is there.
fn names(flow: &Flow, tree: &ModuleTree, call: &Call) -> Vec<String> {
    if let Some(owner) = call.owner.filter(|&owner| !tree.holds_tensor_itself(owner)) {
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
        "SwapDims" | "Permute" | "Expand" | "ToDevice" | "Cast" | "IntoFloat" | "IntoInt" | "Random" | "IntRandom"
        | "AddScalar" | "SubScalar" | "MulScalar" | "DivScalar" => return Vec::new(),
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
        let container = calls[index].owner.map(|owner| tree.container_of(owner));
        let kind = container.and_then(|container| own.get(&container));
        let length = kind.map_or(0, |_| own_function(flow, tree, &calls[index + 1..]));
        if let Some(kind) = kind.filter(|_| length > 0) {
            merge(calls, index + 1..index + 1 + length, index + 1);
            calls[index + 1].functions = vec![kind.clone()];
        }
        index += 1;
    }
}

/// Returns how many calls, from the first on, compute elementwise with one tensor and what they make of it.
fn own_function(flow: &Flow, tree: &ModuleTree, calls: &[Call]) -> usize {
    let mut known = HashSet::new();
    let belongs = |call: &&Call| {
        let inputs: HashSet<_> = call.data(flow).collect();
        let begins = known.is_empty() && inputs.len() == 1 && !call.is_function();
        let belongs = call.owner.is_none()
            && call.steps(flow).all(Operation::is_elementwise)
            && (begins || !known.is_empty() && inputs.iter().all(|id| known.contains(id)));
        known.extend(inputs);
        known.extend(call.made(flow).map(|output| output.id));
        belongs
    };
    let length = calls.iter().take_while(belongs).count();
    // A factor alone is no activation.
    let is_function = calls[..length].iter().any(|call| !names(flow, tree, call).is_empty());
    if is_function { length } else { 0 }
}

/// What a display shows that is no module.
const NO_MODULES: [&str; 9] =
    ["None", "Some", "Vec", "Valid", "Same", "Explicit", "Tensor", "ParamTensor", "PhantomData"];

/// Burn's layers without parameters that are one operation.
const OPERATIONS: [&str; 6] = ["MaxPool", "AvgPool", "AdaptiveAvgPool", "Interpolate", "Unfold", "LocalResponseNorm"];

/// Returns, for each container that has one, its only type of modules without parameters that Burn does not have.
fn own_kinds(tree: &ModuleTree) -> HashMap<NodeId, String> {
    let holders = tree.holders();
    let own = |field: &Field| {
        let container = *holders.get(field.path.rsplit_once('.').map_or("", |(container, _)| container))?;
        let kind = field.kinds.last().filter(|kind| !NO_MODULES.contains(&kind.as_str()))?;
        let mut known = patterns::<TraceGrad>().iter().map(|pattern| pattern.name);
        let is_known = known.any(|name| field.kind_for(name).is_some())
            || OPERATIONS.iter().any(|name| field.kinds.iter().any(|kind| kind.starts_with(name)))
            || holders.contains_key(field.path.as_str());
        (!is_known && !tree.nodes[container].children.is_empty()).then(|| (container, kind.to_owned()))
    };
    let mut kinds: HashMap<NodeId, BTreeSet<String>> = HashMap::new();
    let own = tree.fields.iter().filter_map(own);
    own.for_each(|(container, kind)| _ = kinds.entry(container).or_default().insert(kind));
    let only = kinds.into_iter().filter(|(_, kinds)| kinds.len() == 1);
    only.flat_map(|(container, kinds)| kinds.into_iter().map(move |kind| (container, kind))).collect()
}
