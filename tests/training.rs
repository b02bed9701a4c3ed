//! The training loop on real images: it learns, repeats itself bit for bit, goes on after every stop, and never
//! loses a good checkpoint.

#![cfg(all(feature = "flex", feature = "bundled-mnist"))]

mod common;

use std::fs;
use std::path::Path;

use burn::module::AutodiffModule;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{Optimizer, SgdConfig};
use burn::tensor::{Tensor, backend::AutodiffBackend};
use burn_pooling::backend::{self, Autodiff};
use burn_pooling::data::{Batch, Data};
use burn_pooling::evaluation::evaluate;
use burn_pooling::loss::CrossEntropy;
use burn_pooling::mnist::ImageSets;
use burn_pooling::model::{PoolingCnn, PoolingCnnConfig, Variant};
use burn_pooling::pooling::ConvPool2dConfig;
use burn_pooling::run::{RunFolder, StorageError, load_weights, save_weights};
use burn_pooling::training::{
    AdamConfig, Augment, BestBy, CallbackResult, ConfigError, Control, EpochMetrics, Event, ImageAugmentation, Learner,
    Outcome, Random, Schedule, ScheduleKind, Split, Training, TrainingConfig, TrainingError, fit, glorot_uniform,
};
use common::few_images;
use proptest::prelude::*;
use tempfile::tempdir;

type Flex = Autodiff<backend::Flex>;
type Cnn = PoolingCnn<Flex>;

fn config() -> TrainingConfig {
    TrainingConfig { epochs: 3, batch_size: 32, valid_size: 50, ..Default::default() }
}

fn learner<B: AutodiffBackend>(seed: u64) -> Learner<B, PoolingCnn<B>> {
    let model = PoolingCnnConfig::new(Variant::Max).with_filters(8).init::<B>(&Default::default()).unwrap();
    Learner::new(glorot_uniform(model, seed))
}

fn never_stop<L>(_: Event<'_, L>) -> CallbackResult {
    Ok(Control::Continue)
}

/// Stops at a step, counted from 1 over the whole run, and saves what is to be saved.
fn saved_until<O: Optimizer<Cnn, Flex>>(
    folder: &RunFolder, stop: usize,
) -> impl FnMut(Event<'_, Learner<Flex, Cnn, O>>) -> CallbackResult {
    let mut steps = 0;
    move |event| {
        match event {
            Event::Step(_) => steps += 1,
            Event::Checkpoint(learner) => folder.save(learner)?,
            Event::Epoch { .. } => {}
        }
        Ok(if steps == stop { Control::Stop } else { Control::Continue })
    }
}

/// Trains without a break; returns the last weights, the best weights, and the learner.
fn train<B: AutodiffBackend>(
    sets: &ImageSets, config: TrainingConfig,
) -> (Vec<u8>, Vec<u8>, Learner<B, PoolingCnn<B>>) {
    let mut learner = learner::<B>(config.seed);
    let training = Training::new(config);
    let outcome = fit(&mut learner, &sets.train, &training, &Default::default(), never_stop);
    assert_eq!(outcome.unwrap(), Outcome::Finished);
    (save_weights(learner.model()), save_weights(learner.best()), learner)
}

#[test]
fn the_loss_falls_on_real_images() {
    let (_, _, learner) = train::<Flex>(&few_images(600, 1), config());
    let history = learner.history();
    assert_eq!(history.len(), 3);
    assert!(history[2].train_loss < 0.6 * history[0].train_loss, "{history:?}");
    assert!(history[2].valid_accuracy.unwrap() > 0.6, "{history:?}");
    assert!(history.iter().all(|epoch| epoch.images_per_second > 0.0));
}

fn repeats_itself<B: AutodiffBackend>() {
    let sets = few_images(200, 1);
    let (first, ..) = train::<B>(&sets, config());
    let (second, ..) = train::<B>(&sets, config());
    let (other, ..) = train::<B>(&sets, TrainingConfig { seed: 43, ..config() });
    assert!(first == second, "the same seed gave other weights");
    assert!(first != other, "another seed gave the same weights");
}

#[test]
fn the_same_seed_gives_the_same_bits_on_flex() {
    repeats_itself::<Flex>();
}

#[cfg(feature = "ndarray")]
#[test]
fn the_same_seed_gives_the_same_bits_on_ndarray() {
    repeats_itself::<Autodiff<backend::NdArray>>();
}

