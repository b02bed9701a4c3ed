//! The four variants at equal epochs and trained to convergence, beside global heads as deep, and as large, as `max`.

use burn_pooling::mnist::{ImageDataset, ImageSets};
use experiments_common::images::subset;
use experiments_common::network::{Costs, Head, NetworkConfig};
use experiments_common::options::Options;
use experiments_common::parallel::in_parallel;
use experiments_common::plot::{BarSeries, Bars, LineSeries, Lines};
use experiments_common::predictions::Predictions;
use experiments_common::report::{Cell, Claim, Report, Table, Verdict};
use experiments_common::speed::{Speed, in_turns};
use experiments_common::statistics::{Interval, McNemar, mean_curve};
use experiments_common::training::{Schedule, train};
use serde::Serialize;

/// The experiment, and its folder.
const NAME: &str = "variants";

/// What is chosen, and stands in `results.json`.
#[derive(Serialize)]
struct Settings {
    networks: Vec<NetworkConfig>,
    /// Training images, validation images included, drawn anew for each seed.
    train_images: usize,
    test_images: usize,
    schedule: Schedule,
    /// The epoch at which all are compared.
    equal_epochs: usize,
    seeds: Vec<u64>,
}

/// The figures of one network with one seed.
#[derive(Serialize)]
struct Run {
    network: String,
    seed: u64,
    /// Test accuracy after the same number of epochs for all.
    equal_epochs_accuracy: f64,
    /// Test accuracy of the best epoch by validation accuracy.
    converged_accuracy: f64,
    epochs: usize,
    best_epoch: usize,
    valid_accuracy: Vec<f64>,
    #[serde(skip)]
    predictions: Predictions,
}

fn main() -> anyhow::Result<()> {
    let options = Options::read();
    let sets = ImageSets::load(None)?;
    let settings = settings(&options);
    let test = subset(&sets.test, settings.test_images, 0);
    let runs = run(&settings, &sets.train, &test, options.threads())?;
    let speeds = in_turns(
        &settings.networks,
        &test,
        options.choose(7, 1),
        options.choose(20, 1),
    )?;
    let found = Found::new(&settings, &runs)?;

    let folder = options.folder(NAME);
    std::fs::create_dir_all(&folder)?;
    let mut report = Report::new(NAME, options.quick, &settings)?
        .with_runs(&runs)?
        .with_measurements(&speeds)?;
    found.curves().draw(&folder.join("curves.svg"))?;
    report.add_plot(
        "curves.svg",
        "Validation accuracy of each network over the epochs, with intervals",
    );
    found.bars().draw(&folder.join("accuracy.svg"))?;
    report.add_plot(
        "accuracy.svg",
        "Test accuracy of each network at equal epochs and converged, with intervals",
    );
    report.summary = vec![found.accuracies(), found.costs(&speeds)];
    report.claims = found.claims();
    report.write(&folder)
}

fn settings(options: &Options) -> Settings {
    let mut networks = NetworkConfig::variants();
    networks.extend(Head::ALL.map(NetworkConfig::two_convolutions));
    networks.extend(Head::ALL.map(NetworkConfig::widened));
    let equal_epochs = options.choose(5, 1);
    let schedule = Schedule::until_converged(options.choose(40, 2), 4, options.choose(2_000, 200));
    Settings {
        networks,
        train_images: options.choose(14_000, 1_000),
        test_images: options.choose(10_000, 500),
        schedule: schedule.with_snapshot(equal_epochs),
        equal_epochs,
        seeds: options.seeds(),
    }
}

fn run(
    settings: &Settings,
    images: &ImageDataset,
    test: &ImageDataset,
    threads: usize,
) -> anyhow::Result<Vec<Run>> {
    let jobs: Vec<_> = (settings.networks.iter())
        .flat_map(|network| settings.seeds.iter().map(move |&seed| (network, seed)))
        .collect();
    let label = |(network, seed): &(&NetworkConfig, u64)| format!("{}, seed {seed}", network.name);
    in_parallel(NAME, threads, &jobs, label, |&(network, seed)| {
        let images = subset(images, settings.train_images, seed);
        let trained = train(network, &images, &settings.schedule, seed)?;
        let predictions = trained.predict(test)?;
        Ok(Run {
            network: network.name.clone(),
            seed,
            equal_epochs_accuracy: trained.at_snapshot().predict(test)?.accuracy(),
            converged_accuracy: predictions.accuracy(),
            epochs: trained.history.len(),
            best_epoch: trained.best_epoch,
            valid_accuracy: trained.valid_curve(),
            predictions,
        })
    })
}

/// The runs, network by network.
struct Found<'a> {
    settings: &'a Settings,
    networks: Vec<(&'a NetworkConfig, Costs, &'a [Run])>,
}

impl<'a> Found<'a> {
    fn new(settings: &'a Settings, runs: &'a [Run]) -> anyhow::Result<Self> {
        let networks = settings
            .networks
            .iter()
            .zip(runs.chunks_exact(settings.seeds.len()));
        let networks = networks.map(|(network, runs)| Ok((network, network.costs()?, runs)));
        Ok(Self {
            settings,
            networks: networks.collect::<anyhow::Result<_>>()?,
        })
    }

