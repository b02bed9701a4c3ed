//! Finds functions in a recording: activations, softmax, dropout, global pooling, layers without parameters.
//!
//! Most of them reach a backend as several elementary operations. What those are is not written down here: each
//! function is run once on the trace, and what it records is the pattern to look for. A scalar that follows a setting
//! of the function (a slope, a threshold) matches any value; it is found by recording the function with two settings.

use std::cmp::Reverse;
use std::sync::OnceLock;

use burn::nn::{
    DropoutConfig, GaussianNoiseConfig, GroupNormConfig, InstanceNormConfig, LocalResponseNormConfig,
    PositionalEncodingConfig, RotaryEncodingConfig, Unfold4dConfig,
};
use burn::tensor::{Tensor, activation as f};
use burn_ir::TensorId;
use serde_json::Value;

use super::{
    flow::Flow, operation::Operation, recording::Recorder, recording::TraceDevice, trace::Trace, trace::TraceBackend,
};

/// An attribute's name and value; `None` matches any value.
type Scalar = (String, Option<Value>);

/// An operation with its wiring alone: no identities, no shapes.
#[derive(Clone, Debug, PartialEq)]
struct Step {
    name: String,
    /// Inputs and outputs, numbered in the order in which the function first meets them.
    tensors: Vec<usize>,
    scalars: Vec<Scalar>,
}

impl Step {
    fn matches(&self, found: &Self) -> bool {
        let scalar = |(expected, found): (&Scalar, &Scalar)| {
            expected.0 == found.0 && (expected.1.is_none() || expected.1 == found.1)
        };
        self.name == found.name
            && self.tensors == found.tensors
            && self.scalars.len() == found.scalars.len()
            && self.scalars.iter().zip(&found.scalars).all(scalar)
    }
}

/// A function as it looks in a recording.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    pub name: &'static str,
    steps: Vec<Step>,
}

impl Pattern {
    /// Returns how many operations it takes.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Returns whether the operations are this function, and nothing of it is missing.
    pub fn matches<'a>(&self, operations: impl Iterator<Item = &'a Operation> + Clone) -> bool {
        let names = operations.clone().map(|operation| &operation.name);
        self.steps.iter().zip(names).all(|(step, name)| step.name == *name) && {
            let found = steps(operations.take(self.len()));
            found.len() == self.len() && self.steps.iter().zip(&found).all(|(step, found)| step.matches(found))
        }
    }
}

fn steps<'a>(operations: impl Iterator<Item = &'a Operation>) -> Vec<Step> {
    let mut met: Vec<TensorId> = Vec::new();
    let mut number = |id: TensorId| {
        met.iter().position(|&known| known == id).unwrap_or_else(|| {
            met.push(id);
            met.len() - 1
        })
    };
    let step = |operation: &Operation| {
        let scalars = operation.attributes.iter().filter(|(_, value)| is_scalar(value));
        Step {
            name: operation.name.clone(),
            tensors: operation.tensors().map(|tensor| number(tensor.id)).collect(),
            scalars: scalars.map(|(name, value)| (name.clone(), Some(value.clone()))).collect(),
        }
    };
    operations.map(step).collect()
}

/// A scalar operand serialises as its type and its value: `{"Float": 0.5}`.
fn is_scalar(value: &Value) -> bool {
    value.as_object().is_some_and(|fields| {
        fields.len() == 1 && ["Float", "Int", "UInt", "Bool"].iter().any(|sort| fields.contains_key(*sort))
    })
}

/// Returns every function that is looked for, the longest first: of two that match, the longer one holds the shorter.
pub(super) fn patterns<B: TraceBackend>() -> &'static [Pattern] {
    static INFERENCE: OnceLock<Vec<Pattern>> = OnceLock::new();
    static TRAINING: OnceLock<Vec<Pattern>> = OnceLock::new();
    let known = if B::DIFFERENTIABLE { &TRAINING } else { &INFERENCE };
    known.get_or_init(|| {
        let functions = functions::<B>().into_iter().filter_map(|(name, function)| {
            pattern(name, |device, setting, start| run(|x| function(x, setting), [2, 4], device, start))
        });
        let layers = layers::<B>().into_iter().filter_map(|(name, layer)| pattern(name, layer));
        let mut patterns: Vec<_> = functions.chain(layers).collect();
        patterns.sort_by_key(|pattern| Reverse(pattern.len()));
        patterns
    })
}