/// Trains in one go, and stopped at some steps and resumed: the same bits, best epochs and losses.
fn resumes_exactly<O: Optimizer<Cnn, Flex>, A: Augment<Tensor<Flex, 4>>>(
    optimizer: impl Fn() -> O, training: &Training<Schedule, CrossEntropy, A>, stops: &[usize],
) {
    let sets = few_images(200, 1);
    let device = Default::default();
    let fresh = |seed| Learner::with_optimizer(learner::<Flex>(seed).model().clone(), optimizer());
    let mut whole = fresh(42);
    fit(&mut whole, &sets.train, training, &device, never_stop).unwrap();
    for &stop in stops {
        let place = tempdir().unwrap();
        let path = place.path().join("run");
        let mut stopped = fresh(42);
        let folder = RunFolder::create(&path, &training.config, &stopped).unwrap();
        let callback = saved_until(&folder, stop);
        let outcome = fit(&mut stopped, &sets.train, training, &device, callback).unwrap();
        assert_eq!(outcome, Outcome::Interrupted);

        let folder = RunFolder::open(&path).unwrap();
        assert_eq!(folder.config::<TrainingConfig>().unwrap(), training.config);
        let mut resumed = folder.restore(fresh(99), &device).unwrap();
        let callback = saved_until(&folder, usize::MAX);
        fit(&mut resumed, &sets.train, training, &device, callback).unwrap();
        let last = save_weights(whole.model());
        assert!(save_weights(resumed.model()) == last, "stopped at step {stop}: other weights");
        let best = fs::read(folder.model_path()).unwrap();
        assert!(best == save_weights(whole.best()), "stopped at step {stop}: other best");
        assert_eq!(resumed.best_epoch(), whole.best_epoch());
        assert_eq!(losses(&read_metrics(&path)), losses(whole.history()));
    }
}

#[test]
fn a_run_that_stops_anywhere_ends_with_the_same_bits() {
    // 150 images make 5 steps an epoch: within the first, at an end, within the last, at the very last.
    resumes_exactly(|| AdamConfig::new().init(), &Training::new(config()), &[1, 5, 12, 15]);
}

#[test]
fn other_optimizers_schedules_losses_and_augmentations_resume_as_exactly() {
    let momentum = || SgdConfig::new().with_momentum(Some(MomentumConfig::new())).init();
    let augmentation = ImageAugmentation { shift: 2.0, rotate: 10.0, scale: 0.1, noise: 0.05 };
    let loss = CrossEntropy::new().with_label_smoothing(0.1).unwrap();
    for kind in [ScheduleKind::Cosine, ScheduleKind::OneCycle, ScheduleKind::Step] {
        let training = Training::new(config())
            .with_scheduler(Schedule::new(kind, 0.05, 15))
            .with_loss(loss.clone())
            .with_augmentation(augmentation);
        resumes_exactly(momentum, &training, &[4, 11]);
    }
    let decay = || AdamConfig::new().with_weight_decay(0.05).init();
    let schedule = Schedule::new(ScheduleKind::Cosine, 1e-3, 15).with_warmup(4);
    let invert = |batch: Batch<Tensor<Flex, 4>>, random: &mut Random| match random.below(2) {
        0 => Batch { inputs: batch.inputs.neg().add_scalar(1.0), ..batch },
        _ => batch,
    };
    let training = Training::new(config()).with_scheduler(schedule).with_augmentation(invert);
    resumes_exactly(decay, &training, &[2, 8]);
}

