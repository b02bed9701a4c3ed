//! The operation in Burn's graph of gradients.

use burn::tensor::{Tensor, backend::AutodiffBackend, ops::FloatTensor};
use burn_autodiff::{
    Autodiff, NodeId,
    checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
    grads::Gradients,
    ops::{Backward, Ops, OpsKind},
};

use crate::cpu::conv_pool::{self as kernel, Level, Problem, Saved, Wanted};

use super::{
    Inputs,
    backend::{CpuBackend, Fused, Primitives, output_shape, wrap},
};

/// Convolution, bias, ReLU and pooling.
#[derive(Debug)]
struct ConvPool;

/// What the backward pass needs.
#[derive(Clone, Debug)]
struct State {
    problem: Problem,
    saved: Saved,
    input: NodeId,
    weight: NodeId,
}

impl<B: CpuBackend, S: CheckpointStrategy> Fused for Autodiff<B, S> {
    fn conv_pool(inputs: Inputs<Self>, problem: &Problem) -> Option<Tensor<Self, 4>> {
        let inputs = Primitives::from(inputs);
        let bias = inputs.bias.unwrap_or_else(|| {
            let zeros = vec![0.0; problem.filters];
            Self::from_inner(B::tensor(zeros, [problem.filters]))
        });
        let (input, weight) = (inputs.input, inputs.weight);
        let nodes = [&input, &weight, &bias].map(|tensor| tensor.node.clone());
        let output = |values| B::tensor(values, output_shape(problem));
        let values = [&input, &weight, &bias].map(|tensor| B::values(&tensor.primitive));
        let [Some(x), Some(w), Some(b)] = &values else {
            return None;
        };
        let level = Level::current();
        let kind = ConvPool.prepare::<S>(nodes).compute_bound().stateful();
        let result = match kind {
            OpsKind::Tracked(mut prep) => {
                let (values, saved) = kernel::forward(level, problem, x, w, Some(b));
                let state = State {
                    problem: *problem,
                    saved,
                    input: prep.checkpoint(&input),
                    weight: prep.checkpoint(&weight),
                };
                prep.finish(state, output(values))
            }
            OpsKind::UnTracked(prep) => {
                prep.finish(output(kernel::infer(level, problem, x, w, Some(b))))
            }
        };
        Some(wrap(result))
    }
}

impl<B: CpuBackend> Backward<B, 3> for ConvPool {
    type State = State;

    fn backward(self, ops: Ops<State, 3>, grads: &mut Gradients, checkpointer: &mut Checkpointer) {
        let State { problem, saved, input, weight } = ops.state;
        let gradient = grads.consume::<B>(&ops.node);
        let input: FloatTensor<B> = checkpointer.retrieve_node_output(input);
        let weight: FloatTensor<B> = checkpointer.retrieve_node_output(weight);
        let [of_input, of_weight, of_bias] = ops.parents;
        let wanted =
            Wanted { input: of_input.is_some(), filters: of_weight.is_some() || of_bias.is_some() };
        let values = [&input, &weight, &gradient].map(|tensor| B::values(tensor));
        let [Some(x), Some(w), Some(g)] = &values else {
            unreachable!("the gradient of f32 values is of f32 values");
        };
        let found = kernel::backward(&problem, x, w, &saved, g, wanted);

        if let (Some(node), Some(values)) = (of_input, found.input) {
            let [height, width] = problem.image;
            let shape = [problem.batch, problem.channels, height, width];
            grads.register::<B>(node.id, B::tensor(values, shape));
        }
        if let (Some(node), Some(values)) = (of_weight, found.weight) {
            let [height, width] = problem.kernel;
            let shape = [problem.filters, problem.channels, height, width];
            grads.register::<B>(node.id, B::tensor(values, shape));
        }
        if let (Some(node), Some(values)) = (of_bias, found.bias) {
            grads.register::<B>(node.id, B::tensor(values, [problem.filters]));
        }
    }
}
