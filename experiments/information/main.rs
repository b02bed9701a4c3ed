//! What pooled features still hold of an image, decoded back into pixels, and what noise does to them.

mod findings;

use burn_pooling::mnist::{ImageDataset, ImageSets};
use burn_pooling::model::PoolingCnnConfig;
use burn_pooling::training::Split;
use burn_pooling_experiments::images::{grey, noisy, subset};
use burn_pooling_experiments::matrix::{Matrix, mean_squared_error};
use burn_pooling_experiments::networks::{convolution, of_stages, variants};
use burn_pooling_experiments::options::Options;
use burn_pooling_experiments::principal::PrincipalComponents;
use burn_pooling_experiments::report::Report;
use burn_pooling_experiments::ridge::Ridge;
use burn_pooling_experiments::runs::each_seed;
use burn_pooling_experiments::training::{Schedule, Trained, train};
use serde::Serialize;

/// The experiment, and its folder.
const NAME: &str = "information";
/// The windows of the one-stage networks; their stride is the same.
const WINDOWS: std::ops::RangeInclusive<usize> = 1..=6;
/// How those networks pool.
const KINDS: [&str; 2] = ["max", "average"];
/// Filters of those networks: few, so that the features of window 1 can be decoded as well.
const FILTERS: usize = 8;

/// What is chosen, and stands in `results.json`.
#[derive(Serialize)]
struct Settings {
    networks: Vec<PoolingCnnConfig>,
    /// Training images of the networks.
    train_images: usize,
    schedule: Schedule,
    /// Training images of the decoders, and those by which their penalty is chosen.
    decoder_images: [usize; 2],
    /// See `Ridge::fit_best`.
    penalties: Vec<f64>,
    /// The features of local pooling are also decoded from so many principal components: what global pooling keeps.
    components: usize,
    /// Noise of up to so many grey levels, darker or brighter.
    noise: u8,
    test_images: usize,
    seeds: Vec<u64>,
}

/// The figures of one network with one seed.
#[derive(Serialize)]
struct Run {
    network: String,
    seed: u64,
    features: usize,
    /// From all features.
    decoded: Decoded,
    /// From as many principal components as global pooling keeps numbers; only of local pooling in two stages.
    reduced: Option<Decoded>,
    noise: Noise,
    /// The pictures' test images, decoded; only of the first seed.
    #[serde(skip)]
    pictures: Option<Matrix>,
}

/// What a decoder recovers.
#[derive(Serialize)]
struct Decoded {
    penalty: f64,
    /// Peak signal-to-noise ratio of the decoded test images, in decibels.
    psnr: f64,
}

/// What two noisy copies of each test image have in common.
#[derive(Serialize)]
struct Noise {
    /// How far the features of two copies are from each other, as a share of how far those of two images are; both
    /// as root mean squares.
    change: f64,
    /// Share of images with the same class in both copies, 0 to 1.
    consistency: f64,
}

fn main() -> anyhow::Result<()> {
    let options = Options::read();
    let sets = ImageSets::load(None)?;
    let settings = settings(&options);
    let test = subset(&sets.test, settings.test_images, 0);
    let shown = test.select(&one_of_each_digit(&test));
    let (networks, seeds) = (&settings.networks, &settings.seeds);
    let runs = each_seed(NAME, options.threads(), networks, seeds, |network, seed| {
        run(&settings, network, seed, &sets.train, [&test, &shown])
    })?;

    let folder = options.folder(NAME);
    let mut report = Report::new(NAME, options.quick, &settings)?.with_runs(runs.all())?;
    report.draw(
        &folder,
        "variants.svg",
        &findings::bars(&runs)?,
        "Peak signal-to-noise ratio of digits decoded from each variant's features",
    )?;
    report.draw(
        &folder,
        "windows.svg",
        &findings::decoded_lines(&runs)?,
        "Peak signal-to-noise ratio of decoded digits over the size of the pooling window",
    )?;
    report.draw(
        &folder,
        "noise.svg",
        &findings::noise_lines(&runs)?,
        "How far noise moves the features, over the size of the pooling window",
    )?;
    report.draw(&folder, "digits.svg", &findings::gallery(&runs, &shown), "Ten digits, and what is decoded of them")?;
    report.summary = vec![findings::table(&settings, &runs)];
    report.claims = findings::claims(&settings, &runs)?;
    report.write(&folder)
}