fn read_metrics(run: &Path) -> Vec<EpochMetrics> {
    let text = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What does not depend on the clock.
fn losses(history: &[EpochMetrics]) -> Vec<(usize, f64, f64, Option<f64>)> {
    let figures = |epoch: &EpochMetrics| (epoch.epoch, epoch.train_loss, epoch.train_accuracy, epoch.valid_loss);
    history.iter().map(figures).collect()
}

#[test]
fn the_best_epoch_is_kept_and_without_validation_the_last() {
    let sets = few_images(200, 1);
    let (last, best, learner) = train::<Flex>(&sets, TrainingConfig { valid_size: 0, ..config() });
    assert!(last == best && learner.best_epoch() == 3);
    assert!(learner.history()[0].valid_accuracy.is_none());

    // A large step late in training spoils what was learned before: the first best stays.
    let spoiled = TrainingConfig { epochs: 6, learning_rate: 0.02, ..config() };
    for best_by in [BestBy::Accuracy, BestBy::Loss] {
        let (_, _, learner) = train::<Flex>(&sets, TrainingConfig { best_by, ..spoiled.clone() });
        let figure = |epoch: &EpochMetrics| match best_by {
            BestBy::Accuracy => epoch.valid_accuracy.unwrap(),
            BestBy::Loss => -epoch.valid_loss.unwrap(),
        };
        let best = learner.history().iter().map(figure).fold(f64::MIN, f64::max);
        let first = learner.history().iter().find(|epoch| figure(epoch) == best).unwrap();
        assert_eq!(learner.best_epoch(), first.epoch, "{best_by:?}");
    }
}

/// A learning rate so small that no epoch is better than the first by accuracy.
#[test]
fn training_stops_when_patience_ends_also_after_a_resume() {
    let sets = few_images(200, 1);
    let idle = TrainingConfig { epochs: 9, learning_rate: 1e-12, patience: Some(2), ..config() };
    let mut learner = learner::<Flex>(1);
    for _ in 0..2 {
        let training = Training::new(idle.clone());
        let outcome = fit(&mut learner, &sets.train, &training, &Default::default(), never_stop);
        assert_eq!(outcome.unwrap(), Outcome::StoppedEarly);
        assert_eq!((learner.history().len(), learner.best_epoch()), (3, 1));
    }
}

#[test]
fn an_error_of_the_callback_ends_training_and_comes_back() {
    let sets = few_images(100, 1);
    let failing = |event: Event<'_, _>| match event {
        Event::Checkpoint(_) => Err("the disk is full".into()),
        _ => Ok(Control::Continue),
    };
    let training = Training::new(config());
    let result = fit(&mut learner::<Flex>(1), &sets.train, &training, &Default::default(), failing);
    assert_eq!(result.unwrap_err().to_string(), "the disk is full");
}

#[test]
fn a_loss_that_is_not_finite_stops_and_keeps_the_checkpoint() {
    let sets = few_images(200, 1);
    let device = Default::default();
    let place = tempdir().unwrap();
    let path = place.path().join("run");
    let mut learner = learner::<Flex>(1);
    let folder = RunFolder::create(&path, &config(), &learner).unwrap();
    let training = Training::new(TrainingConfig { epochs: 1, ..config() });
    let callback = saved_until(&folder, usize::MAX);
    fit(&mut learner, &sets.train, &training, &device, callback).unwrap();
    let good = fs::read(path.join("checkpoint/state.mpk")).unwrap();

    let wild = Training::new(TrainingConfig { learning_rate: 1e38, ..config() });
    let callback = saved_until(&folder, usize::MAX);
    let error = fit(&mut learner, &sets.train, &wild, &device, callback).unwrap_err();
    let TrainingError::NotFinite { epoch: 2, step, .. } = error else {
        panic!("{error}");
    };
    assert!(error.to_string().contains(&format!("step {step} of epoch 2")), "{error}");
    assert!(fs::read(path.join("checkpoint/state.mpk")).unwrap() == good);
}

/// A later and worse epoch changes neither the weights of the best model nor its batch normalisation.
#[test]
fn the_best_model_keeps_its_running_statistics() {
    let images = few_images(64, 1).train;
    let device = Default::default();
    let fresh = || {
        let stage = ConvPool2dConfig::new(4, [3, 3]).with_batch_norm(true).max_pool(2);
        let config = PoolingCnnConfig::new(Variant::Max).with_stages(vec![stage]);
        Learner::new(glorot_uniform(config.init::<Flex>(&device).unwrap(), 1))
    };
    let logits = |model: &Cnn| -> Vec<f32> {
        model.valid().forward(images.images(&[0, 1], &device)).into_data().to_vec().unwrap()
    };
    let mut learner = fresh();
    let mut validation = evaluate(&learner.model().valid(), &images, &[0, 1], 2, &device).unwrap();
    let mut bests = Vec::new();
    for accuracy in [0.9, 0.1] {
        let batch = Data::<Flex, _>::gather(&images, &(0..64).collect::<Vec<_>>(), &device);
        learner.step(batch, 0.1, &CrossEntropy::new()).unwrap();
        validation.accuracy = accuracy;
        learner.finish_epoch(Some(&validation), BestBy::Accuracy);
        bests.push(logits(learner.best()));
    }
    let restored = fresh().restore(learner.checkpoint(), &device).unwrap();
    assert_eq!(bests[0], bests[1]);
    assert_eq!(logits(restored.best()), bests[0]);
    assert_eq!(logits(restored.model()), logits(learner.model()));
    assert_ne!(logits(learner.model()), bests[0]);
}

