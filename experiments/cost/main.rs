//! The same two convolutions without pooling, with strides, and with each pooling: what they take, what they reach.

mod findings;

use burn_pooling::mnist::ImageSets;
use burn_pooling::model::PoolingCnnConfig;
use burn_pooling_experiments::images::subset;
use burn_pooling_experiments::networks::{HEADS, strided, two_convolutions, variants, without_pooling};
use burn_pooling_experiments::options::Options;
use burn_pooling_experiments::report::Report;
use burn_pooling_experiments::runs::each_seed;
use burn_pooling_experiments::speed::in_turns;
use burn_pooling_experiments::training::{Schedule, train};
use serde::Serialize;

use findings::Found;

/// The experiment, and its folder.
const NAME: &str = "cost";
/// The first network, which all are compared with.
const NONE: &str = "none";
/// What pools, wholly or in its last stage.
const POOLED: [&str; 4] = ["max", "average", "gmp 2 conv", "gap 2 conv"];
/// Bytes of a parameter in training: itself, its gradient, and Adam's two moments.
const PARAMETER_BYTES: usize = 16;
/// Accuracy that may be lost and still counts as none.
const MARGIN: f64 = 0.01;

/// What is chosen, and stands in `results.json`.
#[derive(Serialize)]
struct Settings {
    networks: Vec<PoolingCnnConfig>,
    /// Training images, validation images included, drawn anew for each seed.
    train_images: usize,
    test_images: usize,
    schedule: Schedule,
    seeds: Vec<u64>,
    /// Measurements of speed, and the batches of 128 images in each.
    speed_repeats: usize,
    speed_batches: usize,
}

/// The figures of one network with one seed.
#[derive(Serialize)]
struct Run {
    network: String,
    seed: u64,
    /// Test accuracy of the best epoch by validation accuracy.
    accuracy: f64,
    best_epoch: usize,
    valid_accuracy: Vec<f64>,
}

fn main() -> anyhow::Result<()> {
    let options = Options::read();
    let sets = ImageSets::load(None)?;
    let settings = settings(&options);
    let test = subset(&sets.test, settings.test_images, 0);
    let (networks, seeds) = (&settings.networks, &settings.seeds);
    let runs = each_seed(NAME, options.threads(), networks, seeds, |network, seed| {
        let images = subset(&sets.train, settings.train_images, seed);
        let trained = train(network, &images, &settings.schedule, seed)?;
        Ok(Run {
            network: network.name.clone(),
            seed,
            accuracy: trained.predict(&test)?.accuracy(),
            best_epoch: trained.best_epoch,
            valid_accuracy: trained.valid_curve(),
        })
    })?;
    let speeds = in_turns(networks, &test, settings.speed_repeats, settings.speed_batches)?;

    let found = Found::new(&settings, &runs, &speeds);
    let folder = options.folder(NAME);
    let mut report = Report::new(NAME, options.quick, &settings)?.with_runs(runs.all())?.with_measurements(&speeds)?;
    report.draw(
        &folder,
        "cost.svg",
        &found.relative_costs(),
        "Multiply-adds, memory and time of each network as shares of those without pooling",
    )?;
    report.draw(
        &folder,
        "accuracy.svg",
        &found.accuracy_over_work(),
        "Validation accuracy of each network over the multiply-adds of training, with intervals",
    )?;
    report.summary = vec![found.counted(), found.measured()];
    report.claims = found.claims()?;
    report.write(&folder)
}

fn settings(options: &Options) -> Settings {
    let mut networks = vec![without_pooling(), strided()];
    networks.extend(variants().into_iter().take(2));
    networks.extend(HEADS.map(two_convolutions));
    Settings {
        networks,
        train_images: options.choose(2_500, 600),
        test_images: options.choose(5_000, 500),
        // Small batches: else so few images are few steps.
        schedule: Schedule::fixed(options.choose(8, 2), options.choose(500, 100)).with_batch_size(32),
        seeds: options.seeds(),
        speed_repeats: options.choose(5, 1),
        speed_batches: options.choose(10, 1),
    }
}
