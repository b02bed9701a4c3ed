//! What goes into a model, shapes instead of tensors, and what comes out of it.

use std::vec;

use burn::tensor::{Bool, Float, Int, Tensor};
use burn_ir::TensorId;

use super::{error::SummaryError, recording::TraceDevice, trace::TraceBackend};

/// A dimension whose size is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axis {
    /// The batch size, `N`.
    Batch,
    /// A second free dimension, such as the length of a sequence, `T`.
    Length,
}

/// The shape of a model's input. The first dimension is the batch size.
///
/// - `[1, 3, 32, 32]`: a float tensor
/// - [`tokens`]`([1, 128])`: an integer tensor
/// - [`mask`]`([1, 128])`: a boolean tensor
/// - a tuple of these: several inputs, handed to the forward closure as a tuple
/// - [`unbatched`]`(...)`: any of these without a batch dimension
/// - [`named`]`("TN", ...)`: any of these with the batch size elsewhere, or with a length that is free as well
pub trait Input<B: TraceBackend> {
    /// The argument of the forward closure.
    type Tensors;

    /// Returns the shapes, in order: the size of each dimension, and what it is if it is free.
    fn shapes(&self) -> Vec<Vec<(usize, Option<Axis>)>>;

    /// Returns tensors of the next shapes.
    fn tensors(&self, shapes: &mut vec::IntoIter<Vec<usize>>, device: &TraceDevice) -> Self::Tensors;
}

/// An integer input; made by [`tokens`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tokens<const D: usize>([usize; D]);

/// Returns an integer input of this shape, such as token IDs for an embedding.
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

            fn shapes(&self) -> Vec<Vec<(usize, Option<Axis>)>> {
                let $pattern = *self;
                let free = |place: usize| (place == 0).then_some(Axis::Batch);
                vec![$shape.into_iter().enumerate().map(|(place, size)| (size, free(place))).collect()]
            }

            fn tensors(&self, shapes: &mut vec::IntoIter<Vec<usize>>, device: &TraceDevice) -> Self::Tensors {
                let $pattern = *self;
                let shape = shapes.next().and_then(|shape| <[usize; D]>::try_from(shape).ok());
                Tensor::empty(shape.unwrap_or($shape), device)
            }
        }
    };
}

tensor_input!([usize; D], Float, shape => shape);
tensor_input!(Tokens<D>, Int, Tokens(shape) => shape);
tensor_input!(Mask<D>, Bool, Mask(shape) => shape);

/// An input whose free dimensions are named; made by [`named`] and [`unbatched`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named<I> {
    names: &'static str,
    input: I,
}

/// Returns an input whose dimensions are named by letters, the first dimension first: `N` is the batch size, `T` a
/// second size that is free, such as a length; any other letter, or none, a constant.
///
/// `named("TN", [7, 1, 16])` is a sequence whose batch is its second dimension.
pub fn named<I>(names: &'static str, input: I) -> Named<I> {
    Named { names, input }
}

/// Returns an input that is the same for every batch size, such as an attention mask `[length, length]`.
pub fn unbatched<I>(input: I) -> Named<I> {
    named("", input)
}

impl<B: TraceBackend, I: Input<B>> Input<B> for Named<I> {
    type Tensors = I::Tensors;

    fn shapes(&self) -> Vec<Vec<(usize, Option<Axis>)>> {
        let axis = |letter| match letter {
            'N' => Some(Axis::Batch),
            'T' => Some(Axis::Length),
            _ => None,
        };
        let named = |shape: Vec<(usize, Option<Axis>)>| {
            let names = self.names.chars().map(axis).chain(std::iter::repeat(None));
            shape.into_iter().zip(names).map(|((size, _), axis)| (size, axis)).collect()
        };
        self.input.shapes().into_iter().map(named).collect()
    }

    fn tensors(&self, shapes: &mut vec::IntoIter<Vec<usize>>, device: &TraceDevice) -> I::Tensors {
        self.input.tensors(shapes, device)
    }
}