/// Returns whether a function of this name is an activation.
pub(super) fn is_activation(function: &str) -> bool {
    functions::<Trace>().iter().any(|(name, _)| *name == function && *name != DROPOUT)
}

/// Returns whether a function of this name is a layer, whose operations a backend runs one by one.
pub(super) fn is_layer(function: &str) -> bool {
    layers::<Trace>().iter().any(|(name, _)| *name == function)
}

const DROPOUT: &str = "Dropout";

/// A function with a setting, such as a slope; most ignore it.
type Function<B> = fn(Tensor<B, 2>, f64) -> Tensor<B, 2>;

/// Returns the functions by name. Dropout does nothing in inference, and so has no pattern there.
fn functions<B: TraceBackend>() -> [(&'static str, Function<B>); 27] {
    [
        ("Relu", |x, _| f::relu(x)),
        ("LeakyRelu", |x, slope| f::leaky_relu(x, slope)),
        ("PRelu", |x, _| f::prelu(x.clone(), Tensor::ones([1], &x.device()))),
        ("Gelu", |x, _| f::gelu(x)),
        ("Gelu", |x, _| f::gelu_approximate(x)),
        ("Softmax", |x, _| f::softmax(x, 1)),
        ("LogSoftmax", |x, _| f::log_softmax(x, 1)),
        ("QuietSoftmax", |x, _| f::quiet_softmax(x, 1)),
        ("Softmin", |x, _| f::softmin(x, 1)),
        ("Softplus", |x, beta| f::softplus(x, beta)),
        ("Softsign", |x, _| f::softsign(x)),
        ("Sigmoid", |x, _| f::sigmoid(x)),
        ("HardSigmoid", |x, alpha| f::hard_sigmoid(x, alpha, alpha + 0.1)),
        ("LogSigmoid", |x, _| f::log_sigmoid(x)),
        ("Silu", |x, _| f::silu(x)),
        ("HardSwish", |x, _| f::hard_swish(x)),
        ("Mish", |x, _| f::mish(x)),
        ("Tanh", |x, _| f::tanh(x)),
        ("Elu", |x, alpha| f::elu(x, alpha)),
        ("Celu", |x, alpha| f::celu(x, alpha)),
        ("Selu", |x, _| f::selu(x)),
        ("ThresholdedRelu", |x, alpha| f::thresholded_relu(x, alpha)),
        ("GLU", |x, _| f::glu(x, 1)),
        ("HardShrink", |x, lambda| f::hard_shrink(x, lambda)),
        ("SoftShrink", |x, lambda| f::soft_shrink(x, lambda)),
        ("Shrink", |x, lambda| f::shrink(x, lambda, lambda + 0.1)),
        (DROPOUT, |x, probability| DropoutConfig::new(probability).init().forward(x)),
    ]
}

/// Builds a layer of Burn and its input, and runs it: on the device, for a setting, once `start` was called.
type Layer = fn(&TraceDevice, f64, &dyn Fn());

/// Runs a layer on an input of this shape.
fn run<B: TraceBackend, T, const D: usize>(
    layer: impl FnOnce(Tensor<B, D>) -> T, shape: [usize; D], device: &TraceDevice, start: &dyn Fn(),
) {
    let input = Tensor::zeros(shape, device);
    start();
    layer(input);
}

/// Returns Burn's layers without parameters that are several operations, by name. The setting is their size.
fn layers<B: TraceBackend>() -> [(&'static str, Layer); 7] {
    fn size(setting: f64) -> usize {
        if setting < 0.5 { 4 } else { 8 }
    }
    [
        ("PositionalEncoding", |device, setting, start| {
            let layer = PositionalEncodingConfig::new(size(setting)).with_max_sequence_size(6).init::<B>(device);
            run::<B, _, 3>(|x| layer.forward(x), [2, 5, size(setting)], device, start)
        }),
        ("RotaryEncoding", |device, setting, start| {
            let layer = RotaryEncodingConfig::new(6, size(setting)).init::<B>(device);
            run::<B, _, 4>(|x| layer.forward(x), [2, 3, 5, size(setting)], device, start)
        }),
        ("GroupNorm", |device, setting, start| {
            let layer = GroupNormConfig::new(2, size(setting)).with_affine(false).init::<B>(device);
            run::<B, _, 4>(|x| layer.forward(x), [2, size(setting), 5, size(setting)], device, start)
        }),
        ("InstanceNorm", |device, setting, start| {
            let layer = InstanceNormConfig::new(size(setting)).with_affine(false).init::<B>(device);
            run::<B, _, 4>(|x| layer.forward(x), [2, size(setting), 5, size(setting)], device, start)
        }),
        ("LocalResponseNorm", |device, setting, start| {
            let config = LocalResponseNormConfig::new(3).with_alpha(setting).with_beta(setting);
            run::<B, _, 4>(|x| config.with_k(setting).init().forward(x), [2, 4, 5, 5], device, start)
        }),
        ("GaussianNoise", |device, setting, start| {
            let layer = GaussianNoiseConfig::new(setting).init();
            run::<B, _, 2>(|x| layer.forward(x), [2, 4], device, start)
        }),
        ("Unfold4d", |device, setting, start| {
            let layer = Unfold4dConfig::new([2, 2]).init();
            run::<B, _, 4>(|x| layer.forward(x), [2, size(setting), 5, size(setting)], device, start)
        }),
    ]
}

/// Records a layer with two settings; what differs between them follows the setting.
fn pattern(name: &'static str, layer: impl Fn(&TraceDevice, f64, &dyn Fn())) -> Option<Pattern> {
    let record = |setting| {
        let recorder = Recorder::start()?;
        layer(&recorder.device(), setting, &|| drop(recorder.take()));
        let operations: Vec<_> = recorder.take().iter().map(Operation::new).collect();
        let flow = Flow::new(operations.iter(), &[]);
        Some(steps(flow.computing().map(|index| flow.operations[index])))
    };
    let (mut steps, other) = (record(0.25)?, record(0.75)?);
    if steps.is_empty() || steps.len() != other.len() {
        return None;
    }
    for (step, other) in steps.iter_mut().zip(other) {
        for ((_, value), (_, other)) in step.scalars.iter_mut().zip(other.scalars) {
            *value = value.take().filter(|value| Some(value) == other.as_ref());
        }
    }
    Some(Pattern { name, steps })
}

/// Returns the name and the number of operations of pooling over everything but batch and channels.
///
/// An image tensor `[batch, channels, height, width]` whose spatial dimensions are reduced one after the
/// other, or flattened and then reduced; reshapes that only drop the emptied dimensions belong to it.
pub(super) fn global_pool<'a>(operations: impl Iterator<Item = &'a Operation> + Clone) -> Option<(String, usize)> {
    let input = operations.clone().next()?.inputs.first()?;
    let [batch, channels, _, _, ..] = input.shape[..] else { return None };
    let spatial = &input.shape[2..];
    let positions: usize = spatial.iter().product();
    let (mut current, mut length, mut kind) = (input, 0, None::<&str>);
    for operation in operations {
        let output = operation.outputs.first()?;
        if operation.inputs.len() != 1 || operation.inputs[0].id != current.id || current.shape.len() == 2 {
            break;
        }
        let shrinks = |&axis: &usize| axis >= 2 && (current.shape[axis] != 1 || positions == 1);
        match (operation.name.as_str(), operation.reduced_axis().filter(shrinks)) {
            ("Reshape", _) if kind.is_none() && output.shape[..] == [batch, channels, positions] => {}
            ("Reshape", _) if kind.is_some() && is_reduced(&current.shape) && output.shape[..] == [batch, channels] => {
            }
            ("MaxDim" | "MaxDimWithIndices", Some(_)) if kind.is_none_or(|kind| kind == "Max") => kind = Some("Max"),
            ("MeanDim", Some(_)) if kind.is_none_or(|kind| kind == "Avg") => kind = Some("Avg"),
            (_, Some(_)) => return None,
            _ => break,
        }
        length += 1;
        current = output;
    }
    let kind = kind.filter(|_| is_reduced(&current.shape))?;
    Some((format!("Global{kind}Pool{}d", spatial.len()), length))
}

/// Returns whether the spatial dimensions are gone or of size 1.
fn is_reduced(shape: &[usize]) -> bool {
    shape[2..].iter().all(|&size| size == 1)
}
