//! What pooled features still hold of an image, decoded back into pixels, and what noise does to them.

mod decoding;
mod findings;

use burn_pooling::mnist::ImageDataset;
use burn_pooling::model::{PoolingCnnConfig, Variant};
use burn_pooling_experiments::networks::{HEADS, convolution, of_stages, two_convolutions_strided};
use burn_pooling_experiments::protocol::{fitted, plan, tuned_for};
use burn_pooling_experiments::report::Report;
use burn_pooling_experiments::runs::Setting;
use burn_pooling_experiments::study::Study;
use burn_pooling_experiments::training::Plan;
use serde::{Deserialize, Serialize};

use decoding::{Decoded, baselines, decoded};
use findings::Found;

/// The windows of the networks of one stage; the stride is the window.
const WINDOWS: [usize; 4] = [1, 2, 4, 6];
/// How those networks pool.
const KINDS: [&str; 2] = ["max", "average"];
/// Filters of those networks: few, so that the features of window 1 can be decoded as well.
const FILTERS: usize = 8;
/// The numbers that global pooling keeps: features of local pooling are also decoded from so many components.
const COMPONENTS: usize = 32;
/// Noise of up to so many grey levels, darker or brighter.
const NOISE: u8 = 64;
/// What the baselines are called.
const BASELINES: &str = "baselines";

/// A network, and how it is decoded.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Trial {
    /// `None`: no network, but what is recovered without one.
    plan: Option<Plan>,
    /// Images of the decoders, those by which their penalty is chosen, and those that they are tested with.
    images: [usize; 3],
    /// The penalties that are tried: powers of ten.
    penalties: Vec<i32>,
    /// The features are also decoded from so many principal components; of the baselines, so many numbers.
    components: Option<usize>,
    noise: u8,
}

/// The figures of one network, or of the baselines, with one seed.
#[derive(Debug, Serialize, Deserialize)]
struct Run {
    /// From all features.
    all: Option<Decoded>,
    /// From as many principal components as global pooling keeps numbers, where that is asked for.
    components: Option<Decoded>,
    noise: Option<Noise>,
    /// Of the baselines: the mean image, as many random pixels as global pooling keeps numbers, and as many principal
    /// components of the pixels; peak signal-to-noise ratio in decibels.
    baselines: Option<[f64; 3]>,
}

/// What two noisy copies of each test image have in common.
#[derive(Debug, Serialize, Deserialize)]
struct Noise {
    /// How far the features of two copies are from each other, as a share of how far those of two images are; both
    /// as root mean squares.
    change: f64,
    /// Share of images with the same class in both copies, 0 to 1.
    consistency: f64,
}

/// Decodes every network.
pub fn report(study: &Study) -> anyhow::Result<Option<Report>> {
    let plans = plans(study);
    // What global pooling keeps as numbers, as components of what the same network keeps with local pooling.
    let is_compared = |plan: &Plan| KINDS.contains(&plan.network.name.as_str());
    let trial = |plan: Option<Plan>| Trial {
        components: plan.as_ref().is_none_or(is_compared).then_some(COMPONENTS),
        plan,
        images: study.options.choose([4_000, 1_000, 2_000], [100, 40, 40]),
        penalties: (-9..=2).collect(),
        noise: NOISE,
    };
    let mut settings = vec![Setting { label: BASELINES.to_owned(), cost: 0, settings: trial(None) }];
    for plan in plans {
        let (label, cost) = (plan.network.name.clone(), plan.multiply_adds()?);
        settings.push(Setting { label, cost, settings: trial(Some(plan)) });
    }
    let work = |trial: &Trial, seed| run(study, trial, seed);
    let Some(runs) = study.runs(settings, &study.seeds, work)? else { return Ok(None) };
    let found = Found(runs);
    let mut report = Report::new(study, &found.0.seeds, serde_json::json!({}))?;
    let windows =
        found.over_windows("What a linear decoder recovers", "peak signal-to-noise ratio, dB", findings::psnr);
    report.draw("windows.svg", &windows?, "Peak signal-to-noise ratio of decoded digits over the pooling window")?;
    let noise = found.over_windows(
        "How far noise moves the features",
        "share of the distance of two images, percent",
        findings::change,
    );
    report.draw("noise.svg", &noise?, "How far noise moves the features, over the pooling window")?;
    report.draw(
        "variants.svg",
        &found.dots()?,
        "Peak signal-to-noise ratio of digits decoded from each network's features, and of baselines",
    )?;
    report.claims = found.claims()?;
    report.tables = vec![found.table()?];
    Ok(Some(report))
}

/// The variants and their kin as they are trained everywhere; the networks of one stage on some of the images.
fn plans(study: &Study) -> Vec<Plan> {
    let mut networks = Variant::ALL.map(PoolingCnnConfig::new).to_vec();
    networks.extend(HEADS.map(two_convolutions_strided));
    let mut plans: Vec<Plan> = networks.iter().map(|network| plan(network, study.data, study.options.quick)).collect();
    let images: &ImageDataset = &study.data.sets.train;
    for (kind, window) in KINDS.into_iter().flat_map(|kind| WINDOWS.map(|window| (kind, window))) {
        if window == 1 && kind != KINDS[0] {
            continue;
        }
        let stage = match kind {
            "max" => convolution().max_pool(window),
            _ => convolution().average_pool(window),
        };
        let network = fitted(&of_stages(name(kind, window), [stage]).with_filters(FILTERS), study.data);
        let tuned = tuned_for("max", images.len());
        plans.push(Plan {
            network,
            train_images: study.options.choose(10_000, 200),
            valid_images: study.options.choose(1_000, 50),
            epochs: study.options.choose(tuned.epochs, 1),
            learning_rate: tuned.learning_rate,
            augmentation: None,
        });
    }
    plans
}

/// Of window 1, max and average pooling are the same.
fn name(kind: &str, window: usize) -> String {
    match window {
        1 => "1x1".to_owned(),
        _ => format!("{kind} {window}x{window}"),
    }
}

fn run(study: &Study, trial: &Trial, seed: u64) -> anyhow::Result<Run> {
    match &trial.plan {
        Some(plan) => decoded(&study.trained(plan, seed)?, &study.data.sets, trial, seed),
        None => baselines(&study.data.sets, trial, seed),
    }
}
