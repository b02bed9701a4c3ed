//! What `burn-pooling bench` measures: a variant that learns from real MNIST, batch by batch.

use burn::tensor::backend::AutodiffBackend;
use burn_pooling::data::Data;
use burn_pooling::loss::CrossEntropy;
use burn_pooling::mnist::{ImageDataset, ImageSets};
use burn_pooling::model::{PoolingCnn, Variant};
use burn_pooling::profile::{Work, timed};
use burn_pooling::run::DataConfig;
use burn_pooling::training::{Learner, Split, glorot_uniform};

/// The speed does not depend on it.
const LEARNING_RATE: f64 = 1e-3;

/// A variant, and what it learns from.
#[derive(Clone, Copy)]
pub struct Workload<'a> {
    pub variant: Variant,
    pub batch_size: usize,
    /// Steps of a measurement.
    pub steps: usize,
    /// Whether Burn's operations are composed instead of fused.
    pub composed: bool,
    pub sets: &'a ImageSets,
    pub data: &'a DataConfig,
}

impl Workload<'_> {
    pub fn learner<B: AutodiffBackend>(&self, device: &B::Device) -> anyhow::Result<Learner<B, PoolingCnn<B>>> {
        let mut model = self.data.model(self.variant).init::<B>(device)?;
        model.set_fused(!self.composed);
        Ok(Learner::new(glorot_uniform(model, 42)))
    }

    /// Returns batches on and on through all images, so that each has to be fetched from memory.
    pub fn batches(&self, dataset: &ImageDataset) -> impl Iterator<Item = Vec<usize>> + use<> {
        let mut order = Split::new(dataset.len(), 0, 42).shuffled(42, 0).into_iter().cycle();
        let batch_size = self.batch_size;
        std::iter::from_fn(move || Some(order.by_ref().take(batch_size).collect()))
    }

    /// Gathers a batch, and learns from it.
    pub fn step<B: AutodiffBackend>(
        &self, learner: &mut Learner<B, PoolingCnn<B>>, indices: &[usize], device: &B::Device,
    ) -> anyhow::Result<()> {
        let gather = || self.sets.train.gather(indices, device);
        let batch = timed(|| ("gathering a batch".to_owned(), Work::default()), gather);
        learner.step(batch, LEARNING_RATE, &CrossEntropy::new())?;
        Ok(())
    }
}
