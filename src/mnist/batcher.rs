//! Items of a data set as a batch, for Burn's data loaders.

use burn::data::dataloader::batcher::Batcher;
use burn::tensor::{Tensor, backend::Backend};

use super::batches::scaled;
use super::dataset::ImageItem;
use crate::data::Batch;

/// Makes batches of the items of an [`ImageDataset`](super::ImageDataset), pixels scaled from 0..255 to 0..1.
///
/// ```
/// # #[cfg(all(feature = "flex", feature = "bundled-mnist"))] {
/// use burn::data::dataloader::DataLoaderBuilder;
/// use burn_pooling::backend::Flex;
/// use burn_pooling::mnist::{ImageBatcher, ImageSets};
///
/// let test = ImageSets::load(None)?.test;
/// let loader = DataLoaderBuilder::<Flex, _, _>::new(ImageBatcher).batch_size(64).shuffle(1).build(test);
/// let batch = loader.iter().next().unwrap();
/// assert_eq!((batch.inputs.dims(), batch.labels.len()), ([64, 1, 28, 28], 64));
/// # }
/// # Ok::<(), burn_pooling::mnist::DataError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct ImageBatcher;

impl<B: Backend> Batcher<B, ImageItem, Batch<Tensor<B, 4>>> for ImageBatcher {
    /// Returns inputs, `[batch, channels, height, width]`, and labels.
    ///
    /// # Panics
    /// If the items are not of one shape.
    fn batch(&self, items: Vec<ImageItem>, device: &B::Device) -> Batch<Tensor<B, 4>> {
        let shape_of = |item: &ImageItem| [item.channels, item.size[0], item.size[1]];
        let shape = items.first().map_or([0; 3], shape_of);
        if let Some(other) = items.iter().map(shape_of).find(|other| *other != shape) {
            panic!("expected images of {shape:?}, found one of {other:?}; resize them");
        }
        let inputs = scaled(shape, items.len(), |place| &items[place].pixels, device);
        Batch { inputs, labels: items.iter().map(|item| item.label.into()).collect() }
    }
}
