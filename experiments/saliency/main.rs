//! Where global heads look, trained and untrained: class activation maps of the average, arg-max maps of the maximum.

use burn_pooling::mnist::{ImageDataset, ImageSets};
use burn_pooling::model::{PoolingCnnConfig, Variant};
use burn_pooling_experiments::images::{grey, subset};
use burn_pooling_experiments::options::Options;
use burn_pooling_experiments::plot::{BarSeries, Bars, Gallery, Picture};
use burn_pooling_experiments::predictions::Predictions;
use burn_pooling_experiments::report::{Cell, Claim, Parts, Report, Table};
use burn_pooling_experiments::runs::{NetworkRuns, Runs, each_seed};
use burn_pooling_experiments::statistics::Interval;
use burn_pooling_experiments::training::{Schedule, Trained, train, untrained};
use serde::Serialize;

mod maps;
use maps::{Maps, on_digit};

/// The experiment, and its folder.
const NAME: &str = "saliency";
/// Seeds of which the gallery shows the maps: two, so that chance can be told from what all networks do.
const SHOWN_SEEDS: usize = 2;

/// Shares by digit of one kind of map.
type Shares = fn(&Run) -> &[f64];
/// What is said of each network, with what its name is given.
const KINDS: [(&str, Shares); 2] = [("", |run| &run.shares), (", untrained", |run| &run.untrained_shares)];

/// What is chosen, and stands in `results.json`.
#[derive(Serialize)]
struct Settings {
    networks: Vec<PoolingCnnConfig>,
    /// Training images, drawn anew for each seed.
    train_images: usize,
    schedule: Schedule,
    test_images: usize,
    seeds: Vec<u64>,
}

/// The figures of one network with one seed.
#[derive(Serialize)]
struct Run {
    network: String,
    seed: u64,
    test_accuracy: f64,
    /// Mean share of a map's weight on the digit's ink: of the digits 0 to 9, and last of all images.
    shares: Vec<f64>,
    /// The same of the network before training, for the classes that the trained one decides on.
    untrained_shares: Vec<f64>,
    #[serde(skip)]
    shown: Shown,
}

/// What the gallery needs of a run.
#[derive(Default)]
struct Shown {
    predictions: Option<Predictions>,
    maps: Option<Maps>,
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
        run([trained, untrained(network, seed)?], &test, seeds.iter().take(SHOWN_SEEDS).any(|&shown| shown == seed))
    })?;
    let chance = means_by_digit(&test, &Maps::uniform(&test).shares_on(&on_digit(&test)));

    let folder = options.folder(NAME);
    let mut report = Report::new(NAME, options.quick, &settings)?.with_runs(runs.all())?;
    report.draw(
        &folder,
        "maps.svg",
        &gallery(&runs, &test),
        "Ten digits with the places that speak for their class in orange, for both heads and two seeds",
    )?;
    report.draw(
        &folder,
        "shares.svg",
        &bars(&runs, &chance),
        "Share of the maps' weight on the digit's ink, for both heads, trained and untrained, and by chance",
    )?;
    report.summary = vec![table(&runs, &chance)];
    report.claims = claims(&runs, &chance)?;
    report.write(&folder)
}

fn settings(options: &Options) -> Settings {
    let networks = [Variant::GlobalAverage, Variant::GlobalMax];
    Settings {
        networks: networks.map(PoolingCnnConfig::new).to_vec(),
        train_images: options.choose(20_000, 2_000),
        schedule: Schedule::fixed(options.choose(10, 3), 0),
        test_images: options.choose(1_000, 200),
        seeds: options.seeds(),
    }
}

fn run([trained, before]: [Trained; 2], test: &ImageDataset, shown: bool) -> anyhow::Result<Run> {
    let predictions = trained.predict(test)?;
    let maps = Maps::of(&trained, test, &predictions.classes)?;
    let before = Maps::of(&before, test, &predictions.classes)?;
    let shares = |maps: &Maps| means_by_digit(test, &maps.shares_on(&on_digit(test)));
    Ok(Run {
        network: trained.config.name.clone(),
        seed: trained.seed,
        test_accuracy: predictions.accuracy(),
        shares: shares(&maps),
        untrained_shares: shares(&before),
        shown: match shown {
            true => Shown { predictions: Some(predictions), maps: Some(maps) },
            false => Shown::default(),
        },
    })
}

/// The mean of what each image has (if it has), of each digit and then of all; NaN if no image has any.
fn means_by_digit(images: &ImageDataset, values: &[Option<f64>]) -> Vec<f64> {
    let mean = |of: &dyn Fn(u8) -> bool| {
        let values: Vec<f64> =
            (images.labels().iter().zip(values)).filter_map(|(&label, value)| value.filter(|_| of(label))).collect();
        values.iter().sum::<f64>() / values.len() as f64
    };
    let mut means: Vec<f64> = (0..10).map(|digit| mean(&|label| label == digit)).collect();
    means.push(mean(&|_| true));
    means
}

/// Of each digit the first image that all shown networks classify correctly; else the first.
fn shown_images(runs: &Runs<Run>, test: &ImageDataset) -> Vec<usize> {
    let correct: Vec<Vec<bool>> =
        (runs.all()).filter_map(|run| Some(run.shown.predictions.as_ref()?.correct())).collect();
    let of_digit = |digit| {
        let mut images = (0..test.len()).filter(move |&index| test.labels()[index] == digit);
        let first = images.clone().next();
        images.find(|&index| correct.iter().all(|correct| correct[index])).or(first)
    };
    (0..10).filter_map(of_digit).collect()
}

