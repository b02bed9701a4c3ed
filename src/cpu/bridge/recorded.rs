//! An operation in Burn's graph of gradients.

use burn::tensor::{TensorMetadata, ops::FloatTensor};
use burn_autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn_autodiff::grads::Gradients;
use burn_autodiff::ops::{Backward, Ops, OpsKind};
use burn_autodiff::{Autodiff, NodeId};

use super::backend::CpuBackend;
use super::operation::{Operation, timed_backward, timed_forward, values};

/// The step of an operation in the graph.
#[derive(Debug)]
struct Recorded<O>(O);

/// What the backward pass needs.
#[derive(Clone, Debug)]
struct State<T, S, const N: usize> {
    inputs: [NodeId; N],
    output: Option<T>,
    saved: S,
}

/// Returns the output, and records the operation if an input needs gradients.
pub(super) fn record<A, S, O, const N: usize>(
    operation: &O, inputs: &[FloatTensor<Autodiff<A, S>>; N],
) -> Option<FloatTensor<Autodiff<A, S>>>
where
    A: CpuBackend,
    S: CheckpointStrategy,
    O: Operation<N>,
{
    let values = values::<A, N>(inputs.each_ref().map(|input| &input.primitive))?;
    let slices = values.each_ref().map(|values| &**values);
    let nodes = inputs.each_ref().map(|input| input.node.clone());
    let tensor = |output| A::tensor(output, operation.output_shape());
    let step = Recorded(operation.clone()).prepare::<S>(nodes).compute_bound();
    Some(match step.stateful() {
        OpsKind::Tracked(mut step) => {
            let (output, saved) = timed_forward(operation, "forward", slices, || operation.forward(slices));
            let inputs = inputs.each_ref().map(|input| step.checkpoint(input));
            let tensor = tensor(output);
            let output = operation.needs_output().then(|| tensor.clone());
            step.finish(State { inputs, output, saved }, tensor)
        }
        OpsKind::UnTracked(step) => {
            step.finish(tensor(timed_forward(operation, "inference", slices, || operation.infer(slices))))
        }
    })
}

impl<A: CpuBackend, O: Operation<N>, const N: usize> Backward<A, N> for Recorded<O> {
    type State = State<FloatTensor<A>, O::Saved, N>;

    fn backward(self, ops: Ops<Self::State, N>, gradients: &mut Gradients, checkpointer: &mut Checkpointer) {
        let State { inputs, output, saved } = ops.state;
        let gradient = gradients.consume::<A>(&ops.node);
        let inputs: [FloatTensor<A>; N] = inputs.map(|input| checkpointer.retrieve_node_output(input));
        let (Some(gradient), Some(values)) = (A::values(&gradient), values::<A, N>(inputs.each_ref())) else {
            unreachable!("the gradient of f32 values is of f32 values");
        };
        let output = output.as_ref().and_then(A::values).unwrap_or_default();
        let wanted = ops.parents.each_ref().map(Option::is_some);
        let slices = values.each_ref().map(|values| &**values);
        let run = || self.0.backward(&saved, slices, &output, &gradient, wanted);
        let found = timed_backward(&self.0, slices, &gradient, wanted, run);
        for ((parent, found), input) in ops.parents.into_iter().zip(found).zip(&inputs) {
            if let (Some(node), Some(values)) = (parent, found) {
                gradients.register::<A>(node.id, A::tensor(values, input.shape()));
            }
        }
    }
}
