//! The training loop on real images: it learns, repeats itself bit for bit, goes on after every stop, and never
//! loses a good checkpoint.

#![cfg(all(feature = "flex", feature = "ndarray", feature = "bundled-mnist"))]

mod common;

use std::fs;
use std::path::Path;

use burn::tensor::backend::AutodiffBackend;
use burn_autodiff::Autodiff;
use burn_pooling::mnist::ImageSets;
use burn_pooling::model::{PoolingCnn, PoolingCnnConfig, Variant};
use burn_pooling::training::{
    ConfigError, Control, EpochMetrics, Learner, Outcome, Progress, RunFolder, Split, StorageError,
    TrainingConfig, TrainingError, fit, glorot_uniform, load_weights, save_weights,
};
use common::few_images;
use proptest::prelude::*;
use tempfile::tempdir;

type Flex = Autodiff<burn_flex::Flex>;
type NdArray = Autodiff<burn_ndarray::NdArray>;

fn config() -> TrainingConfig {
    TrainingConfig::new().with_epochs(3).with_batch_size(32).with_valid_size(50)
}

fn learner<B: AutodiffBackend>(seed: u64) -> Learner<B, PoolingCnn<B>> {
    let model =
        PoolingCnnConfig::new(Variant::Max).with_filters(8).init::<B>(&Default::default()).unwrap();
    Learner::new(glorot_uniform(model, seed))
}

fn never_stop(_: Progress<'_>) -> Control {
    Control::Continue
}

/// Stops at a step, counted from 1 over the whole run.
fn stop_at(step: usize) -> impl FnMut(Progress<'_>) -> Control {
    let mut steps = 0;
    move |progress| {
        if let Progress::Step { .. } = progress {
            steps += 1;
        }
        match steps == step {
            true => Control::Stop,
            false => Control::Continue,
        }
    }
}

/// Trains without a break; returns the last weights, the best weights, and the learner.
fn train<B: AutodiffBackend>(
    sets: &ImageSets,
    config: &TrainingConfig,
) -> (Vec<u8>, Vec<u8>, Learner<B, PoolingCnn<B>>) {
    let mut learner = learner::<B>(config.seed);
    let device = Default::default();
    let outcome = fit(&mut learner, &sets.train, config, None, &device, never_stop).unwrap();
    assert_eq!(outcome, Outcome::Finished);
    (save_weights(learner.model()), save_weights(learner.best()), learner)
}

#[test]
fn the_loss_falls_on_real_images() {
    let (_, _, learner) = train::<Flex>(&few_images(600, 1), &config());
    let history = learner.history();
    assert_eq!(history.len(), 3);
    assert!(history[2].train_loss < 0.6 * history[0].train_loss, "{history:?}");
    assert!(history[2].valid_accuracy.unwrap() > 0.6, "{history:?}");
    assert!(history.iter().all(|epoch| epoch.images_per_second > 0.0));
}

fn repeats_itself<B: AutodiffBackend>() {
    let sets = few_images(200, 1);
    let (first, ..) = train::<B>(&sets, &config());
    let (second, ..) = train::<B>(&sets, &config());
    let (other, ..) = train::<B>(&sets, &config().with_seed(43));
    assert!(first == second, "the same seed gave other weights");
    assert!(first != other, "another seed gave the same weights");
}

#[test]
fn the_same_seed_gives_the_same_bits_on_flex() {
    repeats_itself::<Flex>();
}

#[test]
fn the_same_seed_gives_the_same_bits_on_ndarray() {
    repeats_itself::<NdArray>();
}

