//! Finds functions in a recording: activations, softmax, dropout, global pooling.
//!
//! Most activations reach a backend as several elementary operations. What those are is not
//! written down here: each function is run once on the trace, and what it records is the pattern
//! to look for. A scalar that follows a setting of the function (a slope, a threshold) matches any
//! value; it is found by recording the function with two settings.

use std::sync::OnceLock;

use burn::nn::DropoutConfig;
use burn::tensor::{Tensor, activation as f};
use burn_ir::TensorId;
use serde_json::Value;

use super::flow::Flow;
use super::operation::Operation;
use super::trace::{Recorder, Trace, TraceBackend, TraceDevice, TraceGrad};

/// Where a pattern's operation takes an input from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// An output of an earlier operation of the pattern.
    Inside { operation: usize, output: usize },
    /// The nth distinct tensor that comes from outside.
    Outside(usize),
}

#[derive(Clone, Debug, PartialEq)]
struct Step {
    name: String,
    inputs: Vec<Source>,
    /// Scalars by attribute; `None` matches any value.
    scalars: Vec<(String, Option<Value>)>,
}

/// A function as it looks in a recording.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    pub name: &'static str,
    steps: Vec<Step>,
}

impl Pattern {
    /// How many operations it takes.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether the operations are this function, and nothing of it is missing.
    pub fn matches<'a>(&self, operations: impl Iterator<Item = &'a Operation>) -> bool {
        let operations: Vec<_> = operations.take(self.len()).collect();
        operations.len() == self.len()
            && operations
                .iter()
                .zip(&self.steps)
                .all(|(operation, step)| operation.name == step.name)
            && steps(&operations).iter().zip(&self.steps).all(|(found, expected)| {
                found.inputs == expected.inputs && scalars_match(&found.scalars, &expected.scalars)
            })
    }
}

fn scalars_match(found: &[(String, Option<Value>)], expected: &[(String, Option<Value>)]) -> bool {
    found.len() == expected.len()
        && found.iter().zip(expected).all(|(found, expected)| {
            found.0 == expected.0 && (expected.1.is_none() || found.1 == expected.1)
        })
}

/// The operations with their wiring alone: no identities, no shapes.
fn steps(operations: &[&Operation]) -> Vec<Step> {
    let mut outside: Vec<TensorId> = Vec::new();
    let mut steps = Vec::new();
    for (index, operation) in operations.iter().enumerate() {
        let inputs = operation
            .inputs
            .iter()
            .map(|input| {
                let inside =
                    operations[..index].iter().enumerate().find_map(|(operation, earlier)| {
                        let output =
                            earlier.outputs.iter().position(|output| output.id == input.id)?;
                        Some(Source::Inside { operation, output })
                    });
                inside.unwrap_or_else(|| {
                    let known = outside.iter().position(|&id| id == input.id);
                    Source::Outside(known.unwrap_or_else(|| {
                        outside.push(input.id);
                        outside.len() - 1
                    }))
                })
            })
            .collect();
        let scalars = operation
            .attributes
            .iter()
            .filter(|(_, value)| is_scalar(value))
            .map(|(name, value)| (name.clone(), Some(value.clone())))
            .collect();
        steps.push(Step { name: operation.name.clone(), inputs, scalars });
    }
    steps
}

/// A scalar operand serialises as its type and its value: `{"Float": 0.5}`.
fn is_scalar(value: &Value) -> bool {
    value.as_object().is_some_and(|fields| {
        fields.len() == 1
            && ["Float", "Int", "UInt", "Bool"].iter().any(|sort| fields.contains_key(*sort))
    })
}

/// Every function that is looked for, the longest first: of two that match, the longer one holds
/// the shorter.
pub(super) fn patterns<B: TraceBackend>() -> &'static [Pattern] {
    static INFERENCE: OnceLock<Vec<Pattern>> = OnceLock::new();
    static TRAINING: OnceLock<Vec<Pattern>> = OnceLock::new();
    if B::DIFFERENTIABLE {
        TRAINING.get_or_init(|| {
            let mut patterns = activations::<TraceGrad>();
            patterns.extend(pattern(
                "Dropout",
                [0.25, 0.5],
                |x: Tensor<TraceGrad, 2>, probability| {
                    DropoutConfig::new(probability).init().forward(x)
                },
            ));
            longest_first(patterns)
        })
    } else {
        INFERENCE.get_or_init(|| longest_first(activations::<Trace>()))
    }
}

fn longest_first(mut patterns: Vec<Pattern>) -> Vec<Pattern> {
    patterns.sort_by_key(|pattern| std::cmp::Reverse(pattern.len()));
    patterns
}

/// Whether a function of this name is an activation.
pub(super) fn is_activation(function: &str) -> bool {
    patterns::<Trace>().iter().any(|pattern| pattern.name == function)
}