fn gallery(runs: &Runs<Run>, test: &ImageDataset) -> Gallery {
    let indices = shown_images(runs, test);
    let shown = test.select(&indices);
    let ink = grey(&shown);
    let pale = |image: &[f32]| image.iter().map(|ink| 0.4 * ink).collect::<Vec<_>>();
    let size = test.image_size();
    let images = ink.rows().map(|image| Picture::ink(image, size)).collect();
    let maps = runs.all().filter_map(|run| {
        let maps = run.shown.maps.as_ref()?;
        let pictures = (indices.iter().zip(ink.rows()))
            .map(|(&index, image)| Picture::heat(&pale(image), &maps.over_image(index), size));
        Some((format!("{}, seed {}", run.network, run.seed), pictures.collect()))
    });
    Gallery {
        title: "What speaks for the predicted class (orange): class activation maps of gap, arg-max maps of gmp"
            .to_owned(),
        columns: shown.labels().iter().map(u8::to_string).collect(),
        rows: [("image".to_owned(), images)].into_iter().chain(maps).collect(),
    }
}

/// The digits' names, and that of all.
fn digits() -> Vec<String> {
    (0..10).map(|digit| digit.to_string()).chain(["all".to_owned()]).collect()
}

fn bars(runs: &Runs<Run>, chance: &[f64]) -> Bars {
    let bars = |name: String, runs: &NetworkRuns<Run>, shares: Shares| BarSeries {
        name,
        heights: (0..chance.len()).map(|digit| runs.mean(|run| shares(run)[digit])).collect(),
    };
    let both = |runs: &NetworkRuns<Run>| {
        KINDS.map(|(kind, shares)| bars(format!("{}{kind}", runs.network.name), runs, shares))
    };
    let mut series: Vec<BarSeries> = runs.0.iter().flat_map(both).collect();
    series.push(BarSeries {
        name: "chance".to_owned(),
        heights: chance.iter().map(|&share| Interval::exact(share)).collect(),
    });
    Bars {
        title: "Do the heads look at the digit? Mean of the seeds, 95 % intervals".to_owned(),
        x_label: "digit".to_owned(),
        y_label: "share of a map's weight on ink (0 to 1)".to_owned(),
        from_zero: true,
        categories: digits(),
        series,
    }
}

fn table(runs: &Runs<Run>, chance: &[f64]) -> Table {
    let caption = "Share of a map's weight on the digit's ink, in percent, and test accuracy (0 to 1): mean \
                   and 95 % interval over the seeds.";
    let names: Vec<_> = digits().into_iter().map(|digit| format!("share, {digit}")).collect();
    let mut columns = vec![("network", 0), ("test accuracy", 4)];
    columns.extend(names.iter().map(|name| (name.as_str(), 1)));
    let mut table = Table::new(caption, &columns);
    for runs in &runs.0 {
        for (kind, shares) in KINDS {
            let name = format!("{}{kind}", runs.network.name);
            let accuracy = kind.is_empty().then(|| runs.mean(|run| run.test_accuracy));
            let mut row: Vec<Cell> = vec![name.as_str().into(), accuracy.into()];
            row.extend((0..chance.len()).map(|digit| Cell::from(runs.mean(|run| 100.0 * shares(run)[digit]))));
            table.push(row);
        }
    }
    let mut row: Vec<Cell> = vec!["chance".into(), Cell::Empty];
    row.extend(chance.iter().map(|share| Cell::from(100.0 * share)));
    table.push(row);
    table
}

fn claims(runs: &Runs<Run>, chance: &[f64]) -> anyhow::Result<Vec<Claim>> {
    let heads = [runs.of("gap")?, runs.of("gmp")?];
    let [gap, gmp] = heads;
    let all = chance.len() - 1;
    let learned = |run: &Run, digit: usize| run.shares[digit] - run.untrained_shares[digit];
    let by_digit = |figure: &dyn Fn(&Run, usize) -> f64| -> Vec<Interval> {
        let of_head =
            |runs: &NetworkRuns<Run>| (0..all).map(|digit| runs.mean(|run| figure(run, digit))).collect::<Vec<_>>();
        heads.map(of_head).concat()
    };
    let rule = |what: &str| {
        format!(
            "The parts are both heads with each digit; a part holds if the interval of the share on ink less {what}, \
             widened for the number of parts, is above 0."
        )
    };
    let closer = gmp.ahead_of(gap, |run| learned(run, all));
    Ok(vec![
        Claim::decided(
            "Global heads look at the digit, not at the background",
            Parts::above(&by_digit(&|run, digit| run.shares[digit] - chance[digit]), 0.0),
            &format!(
                "The maps of gap have {} points more of their weight on ink than by chance",
                gap.mean(|run| run.shares[all] - chance[all]).percent()
            ),
            &rule("chance"),
        ),
        Claim::decided(
            "Global heads learn to look at the digit",
            Parts::above(&by_digit(&learned), 0.0),
            &format!(
                "Training moves the weight on ink of gap's maps by {} points",
                gap.mean(|run| learned(run, all)).percent()
            ),
            &rule("that of the same network before training"),
        ),
        Claim::decided(
            "Global max pooling looks more closely at the digit than global average pooling",
            Parts::above(&[closer], 0.0),
            &format!(
                "The weight on ink of gmp's maps, less that before training, is {} points above that of gap's",
                closer.percent()
            ),
            "Each head less itself before training; holds if the paired interval of the difference is above 0.",
        ),
    ])
}