/// The sizes of the free dimensions; `None` for one that no input has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sizes {
    pub batch: Option<usize>,
    pub length: Option<usize>,
}

impl Sizes {
    /// Returns the sizes of the inputs' free dimensions, each the same for all inputs.
    pub fn of<B: TraceBackend, I: Input<B>>(input: &I) -> Result<Self, SummaryError> {
        let dimensions = input.shapes().concat();
        let size = |axis: Axis| {
            let mut sizes = dimensions.iter().filter(|(_, free)| *free == Some(axis)).map(|(size, _)| *size);
            let first = sizes.next();
            let is_one = first != Some(0) && sizes.all(|size| Some(size) == first);
            is_one.then_some(first).ok_or_else(|| SummaryError::BatchSize { inputs: describe::<B, I>(input) })
        };
        Ok(Self { batch: size(Axis::Batch)?, length: size(Axis::Length)? })
    }

    /// Returns tensors of the input's shapes, with these sizes of their free dimensions.
    pub fn tensors<B: TraceBackend, I: Input<B>>(self, input: &I, device: &TraceDevice) -> I::Tensors {
        let sized = |(size, free)| match free {
            Some(Axis::Batch) => self.batch.unwrap_or(size),
            Some(Axis::Length) => self.length.unwrap_or(size),
            None => size,
        };
        let shapes = input.shapes().into_iter().map(|shape| shape.into_iter().map(sized).collect());
        input.tensors(&mut shapes.collect::<Vec<_>>().into_iter(), device)
    }
}

/// What a forward pass returns. A forward closure turns anything else into one of these:
/// `|model, x| model.forward(x).logits`.
pub trait Output<B: TraceBackend>: Sized {
    /// Returns the tensors' identities in the recording.
    fn ids(&self) -> Vec<TensorId>;

    /// Returns the sum of every float element, from which the backward pass starts; `None` if there is no float tensor.
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

macro_rules! outputs {
    ($collection:ident) => {
        impl<B: TraceBackend, O: Output<B>> Output<B> for $collection<O> {
            fn ids(&self) -> Vec<TensorId> {
                self.iter().flat_map(Output::ids).collect()
            }

            fn sum(self) -> Option<Tensor<B, 1>> {
                self.into_iter().filter_map(Output::sum).reduce(|total, next| total + next)
            }
        }
    };
}
outputs!(Vec);
outputs!(Option);

macro_rules! tuples {
    ($($name:ident . $index:tt),+) => {
        impl<B: TraceBackend, $($name: Input<B>),+> Input<B> for ($($name,)+) {
            type Tensors = ($($name::Tensors,)+);

            fn shapes(&self) -> Vec<Vec<(usize, Option<Axis>)>> {
                [$(self.$index.shapes()),+].concat()
            }

            fn tensors(&self, shapes: &mut vec::IntoIter<Vec<usize>>, device: &TraceDevice) -> Self::Tensors {
                ($(self.$index.tensors(shapes, device),)+)
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
tuples!(T0.0, T1.1, T2.2, T3.3, T4.4);
tuples!(T0.0, T1.1, T2.2, T3.3, T4.4, T5.5);
tuples!(T0.0, T1.1, T2.2, T3.3, T4.4, T5.5, T6.6);
tuples!(T0.0, T1.1, T2.2, T3.3, T4.4, T5.5, T6.6, T7.7);

/// Returns the shapes of an input, without what is free.
pub(super) fn shapes_of<B: TraceBackend, I: Input<B>>(input: &I) -> Vec<Vec<usize>> {
    input.shapes().into_iter().map(|shape| shape.into_iter().map(|(size, _)| size).collect()).collect()
}

/// Returns the shapes as a list for an error.
pub(super) fn describe<B: TraceBackend, I: Input<B>>(input: &I) -> String {
    shapes_of::<B, I>(input).iter().map(|shape| format!("{shape:?}")).collect::<Vec<_>>().join(", ")
}
