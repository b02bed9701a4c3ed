//! Images per second, of several networks in turns, so that what slows the machine down slows all of them.

use std::time::Instant;

use burn::module::AutodiffModule;
use burn_autodiff::Autodiff;
use burn_flex::Flex;
use burn_pooling::data::Data;
use burn_pooling::loss::CrossEntropy;
use burn_pooling::mnist::ImageDataset;
use burn_pooling::model::{PoolingCnn, PoolingCnnConfig};
use burn_pooling::training::Learner;
use rayon::ThreadPoolBuilder;
use serde::{Deserialize, Serialize};

/// Batch size.
const BATCH: usize = 128;
/// The speed does not depend on it.
const LEARNING_RATE: f64 = 1e-3;

/// How fast a network is, in images per second on one thread.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Speed {
    /// The network's name.
    pub network: String,
    /// Gather, forward, backward and optimizer step: every measurement.
    pub training: Vec<f64>,
    /// Gather and forward: every measurement.
    pub inference: Vec<f64>,
}

/// Measures every network `repeats` times (at least once) with `batches` batches of 128, in turns and on one thread;
/// a round before them warms up.
///
/// # Errors
/// If a network cannot be built, or does not take the images.
pub fn in_turns(
    networks: &[PoolingCnnConfig], images: &ImageDataset, repeats: usize, batches: usize,
) -> anyhow::Result<Vec<Speed>> {
    let pool = ThreadPoolBuilder::new().num_threads(1).build()?;
    pool.install(|| measure(networks, images, repeats.max(1), batches))
}

fn measure(
    networks: &[PoolingCnnConfig], images: &ImageDataset, repeats: usize, batches: usize,
) -> anyhow::Result<Vec<Speed>> {
    let indices: Vec<usize> = (0..images.len()).cycle().take(batches * BATCH).collect();
    let mut learners = (networks.iter())
        .map(|config| Ok(Learner::new(config.init(&Default::default())?)))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let mut speeds = vec![(Vec::new(), Vec::new()); networks.len()];
    for repeat in 0..=repeats {
        for (learner, (training, inference)) in learners.iter_mut().zip(&mut speeds) {
            let trained = per_second(&indices, |indices| train(learner, images, indices))?;
            let network = learner.model().valid();
            let inferred = per_second(&indices, |indices| {
                infer(&network, images, indices);
                Ok(())
            })?;
            if repeat > 0 {
                training.push(trained);
                inference.push(inferred);
            }
        }
    }
    let named = (networks.iter().zip(speeds)).map(|(config, (training, inference))| Speed {
        network: config.name.clone(),
        training,
        inference,
    });
    Ok(named.collect())
}

fn per_second(indices: &[usize], mut work: impl FnMut(&[usize]) -> anyhow::Result<()>) -> anyhow::Result<f64> {
    let start = Instant::now();
    indices.chunks(BATCH).try_for_each(&mut work)?;
    Ok(indices.len() as f64 / start.elapsed().as_secs_f64())
}

fn train(
    learner: &mut Learner<Autodiff<Flex>, PoolingCnn<Autodiff<Flex>>>, images: &ImageDataset, indices: &[usize],
) -> anyhow::Result<()> {
    let batch = images.gather(indices, &Default::default());
    learner.step(batch, LEARNING_RATE, &CrossEntropy::new())?;
    Ok(())
}

fn infer(network: &PoolingCnn<Flex>, images: &ImageDataset, indices: &[usize]) {
    network.forward(images.images(indices, &Default::default())).into_data();
}
