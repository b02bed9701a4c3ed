//! The operation in Burn's graph of gradients.

use burn::nn::Linear;
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorPrimitive, ops::FloatTensor};
use burn_autodiff::checkpoint::{base::Checkpointer, strategy::*};
use burn_autodiff::grads::Gradients;
use burn_autodiff::ops::{Backward, Ops, OpsKind};
use burn_autodiff::{Autodiff, NodeId};

use super::Activation;
use super::matrix::Matrix;
use crate::host::same;
use crate::pooling::fused::CpuBackend;

/// What goes in.
struct Inputs<B: Backend> {
    /// `[batch, inputs]`
    input: Tensor<B, 2>,
    /// `[inputs, outputs]`
    weight: Tensor<B, 2>,
    /// `[outputs]`
    bias: Tensor<B, 1>,
}

/// Number of samples, of inputs and of outputs.
#[derive(Clone, Copy, Debug)]
struct Size {
    batch: usize,
    inputs: usize,
    outputs: usize,
}

/// The layer's output, if there is an operation for the backend and the type of its numbers.
pub(super) fn forward<B: Backend>(
    layer: &Linear<B>,
    input: &Tensor<B, 2>,
    activation: Activation,
) -> Option<Tensor<B, 2>> {
    let [batch, width] = input.dims();
    let [inputs, outputs] = layer.weight.dims();
    let size = Size { batch, inputs, outputs };
    if width != inputs || batch * inputs * outputs == 0 {
        return None;
    }
    let attempts = [
        #[cfg(feature = "flex")]
        attempts::<B, burn_flex::Flex>(),
        #[cfg(feature = "ndarray")]
        attempts::<B, burn_ndarray::NdArray>(),
    ];
    (attempts.into_iter().flatten()).find_map(|attempt| attempt(layer, input, size, activation))
}

/// Tries one backend.
type Attempt<B> = fn(&Linear<B>, &Tensor<B, 2>, Size, Activation) -> Option<Tensor<B, 2>>;

fn attempts<B: Backend, A: FusedLinear + CpuBackend>() -> [Attempt<B>; 3] {
    [
        attempt::<B, A>,
        attempt::<B, Autodiff<A, NoCheckpointing>>,
        attempt::<B, Autodiff<A, BalancedCheckpointing>>,
    ]
}

/// The output, if `B` is `A`.
fn attempt<B: Backend, A: FusedLinear>(
    layer: &Linear<B>,
    input: &Tensor<B, 2>,
    size: Size,
    activation: Activation,
) -> Option<Tensor<B, 2>> {
    let inputs: Inputs<A> = Inputs {
        input: same(input.clone())?,
        weight: same(layer.weight.val())?,
        bias: same(layer.bias.as_ref()?.val())?,
    };
    same(A::fused_linear(inputs, size, activation)?)
}

/// A backend with the fused operation.
trait FusedLinear: Backend {
    /// The output; nothing if the numbers are no `f32`.
    fn fused_linear(
        inputs: Inputs<Self>,
        size: Size,
        activation: Activation,
    ) -> Option<Tensor<Self, 2>>;
}

#[cfg(feature = "flex")]
impl FusedLinear for burn_flex::Flex {
    fn fused_linear(
        inputs: Inputs<Self>,
        size: Size,
        activation: Activation,
    ) -> Option<Tensor<Self, 2>> {
        infer(inputs, size, activation)
    }
}

#[cfg(feature = "ndarray")]
impl FusedLinear for burn_ndarray::NdArray {
    fn fused_linear(
        inputs: Inputs<Self>,
        size: Size,
        activation: Activation,
    ) -> Option<Tensor<Self, 2>> {
        infer(inputs, size, activation)
    }
}

fn infer<B: CpuBackend>(
    inputs: Inputs<B>,
    size: Size,
    activation: Activation,
) -> Option<Tensor<B, 2>> {
    let [input, weight] = [inputs.input, inputs.weight].map(primitive);
    let output = compute::<B>(&input, &weight, &primitive(inputs.bias), size, activation)?;
    Some(wrap(output))
}