#[test]
fn a_run_that_stops_anywhere_ends_with_the_same_bits() {
    let sets = few_images(200, 1);
    let device = Default::default();
    let (last, best, whole) = train::<Flex>(&sets, &config());
    // 150 images make 5 steps an epoch: within the first, at an end, within the last, at the very last.
    for stop in [1, 5, 12, 15] {
        let place = tempdir().unwrap();
        let path = place.path().join("run");
        let mut broken = learner::<Flex>(config().seed);
        let folder = RunFolder::create(&path, &config(), &broken).unwrap();
        let outcome =
            fit(&mut broken, &sets.train, &config(), Some(&folder), &device, stop_at(stop))
                .unwrap();
        assert_eq!(outcome, Outcome::Stopped);

        let folder = RunFolder::open(&path).unwrap();
        let told: TrainingConfig = folder.config().unwrap();
        let mut resumed = folder.restore(learner::<Flex>(99), &device).unwrap();
        fit(&mut resumed, &sets.train, &told, Some(&folder), &device, never_stop).unwrap();
        assert!(save_weights(resumed.model()) == last, "stopped at step {stop}: other weights");
        assert!(
            fs::read(folder.model_path()).unwrap() == best,
            "stopped at step {stop}: other best"
        );
        assert_eq!(resumed.best_epoch(), whole.best_epoch());
        assert_eq!(losses(&read_metrics(&path)), losses(whole.history()));
    }
}

fn read_metrics(run: &Path) -> Vec<EpochMetrics> {
    let text = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What does not depend on the clock.
fn losses(history: &[EpochMetrics]) -> Vec<(usize, f64, f64, Option<f64>)> {
    let figures = |epoch: &EpochMetrics| {
        (epoch.epoch, epoch.train_loss, epoch.train_accuracy, epoch.valid_loss)
    };
    history.iter().map(figures).collect()
}

#[test]
fn the_best_epoch_is_kept_and_without_validation_the_last() {
    let sets = few_images(200, 1);
    let (last, best, learner) = train::<Flex>(&sets, &config().with_valid_size(0));
    assert!(last == best && learner.best_epoch() == 3);
    assert!(learner.history()[0].valid_accuracy.is_none());

    // A large step late in training spoils what was learned before: the first best stays.
    let (_, _, learner) = train::<Flex>(&sets, &config().with_epochs(6).with_learning_rate(0.02));
    let accuracy = |epoch: &EpochMetrics| epoch.valid_accuracy.unwrap();
    let best = learner.history().iter().map(accuracy).fold(0.0, f64::max);
    let first = learner.history().iter().find(|epoch| accuracy(epoch) == best).unwrap();
    assert_eq!(learner.best_epoch(), first.epoch);
}

#[test]
fn a_loss_that_is_not_finite_stops_and_keeps_the_checkpoint() {
    let sets = few_images(200, 1);
    let device = Default::default();
    let place = tempdir().unwrap();
    let path = place.path().join("run");
    let mut learner = learner::<Flex>(1);
    let folder = RunFolder::create(&path, &config(), &learner).unwrap();
    fit(&mut learner, &sets.train, &config().with_epochs(1), Some(&folder), &device, never_stop)
        .unwrap();
    let good = fs::read(path.join("checkpoint/state.mpk")).unwrap();

    let wild = config().with_learning_rate(1e38);
    let error =
        fit(&mut learner, &sets.train, &wild, Some(&folder), &device, never_stop).unwrap_err();
    let TrainingError::NotFinite { epoch: 2, step, .. } = error else {
        panic!("{error}");
    };
    assert!(error.to_string().contains(&format!("step {step} of epoch 2")), "{error}");
    assert!(fs::read(path.join("checkpoint/state.mpk")).unwrap() == good);
}

#[test]
fn a_folder_is_never_overwritten() {
    let place = tempdir().unwrap();
    fs::write(place.path().join("thesis.txt"), "").unwrap();
    let create = |path: &Path| RunFolder::create(path, &config(), &learner::<Flex>(1)).map(|_| ());
    assert!(matches!(create(place.path()), Err(StorageError::Exists(_))));
    assert!(matches!(create(&place.path().join("thesis.txt")), Err(StorageError::Exists(_))));
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
    for (config, expected) in [
        (config().with_epochs(0), ConfigError::Zero("epochs")),
        (config().with_batch_size(0), ConfigError::Zero("batch size")),
        (config().with_learning_rate(-1.0), ConfigError::LearningRate(-1.0)),
        (config().with_valid_size(60), ConfigError::ValidSize { valid_size: 60, images: 60 }),
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
