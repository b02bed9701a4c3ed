//! The four variants at equal epochs and trained to convergence, beside global heads as deep, and as large, as `max`.

use burn_pooling::mnist::ImageSets;
use burn_pooling::model::PoolingCnnConfig;
use burn_pooling_experiments::images::subset;
use burn_pooling_experiments::mcnemar::McNemar;
use burn_pooling_experiments::networks::{HEADS, two_convolutions, variants, widened};
use burn_pooling_experiments::options::Options;
use burn_pooling_experiments::plot::{BarSeries, Bars, LineSeries, Lines};
use burn_pooling_experiments::predictions::Predictions;
use burn_pooling_experiments::report::{Cell, Claim, Parts, Report, Table};
use burn_pooling_experiments::runs::{NetworkRuns, Runs, each_seed};
use burn_pooling_experiments::speed::{Speed, in_turns};
use burn_pooling_experiments::statistics::{Interval, mean_curve};
use burn_pooling_experiments::training::{Schedule, Schedules, train};
use serde::Serialize;

/// The experiment, and its folder.
const NAME: &str = "variants";

/// What is chosen, and stands in `results.json`.
#[derive(Serialize)]
struct Settings {
    networks: Vec<PoolingCnnConfig>,
    /// Training images, validation images included, drawn anew for each seed.
    train_images: usize,
    test_images: usize,
    schedules: Schedules,
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
    /// Whether the most epochs ended it, and not that no better one came.
    cut_short: bool,
    valid_accuracy: Vec<f64>,
    #[serde(skip)]
    predictions: Predictions,
}

fn main() -> anyhow::Result<()> {
    let options = Options::read();
    let sets = ImageSets::load(None)?;
    let settings = settings(&options);
    let test = subset(&sets.test, settings.test_images, 0);
    let (networks, seeds) = (&settings.networks, &settings.seeds);
    let runs = each_seed(NAME, options.threads(), networks, seeds, |network, seed| {
        let images = subset(&sets.train, settings.train_images, seed);
        let schedule = settings.schedules.of(network);
        let trained = train(network, &images, schedule, seed)?;
        let predictions = trained.predict(&test)?;
        Ok(Run {
            network: network.name.clone(),
            seed,
            equal_epochs_accuracy: trained.at_snapshot().predict(&test)?.accuracy(),
            converged_accuracy: predictions.accuracy(),
            epochs: trained.history.len(),
            best_epoch: trained.best_epoch,
            cut_short: trained.is_cut_short(schedule),
            valid_accuracy: trained.valid_curve(),
            predictions,
        })
    })?;
    let speeds = in_turns(networks, &test, options.choose(7, 1), options.choose(20, 1))?;

    let found = Found { settings: &settings, runs: &runs };
    let folder = options.folder(NAME);
    let mut report = Report::new(NAME, options.quick, &settings)?.with_runs(runs.all())?.with_measurements(&speeds)?;
    report.draw(
        &folder,
        "curves.svg",
        &found.curves(),
        "Validation accuracy of each network over the epochs, with intervals",
    )?;
    report.draw(
        &folder,
        "accuracy.svg",
        &found.bars(),
        "Test accuracy of each network at equal epochs and converged, with intervals",
    )?;
    report.summary = vec![found.accuracies()?, found.costs(&speeds)];
    report.claims = found.claims()?;
    report.write(&folder)
}

fn settings(options: &Options) -> Settings {
    let mut networks = variants();
    networks.extend(HEADS.map(two_convolutions));
    networks.extend(HEADS.map(widened));
    let equal_epochs = options.choose(5, 1);
    let valid_size = options.choose(600, 200);
    let schedule =
        |epochs, patience| Schedule::until_converged(epochs, patience, valid_size).with_snapshot(equal_epochs);
    Settings {
        networks,
        train_images: options.choose(2_200, 1_000),
        test_images: options.choose(4_000, 500),
        schedules: Schedules {
            flattening: schedule(options.choose(40, 2), 4),
            // Small batches: they need many steps.
            global: schedule(options.choose(150, 2), 10).with_batch_size(32),
        },
        equal_epochs,
        seeds: options.seeds(),
    }
}

struct Found<'a> {
    settings: &'a Settings,
    runs: &'a Runs<Run>,
}