fn settings(options: &Options) -> Settings {
    let mut networks = variants();
    networks.push(windowed(KINDS[0], 1));
    for kind in KINDS {
        networks.extend(WINDOWS.skip(1).map(|window| windowed(kind, window)));
    }
    Settings {
        networks,
        train_images: options.choose(6_000, 500),
        schedule: Schedule::fixed(options.choose(2, 1), 0),
        decoder_images: options.choose([2_000, 500], [200, 50]),
        penalties: (-6..=1).map(|power| 10.0_f64.powi(power)).collect(),
        components: 32,
        noise: 64,
        test_images: options.choose(1_000, 100),
        seeds: options.seeds(),
    }
}

/// Of window 1, max and average pooling are the same.
fn name(kind: &str, window: usize) -> String {
    match window {
        1 => "window 1".to_owned(),
        _ => format!("{kind}, window {window}"),
    }
}

/// One stage that pools with this window.
fn windowed(kind: &str, window: usize) -> PoolingCnnConfig {
    let stage = match kind {
        "max" => convolution().max_pool(window),
        _ => convolution().average_pool(window),
    };
    of_stages(name(kind, window), [stage]).with_filters(FILTERS)
}

fn run(
    settings: &Settings, network: &PoolingCnnConfig, seed: u64, images: &ImageDataset,
    [test, shown]: [&ImageDataset; 2],
) -> anyhow::Result<Run> {
    let train_images = subset(images, settings.train_images, seed);
    let trained = train(network, &train_images, &settings.schedule, seed)?;
    let [fit, choose] = settings.decoder_images;
    let decoder_images = subset(images, fit + choose, seed + 1_000);
    let split = Split::new(decoder_images.len(), choose, seed);
    let [fit, choose] = [split.train, split.valid].map(|part| decoder_images.select(&part));
    let pairs = |images: &ImageDataset| Ok((trained.features(images)?, grey(images)));
    let pairs = [&fit, &choose, test].map(pairs);
    let pairs = (pairs.into_iter()).collect::<anyhow::Result<Vec<_>>>()?;
    let (decoded, decoder) = decode(&pairs, &settings.penalties)?;
    let is_local_variant = network.stages.len() == 2;
    let first = settings.seeds.first() == Some(&seed);
    Ok(Run {
        network: network.name.clone(),
        seed,
        features: network.features()?,
        decoded,
        reduced: match is_local_variant {
            true => {
                let components = PrincipalComponents::of(&pairs[0].0, settings.components)?;
                let reduce = |(features, grey): (Matrix, Matrix)| (components.project(&features), grey);
                let pairs: Vec<_> = pairs.into_iter().map(reduce).collect();
                Some(decode(&pairs, &settings.penalties)?.0)
            }
            false => None,
        },
        noise: noise(&trained, test, settings.noise)?,
        pictures: match first {
            true => Some(guess(&decoder, &trained.features(shown)?)),
            false => None,
        },
    })
}

/// Fits a decoder with features and pixels of the first images, its penalty chosen by the second, tested by the third.
fn decode(pairs: &[(Matrix, Matrix)], penalties: &[f64]) -> anyhow::Result<(Decoded, Ridge)> {
    let [fit, choose, test] = [0, 1, 2].map(|index| (&pairs[index].0, &pairs[index].1));
    let decoder = Ridge::fit_best(fit, choose, penalties)?;
    let decoded = Decoded {
        penalty: decoder.penalty,
        psnr: -10.0 * mean_squared_error(&guess(&decoder, test.0), test.1).log10(),
    };
    Ok((decoded, decoder))
}

/// Grey values from 0 to 1.
fn guess(decoder: &Ridge, features: &Matrix) -> Matrix {
    let mut guesses = decoder.predict(features);
    for value in &mut guesses.values {
        *value = value.clamp(0.0, 1.0);
    }
    guesses
}

/// Two copies, so that what noise does on average, as brighten what is black, does not count.
fn noise(trained: &Trained, test: &ImageDataset, most: u8) -> anyhow::Result<Noise> {
    let copy = |seed| noisy(test, most, seed);
    let (one, another) = (copy(1)?, copy(2)?);
    let features = [trained.features(&one)?, trained.features(&another)?];
    let mut of_other_images = features[1].clone();
    of_other_images.values.rotate_left(features[1].columns);
    let change = mean_squared_error(&features[0], &features[1]) / mean_squared_error(&features[0], &of_other_images);
    Ok(Noise { change: change.sqrt(), consistency: trained.predict(&one)?.consistency(&trained.predict(&another)?) })
}

/// The first image of each digit.
fn one_of_each_digit(images: &ImageDataset) -> Vec<usize> {
    let first = |digit| images.labels().iter().position(|&label| label == digit);
    (0..10).filter_map(first).collect()
}
