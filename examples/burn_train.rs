//! A network in burn-train's learner: Burn's data loaders, metrics, checkpoints and early stopping.
//!
//! ```text
//! cargo run --release --features burn-train --example burn_train -- runs/burn-train
//! ```
//!
//! A second argument is the number of training images, instead of all but 5,000. burn-train's feature `tui` draws the
//! metrics; without it, progress is plain lines.

use burn::data::dataloader::DataLoaderBuilder;
use burn::optim::AdamConfig;
use burn::record::CompactRecorder;
use burn_pooling::backend::{Autodiff, Flex};
use burn_pooling::evaluation::evaluate;
use burn_pooling::mnist::{ImageBatcher, ImageSets};
use burn_pooling::model::{PoolingCnnConfig, Variant};
use burn_pooling::training::{Split, glorot_uniform};
use burn_train::metric::store::{Aggregate, Direction, Split as Part};
use burn_train::metric::{AccuracyMetric, LossMetric};
use burn_train::{Learner, MetricEarlyStoppingStrategy, StoppingCondition, SupervisedTraining};

const BATCH_SIZE: usize = 128;
const EPOCHS: usize = 5;
const LEARNING_RATE: f64 = 1e-3;
const SEED: u64 = 1;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().unwrap_or("runs/burn-train".to_owned());
    let images = ImageSets::load(None)?;
    let split = Split::new(images.train.len(), 5_000, SEED);
    let count = arguments.next().map_or(Ok(split.train.len()), |count| count.parse())?;
    let training = images.train.select(&split.train[..count.min(split.train.len())]);
    let validation = images.train.select(&split.valid);

    let device = Default::default();
    let model = PoolingCnnConfig::new(Variant::Max).init::<Autodiff<Flex>>(&device)?;
    let learner = Learner::new(glorot_uniform(model, SEED), AdamConfig::new().init(), LEARNING_RATE);

    let training = DataLoaderBuilder::new(ImageBatcher).batch_size(BATCH_SIZE).shuffle(SEED).build(training);
    let validation = DataLoaderBuilder::new(ImageBatcher).batch_size(BATCH_SIZE).build(validation);
    let early_stopping = MetricEarlyStoppingStrategy::new(
        &LossMetric::<Flex>::new(),
        Aggregate::Mean,
        Direction::Lowest,
        Part::Valid,
        StoppingCondition::NoImprovementSince { n_epochs: 2 },
    );
    let result = SupervisedTraining::new(path, training, validation)
        .metrics((AccuracyMetric::new(), LossMetric::new()))
        .with_file_checkpointer(CompactRecorder::new())
        .early_stopping(early_stopping)
        .num_epochs(EPOCHS)
        .summary()
        .launch(learner);

    let all: Vec<usize> = (0..images.test.len()).collect();
    let test = evaluate(&result.model, &images.test, &all, BATCH_SIZE, &device)?;
    println!("test accuracy {:.4}", test.accuracy);
    Ok(())
}
