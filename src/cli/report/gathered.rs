//! What a report says of a run, before it is written.

use anyhow::Context;
use burn::module::AutodiffModule;
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn_pooling::backend::BackendTask;
use burn_pooling::evaluation::{Calibration, Evaluation, evaluate};
use burn_pooling::explain::{Explanation, Maps, explain};
use burn_pooling::loss::Logits;
use burn_pooling::mnist::{ImageDataset, ImageSets};
use burn_pooling::model::PoolingCnn;
use burn_pooling::run::{RunConfig, RunFolder};
use burn_pooling::summary::Summary;
use burn_pooling::training::EpochMetrics;

use crate::cli::summary::summarise;

/// Bins of confidence, a tenth each.
const BINS: usize = 10;

/// Everything that is shown of a run.
pub struct Gathered {
    /// How the run is called: its folder's name.
    pub name: String,
    pub config: RunConfig,
    pub metrics: Vec<EpochMetrics>,
    pub summary: Summary,
    pub evaluation: Evaluation,
    pub calibration: Calibration,
    /// An answer for each test image.
    pub answers: Vec<Answer>,
    /// The first convolution's filters, channel by channel.
    pub filters: Maps,
    /// The first test image of each class, on its way through the network.
    pub examples: Vec<Example>,
}

/// What the network says of one test image.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    pub image: usize,
    pub label: usize,
    pub class: usize,
    /// The probability of the class.
    pub confidence: f32,
}

impl Answer {
    pub fn is_right(&self) -> bool {
        self.class == self.label
    }
}

/// A test image and what the network does with it.
pub struct Example {
    pub label: usize,
    pub explanation: Explanation,
}

/// Tests a run and looks into it.
pub struct Gather<'a> {
    pub folder: &'a RunFolder,
    pub name: String,
    pub config: RunConfig,
    pub sets: &'a ImageSets,
}

impl BackendTask for Gather<'_> {
    type Output = anyhow::Result<Gathered>;

    fn run<B: AutodiffBackend>(self, device: B::Device) -> Self::Output {
        let Self { folder, name, config, sets } = self;
        let network = folder.load_model(config.model.init::<B>(&device)?)?;
        let plain = network.valid();
        let (test, batch_size) = (&sets.test, config.training.batch_size.max(1));
        let [channels, height, width] = test.image_shape();
        plain.check_images([test.len(), channels, height, width]).context(name.clone())?;

        let every: Vec<usize> = (0..test.len()).collect();
        let answers = answers(&plain, test, batch_size, &device);
        let sure = answers.iter().map(|answer| (answer.confidence, answer.is_right()));
        Ok(Gathered {
            metrics: folder.metrics()?,
            summary: summarise(&config.model, 1)?,
            evaluation: evaluate(&plain, test, &every, batch_size, &device)?,
            calibration: Calibration::of(sure, BINS),
            answers,
            filters: filters(&plain),
            examples: examples(&network, test, &device)?,
            name,
            config,
        })
    }
}

fn answers<B: Backend>(
    network: &PoolingCnn<B>, images: &ImageDataset, batch_size: usize, device: &B::Device,
) -> Vec<Answer> {
    let indices: Vec<usize> = (0..images.len()).collect();
    let of_batch = |indices: &[usize]| {
        let probabilities = Logits::read(network.probabilities(images.images(indices, device))); // [batch, classes]
        let answers = indices.iter().zip(probabilities.rows()).zip(probabilities.predictions());
        let answer = |((&image, row), class): ((&usize, &[f32]), usize)| {
            let confidence = row.get(class).copied().unwrap_or(f32::NAN);
            Answer { image, label: images.labels()[image].into(), class, confidence }
        };
        answers.map(answer).collect::<Vec<_>>()
    };
    indices.chunks(batch_size).flat_map(of_batch).collect()
}

/// Every channel of every filter as a map of its own.
fn filters<B: Backend>(network: &PoolingCnn<B>) -> Maps {
    let weight = network.stage1.conv.weight.val(); // [filters, channels, height, width]
    let [filters, channels, height, width] = weight.dims();
    Maps { channels: filters * channels, size: [height, width], values: weight.into_data().iter::<f32>().collect() }
}

fn examples<B: AutodiffBackend>(
    network: &PoolingCnn<B>, images: &ImageDataset, device: &B::Device,
) -> anyhow::Result<Vec<Example>> {
    let first = |class| images.labels().iter().position(|&label| usize::from(label) == class);
    let example = |image: usize| {
        let explanation = explain(network, images.images(&[image], device), None)?;
        Ok(Example { label: images.labels()[image].into(), explanation })
    };
    (0..images.classes()).filter_map(first).map(example).collect()
}
