//! What goes into a model: shapes instead of tensors.

use burn::tensor::{Bool, Int, Tensor};

use super::trace::{TraceBackend, TraceDevice};

/// The shape of what a model takes. The first dimension is the batch size.
///
/// - `[1, 3, 32, 32]`: a float tensor
/// - [`tokens`]`([1, 128])`: an integer tensor
/// - [`mask`]`([1, 128])`: a boolean tensor
/// - a tuple of these: several inputs, handed to the forward closure as a tuple
/// - [`fixed`]`(...)`: any of these without a batch dimension
pub trait Input<B: TraceBackend> {
    /// What the forward closure is given.
    type Tensors;

    /// The first dimension of every input that has a batch dimension.
    fn batch_sizes(&self) -> Vec<usize>;

    /// The shapes, in order.
    fn shapes(&self) -> Vec<Vec<usize>>;

    /// Tensors of these shapes, for another batch size.
    fn tensors(&self, batch_size: usize, device: &TraceDevice) -> Self::Tensors;
}

fn with_batch<const D: usize>(mut shape: [usize; D], batch_size: usize) -> [usize; D] {
    if let Some(first) = shape.first_mut() {
        *first = batch_size;
    }
    shape
}

impl<B: TraceBackend, const D: usize> Input<B> for [usize; D] {
    type Tensors = Tensor<B, D>;

    fn batch_sizes(&self) -> Vec<usize> {
        self.first().copied().into_iter().collect()
    }

    fn shapes(&self) -> Vec<Vec<usize>> {
        vec![self.to_vec()]
    }

    fn tensors(&self, batch_size: usize, device: &TraceDevice) -> Tensor<B, D> {
        Tensor::zeros(with_batch(*self, batch_size), device)
    }
}

/// An integer input; made by [`tokens`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tokens<const D: usize>([usize; D]);

/// An integer tensor of this shape, such as token numbers for an embedding.
pub fn tokens<const D: usize>(shape: [usize; D]) -> Tokens<D> {
    Tokens(shape)
}

impl<B: TraceBackend, const D: usize> Input<B> for Tokens<D> {
    type Tensors = Tensor<B, D, Int>;

    fn batch_sizes(&self) -> Vec<usize> {
        self.0.first().copied().into_iter().collect()
    }

    fn shapes(&self) -> Vec<Vec<usize>> {
        vec![self.0.to_vec()]
    }

    fn tensors(&self, batch_size: usize, device: &TraceDevice) -> Tensor<B, D, Int> {
        Tensor::zeros(with_batch(self.0, batch_size), device)
    }
}

/// A boolean input; made by [`mask`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mask<const D: usize>([usize; D]);

/// A boolean tensor of this shape, such as a padding mask.
pub fn mask<const D: usize>(shape: [usize; D]) -> Mask<D> {
    Mask(shape)
}

impl<B: TraceBackend, const D: usize> Input<B> for Mask<D> {
    type Tensors = Tensor<B, D, Bool>;

    fn batch_sizes(&self) -> Vec<usize> {
        self.0.first().copied().into_iter().collect()
    }

    fn shapes(&self) -> Vec<Vec<usize>> {
        vec![self.0.to_vec()]
    }

    fn tensors(&self, batch_size: usize, device: &TraceDevice) -> Tensor<B, D, Bool> {
        Tensor::empty(with_batch(self.0, batch_size), device)
    }
}

/// An input without a batch dimension; made by [`fixed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fixed<I>(I);

/// An input that is the same for every batch size, such as an attention mask `[length, length]`.
pub fn fixed<I>(input: I) -> Fixed<I> {
    Fixed(input)
}

impl<B: TraceBackend, I: Input<B>> Input<B> for Fixed<I> {
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

macro_rules! tuple_input {
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
    };
}

tuple_input!(I0.0);
tuple_input!(I0.0, I1.1);
tuple_input!(I0.0, I1.1, I2.2);
tuple_input!(I0.0, I1.1, I2.2, I3.3);
