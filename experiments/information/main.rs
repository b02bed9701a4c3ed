//! What pooled features still hold of an image, decoded back into pixels, and what noise does to them.

use burn_pooling::mnist::{ImageDataset, ImageSets};
use burn_pooling::training::Split;
use experiments_common::images::{grey, noisy, subset};
use experiments_common::network::{Downsampling, NetworkConfig};
use experiments_common::options::Options;
use experiments_common::plot::{BarSeries, Bars, Gallery, LineSeries, Lines, Picture};
use experiments_common::predictions::Matrix;
use experiments_common::principal::PrincipalComponents;
use experiments_common::report::{Cell, Claim, Parts, Report, Table};
use experiments_common::ridge::{Ridge, mean_squared_error};
use experiments_common::runs::{NetworkRuns, Runs, each_seed};
use experiments_common::statistics::Interval;
use experiments_common::training::{Schedule, Trained, train};
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
    networks: Vec<NetworkConfig>,
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
        &bars(&runs)?,
        "Peak signal-to-noise ratio of digits decoded from each variant's features",
    )?;
    report.draw(
        &folder,
        "windows.svg",
        &decoded_lines(&runs)?,
        "Peak signal-to-noise ratio of decoded digits over the size of the pooling window",
    )?;
    report.draw(
        &folder,
        "noise.svg",
        &noise_lines(&runs)?,
        "How far noise moves the features, over the size of the pooling window",
    )?;
    report.draw(
        &folder,
        "digits.svg",
        &gallery(&runs, &shown),
        "Ten digits, and what is decoded of them",
    )?;
    report.summary = vec![table(&settings, &runs)];
    report.claims = claims(&settings, &runs)?;
    report.write(&folder)
}

