//! One of the networks that stand side by side.

use burn::module::AutodiffModule;
use burn::tensor::backend::AutodiffBackend;

use super::error::EngineError;
use super::message::{Figures, Layer, Network, Progress};
use crate::data::Data;
use crate::evaluation::evaluate;
use crate::loss::CrossEntropy;
use crate::mnist::ImageDataset;
use crate::model::{PoolingCnn, PoolingCnnConfig, Variant};
use crate::summary::{Row, Summary, TraceGrad};
use crate::training::{Learner, Split, glorot_uniform};

/// Number of images of a step.
const BATCH_SIZE: usize = 128;
/// Of the weights, the order of the images and the noise.
pub(super) const SEED: u64 = 1;
/// Validation images whose figures are taken after some steps: few, as this is done often.
const CHECKED: usize = 500;

/// A network, trained here or saved.
pub(super) struct Column<B: AutodiffBackend> {
    name: String,
    config: PoolingCnnConfig,
    learner: Learner<B, PoolingCnn<B>>,
    course: Option<Course>,
}

/// A training that goes on when it is asked to.
struct Course {
    learning_rate: f64,
    images: usize,
    curve: Vec<Figures>,
    /// What is left of the epoch, the next images last.
    left: Vec<usize>,
    epoch: usize,
}

impl<B: AutodiffBackend> Column<B> {
    /// A variant for these images, untrained.
    pub fn untrained(variant: Variant, images: &ImageDataset, device: &B::Device) -> Result<Self, EngineError> {
        let [channels, height, width] = images.image_shape();
        let config = PoolingCnnConfig::new(variant)
            .with_channels(channels)
            .with_image_size([height, width])
            .with_classes(images.classes());
        let network = glorot_uniform(config.init(device)?, SEED);
        let learning_rate = learning_rate(variant);
        let course = Course { learning_rate, images: 0, curve: Vec::new(), left: Vec::new(), epoch: 0 };
        Ok(Self { name: config.name.clone(), config, learner: Learner::new(network), course: Some(course) })
    }

    /// A saved run's network.
    pub fn saved(name: String, config: PoolingCnnConfig, network: PoolingCnn<B>) -> Self {
        Self { name, config, learner: Learner::new(network), course: None }
    }

    /// The network as it is now.
    pub fn network(&self) -> &PoolingCnn<B> {
        self.learner.model()
    }

    /// Trains for some more steps.
    pub fn train(
        &mut self, images: &ImageDataset, split: &Split, steps: usize, device: &B::Device,
    ) -> Result<(usize, Figures), EngineError> {
        let course = self.course.as_mut().ok_or_else(|| EngineError::Saved(self.name.clone()))?;
        for _ in 0..steps {
            let indices = course.next_batch(split);
            self.learner.step(images.gather(&indices, device), course.learning_rate, &CrossEntropy::new())?;
            course.images += indices.len();
        }
        let checked = &split.valid[..CHECKED.min(split.valid.len())];
        let evaluation = evaluate(&self.learner.model().valid(), images, checked, BATCH_SIZE, device)?;
        let figures = Figures { images: course.images, loss: evaluation.loss, accuracy: evaluation.accuracy };
        course.curve.push(figures);
        Ok((course.images, figures))
    }

    /// What the page shows of it.
    pub fn describe(&self, epoch_images: usize) -> Result<Network, EngineError> {
        let [height, width] = self.config.image_size;
        let summary = Summary::try_of(
            |device| self.config.init::<TraceGrad>(device),
            [1, self.config.channels, height, width],
            |network, images| network.forward(images),
        )?;
        let layer = |row: &Row| Layer {
            path: row.path.clone(),
            kind: row.kind.clone(),
            output: row.output.iter().flat_map(|output| &output.0).skip(1).filter_map(|side| side.size(1, 1)).collect(),
            parameters: row.parameters.total(),
        };
        let progress = |course: &Course| Progress { images: course.images, epoch_images, curve: course.curve.clone() };
        Ok(Network {
            name: self.name.clone(),
            layers: summary.rows.iter().filter(|row| row.runs()).map(layer).collect(),
            poolings: self.config.stages.iter().map(|stage| stage.pool).collect(),
            parameters: summary.totals.parameters.total(),
            multiply_adds: summary.totals.forward_multiply_adds,
            memory: summary.totals.peak_activation_bytes,
            progress: self.course.as_ref().map(progress),
        })
    }
}

impl Course {
    fn next_batch(&mut self, split: &Split) -> Vec<usize> {
        if self.left.is_empty() {
            self.left = split.shuffled(SEED, self.epoch);
            self.epoch += 1;
        }
        self.left.split_off(self.left.len().saturating_sub(BATCH_SIZE))
    }
}

/// The learning rates with which the variants come far in a few seconds.
fn learning_rate(variant: Variant) -> f64 {
    match variant {
        Variant::Max | Variant::Average => 1e-3,
        Variant::GlobalMax => 3e-3,
        Variant::GlobalAverage | Variant::Head(_) => 1e-2,
    }
}
