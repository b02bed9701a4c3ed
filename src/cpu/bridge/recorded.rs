//! An operation in Burn's graph of gradients.

use burn::tensor::{TensorMetadata, ops::FloatTensor};
use burn_autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn_autodiff::grads::Gradients;
use burn_autodiff::ops::{Backward, Ops, OpsKind};
use burn_autodiff::{Autodiff, NodeId};

use super::backend::CpuBackend;
use super::operation::{Operation, timed, values};

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

fn values_of<const N: usize>(slices: [&[f32]; N]) -> usize {
    slices.iter().map(|values| values.len()).sum()
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
            let values = || values_of(slices) + operation.output_shape().num_elements();
            let (output, saved) = timed(operation, "forward", 1, values, || operation.forward(slices));
            let inputs = inputs.each_ref().map(|input| step.checkpoint(input));
            let tensor = tensor(output);
            let output = operation.needs_output().then(|| tensor.clone());
            step.finish(State { inputs, output, saved }, tensor)
        }
        OpsKind::UnTracked(step) => {
            let values = || values_of(slices) + operation.output_shape().num_elements();
            step.finish(tensor(timed(operation, "inference", 1, values, || operation.infer(slices))))
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
        // Gradients of the input and of the weights take as long as the forward pass, that of a bias next to nothing.
        let times = wanted.iter().take(2).filter(|wanted| **wanted).count();
        let written = || slices.iter().zip(wanted).map(|(values, wanted)| if wanted { values.len() } else { 0 });
        let count = || values_of(slices) + gradient.len() + written().sum::<usize>();
        let run = || self.0.backward(&saved, slices, &output, &gradient, wanted);
        let found = timed(&self.0, "backward", times, count, run);
        for ((parent, found), input) in ops.parents.into_iter().zip(found).zip(&inputs) {
            if let (Some(node), Some(values)) = (parent, found) {
                gradients.register::<A>(node.id, A::tensor(values, input.shape()));
            }
        }
    }
}