#[test]
fn a_folder_is_never_overwritten() {
    let place = tempdir().unwrap();
    fs::write(place.path().join("thesis.txt"), "").unwrap();
    let create = |path: &Path| RunFolder::create(path, &config(), &learner::<Flex>(1)).map(|_| ());
    assert!(matches!(create(place.path()), Err(StorageError::Exists(_))));
    assert!(matches!(create(&place.path().join("thesis.txt")), Err(StorageError::NoFolder(_))));
    create(&place.path().join("new/run")).unwrap();
    assert!(matches!(create(&place.path().join("new/run")), Err(StorageError::Exists(_))));
}

#[test]
fn what_does_not_belong_to_the_run_is_refused() {
    let place = tempdir().unwrap();
    let device = Default::default();
    assert!(matches!(RunFolder::open(place.path()), Err(StorageError::NoRun(_))));

    let path = place.path().join("run");
    let folder = RunFolder::create(&path, &config(), &learner::<Flex>(1)).unwrap();
    let other = PoolingCnnConfig::new(Variant::Max).with_filters(9);
    let other = other.init::<Flex>(&device).unwrap();
    let error = folder.restore(Learner::new(other.clone()), &device).err().unwrap();
    assert!(error.to_string().contains("state.mpk"), "{error}");
    let error = load_weights(other, &folder.model_path()).unwrap_err();
    assert!(error.to_string().contains("model.safetensors"), "{error}");

    for file in ["checkpoint/state.mpk", "model.safetensors"] {
        let whole = fs::read(path.join(file)).unwrap();
        for broken in [&whole[..whole.len() / 2], b"no such thing", &[]] {
            fs::write(path.join(file), broken).unwrap();
            match file {
                "model.safetensors" => {
                    let model = learner::<Flex>(1).model().clone();
                    assert!(load_weights(model, &folder.model_path()).is_err());
                }
                _ => assert!(folder.restore(learner::<Flex>(1), &device).is_err()),
            }
        }
        fs::write(path.join(file), whole).unwrap();
    }
}

#[test]
fn a_configuration_that_does_not_suit_the_data_is_refused() {
    let zero = ConfigError::Zero;
    for (config, expected) in [
        (TrainingConfig { epochs: 0, ..config() }, zero("epochs")),
        (TrainingConfig { batch_size: 0, ..config() }, zero("batch size")),
        (TrainingConfig { patience: Some(0), ..config() }, zero("patience")),
        (TrainingConfig { patience: Some(1), valid_size: 0, ..config() }, ConfigError::Patience),
        (TrainingConfig { learning_rate: -1.0, ..config() }, ConfigError::LearningRate(-1.0)),
        (TrainingConfig { learning_rate: 1e-320, ..config() }, ConfigError::LearningRate(1e-320)),
        (TrainingConfig { learning_rate: 1e39, ..config() }, ConfigError::LearningRate(1e39)),
        (TrainingConfig { valid_size: 60, ..config() }, ConfigError::ValidSize { valid_size: 60, samples: 60 }),
    ] {
        assert_eq!(config.check(60), Err(expected));
    }
}

proptest! {
    /// Every image trains or validates, none does both, and each epoch shows each training image once.
    #[test]
    fn a_split_loses_nothing(count in 1usize..300, valid_size in 0usize..300, seed: u64, epoch in 0usize..5) {
        let split = Split::new(count, valid_size, seed);
        prop_assert_eq!(split.valid.len(), valid_size.min(count));
        let mut all = [split.train.clone(), split.valid.clone()].concat();
        all.sort_unstable();
        prop_assert_eq!(all, (0..count).collect::<Vec<_>>());
        let mut order = split.shuffled(seed, epoch);
        prop_assert_eq!(&order, &split.shuffled(seed, epoch));
        order.sort_unstable();
        prop_assert_eq!(order, split.train);
    }
}