    fn of(&self, name: &str) -> &'a [Run] {
        let found = self
            .networks
            .iter()
            .find(|(network, ..)| network.name == name);
        found.map_or(&[], |(.., runs)| runs)
    }

    fn accuracies(&self) -> Table {
        let caption = "Test accuracy (0 to 1) and epochs to the best validation accuracy: mean and 95 % interval over \
                       the seeds; behind max, paired by seed; McNemar: seeds of which p < 0.05 against max.";
        let at = format!("after {} epochs", self.settings.equal_epochs);
        let columns = [
            ("network", 0),
            (&at, 4),
            ("converged", 4),
            ("behind max", 4),
            ("best epoch", 1),
            ("McNemar", 0),
        ];
        let mut table = Table::new(caption, &columns);
        let max = self.of("max");
        for (network, _, runs) in &self.networks {
            let best_epoch = values(runs, |run| run.best_epoch as f64);
            let other = network.name != "max";
            let tests = runs
                .iter()
                .zip(max)
                .map(|(run, max)| McNemar::of(&run.predictions, &max.predictions));
            table.push([
                Cell::from(network.name.as_str()),
                Interval::of(&values(runs, |run| run.equal_epochs_accuracy)).into(),
                Interval::of(&values(runs, |run| run.converged_accuracy)).into(),
                other.then(|| difference(max, runs)).into(),
                Interval::of(&best_epoch).into(),
                other
                    .then(|| tests.filter(|test| test.p < 0.05).count())
                    .into(),
            ]);
        }
        table
    }

    fn costs(&self, speeds: &[Speed]) -> Table {
        let caption = "Costs for one image, and images a second on one thread (medians, in turns).";
        let columns = [
            "network",
            "parameters",
            "multiply-adds",
            "activations, bytes",
            "training",
            "inference",
        ];
        let mut table = Table::new(caption, &columns.map(|title| (title, 0)));
        for ((network, costs, _), speed) in self.networks.iter().zip(speeds) {
            table.push([
                Cell::from(network.name.as_str()),
                costs.parameters.into(),
                (costs.multiply_adds as f64).into(),
                costs.activation_bytes.into(),
                speed.training.median.into(),
                speed.inference.median.into(),
            ]);
        }
        table
    }

    fn curves(&self) -> Lines {
        let line = |(network, _, runs): &(&NetworkConfig, Costs, &[Run])| {
            let curves: Vec<_> = runs.iter().map(|run| run.valid_accuracy.clone()).collect();
            let points = mean_curve(&curves).into_iter().enumerate();
            LineSeries {
                name: network.name.clone(),
                points: points
                    .map(|(index, accuracy)| ((index + 1) as f64, accuracy))
                    .collect(),
            }
        };
        Lines {
            title: "Learning curves: mean of the seeds and its 95 % interval".to_owned(),
            x_label: "epochs (a run that has converged keeps its last value)".to_owned(),
            y_label: "validation accuracy (0 to 1)".to_owned(),
            logarithmic: false,
            bands: true,
            series: self.networks.iter().map(line).collect(),
        }
    }

    fn bars(&self) -> Bars {
        let series = |name: String, figure: fn(&Run) -> f64| BarSeries {
            name,
            heights: self
                .networks
                .iter()
                .map(|(.., runs)| Interval::of(&values(runs, figure)))
                .collect(),
        };
        Bars {
            title: "Test accuracy: mean of the seeds and its 95 % interval".to_owned(),
            x_label: "network".to_owned(),
            y_label: "test accuracy (0 to 1)".to_owned(),
            from_zero: true,
            categories: self
                .networks
                .iter()
                .map(|(network, ..)| network.name.clone())
                .collect(),
            series: vec![
                series(
                    format!("after {} epochs", self.settings.equal_epochs),
                    |run| run.equal_epochs_accuracy,
                ),
                series("converged".to_owned(), |run| run.converged_accuracy),
            ],
        }
    }

    fn claims(&self) -> Vec<Claim> {
        let max = self.of("max");
        let over_average = difference(max, self.of("average"));
        let behind = |suffix: &str| {
            Head::ALL.map(|head| difference(max, self.of(&format!("{}{suffix}", head.name()))))
        };
        let (plain, deep, wide) = (behind(""), behind(" 2 conv"), behind(" wide"));
        let percent = |interval: &Interval| {
            let points = interval.scaled(100.0);
            format!("{:.2} ± {:.2}", points.mean, points.half_width())
        };
        let both =
            |[gmp, gap]: &[Interval; 2]| format!("gmp {} and gap {}", percent(gmp), percent(gap));
        vec![
            Claim {
                claim: "Max pooling classifies better than average pooling".to_owned(),
                verdict: Verdict::of_parts(&[over_average.is_above(0.0)]),
                figure: format!(
                    "max is ahead by {} points, converged.",
                    percent(&over_average)
                ),
                rule: "holds if the paired 95 % interval of the difference is above 0.".to_owned(),
            },
            Claim {
                claim: "Global pooling costs accuracy".to_owned(),
                verdict: Verdict::of_parts(
                    &[plain, deep, wide]
                        .concat()
                        .iter()
                        .map(|gap| gap.is_above(0.0))
                        .collect::<Vec<_>>(),
                ),
                figure: format!(
                    "Points behind max: {}; with two convolutions {}; with as many parameters {}.",
                    both(&plain),
                    both(&deep),
                    both(&wide)
                ),
                rule: "holds if all six paired 95 % intervals are above 0, in part if some are."
                    .to_owned(),
            },
        ]
    }
}

fn values(runs: &[Run], figure: impl Fn(&Run) -> f64) -> Vec<f64> {
    runs.iter().map(figure).collect()
}

/// How far `another` is behind `one`, converged, paired by seed.
fn difference(one: &[Run], another: &[Run]) -> Interval {
    let accuracy = |runs| values(runs, |run: &Run| run.converged_accuracy);
    Interval::of_differences(&accuracy(one), &accuracy(another))
}