impl Found<'_> {
    fn accuracies(&self) -> anyhow::Result<Table> {
        let caption = "Test accuracy in percent and epochs to the best validation accuracy: mean and 95 % interval \
                       over the seeds; behind max: in points, paired by seed; better, worse: seeds in which McNemar's \
                       test says so against max (p < 0.05); cut short: seeds in which the most epochs ended training.";
        let at = format!("after {} epochs", self.settings.equal_epochs);
        let columns = [
            ("network", 0),
            (&at, 2),
            ("best epoch by validation", 2),
            ("behind max", 2),
            ("best epoch", 1),
            ("better", 0),
            ("worse", 0),
            ("cut short", 0),
        ];
        let mut table = Table::new(caption, &columns);
        let max = self.runs.of("max")?;
        for runs in &self.runs.0 {
            let other = (runs.network.name != "max").then_some(runs);
            let tests: Vec<_> = (runs.runs.iter().zip(&max.runs))
                .map(|(run, max)| McNemar::of(&run.predictions, &max.predictions))
                .filter(|test| test.p < 0.05)
                .collect();
            let better = |test: &&McNemar| test.only_first > test.only_second;
            let better = tests.iter().filter(better).count();
            table.push([
                Cell::from(runs.network.name.as_str()),
                runs.mean(|run| 100.0 * run.equal_epochs_accuracy).into(),
                runs.mean(|run| 100.0 * run.converged_accuracy).into(),
                other.map(|runs| max.ahead_of(runs, |run| 100.0 * run.converged_accuracy)).into(),
                runs.mean(|run| run.best_epoch as f64).into(),
                other.map(|_| better).into(),
                other.map(|_| tests.len() - better).into(),
                runs.runs.iter().filter(|run| run.cut_short).count().into(),
            ]);
        }
        Ok(table)
    }

    fn costs(&self, speeds: &[Speed]) -> Table {
        let caption = "Costs for one image, and images a second on one thread (medians, in turns).";
        let columns = ["network", "parameters", "multiply-adds", "activations, bytes", "training", "inference"];
        let mut table = Table::new(caption, &columns.map(|title| (title, 0)));
        for (runs, speed) in self.runs.0.iter().zip(speeds) {
            let costs = &runs.costs;
            table.push([
                Cell::from(runs.network.name.as_str()),
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
        let line = |runs: &NetworkRuns<Run>| {
            let curves = runs.runs.iter().map(|run| run.valid_accuracy.clone());
            let points = mean_curve(&curves.collect::<Vec<_>>()).into_iter().enumerate();
            LineSeries {
                name: runs.network.name.clone(),
                points: points.map(|(index, accuracy)| ((index + 1) as f64, accuracy)).collect(),
            }
        };
        Lines {
            title: "Learning curves: mean of the seeds and its 95 % interval".to_owned(),
            x_label: "epochs, logarithmic (a run that has ended keeps its last value)".to_owned(),
            y_label: "validation accuracy (0 to 1)".to_owned(),
            logarithmic: true,
            bands: true,
            series: self.runs.0.iter().map(line).collect(),
        }
    }

    fn bars(&self) -> Bars {
        let series = |name: String, figure: fn(&Run) -> f64| BarSeries {
            name,
            heights: self.runs.0.iter().map(|runs| runs.mean(figure)).collect(),
        };
        Bars {
            title: "Test accuracy: mean of the seeds and its 95 % interval".to_owned(),
            x_label: "network".to_owned(),
            y_label: "test accuracy (0 to 1)".to_owned(),
            from_zero: true,
            categories: (self.runs.0.iter()).map(|runs| runs.network.name.clone()).collect(),
            series: vec![
                series(format!("after {} epochs", self.settings.equal_epochs), |run| run.equal_epochs_accuracy),
                series("best by validation".to_owned(), |run| run.converged_accuracy),
            ],
        }
    }

    fn claims(&self) -> anyhow::Result<Vec<Claim>> {
        let max = self.runs.of("max")?;
        let behind = |name: &str| -> anyhow::Result<Interval> {
            Ok(max.ahead_of(self.runs.of(name)?, |run| run.converged_accuracy))
        };
        let average = behind("average")?;
        let heads = ["", " 2 conv", " wide"]
            .into_iter()
            .flat_map(|suffix| HEADS.map(|head| behind(&format!("{head}{suffix}"))))
            .collect::<anyhow::Result<Vec<_>>>()?;
        let closest = heads.iter().min_by(|one, other| one.mean.total_cmp(&other.mean));
        Ok(vec![
            Claim::decided(
                "Max pooling classifies better than average pooling",
                Parts::above(&[average], 0.0),
                &format!("Best epoch by validation: max is ahead by {} points", average.percent()),
                "holds if the paired 95 % interval of the difference is above 0.",
            ),
            Claim::decided(
                "Global pooling costs accuracy",
                Parts::above(&heads, 0.0),
                &format!(
                    "Best epoch by validation: the best of six global networks is behind max by {} points",
                    closest.map_or_else(String::new, Interval::percent)
                ),
                "holds if the paired 95 % intervals (widened for their number, Bonferroni) of what gmp and gap, with \
                 two convolutions and with as many parameters, are behind max are above 0; in part if some are.",
            ),
        ])
    }
}
