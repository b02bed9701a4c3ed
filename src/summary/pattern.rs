//! Finds functions in a recording: activations, softmax, dropout, global pooling.
//!
//! Most activations reach a backend as several elementary operations. What those are is not written down here: each
//! function is run once on the trace, and what it records is the pattern to look for. A scalar that follows a setting
//! of the function (a slope, a threshold) matches any value; it is found by recording the function with two settings.

use std::cmp::Reverse;
use std::sync::OnceLock;

use burn::nn::DropoutConfig;
use burn::tensor::{Tensor, activation as f};
use burn_ir::TensorId;
use serde_json::Value;

use super::flow::Flow;
use super::operation::Operation;
use super::recording::Recorder;
use super::trace::{Trace, TraceBackend};

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
        let recorded = |(name, function)| pattern(name, function);
        let mut patterns: Vec<_> = functions::<B>().into_iter().filter_map(recorded).collect();
        patterns.sort_by_key(|pattern| Reverse(pattern.len()));
        patterns
    })
}

/// Returns whether a function of this name is an activation.
pub(super) fn is_activation(function: &str) -> bool {
    patterns::<Trace>().iter().any(|pattern| pattern.name == function)
}

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
        ("Glu", |x, _| f::glu(x, 1)),
        ("HardShrink", |x, lambda| f::hard_shrink(x, lambda)),
        ("SoftShrink", |x, lambda| f::soft_shrink(x, lambda)),
        ("Shrink", |x, lambda| f::shrink(x, lambda, lambda + 0.1)),
        ("Dropout", |x, probability| DropoutConfig::new(probability).init().forward(x)),
    ]
}

/// Records a function with two settings; what differs between them follows the setting.
fn pattern<B: TraceBackend>(name: &'static str, function: Function<B>) -> Option<Pattern> {
    let (mut steps, other) = (record(function, 0.25)?, record(function, 0.75)?);
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

fn record<B: TraceBackend>(function: Function<B>, setting: f64) -> Option<Vec<Step>> {
    let recorder = Recorder::start()?;
    let input = Tensor::zeros([2, 4], &recorder.device());
    recorder.take();
    let output = function(input, setting);
    let flow = Flow::new(recorder.take().into_iter(), &[]);
    drop(output);
    Some(steps(flow.computing().map(|index| &flow.operations[index])))
}

/// Returns the name and the number of operations of pooling over everything but batch and channels.
///
/// An image tensor `[batch, channels, height, width]` whose spatial dimensions are reduced one after the
/// other, or flattened and then reduced; reshapes that only drop the emptied dimensions belong to it.
pub(super) fn global_pool<'a>(operations: impl Iterator<Item = &'a Operation> + Clone) -> Option<(String, usize)> {
    let input = operations.clone().next()?.inputs.first()?;
    let &[batch, channels, ref spatial @ ..] = &input.shape[..] else { return None };
    if spatial.len() < 2 {
        return None;
    }
    let positions: usize = spatial.iter().product();
    let (mut current, mut length) = (input, 0);
    let mut kind: Option<&str> = None;
    for operation in operations {
        let takes_current = operation.inputs.len() == 1 && operation.inputs[0].id == current.id;
        if !takes_current || current.shape.len() == 2 {
            break;
        }
        let output = operation.outputs.first()?;
        let shrinks = |&axis: &usize| {
            let size = current.shape.get(axis).filter(|_| axis >= 2);
            size.is_some_and(|&size| size != 1 || positions == 1)
        };
        if operation.name == "Reshape" {
            let belongs = match kind {
                None => output.shape[..] == [batch, channels, positions],
                Some(_) => is_reduced(&current.shape) && output.shape[..] == [batch, channels],
            };
            if !belongs {
                break;
            }
        } else if operation.reduced_axis().filter(shrinks).is_some() {
            let reduction = match operation.name.as_str() {
                "MaxDim" | "MaxDimWithIndices" => "Max",
                "MeanDim" => "Avg",
                _ => return None,
            };
            if *kind.get_or_insert(reduction) != reduction {
                return None;
            }
        } else {
            break;
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
