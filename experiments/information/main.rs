//! How much of an image the pooled features still hold: decoded back into pixels by ridge regression.

use burn_pooling::mnist::{ImageDataset, ImageSets};
use experiments_common::images::{grey, subset};
use experiments_common::network::{Downsampling, NetworkConfig};
use experiments_common::options::Options;
use experiments_common::plot::{BarSeries, Bars, Gallery, LineSeries, Lines, Picture};
use experiments_common::predictions::Matrix;
use experiments_common::report::{Cell, Claim, Report, Table, Verdict};
use experiments_common::ridge::{Ridge, mean_squared_error};
use experiments_common::runs::{NetworkRuns, Runs, each_seed};
use experiments_common::statistics::Interval;
use experiments_common::training::{Schedule, train};
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
    test_images: usize,
    seeds: Vec<u64>,
}

/// The figures of one network with one seed.
#[derive(Serialize)]
struct Run {
    network: String,
    seed: u64,
    features: usize,
    penalty: f64,
    /// Peak signal-to-noise ratio of the decoded test images, in decibels.
    psnr: f64,
    /// The pictures' test images, decoded; only of the first seed.
    #[serde(skip)]
    decoded: Option<Matrix>,
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
    std::fs::create_dir_all(&folder)?;
    let all: Vec<_> = runs.all().collect();
    let mut report = Report::new(NAME, options.quick, &settings)?.with_runs(&all)?;
    bars(&runs)?.draw(&folder.join("variants.svg"))?;
    report.add_plot(
        "variants.svg",
        "Peak signal-to-noise ratio of digits decoded from each variant's features",
    );
    lines(&runs)?.draw(&folder.join("windows.svg"))?;
    report.add_plot(
        "windows.svg",
        "Peak signal-to-noise ratio of decoded digits over the size of the pooling window",
    );
    gallery(&runs, &shown).draw(&folder.join("digits.svg"))?;
    report.add_plot("digits.svg", "Ten digits, and what is decoded of them");
    report.summary = vec![table(&runs)];
    report.claims = claims(&runs)?;
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
        penalties: vec![1e-6, 1e-4, 1e-2],
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
    let features = |images: &ImageDataset| trained.features(images);
    let part = |range: std::ops::Range<usize>| decoder_images.select(&range.collect::<Vec<_>>());
    let (fit, choose) = (part(0..fit), part(fit..decoder_images.len()));
    let decoder = Ridge::fit_best(
        (&features(&fit)?, &grey(&fit)),
        (&features(&choose)?, &grey(&choose)),
        &settings.penalties,
    )?;
    let decode = |images| -> anyhow::Result<Matrix> {
        let mut decoded = decoder.predict(&features(images)?);
        for value in &mut decoded.values {
            *value = value.clamp(0.0, 1.0);
        }
        Ok(decoded)
    };
    let first = settings.seeds.first() == Some(&seed);
    Ok(Run {
        network: network.name.clone(),
        seed,
        features: network.features()?,
        penalty: decoder.penalty,
        psnr: -10.0 * mean_squared_error(&decode(test)?, &grey(test)).log10(),
        decoded: first.then(|| decode(shown)).transpose()?,
    })
}

/// The first image of each digit.
fn one_of_each_digit(images: &ImageDataset) -> Vec<usize> {
    let first = |digit| images.labels().iter().position(|&label| label == digit);
    (0..10).filter_map(first).collect()
}