/// `activation(input * weight + bias)`.
fn compute<B: CpuBackend>(
    input: &FloatTensor<B>,
    weight: &FloatTensor<B>,
    bias: &FloatTensor<B>,
    size: Size,
    activation: Activation,
) -> Option<FloatTensor<B>> {
    let (input, weight, bias) = (B::values(input)?, B::values(weight)?, B::values(bias)?);
    let mut output = bias.repeat(size.batch); // [batch, outputs]
    Matrix::new(&input, [size.batch, size.inputs])
        .multiply_onto(Matrix::new(&weight, [size.inputs, size.outputs]), &mut output);
    if activation == Activation::Relu {
        for value in &mut output {
            // Not `max`, which would lose a NaN.
            *value = if *value < 0.0 { 0.0 } else { *value };
        }
    }
    Some(B::tensor(output, [size.batch, size.outputs]))
}

/// The layer in the graph.
#[derive(Debug)]
struct LinearOperation;

/// What the backward pass needs.
#[derive(Clone, Debug)]
struct State<T> {
    size: Size,
    input: NodeId,
    weight: NodeId,
    /// The output, if a ReLU made it: its sign tells where the gradient passes.
    clipped: Option<T>,
}

impl<B: CpuBackend, S: CheckpointStrategy> FusedLinear for Autodiff<B, S> {
    fn fused_linear(
        inputs: Inputs<Self>,
        size: Size,
        activation: Activation,
    ) -> Option<Tensor<Self, 2>> {
        let (input, weight) = (primitive(inputs.input), primitive(inputs.weight));
        let bias = primitive(inputs.bias);
        let values = [&input, &weight, &bias].map(|tensor| &tensor.primitive);
        let output = compute::<B>(values[0], values[1], values[2], size, activation)?;
        let nodes = [&input, &weight, &bias].map(|tensor| tensor.node.clone());
        let operation = LinearOperation.prepare::<S>(nodes);
        Some(wrap(match operation.compute_bound().stateful() {
            OpsKind::Tracked(mut prep) => {
                let state = State {
                    size,
                    input: prep.checkpoint(&input),
                    weight: prep.checkpoint(&weight),
                    clipped: (activation == Activation::Relu).then(|| output.clone()),
                };
                prep.finish(state, output)
            }
            OpsKind::UnTracked(prep) => prep.finish(output),
        }))
    }
}

impl<B: CpuBackend> Backward<B, 3> for LinearOperation {
    type State = State<FloatTensor<B>>;

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        gradients: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let state = ops.state;
        let Size { batch, inputs, outputs } = state.size;
        let gradient = gradients.consume::<B>(&ops.node);
        let input: FloatTensor<B> = checkpointer.retrieve_node_output(state.input);
        let weight: FloatTensor<B> = checkpointer.retrieve_node_output(state.weight);
        let values = [&input, &weight, &gradient].map(|tensor| B::values(tensor));
        let [Some(input), Some(weight), Some(gradient)] = values else {
            unreachable!("the gradient of f32 values is of f32 values");
        };
        let mut gradient = gradient.into_owned(); // [batch, outputs]
        if let Some(output) = state.clipped.as_ref().and_then(B::values) {
            for (gradient, &output) in gradient.iter_mut().zip(output.iter()) {
                *gradient = if output == 0.0 { 0.0 } else { *gradient };
            }
        }
        let matrix = Matrix::new(&gradient, [batch, outputs]);
        let [of_input, of_weight, of_bias] = ops.parents;
        if let Some(node) = of_input {
            let weight = Matrix::new(&weight, [inputs, outputs]).transposed();
            let values = matrix.multiply(weight);
            gradients.register::<B>(node.id, B::tensor(values, [batch, inputs]));
        }
        if let Some(node) = of_weight {
            let input = Matrix::new(&input, [batch, inputs]).transposed();
            let values = input.multiply(matrix);
            gradients.register::<B>(node.id, B::tensor(values, [inputs, outputs]));
        }
        if let Some(node) = of_bias {
            let mut values = vec![0.0; outputs];
            for row in gradient.chunks_exact(outputs) {
                values.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
            }
            gradients.register::<B>(node.id, B::tensor(values, [outputs]));
        }
    }
}

fn primitive<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> FloatTensor<B> {
    tensor.into_primitive().tensor()
}

fn wrap<B: Backend>(tensor: FloatTensor<B>) -> Tensor<B, 2> {
    Tensor::from_primitive(TensorPrimitive::Float(tensor))
}
