//! Batches of any data: what training and evaluation need of a data set.
//!
//! [`ImageDataset`](crate::mnist::ImageDataset) implements [`Data`]; [`BatchedDataset`] implements it for every Burn
//! [`Dataset`] with a [`Batcher`]; a type of your own needs two methods:
//!
//! ```
//! # #[cfg(feature = "flex")] {
//! use burn::tensor::{Tensor, backend::Backend};
//! use burn_pooling::backend::Flex;
//! use burn_pooling::data::{Batch, Data};
//!
//! /// The numbers 0, 1, 2, ..., labelled even (0) or odd (1).
//! struct Numbers(usize);
//!
//! impl<B: Backend> Data<B, Tensor<B, 2>> for Numbers {
//!     fn len(&self) -> usize {
//!         self.0
//!     }
//!
//!     fn gather(&self, indices: &[usize], device: &B::Device) -> Batch<Tensor<B, 2>> {
//!         let values: Vec<f32> = indices.iter().map(|&index| index as f32).collect();
//!         let inputs = Tensor::<B, 1>::from_floats(values.as_slice(), device).unsqueeze_dim(1); // [batch, 1]
//!         Batch { inputs, labels: indices.iter().map(|index| index % 2).collect() }
//!     }
//! }
//!
//! let batch = Data::<Flex, _>::gather(&Numbers(10), &[3, 4], &Default::default());
//! assert_eq!((batch.inputs.dims(), batch.labels), ([2, 1], vec![1, 0]));
//! # }
//! ```

use std::marker::PhantomData;

use burn::data::dataloader::batcher::Batcher;
use burn::tensor::backend::Backend;
use burn_dataset::Dataset;

/// Some samples, ready for a model.
#[derive(Clone, Debug)]
pub struct Batch<I> {
    /// The model's input, such as `[batch, channels, height, width]`.
    pub inputs: I,
    /// The class of each sample: `[batch]`.
    pub labels: Vec<usize>,
}

/// Samples that are counted, and gathered as batches of inputs `I`.
pub trait Data<B: Backend, I> {
    /// Returns the number of samples.
    fn len(&self) -> usize;

    /// Returns whether there is no sample.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Gathers the samples with the given indices, in that order.
    ///
    /// # Panics
    /// If an index is not in the data set.
    fn gather(&self, indices: &[usize], device: &B::Device) -> Batch<I>;
}

/// A Burn [`Dataset`] of items `T` and the [`Batcher`] that makes a [`Batch`] of them, as [`Data`].
#[derive(Clone, Debug)]
pub struct BatchedDataset<D, K, T> {
    dataset: D,
    batcher: K,
    item: PhantomData<fn() -> T>,
}

impl<D: Dataset<T>, K, T> BatchedDataset<D, K, T> {
    /// Joins a data set and its batcher.
    pub fn new(dataset: D, batcher: K) -> Self {
        Self { dataset, batcher, item: PhantomData }
    }
}

impl<B: Backend, I, D: Dataset<T>, K: Batcher<B, T, Batch<I>>, T> Data<B, I> for BatchedDataset<D, K, T> {
    fn len(&self) -> usize {
        self.dataset.len()
    }

    fn gather(&self, indices: &[usize], device: &B::Device) -> Batch<I> {
        let len = self.dataset.len();
        let absent = |index| panic!("expected an index below {len}, found {index}");
        let item = |&index: &usize| self.dataset.get(index).unwrap_or_else(|| absent(index));
        self.batcher.batch(indices.iter().map(item).collect(), device)
    }
}
