//! The totals of a summary. The module's own tensors are not activations; the inputs are.

use std::collections::{BTreeMap, HashSet};

use burn_ir::TensorId;
use serde::Serialize;

use super::{
    call::Call, flow::Flow, flow::Origin, memory::alive_after, memory::inference_peak, operation::Operation,
    operation::bytes, operation::total_multiply_adds, pass::Pass, pattern::is_layer, row::ParameterCount, row::Role,
    row::Row, tree::ModuleTree,
};

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
    /// The layers of each type, those with the most parameters first.
    pub types: Vec<LayerType>,
    /// Size of the other tensors that the model was built with and the forward pass uses, such as a table of positions.
    pub buffer_bytes: usize,
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
    /// Size of the gradients of all trainable parameters.
    pub gradient_bytes: usize,
}

/// The layers of one type.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LayerType {
    /// Burn type, such as `Conv2d`; for a parameter that a container holds itself, the container's type.
    pub kind: String,
    /// Number of their parameters.
    pub parameters: usize,
}

impl Totals {
    pub(super) fn of(pass: &Pass, operations: &[Operation], flow: &Flow, calls: &[Call], rows: &[Row]) -> Self {
        let tree = &pass.tree;
        let held: HashSet<TensorId> = tree.tensors.iter().map(|tensor| tensor.tensor.id).collect();
        // A backend has an activation function as one operation, of which the router knows the
        // parts only: its intermediate results are not made.
        let uncounted = &held | &intermediate(flow, calls);
        let mut seen = HashSet::new();
        let own: Vec<_> = tree.tensors.iter().filter(|tensor| seen.insert(tensor.parameter)).collect();
        let size = |trainable: bool| {
            own.iter().filter(|it| it.trainable == trainable).map(|it| bytes(&it.tensor)).sum::<usize>()
        };
        let (trainable_bytes, mut parameters) = (size(true), ParameterCount::default());
        own.iter().for_each(|tensor| parameters += tensor.count());
        let forward_multiply_adds = total_multiply_adds(flow.operations.iter().copied());
        let made = operations[..pass.preparation].iter().flat_map(|operation| &operation.outputs);
        let unused = rows.iter().filter(|row| row.role == Role::Unused);
        let activations = rows.iter().filter(|row| row.runs());
        Self {
            parameters,
            unused_parameters: unused.map(|row| row.parameters.total()).sum(),
            trainable_bytes,
            non_trainable_bytes: size(false),
            types: types(tree),
            buffer_bytes: buffers(flow),
            forward_multiply_adds,
            input_bytes: made.filter(|tensor| flow.inputs.contains(&tensor.id)).map(bytes).sum(),
            activation_bytes: activations.map(|row| row.activation_bytes).sum(),
            peak_activation_bytes: inference_peak(operations, &uncounted, &flow.outputs),
            no_training: pass.backward.as_ref().and_then(|backward| backward.as_ref().err().cloned()),
            training: pass.backward.iter().flatten().next().map(|backward| Training {
                multiply_adds: forward_multiply_adds + backward.multiply_adds as u64,
                kept_bytes: alive_after(operations, &held),
                gradient_bytes: trainable_bytes,
            }),
        }
    }

    /// Returns the size of all parameters.
    pub fn parameter_bytes(&self) -> usize {
        self.trainable_bytes + self.non_trainable_bytes
    }

    /// Returns an estimate of the memory of a training step: parameters and buffers, gradients, what the optimizer
    /// keeps, and the activations kept for the backward pass.
    pub fn training_bytes(&self, optimizer: Optimizer) -> Option<usize> {
        let Training { gradient_bytes, kept_bytes, .. } = self.training.as_ref()?;
        let states = optimizer.states() * gradient_bytes;
        let all = [self.parameter_bytes(), self.buffer_bytes, *gradient_bytes, states, *kept_bytes];
        Some(all.into_iter().fold(0, usize::saturating_add))
    }
}

/// Returns the parameters of each type of layer, each counted once.
fn types(tree: &ModuleTree) -> Vec<LayerType> {
    let (mut types, mut counted): (BTreeMap<&str, usize>, _) = (BTreeMap::new(), HashSet::new());
    for (number, tensor) in tree.tensors.iter().enumerate().filter(|(_, tensor)| counted.insert(tensor.parameter)) {
        *types.entry(tree.kind(tree.layer_of(number))).or_default() += tensor.count().total();
    }
    let types = types.into_iter().map(|(kind, parameters)| LayerType { kind: kind.to_owned(), parameters });
    let mut types: Vec<_> = types.collect();
    types.sort_by_key(|layers| std::cmp::Reverse(layers.parameters));
    types
}

/// Returns the size of what the forward pass uses that is no input, no parameter, and that it has not made.
fn buffers(flow: &Flow) -> usize {
    let mut seen: HashSet<TensorId> = flow.inputs.iter().copied().collect();
    let used = flow.operations.iter().flat_map(|operation| &operation.inputs);
    let unknown = used.filter(|tensor| flow.producer(tensor.id).is_none() && *flow.origin(tensor.id) == Origin::Data);
    unknown.filter(|tensor| seen.insert(tensor.id)).map(bytes).fold(0, usize::saturating_add)
}

/// Returns what known functions make on the way to their results.
fn intermediate(flow: &Flow, calls: &[Call]) -> HashSet<TensorId> {
    let functions = calls.iter().filter(|call| call.functions.first().is_some_and(|name| !is_layer(name)));
    let made = functions.flat_map(|call| call.made(flow).map(|made| (made.id, call.output(flow))));
    made.filter(|(id, output)| Some(*id) != *output).map(|(id, _)| id).collect()
}

/// An optimizer, by what it keeps of every trainable parameter.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, strum::Display, strum::EnumString, strum::VariantNames,
)]
#[strum(ascii_case_insensitive)]
pub enum Optimizer {
    /// Stochastic gradient descent: nothing.
    #[strum(to_string = "SGD")]
    Sgd,
    /// Stochastic gradient descent with momentum: the velocity.
    #[strum(to_string = "momentum")]
    Momentum,
    /// RMSprop as Burn has it: the mean square of the gradients, and the velocity of its momentum.
    #[strum(to_string = "RMSprop")]
    RmsProp,
    /// AdaGrad: the sum of the squared gradients.
    AdaGrad,
    /// Adam: the first and the second moment.
    #[default]
    Adam,
    /// Adam with decoupled weight decay: the first and the second moment.
    AdamW,
}

impl Optimizer {
    /// Returns how many numbers it keeps for each parameter.
    pub fn states(self) -> usize {
        match self {
            Self::Sgd => 0,
            Self::Momentum | Self::AdaGrad => 1,
            Self::RmsProp | Self::Adam | Self::AdamW => 2,
        }
    }
}