fn settings(options: &Options) -> Settings {
    let mut networks = NetworkConfig::variants();
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
fn windowed(kind: &str, window: usize) -> NetworkConfig {
    let stage = match kind {
        "max" => Downsampling::max(window, window),
        _ => Downsampling::average(window, window),
    };
    NetworkConfig {
        filters: FILTERS,
        ..NetworkConfig::new(name(kind, window), [stage])
    }
}

fn run(
    settings: &Settings,
    network: &NetworkConfig,
    seed: u64,
    images: &ImageDataset,
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
                let reduce =
                    |(features, grey): (Matrix, Matrix)| (components.project(&features), grey);
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
    let change = mean_squared_error(&features[0], &features[1])
        / mean_squared_error(&features[0], &of_other_images);
    Ok(Noise {
        change: change.sqrt(),
        consistency: trained
            .predict(&one)?
            .consistency(&trained.predict(&another)?),
    })
}

/// The first image of each digit.
fn one_of_each_digit(images: &ImageDataset) -> Vec<usize> {
    let first = |digit| images.labels().iter().position(|&label| label == digit);
    (0..10).filter_map(first).collect()
}

fn psnr(run: &Run) -> f64 {
    run.decoded.psnr
}

fn change(run: &Run) -> f64 {
    run.noise.change
}

fn bars(runs: &Runs<Run>) -> anyhow::Result<Bars> {
    let names: Vec<_> = (NetworkConfig::variants().into_iter())
        .map(|network| network.name)
        .collect();
    let heights = names.iter().map(|name| Ok(runs.of(name)?.mean(psnr)));
    Ok(Bars {
        title: "What a linear decoder recovers of test images".to_owned(),
        x_label: "variant (mean of the seeds, 95 % intervals)".to_owned(),
        y_label: "peak signal-to-noise ratio (dB)".to_owned(),
        from_zero: true,
        series: vec![BarSeries {
            name: "decoded".to_owned(),
            heights: heights.collect::<anyhow::Result<_>>()?,
        }],
        categories: names,
    })
}

fn decoded_lines(runs: &Runs<Run>) -> anyhow::Result<Lines> {
    Ok(Lines {
        title: "The larger the window, the less is recovered?".to_owned(),
        y_label: "peak signal-to-noise ratio (dB)".to_owned(),
        ..over_windows(runs, psnr)?
    })
}

fn noise_lines(runs: &Runs<Run>) -> anyhow::Result<Lines> {
    Ok(Lines {
        title: "Noise: how far two noisy copies of an image are apart in the features".to_owned(),
        y_label: "distance, as a share of that of two images".to_owned(),
        ..over_windows(runs, change)?
    })
}

fn over_windows(runs: &Runs<Run>, figure: fn(&Run) -> f64) -> anyhow::Result<Lines> {
    let series = KINDS.map(|kind| {
        let point = |window| Ok((window as f64, runs.of(&name(kind, window))?.mean(figure)));
        Ok(LineSeries {
            name: kind.to_owned(),
            points: WINDOWS.map(point).collect::<anyhow::Result<_>>()?,
        })
    });
    Ok(Lines {
        title: String::new(),
        x_label: "window and stride (pixels; mean of the seeds, 95 % intervals)".to_owned(),
        y_label: String::new(),
        logarithmic: false,
        bands: false,
        series: series.into_iter().collect::<anyhow::Result<_>>()?,
    })
}

fn gallery(runs: &Runs<Run>, shown: &ImageDataset) -> Gallery {
    let pictures = |matrix: &Matrix| {
        let rows = matrix.rows();
        rows.map(|row| Picture::ink(row, shown.image_size()))
            .collect::<Vec<_>>()
    };
    let even = |runs: &&NetworkRuns<Run>| {
        let odd = |&window: &usize| window > 1 && window % 2 == 1;
        let name_of = |window| KINDS.map(|kind| name(kind, window));
        !(WINDOWS.filter(odd)).any(|window| name_of(window).contains(&runs.network.name))
    };
    let decoded = runs.0.iter().filter(even).filter_map(|runs| {
        let decoded = runs.runs.first()?.pictures.as_ref()?;
        Some((runs.network.name.clone(), pictures(decoded)))
    });
    Gallery {
        title: "Ten test images, and what a linear decoder recovers of them".to_owned(),
        columns: shown.labels().iter().map(u8::to_string).collect(),
        rows: [("image".to_owned(), pictures(&grey(shown)))]
            .into_iter()
            .chain(decoded)
            .collect(),
    }
}

fn table(settings: &Settings, runs: &Runs<Run>) -> Table {
    let caption = "Peak signal-to-noise ratio (PSNR) of test images decoded from all features, and from their first \
                   principal components; of how many seeds the penalty is at the grid's edge; distance of two noisy \
                   copies of an image in the features as a share of the distance of two images, and share of images \
                   with the same class in both: means and 95 % intervals over the seeds.";
    let reduced = format!("PSNR of {} components, dB", settings.components);
    let columns = [
        ("network", 0),
        ("features", 0),
        ("PSNR, dB", 2),
        (reduced.as_str(), 2),
        ("runs at the grid's edge", 0),
        ("distance by noise, percent", 1),
        ("same class, percent", 1),
    ];
    let edges = [settings.penalties.first(), settings.penalties.last()];
    let mut table = Table::new(caption, &columns);
    for network in &runs.0 {
        let at_edge = |run: &&Run| edges.contains(&Some(&run.decoded.penalty));
        table.push([
            Cell::from(network.network.name.as_str()),
            network.runs.first().map(|run| run.features).into(),
            network.mean(psnr).into(),
            reduced_psnr(network)
                .map(|values| Interval::of(&values))
                .into(),
            network.runs.iter().filter(at_edge).count().into(),
            network.mean(|run| 100.0 * change(run)).into(),
            network.mean(|run| 100.0 * run.noise.consistency).into(),
        ]);
    }
    table
}

fn reduced_psnr(runs: &NetworkRuns<Run>) -> Option<Vec<f64>> {
    let psnr = |run: &Run| Some(run.reduced.as_ref()?.psnr);
    runs.runs.iter().map(psnr).collect()
}

fn claims(settings: &Settings, runs: &Runs<Run>) -> anyhow::Result<Vec<Claim>> {
    let windows = || WINDOWS.skip(1);
    let ahead = |pairs: Vec<(String, String)>, figure: fn(&Run) -> f64| {
        let ahead =
            |(one, other): &(String, String)| Ok(runs.of(one)?.ahead_of(runs.of(other)?, figure));
        pairs.iter().map(ahead).collect::<anyhow::Result<Vec<_>>>()
    };
    let between = |one: &str, other: &str, figure: fn(&Run) -> f64| -> anyhow::Result<Interval> {
        Ok(runs.of(one)?.ahead_of(runs.of(other)?, figure))
    };
    let steps = |kind| windows().map(move |window| (name(kind, window - 1), name(kind, window)));
    let smaller_window = ahead(KINDS.into_iter().flat_map(steps).collect(), psnr)?;
    let mut number_for_number = Vec::new();
    for local in KINDS {
        let reduced = reduced_psnr(runs.of(local)?).unwrap_or_default();
        for global in ["gmp", "gap"] {
            let global = runs.of(global)?.values(psnr);
            number_for_number.push(Interval::of_differences(&reduced, &global));
        }
    }
    let mut average_and_max = vec![
        ("average".to_owned(), "max".to_owned()),
        ("gap".to_owned(), "gmp".to_owned()),
    ];
    average_and_max.extend(windows().map(|window| (name("average", window), name("max", window))));
    let recovered = ahead(average_and_max, psnr)?;
    let less_noise = windows().flat_map(|window| {
        [name("max", window), name("max", 1)].map(|other| (other, name("average", window)))
    });
    let less_noise = ahead(less_noise.collect(), change)?;

    let (smallest, largest) = (*WINDOWS.start(), *WINDOWS.end());
    let rule = |what: &str| {
        format!(
            "{what}; a part holds if its paired interval, widened for the number of parts, is above 0."
        )
    };
    Ok(vec![
        Claim::decided(
            "Pooling loses information, the more the larger the window",
            Parts::above(&smaller_window, 0.0),
            &format!(
                "Max pooling with window {smallest} is {} dB ahead of window {largest}",
                plain(&between(
                    &name("max", smallest),
                    &name("max", largest),
                    psnr
                )?),
            ),
            &rule(
                "The parts are the steps from each window to the next larger one, for max and average pooling",
            ),
        ),
        Claim::decided(
            "Global pooling loses more than local pooling, number for number",
            Parts::above(&number_for_number, 0.0),
            &format!(
                "From {} numbers each, max is {} dB ahead of gmp",
                settings.components,
                plain(&number_for_number[0])
            ),
            &rule(
                "Max and average, reduced to as many principal components of their features as gmp and gap keep \
                 numbers, are each compared with both",
            ),
        ),
        Claim::decided(
            "A linear decoder recovers more from average pooling than from max pooling",
            Parts::above(&recovered, 0.0),
            &format!(
                "At window 2, average is {} dB ahead",
                plain(&between(&name("average", 2), &name("max", 2), psnr)?)
            ),
            &rule("Average is compared with max, gap with gmp, and the two at every window from 2"),
        ),
        Claim::decided(
            "Average pooling smooths: noise moves its features less",
            Parts::above(&less_noise, 0.0),
            &format!(
                "At window 2, noise moves the features of max by {} points more",
                between(&name("max", 2), &name("average", 2), change)?.percent()
            ),
            &rule(
                "At every window from 2, average is compared with max and with no pooling (window 1), by the \
                 distance of two noisy copies of an image as a share of the distance of two images",
            ),
        ),
    ])
}

fn plain(interval: &Interval) -> String {
    format!("{:.2} ± {:.2}", interval.mean, interval.half_width())
}
