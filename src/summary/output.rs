//! What comes out of a model: tensors, alone or in tuples, options and lists.

use burn::tensor::{Bool, Int, Tensor};
use burn_ir::TensorId;

use super::trace::TraceBackend;

/// What a forward pass returns. A forward closure turns anything else into one of these:
/// `|model, x| model.forward(x).logits`.
pub trait Output<B: TraceBackend>: Sized {
    /// Returns the tensors' identities in the recording.
    fn ids(&self) -> Vec<TensorId>;

    /// Returns the sum of every float element, from which the backward pass starts; `None` if
    /// there is no float tensor.
    fn sum(self) -> Option<Tensor<B, 1>> {
        None
    }
}

impl<B: TraceBackend, const D: usize> Output<B> for Tensor<B, D> {
    fn ids(&self) -> Vec<TensorId> {
        vec![B::float_ir(self.clone().into_primitive().tensor()).id]
    }

    fn sum(self) -> Option<Tensor<B, 1>> {
        Some(Tensor::sum(self))
    }
}

impl<B: TraceBackend, const D: usize> Output<B> for Tensor<B, D, Int> {
    fn ids(&self) -> Vec<TensorId> {
        vec![self.clone().into_primitive().into_ir().id]
    }
}

impl<B: TraceBackend, const D: usize> Output<B> for Tensor<B, D, Bool> {
    fn ids(&self) -> Vec<TensorId> {
        vec![self.clone().into_primitive().into_ir().id]
    }
}

impl<B: TraceBackend, O: Output<B>> Output<B> for Vec<O> {
    fn ids(&self) -> Vec<TensorId> {
        self.iter().flat_map(Output::ids).collect()
    }

    fn sum(self) -> Option<Tensor<B, 1>> {
        self.into_iter().filter_map(Output::sum).reduce(|total, next| total + next)
    }
}

impl<B: TraceBackend, O: Output<B>> Output<B> for Option<O> {
    fn ids(&self) -> Vec<TensorId> {
        self.iter().flat_map(Output::ids).collect()
    }

    fn sum(self) -> Option<Tensor<B, 1>> {
        self.and_then(Output::sum)
    }
}

macro_rules! tuple_output {
    ($($name:ident . $index:tt),+) => {
        impl<B: TraceBackend, $($name: Output<B>),+> Output<B> for ($($name,)+) {
            fn ids(&self) -> Vec<TensorId> {
                [$(self.$index.ids()),+].concat()
            }

            fn sum(self) -> Option<Tensor<B, 1>> {
                vec![$(self.$index.sum()),+].sum()
            }
        }
    };
}

tuple_output!(O0.0);
tuple_output!(O0.0, O1.1);
tuple_output!(O0.0, O1.1, O2.2);
tuple_output!(O0.0, O1.1, O2.2, O3.3);
