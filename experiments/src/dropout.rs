//! Dropout of hidden units whose masks the seed decides: Burn's come from a generator that all threads share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use burn::module::Module;
use burn::tensor::{Tensor, TensorData, backend::Backend};
use burn_pooling::model::{Classifier, PoolingCnn};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A network whose hidden units are dropped in training, each with the same probability.
///
/// Srivastava et al.: *Dropout: A Simple Way to Prevent Neural Networks from Overfitting* (2014). What is left is scaled, so
/// that nothing changes in evaluation.
#[derive(Module, Debug)]
pub struct WithDropout<B: Backend> {
    /// The network.
    pub network: PoolingCnn<B>,
    /// The probability of being dropped, from 0 to below 1.
    #[module(skip)]
    pub rate: f64,
    /// Decides the masks, together with the number of masks before.
    #[module(skip)]
    seed: u64,
    #[module(skip)]
    masks: Arc<AtomicU64>,
}

impl<B: Backend> WithDropout<B> {
    /// The network with this rate; `seed` decides the masks.
    pub fn new(network: PoolingCnn<B>, rate: f64, seed: u64) -> Self {
        Self { network, rate, seed, masks: Arc::default() }
    }

    /// 0 for units that are dropped, and what makes up for them for the others: `[batch, hidden units]`
    fn mask(&self, [batch, units]: [usize; 2], device: &B::Device) -> Tensor<B, 2> {
        let mut generator = ChaCha8Rng::seed_from_u64(self.seed);
        generator.set_stream(self.masks.fetch_add(1, Ordering::Relaxed));
        let kept = (1.0 / (1.0 - self.rate)) as f32;
        let value = |_| if generator.random_bool(self.rate) { 0.0 } else { kept };
        let values: Vec<f32> = (0..batch * units).map(value).collect();
        Tensor::from_data(TensorData::new(values, [batch, units]), device)
    }
}

impl<B: Backend> Classifier<B> for WithDropout<B> {
    type Input = Tensor<B, 4>;

    fn logits(&self, images: Tensor<B, 4>) -> Tensor<B, 2> {
        let device = images.device();
        let hidden = self.network.hidden.forward(self.network.features(images)); // [batch, hidden units]
        let is_training = B::ad_enabled(&device);
        let hidden = match is_training && self.rate > 0.0 {
            true => hidden.clone() * self.mask(hidden.dims(), &device),
            false => hidden,
        };
        self.network.output.forward(hidden) // [batch, classes]
    }
}

#[cfg(test)]
mod tests {
    use burn_autodiff::Autodiff;
    use burn_flex::Flex;
    use burn_pooling::model::{PoolingCnnConfig, Variant};

    use super::*;

    fn logits<B: Backend>(rate: f64, seed: u64) -> Vec<f32> {
        let device = Default::default();
        B::seed(&device, 1);
        let network = PoolingCnnConfig::new(Variant::GlobalMax).init::<B>(&device).unwrap();
        let network = burn_pooling::training::glorot_uniform(network, 1);
        let model = WithDropout::new(network, rate, seed);
        model.logits(Tensor::ones([2, 1, 28, 28], &device)).into_data().iter::<f32>().collect()
    }

    #[test]
    fn only_training_drops_and_the_seed_decides_what() {
        let trained = logits::<Autodiff<Flex>>(0.5, 1);
        assert_eq!(trained, logits::<Autodiff<Flex>>(0.5, 1));
        assert_ne!(trained, logits::<Autodiff<Flex>>(0.5, 2));
        let whole = logits::<Flex>(0.5, 1);
        assert_ne!(trained, whole);
        assert_eq!(whole, logits::<Autodiff<Flex>>(0.0, 1));
    }
}
