//! What comes out of a model: tensors, alone or in tuples, options and lists.

use burn::tensor::{Bool, Int, Tensor};
use burn_ir::TensorId;

use super::trace::TraceBackend;

/// What a forward pass returns. A forward closure turns anything else into one of these:
/// `|model, x| model.forward(x).logits`.
pub trait Output<B: TraceBackend> {
    /// The tensors' identities in the recording.
    fn ids(&self) -> Vec<TensorId>;

    /// The sum of every float element, from which the backward pass starts.
    fn sum(self) -> Option<Tensor<B, 1>>;
}

impl<B: TraceBackend, const D: usize> Output<B> for Tensor<B, D> {
    fn ids(&self) -> Vec<TensorId> {
        vec![B::float_id(self.clone().into_primitive().tensor())]
    }

    fn sum(self) -> Option<Tensor<B, 1>> {
        Some(Tensor::sum(self))
    }
}

impl<B: TraceBackend, const D: usize> Output<B> for Tensor<B, D, Int> {
    fn ids(&self) -> Vec<TensorId> {
        vec![self.clone().into_primitive().into_ir().id]
    }

    fn sum(self) -> Option<Tensor<B, 1>> {
        None
    }
}

impl<B: TraceBackend, const D: usize> Output<B> for Tensor<B, D, Bool> {
    fn ids(&self) -> Vec<TensorId> {
        vec![self.clone().into_primitive().into_ir().id]
    }

    fn sum(self) -> Option<Tensor<B, 1>> {
        None
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
                [$(self.$index.sum()),+]
                    .into_iter()
                    .flatten()
                    .reduce(|total, next| total + next)
            }
        }
    };
}

tuple_output!(O0.0);
tuple_output!(O0.0, O1.1);
tuple_output!(O0.0, O1.1, O2.2);
tuple_output!(O0.0, O1.1, O2.2, O3.3);
