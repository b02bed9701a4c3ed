//! Where global heads look: class activation maps of the average one, arg-max maps of the max one.

use burn_pooling::mnist::{ImageDataset, ImageSets};
use burn_pooling::model::Variant;
use experiments_common::images::{grey, subset};
use experiments_common::network::NetworkConfig;
use experiments_common::options::Options;
use experiments_common::plot::{BarSeries, Bars, Gallery, Picture};
use experiments_common::predictions::Predictions;
use experiments_common::report::{Cell, Claim, Report, Table, Verdict};
use experiments_common::runs::{Runs, each_seed};
use experiments_common::statistics::Interval;
use experiments_common::training::{Schedule, Trained, train};
use serde::Serialize;

mod maps;
use maps::{Maps, on_digit};

/// The experiment, and its folder.
const NAME: &str = "saliency";
/// Seeds of which the gallery shows the maps: two, so that chance can be told from what all networks do.
const SHOWN_SEEDS: usize = 2;

/// What is chosen, and stands in `results.json`.
#[derive(Serialize)]
struct Settings {
    networks: Vec<NetworkConfig>,
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
        run(
            trained,
            &test,
            seeds.iter().take(SHOWN_SEEDS).any(|&shown| shown == seed),
        )
    })?;
    let chance = means_by_digit(&test, &Maps::uniform(&test).shares_on(&on_digit(&test)));

    let folder = options.folder(NAME);
    std::fs::create_dir_all(&folder)?;
    let all: Vec<_> = runs.all().collect();
    let mut report = Report::new(NAME, options.quick, &settings)?.with_runs(&all)?;
    gallery(&runs, &test).draw(&folder.join("maps.svg"))?;
    report.add_plot(
        "maps.svg",
        "Ten digits with the places that speak for their class in orange, for both heads and two seeds",
    );
    bars(&runs, &chance).draw(&folder.join("shares.svg"))?;
    report.add_plot(
        "shares.svg",
        "Share of the maps' weight on the digit's ink, for both heads and by chance",
    );
    report.summary = vec![table(&runs, &chance)];
    report.claims = claims(&runs, &chance)?;
    report.write(&folder)
}

fn settings(options: &Options) -> Settings {
    let networks = [Variant::GlobalAverage, Variant::GlobalMax];
    Settings {
        networks: networks.map(NetworkConfig::variant).to_vec(),
        train_images: options.choose(20_000, 2_000),
        schedule: Schedule::fixed(options.choose(10, 3), 0),
        test_images: options.choose(1_000, 200),
        seeds: options.seeds(),
    }
}

fn run(trained: Trained, test: &ImageDataset, shown: bool) -> anyhow::Result<Run> {
    let predictions = trained.predict(test)?;
    let maps = Maps::of(&trained, test, &predictions.classes)?;
    Ok(Run {
        network: trained.config.name.clone(),
        seed: trained.seed,
        test_accuracy: predictions.accuracy(),
        shares: means_by_digit(test, &maps.shares_on(&on_digit(test))),
        shown: match shown {
            true => Shown {
                predictions: Some(predictions),
                maps: Some(maps),
            },
            false => Shown::default(),
        },
    })
}

/// The mean of what each image has (if it has), of each digit and then of all; NaN if no image has any.
fn means_by_digit(images: &ImageDataset, values: &[Option<f64>]) -> Vec<f64> {
    let mean = |of: &dyn Fn(u8) -> bool| {
        let values: Vec<f64> = (images.labels().iter().zip(values))
            .filter_map(|(&label, value)| value.filter(|_| of(label)))
            .collect();
        values.iter().sum::<f64>() / values.len() as f64
    };
    let mut means: Vec<f64> = (0..10).map(|digit| mean(&|label| label == digit)).collect();
    means.push(mean(&|_| true));
    means
}

/// Of each digit the first image that all shown networks classify correctly; else the first.
fn shown_images(runs: &Runs<Run>, test: &ImageDataset) -> Vec<usize> {
    let correct: Vec<Vec<bool>> = (runs.all())
        .filter_map(|run| Some(run.shown.predictions.as_ref()?.correct()))
        .collect();
    let of_digit = |digit| {
        let mut images = (0..test.len()).filter(move |&index| test.labels()[index] == digit);
        let first = images.clone().next();
        images
            .find(|&index| correct.iter().all(|correct| correct[index]))
            .or(first)
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
        Some((
            format!("{}, seed {}", run.network, run.seed),
            pictures.collect(),
        ))
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
    (0..10)
        .map(|digit| digit.to_string())
        .chain(["all".to_owned()])
        .collect()
}

fn bars(runs: &Runs<Run>, chance: &[f64]) -> Bars {
    let mut series: Vec<BarSeries> = (runs.0.iter())
        .map(|runs| BarSeries {
            name: runs.network.name.clone(),
            heights: (0..chance.len())
                .map(|digit| runs.mean(|run| run.shares[digit]))
                .collect(),
        })
        .collect();
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
    let names: Vec<_> = digits()
        .into_iter()
        .map(|digit| format!("share, {digit}"))
        .collect();
    let mut columns = vec![("network", 0), ("test accuracy", 4)];
    columns.extend(names.iter().map(|name| (name.as_str(), 1)));
    let mut table = Table::new(caption, &columns);
    for runs in &runs.0 {
        let mut row: Vec<Cell> = vec![
            runs.network.name.as_str().into(),
            runs.mean(|run| run.test_accuracy).into(),
        ];
        row.extend(
            (0..chance.len()).map(|digit| Cell::from(runs.mean(|run| 100.0 * run.shares[digit]))),
        );
        table.push(row);
    }
    let mut row: Vec<Cell> = vec!["chance".into(), Cell::Empty];
    row.extend(chance.iter().map(|share| Cell::from(100.0 * share)));
    table.push(row);
    table
}

fn claims(runs: &Runs<Run>, chance: &[f64]) -> anyhow::Result<Vec<Claim>> {
    let all = chance.len() - 1;
    let heads = [runs.of("gap")?, runs.of("gmp")?];
    let [gap, gmp] = heads;
    let closer = gmp.ahead_of(gap, |run| run.shares[all]);
    let above_chance = heads.map(|runs| {
        let above = |digit| runs.mean(|run: &Run| run.shares[digit] - chance[digit]);
        (0..all)
            .map(|digit| above(digit).is_above(0.0))
            .collect::<Vec<_>>()
    });
    let figure = |head: usize| {
        let name = &heads[head].network.name;
        let share = heads[head].mean(|run| run.shares[all]).percent();
        let digits = above_chance[head].iter().filter(|&&above| above).count();
        format!("{name} {share}, above chance for {digits} of {all} digits")
    };
    Ok(vec![
        Claim {
            claim: "Global heads look at the digit, not at the background".to_owned(),
            verdict: Verdict::of_parts(&above_chance.concat()),
            figure: format!(
                "Percent of the maps' weight on ink: {}; {}; by chance {:.2}.",
                figure(0),
                figure(1),
                100.0 * chance[all]
            ),
            rule: "holds if for both heads and each digit the 95 % interval of the share on ink is above chance, in \
                   part if for some."
                .to_owned(),
        },
        Claim {
            claim: "Global max pooling looks more closely at the digit than global average pooling"
                .to_owned(),
            verdict: Verdict::of_parts(&[closer.is_above(0.0)]),
            figure: format!(
                "gmp has {} points more of its maps' weight on ink.",
                closer.percent()
            ),
            rule: "holds if the paired 95 % interval of the difference is above 0.".to_owned(),
        },
    ])
}
