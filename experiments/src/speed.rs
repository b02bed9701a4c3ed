//! Images per second, of several networks in turns, so that what slows the machine down slows all of them.

use std::time::Instant;

use burn::module::AutodiffModule;
use burn_autodiff::Autodiff;
use burn_flex::Flex;
use burn_pooling::mnist::{ImageDataset, gather};
use burn_pooling::model::Classifier;
use burn_pooling::training::Learner;
use rayon::ThreadPoolBuilder;
use serde::{Deserialize, Serialize};

use crate::network::{Network, NetworkConfig};

/// Batch size.
const BATCH: usize = 128;

/// Median and quartiles of repeated measurements.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Half of the measurements are below.
    pub median: f64,
    /// A quarter of the measurements are below.
    pub lower_quartile: f64,
    /// A quarter of the measurements are above.
    pub upper_quartile: f64,
}

impl Spread {
    /// Of at least one value; quantiles between two values by linear interpolation.
    fn of(mut values: Vec<f64>) -> Self {
        values.sort_unstable_by(f64::total_cmp);
        let quantile = |share: f64| {
            let place = share * (values.len() - 1) as f64;
            let [below, above] = [place.floor(), place.ceil()].map(|index| values[index as usize]);
            below + (above - below) * place.fract()
        };
        Self {
            median: quantile(0.5),
            lower_quartile: quantile(0.25),
            upper_quartile: quantile(0.75),
        }
    }
}

/// How fast a network is, in images per second on one thread.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Speed {
    /// The network's name.
    pub network: String,
    /// Gather, forward, backward and optimizer step.
    pub training: Spread,
    /// Gather and forward.
    pub inference: Spread,
}

/// Measures every network `repeats` times (at least once) with `batches` batches of 128, in turns and on one thread;
/// a round before them warms up.
///
/// # Errors
/// If a network cannot be built, or does not take the images.
pub fn in_turns(
    networks: &[NetworkConfig],
    images: &ImageDataset,
    repeats: usize,
    batches: usize,
) -> anyhow::Result<Vec<Speed>> {
    let pool = ThreadPoolBuilder::new().num_threads(1).build()?;
    pool.install(|| measure(networks, images, repeats.max(1), batches))
}

fn measure(
    networks: &[NetworkConfig],
    images: &ImageDataset,
    repeats: usize,
    batches: usize,
) -> anyhow::Result<Vec<Speed>> {
    let indices: Vec<usize> = (0..images.len()).cycle().take(batches * BATCH).collect();
    let mut learners = (networks.iter())
        .map(|config| Ok(Learner::new(config.init(0, &Default::default())?)))
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
    let named = networks.iter().zip(speeds);
    Ok(named
        .map(|(config, (training, inference))| Speed {
            network: config.name.clone(),
            training: Spread::of(training),
            inference: Spread::of(inference),
        })
        .collect())
}

fn per_second(
    indices: &[usize],
    mut work: impl FnMut(&[usize]) -> anyhow::Result<()>,
) -> anyhow::Result<f64> {
    let start = Instant::now();
    indices.chunks(BATCH).try_for_each(&mut work)?;
    Ok(indices.len() as f64 / start.elapsed().as_secs_f64())
}

fn train(
    learner: &mut Learner<Autodiff<Flex>, Network<Autodiff<Flex>>>,
    images: &ImageDataset,
    indices: &[usize],
) -> anyhow::Result<()> {
    learner.step(gather(images, indices, &Default::default()), 1e-3)?;
    Ok(())
}

fn infer(network: &Network<Flex>, images: &ImageDataset, indices: &[usize]) {
    network.logits(gather(images, indices, &Default::default()).images).into_data();
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values: `numpy.quantile([1, 2, 4, 10], [0.25, 0.5, 0.75])`.
    #[test]
    fn quartiles_lie_between_values() {
        let spread = Spread::of(vec![10.0, 1.0, 4.0, 2.0]);
        assert_eq!((spread.lower_quartile, spread.median, spread.upper_quartile), (1.75, 3.0, 5.5));
    }
}