#[rustfmt::skip]
fn activations<B: TraceBackend>() -> Vec<Pattern> {
    type X<B> = Tensor<B, 2>;
    let two = [0.25, 0.75];
    [
        pattern("Relu", two, |x: X<B>, _| f::relu(x)),
        pattern("LeakyRelu", two, |x: X<B>, slope| f::leaky_relu(x, slope)),
        pattern("PRelu", two, |x: X<B>, _| {
            let alpha = Tensor::ones([1], &x.device());
            f::prelu(x, alpha)
        }),
        pattern("Gelu", two, |x: X<B>, _| f::gelu(x)),
        pattern("Gelu", two, |x: X<B>, _| f::gelu_approximate(x)),
        pattern("Softmax", two, |x: X<B>, _| f::softmax(x, 1)),
        pattern("LogSoftmax", two, |x: X<B>, _| f::log_softmax(x, 1)),
        pattern("QuietSoftmax", two, |x: X<B>, _| f::quiet_softmax(x, 1)),
        pattern("Softmin", two, |x: X<B>, _| f::softmin(x, 1)),
        pattern("Softplus", two, |x: X<B>, beta| f::softplus(x, beta)),
        pattern("Softsign", two, |x: X<B>, _| f::softsign(x)),
        pattern("Sigmoid", two, |x: X<B>, _| f::sigmoid(x)),
        pattern("HardSigmoid", two, |x: X<B>, alpha| f::hard_sigmoid(x, alpha, alpha + 0.1)),
        pattern("LogSigmoid", two, |x: X<B>, _| f::log_sigmoid(x)),
        pattern("Silu", two, |x: X<B>, _| f::silu(x)),
        pattern("HardSwish", two, |x: X<B>, _| f::hard_swish(x)),
        pattern("Mish", two, |x: X<B>, _| f::mish(x)),
        pattern("Tanh", two, |x: X<B>, _| f::tanh(x)),
        pattern("Elu", two, |x: X<B>, alpha| f::elu(x, alpha)),
        pattern("Celu", two, |x: X<B>, alpha| f::celu(x, alpha)),
        pattern("Selu", two, |x: X<B>, _| f::selu(x)),
        pattern("ThresholdedRelu", two, |x: X<B>, alpha| f::thresholded_relu(x, alpha)),
        pattern("Glu", two, |x: X<B>, _| f::glu(x, 1)),
        pattern("HardShrink", two, |x: X<B>, lambda| f::hard_shrink(x, lambda)),
        pattern("SoftShrink", two, |x: X<B>, lambda| f::soft_shrink(x, lambda)),
        pattern("Shrink", two, |x: X<B>, lambda| f::shrink(x, lambda, lambda + 0.1)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Records a function with two settings; what differs between them follows the setting.
fn pattern<B: TraceBackend>(
    name: &'static str,
    settings: [f64; 2],
    function: impl Fn(Tensor<B, 2>, f64) -> Tensor<B, 2>,
) -> Option<Pattern> {
    let [mut steps, other] = [record(&function, settings[0])?, record(&function, settings[1])?];
    if steps.len() != other.len() {
        return None;
    }
    for (step, other) in steps.iter_mut().zip(&other) {
        for (scalar, other) in step.scalars.iter_mut().zip(&other.scalars) {
            if scalar.1 != other.1 {
                scalar.1 = None;
            }
        }
    }
    (!steps.is_empty()).then_some(Pattern { name, steps })
}

fn record<B: TraceBackend>(
    function: impl Fn(Tensor<B, 2>, f64) -> Tensor<B, 2>,
    setting: f64,
) -> Option<Vec<Step>> {
    let recorder = Recorder::start()?;
    let device: TraceDevice = recorder.device();
    let input = Tensor::<B, 2>::zeros([2, 4], &device);
    recorder.take();
    let output = function(input, setting);
    let operations: Vec<_> =
        recorder.take().iter().map(Operation::new).filter(|operation| !operation.is_drop).collect();
    drop(output);
    let flow = Flow::new(operations, &[]);
    let computing: Vec<_> = flow.computing().map(|index| &flow.operations[index]).collect();
    Some(steps(&computing))
}

/// Pooling over everything but batch and channels: its name and how many operations it takes.
///
/// An image tensor `[batch, channels, height, width]` whose spatial dimensions are reduced one
/// after the other, or flattened and then reduced; reshapes that only drop the emptied dimensions
/// belong to it.
pub(super) fn global_pool(operations: &[&Operation]) -> Option<(String, usize)> {
    let first = operations.first()?;
    let input = &first.inputs.first()?.shape;
    if input.len() < 4 {
        return None;
    }
    let (batch, channels, spatial) = (input[0], input[1], &input[2..]);
    let positions: usize = spatial.iter().product();
    let mut length = 0;
    let mut current = first.inputs[0].id;
    let mut shape = input.clone();
    let mut reductions: Vec<&str> = Vec::new();

    for operation in operations {
        if operation.inputs.first().map(|input| input.id) != Some(current)
            || operation.inputs.len() > 1
        {
            break;
        }
        let output = operation.outputs.first()?;
        if operation.name == "Reshape" {
            let flattens = reductions.is_empty() && output.shape == [batch, channels, positions];
            let squeezes =
                shape[2..].iter().all(|&size| size == 1) && output.shape == [batch, channels];
            let fits = if reductions.is_empty() { flattens } else { squeezes };
            if !fits {
                break;
            }
        } else if let Some(axis) = operation.reduced_axis().filter(|&axis| axis >= 2) {
            if shape.get(axis).is_none_or(|&size| size == 1 && positions != 1) {
                break;
            }
            reductions.push(reduction(&operation.name)?);
        } else {
            break;
        }
        length += 1;
        shape = output.shape.clone();
        current = output.id;
        if shape.len() == 2 {
            break;
        }
    }
    let kind = *reductions.first()?;
    let complete = shape[2..].iter().all(|&size| size == 1);
    let uniform = reductions.iter().all(|&reduction| reduction == kind);
    (complete && uniform).then(|| (format!("Global{kind}Pool{}d", spatial.len()), length))
}

fn reduction(name: &str) -> Option<&'static str> {
    match name {
        "MaxDim" | "MaxDimWithIndices" => Some("Max"),
        "MeanDim" => Some("Avg"),
        _ => None,
    }
}
