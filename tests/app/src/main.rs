//! Trains a network of its own on images of its own, interrupts and resumes the training, and fails if anything differs
//! from the training that was not interrupted.

mod data;
mod model;

use std::error::Error;
use std::path::Path;

use burn::module::Module;
use burn::optim::{SgdConfig, momentum::MomentumConfig};
use burn::tensor::Tensor;
use burn_pooling::backend::{Autodiff, Flex};
use burn_pooling::data::{Batch, BatchedDataset, Data};
use burn_pooling::evaluation::evaluate_with;
use burn_pooling::run::{RunFolder, save_weights};
use burn_pooling::summary::{Summary, TraceGrad};
use burn_pooling::training::{
    BestBy, Control, EpochMetrics, Event, Learner, Outcome, Random, Schedule, ScheduleKind, Training, TrainingConfig,
    fit, glorot_uniform,
};

use data::{CLASSES, TextureBatcher, Textures};
use model::{BrierScore, TextureNet, TextureNetConfig};

type Train = Autodiff<Flex>;

/// Losses and accuracies of every epoch, without its speed.
fn figures(history: &[EpochMetrics]) -> Vec<EpochMetrics> {
    history.iter().map(|epoch| EpochMetrics { images_per_second: 0.0, ..epoch.clone() }).collect()
}

fn expect(what: &str, holds: bool) -> Result<(), String> {
    println!("{what}: {}", if holds { "yes" } else { "NO" });
    holds.then_some(()).ok_or(format!("{what}: expected yes, found no"))
}

fn run(path: &Path) -> Result<(), Box<dyn Error>> {
    let device = Default::default();
    let data = BatchedDataset::new(Textures { count: 400, side: 12 }, TextureBatcher);
    let network = TextureNetConfig::new(CLASSES);
    let config =
        TrainingConfig { epochs: 4, batch_size: 32, valid_size: 80, best_by: BestBy::Loss, ..Default::default() };
    let steps = config.epochs * (400 - config.valid_size).div_ceil(config.batch_size);
    // Mirrors a batch or not, and changes its brightness.
    let augmentation = |batch: Batch<Tensor<Train, 4>>, random: &mut Random| {
        let images = match random.below(2) {
            0 => batch.inputs,
            _ => batch.inputs.flip([3]),
        };
        Batch { inputs: images.mul_scalar(1.0 + 0.2 * random.uniform()), labels: batch.labels }
    };
    let training = Training::new(config.clone())
        .with_scheduler(Schedule::new(ScheduleKind::Cosine, 0.05, steps))
        .with_loss(BrierScore)
        .with_augmentation(augmentation);
    let fresh = || {
        let model = glorot_uniform(network.init::<Train>(&device)?, config.seed);
        let momentum = MomentumConfig::new().with_momentum(0.9).with_dampening(0.0);
        let optimizer = SgdConfig::new().with_momentum(Some(momentum)).init();
        Ok::<_, Box<dyn Error>>(Learner::with_optimizer(model, optimizer))
    };

    let mut whole = fresh()?;
    let outcome = fit(&mut whole, &data, &training, &device, |_| Ok(Control::Continue))?;
    expect("trained to the end", outcome == Outcome::Finished)?;

    let folder = RunFolder::create(path, &network, &fresh()?)?;
    let mut interrupted = folder.restore(fresh()?, &device)?;
    let mut count = 0;
    let outcome = fit(&mut interrupted, &data, &training, &device, |event| {
        match event {
            Event::Step(_) => count += 1,
            Event::Checkpoint(learner) => folder.save(learner)?,
            Event::Epoch { .. } => {}
        }
        Ok(if count == 17 { Control::Stop } else { Control::Continue })
    })?;
    expect("interrupted", outcome == Outcome::Interrupted && interrupted.iterations() == 17)?;
    drop(interrupted);

    // As another process would: everything comes from the folder.
    let folder = RunFolder::open(path)?;
    expect("the configuration is read back", folder.config::<TextureNetConfig>()? == network)?;
    let mut resumed = folder.restore(fresh()?, &device)?;
    expect("resumed in the middle of an epoch", resumed.steps_done() == 7)?;
    fit(&mut resumed, &data, &training, &device, |event| {
        match event {
            Event::Epoch { metrics, .. } => println!("{metrics:?}"),
            Event::Checkpoint(learner) => folder.save(learner)?,
            Event::Step(_) => {}
        }
        Ok(Control::Continue)
    })?;
    let bytes = |learner: &Learner<_, _, _>| save_weights(learner.model());
    expect("the same weights", bytes(&resumed) == bytes(&whole))?;
    expect("the same best epoch", resumed.best_epoch() == whole.best_epoch())?;
    expect("the same history", figures(resumed.history()) == figures(whole.history()))?;

    let model: TextureNet<Flex> = folder.load_model(network.init(&device)?)?;
    expect("the saved weights are the best", save_weights(&model) == save_weights(whole.best()))?;
    let all: Vec<usize> = (0..Data::<Flex, _>::len(&data)).collect();
    let evaluation = evaluate_with(&model, &data, &all, 50, &BrierScore, &device)?;
    println!("Brier score {:.4}, accuracy {:.4}", evaluation.loss, evaluation.accuracy);
    expect("it has learned", evaluation.accuracy > 0.9)?;

    let summary = Summary::try_of(
        |device| network.init::<TraceGrad>(device),
        [config.batch_size, network.channels, network.side, network.side],
        |model: &TextureNet<_>, images| model.forward(images),
    )?;
    println!("{summary}");
    let counted = summary.totals.parameters;
    let all_counted = counted.trainable + counted.non_trainable == model.num_params();
    Ok(expect("the summary counts every parameter", all_counted)?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::temp_dir().join(format!("burn-pooling-app-{}", std::process::id()));
    let result = run(&path);
    std::fs::remove_dir_all(&path)?;
    result
}