fn psnr(run: &Run) -> f64 {
    run.psnr
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

fn lines(runs: &Runs<Run>) -> anyhow::Result<Lines> {
    let series = KINDS.map(|kind| {
        let point = |window| Ok((window as f64, runs.of(&name(kind, window))?.mean(psnr)));
        Ok(LineSeries {
            name: kind.to_owned(),
            points: WINDOWS.map(point).collect::<anyhow::Result<_>>()?,
        })
    });
    Ok(Lines {
        title: "The larger the window, the less is recovered?".to_owned(),
        x_label: "window and stride (pixels; mean of the seeds, 95 % intervals)".to_owned(),
        y_label: "peak signal-to-noise ratio (dB)".to_owned(),
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
        let decoded = runs.runs.first()?.decoded.as_ref()?;
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

fn table(runs: &Runs<Run>) -> Table {
    let caption = "Peak signal-to-noise ratio of decoded test images in decibels: mean and 95 % interval over the \
                   seeds.";
    let columns = [("network", 0), ("features", 0), ("PSNR, dB", 2)];
    let mut table = Table::new(caption, &columns);
    for network in &runs.0 {
        table.push([
            Cell::from(network.network.name.as_str()),
            network.runs.first().map(|run| run.features).into(),
            network.mean(psnr).into(),
        ]);
    }
    table
}

fn claims(runs: &Runs<Run>) -> anyhow::Result<Vec<Claim>> {
    let ahead = |one: &str, other: &str| Ok(runs.of(one)?.ahead_of(runs.of(other)?, psnr));
    let all = |pairs: Vec<(String, String)>| {
        let intervals = pairs.iter().map(|(one, other)| ahead(one, other));
        intervals.collect::<anyhow::Result<Vec<Interval>>>()
    };
    let verdict = |parts: &[Interval]| {
        Verdict::of_parts(
            &parts
                .iter()
                .map(|part| part.is_above(0.0))
                .collect::<Vec<_>>(),
        )
    };
    let steps = |kind| {
        WINDOWS
            .skip(1)
            .map(move |window| (name(kind, window - 1), name(kind, window)))
    };
    let larger = all(KINDS.into_iter().flat_map(steps).collect())?;
    let pair = |one: &str, other: &str| (one.to_owned(), other.to_owned());
    let global = all(vec![
        pair("max", "gmp"),
        pair("max", "gap"),
        pair("average", "gmp"),
        pair("average", "gap"),
    ])?;
    let mut against = vec![pair("average", "max"), pair("gap", "gmp")];
    against.extend(
        WINDOWS
            .skip(1)
            .map(|window| (name("average", window), name("max", window))),
    );
    let context = all(against)?;
    let at = |name: &str| -> anyhow::Result<String> { Ok(decibels(runs.of(name)?)) };
    let (smallest, largest) = (*WINDOWS.start(), *WINDOWS.end());
    let range = |kind| -> anyhow::Result<String> {
        let ends = [at(&name(kind, smallest))?, at(&name(kind, largest))?];
        Ok(format!("{kind} from {} to {}", ends[0], ends[1]))
    };
    let rule = |what: &str| {
        format!("holds if the paired 95 % interval is above 0 in {what}, in part if in some.")
    };
    Ok(vec![
        Claim {
            claim: "Pooling loses information, the more the larger the window".to_owned(),
            verdict: verdict(&larger),
            figure: format!(
                "Decibels from window {smallest} to {largest}: {}; {}.",
                range("max")?,
                range("average")?
            ),
            rule: rule("every step to the next larger window, for max and average pooling"),
        },
        Claim {
            claim: "Global pooling loses more than local pooling".to_owned(),
            verdict: verdict(&global),
            figure: format!(
                "Decibels: max {}, average {}, gmp {}, gap {}.",
                at("max")?,
                at("average")?,
                at("gmp")?,
                at("gap")?
            ),
            rule: rule("all four comparisons of max and average with gmp and gap"),
        },
        Claim {
            claim: "Average pooling keeps more context than max pooling".to_owned(),
            verdict: verdict(&context),
            figure: format!(
                "Decibels at window 2: average {}, max {}; average is ahead in {} of {} comparisons.",
                at(&name("average", 2))?,
                at(&name("max", 2))?,
                context.iter().filter(|part| part.is_above(0.0)).count(),
                context.len()
            ),
            rule: rule(
                "all comparisons: average with max, gap with gmp, and at every window from 2",
            ),
        },
    ])
}

fn decibels(runs: &NetworkRuns<Run>) -> String {
    let mean = runs.mean(psnr);
    format!("{:.2} ± {:.2}", mean.mean, mean.half_width())
}
