//! What goes into a model, shapes instead of tensors, and what comes out of it.

use burn::tensor::{Bool, Float, Int, Tensor};
use burn_ir::TensorId;

use super::error::SummaryError;
use super::recording::TraceDevice;
use super::trace::TraceBackend;

/// The shape of a model's input. The first dimension is the batch size.
///
/// - `[1, 3, 32, 32]`: a float tensor
/// - [`tokens`]`([1, 128])`: an integer tensor
/// - [`mask`]`([1, 128])`: a boolean tensor
/// - a tuple of these: several inputs, handed to the forward closure as a tuple
/// - [`unbatched`]`(...)`: any of these without a batch dimension
pub trait Input<B: TraceBackend> {
    /// The argument of the forward closure.
    type Tensors;

    /// Returns the first dimension of every input that has a batch dimension.
    fn batch_sizes(&self) -> Vec<usize> {
        self.shapes().iter().filter_map(|shape| shape.first().copied()).collect()
    }

    /// Returns the shapes, in order.
    fn shapes(&self) -> Vec<Vec<usize>>;

    /// Returns tensors of these shapes, for another batch size.
    fn tensors(&self, batch_size: usize, device: &TraceDevice) -> Self::Tensors;
}

/// An integer input; made by [`tokens`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tokens<const D: usize>([usize; D]);

/// Returns an integer input of this shape, such as token numbers for an embedding.
pub fn tokens<const D: usize>(shape: [usize; D]) -> Tokens<D> {
    Tokens(shape)
}

/// A boolean input; made by [`mask`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mask<const D: usize>([usize; D]);

/// Returns a boolean input of this shape, such as a padding mask.
pub fn mask<const D: usize>(shape: [usize; D]) -> Mask<D> {
    Mask(shape)
}

macro_rules! tensor_input {
    ($input:ty, $kind:ty, $pattern:pat => $shape:ident) => {
        impl<B: TraceBackend, const D: usize> Input<B> for $input {
            type Tensors = Tensor<B, D, $kind>;

            fn shapes(&self) -> Vec<Vec<usize>> {
                let $pattern = *self;
                vec![$shape.to_vec()]
            }

            fn tensors(&self, batch_size: usize, device: &TraceDevice) -> Self::Tensors {
                let $pattern = *self;
                let mut shape = $shape;
                shape.iter_mut().take(1).for_each(|first| *first = batch_size);
                Tensor::empty(shape, device)
            }
        }
    };
}

tensor_input!([usize; D], Float, shape => shape);
tensor_input!(Tokens<D>, Int, Tokens(shape) => shape);
tensor_input!(Mask<D>, Bool, Mask(shape) => shape);

/// An input without a batch dimension; made by [`unbatched`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unbatched<I>(I);

/// Returns an input that is the same for every batch size, such as an attention mask `[length, length]`.
pub fn unbatched<I>(input: I) -> Unbatched<I> {
    Unbatched(input)
}

impl<B: TraceBackend, I: Input<B>> Input<B> for Unbatched<I> {
    type Tensors = I::Tensors;

    fn batch_sizes(&self) -> Vec<usize> {
        Vec::new()
    }

    fn shapes(&self) -> Vec<Vec<usize>> {
        self.0.shapes()
    }

    fn tensors(&self, _batch_size: usize, device: &TraceDevice) -> I::Tensors {
        let own = self.0.batch_sizes().first().copied().unwrap_or(1);
        self.0.tensors(own, device)
    }
}

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

macro_rules! tensor_output {
    ($kind:ty) => {
        impl<B: TraceBackend, const D: usize> Output<B> for Tensor<B, D, $kind> {
            fn ids(&self) -> Vec<TensorId> {
                vec![self.clone().into_primitive().into_ir().id]
            }
        }
    };
}
tensor_output!(Int);
tensor_output!(Bool);

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

macro_rules! tuples {
    ($($name:ident . $index:tt),+) => {
        impl<B: TraceBackend, $($name: Input<B>),+> Input<B> for ($($name,)+) {
            type Tensors = ($($name::Tensors,)+);

            fn batch_sizes(&self) -> Vec<usize> {
                [$(self.$index.batch_sizes()),+].concat()
            }

            fn shapes(&self) -> Vec<Vec<usize>> {
                [$(self.$index.shapes()),+].concat()
            }

            fn tensors(&self, batch_size: usize, device: &TraceDevice) -> Self::Tensors {
                ($(self.$index.tensors(batch_size, device),)+)
            }
        }

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

tuples!(T0.0);
tuples!(T0.0, T1.1);
tuples!(T0.0, T1.1, T2.2);
tuples!(T0.0, T1.1, T2.2, T3.3);

/// Returns the one batch size of all inputs.
pub(super) fn batch_size<B: TraceBackend, I: Input<B>>(input: &I) -> Result<usize, SummaryError> {
    match input.batch_sizes().as_slice() {
        [first, rest @ ..] if *first > 0 && rest.iter().all(|size| size == first) => Ok(*first),
        _ => Err(SummaryError::BatchSize { inputs: describe::<B, I>(input) }),
    }
}

/// Returns the shapes as a list for an error.
pub(super) fn describe<B: TraceBackend, I: Input<B>>(input: &I) -> String {
    let shapes: Vec<String> = input.shapes().iter().map(|shape| format!("{shape:?}")).collect();
    shapes.join(", ")
}
