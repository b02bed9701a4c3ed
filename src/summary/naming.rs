//! What calls are called.

use std::collections::{HashMap, HashSet};

use super::{
    call::Call, call::merge, fields::Field, flow::Flow, operation::Kernel, operation::Operation, pattern::patterns,
    trace::TraceGrad, tree::ModuleTree, tree::NodeId, tree::ROOT,
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
        let kernel = call.steps(flow).find_map(|operation| match &operation.layer {
            Some(layer) => Kernel::of_layer(layer),
            None => operation.kernel.clone(),
        });
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
    // A pool's padding runs before it.
    let slides = call.steps(flow).find(|operation| operation.kernel.is_some());
    let Some(operation) = slides.or_else(|| call.steps(flow).next()) else { return Vec::new() };
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

/// Merges into one call what a module without parameters computes whose type is not Burn's: an activation of the
/// model's own. It starts from one tensor and is elementwise; where it does not follow a layer, one operation is none.
pub(super) fn name_own_functions(flow: &Flow, tree: &ModuleTree, calls: &mut Vec<Call>) {
    let (own, fields) = (own_kinds(tree), tree.fields_of_modules());
    let (mut layer, mut index) = (ROOT, 0);
    while index < calls.len() {
        layer = calls[index].owner.unwrap_or(layer);
        let follows_layer = index > 0 && calls[index - 1].owner.is_some();
        let around = || tree.ancestors(tree.container_of(layer));
        // Where it follows a layer, an activation is that of the layer's container.
        let kinds =
            around().take(if follows_layer { 1 } else { usize::MAX }).filter_map(|container| own.get(&container));
        let kinds: Vec<String> = kinds.flatten().cloned().collect();
        if calls[index].owner.is_none() && !kinds.is_empty() {
            let can_be = |field: &usize, name: &str| tree.fields[*field].kind_for(name).is_some();
            let has_field = |name: &str| around().any(|node| fields[node].iter().any(|field| can_be(field, name)));
            let length = own_function(flow, tree, &calls[index..], has_field);
            let steps = calls[index..index + length].iter().flat_map(|call| names(flow, tree, call)).count();
            if steps > usize::from(!follows_layer) {
                merge(calls, index..index + length, index);
                calls[index].functions = kinds;
            }
        }
        index += 1;
    }
}

/// What clips a known function: ReLU6 is ReLU and these.
const CLIPS: [&str; 6] = ["Clamp", "GreaterElem", "GreaterEqualElem", "LowerElem", "LowerEqualElem", "MaskFill"];

/// Returns how many calls, from the first on, compute elementwise with one tensor and what they make of it. A known
/// function that has a field is no part of it, and one that it begins with is clipped.
fn own_function(flow: &Flow, tree: &ModuleTree, calls: &[Call], has_field: impl Fn(&str) -> bool) -> usize {
    let mut known = HashSet::new();
    let belongs = |call: &&Call| {
        let made: HashSet<_> = call.made(flow).map(|made| made.id).collect();
        let inputs: HashSet<_> = call.data(flow).filter(|id| !made.contains(id)).collect();
        let belongs = call.owner.is_none()
            && !call.functions.iter().any(|name| has_field(name))
            && call.steps(flow).all(Operation::is_elementwise)
            && if known.is_empty() { inputs.len() == 1 } else { inputs.iter().all(|id| known.contains(id)) };
        known.extend(inputs.into_iter().chain(made));
        belongs
    };
    let length = calls.iter().take_while(belongs).count();
    let operations = calls[..length].iter().filter(|call| !call.is_function());
    let found: Vec<_> = operations.flat_map(|call| names(flow, tree, call)).collect();
    let clip = || found.iter().all(|name| CLIPS.contains(&name.as_str()));
    // A factor alone is no activation.
    if !found.is_empty() && (!calls[0].is_function() || clip()) { length } else { 0 }
}

/// What a display shows that is no module.
const NO_MODULES: [&str; 9] =
    ["None", "Some", "Vec", "Valid", "Same", "Explicit", "Tensor", "ParamTensor", "PhantomData"];

/// Burn's layers without parameters that are one operation.
const OPERATIONS: [&str; 5] = ["MaxPool", "AvgPool", "AdaptiveAvgPool", "Interpolate", "Unfold"];

/// Returns, for each container that has some, its types of modules without parameters that Burn does not have.
fn own_kinds(tree: &ModuleTree) -> HashMap<NodeId, Vec<String>> {
    let holders = tree.holders();
    let own = |field: &Field| {
        let container = *holders.get(field.path.rsplit_once('.').map_or("", |(container, _)| container))?;
        let kind = field.kinds.last().filter(|kind| !NO_MODULES.contains(&kind.as_str()) && !kind.ends_with("Loss"))?;
        let mut known = patterns::<TraceGrad>().iter().map(|pattern| pattern.name);
        let is_known = known.any(|name| field.kind_for(name).is_some())
            || OPERATIONS.iter().any(|name| field.kinds.iter().any(|kind| kind.starts_with(name)))
            || holders.contains_key(field.path.as_str());
        (!is_known && !tree.nodes[container].children.is_empty()).then(|| (container, kind.to_owned()))
    };
    let mut kinds: HashMap<NodeId, Vec<String>> = HashMap::new();
    for (container, kind) in tree.fields.iter().filter_map(own) {
        let kinds = kinds.entry(container).or_default();
        kinds.extend((!kinds.contains(&kind)).then_some(kind));
    }
    kinds
}
