//! Digits moved by 0 to 8 pixels: which networks keep their answer.

use burn_pooling::mnist::ImageSets;
use burn_pooling::model::PoolingCnnConfig;
use burn_pooling_experiments::images::{DIGIT, digits, middle, on_canvas};
use burn_pooling_experiments::networks::{blurred, strided, variants, without_pooling};
use burn_pooling_experiments::options::Options;
use burn_pooling_experiments::plot::{LineSeries, Lines};
use burn_pooling_experiments::report::{Cell, Claim, Parts, Report, Table};
use burn_pooling_experiments::runs::{NetworkRuns, Runs, each_seed};
use burn_pooling_experiments::shifts::{Shift, mean_consistency, over_shifts};
use burn_pooling_experiments::statistics::Interval;
use burn_pooling_experiments::training::{Schedule, Schedules, train};
use serde::Serialize;

/// The experiment, and its folder.
const NAME: &str = "translation";
/// Height and width of the images: room for 8 pixels around a digit, and for what strides leave out at the end.
const CANVAS: [usize; 2] = [39, 39];
/// The largest distance at which no 3x3 window that touches a digit reaches beyond the canvas.
const CLEAR: usize = (CANVAS[0] - DIGIT[0]) / 2 - 2;
/// Consistency above which a network counts as invariant.
const INVARIANT: f64 = 0.99;

/// What is chosen, and stands in `results.json`.
#[derive(Serialize)]
struct Settings {
    networks: Vec<PoolingCnnConfig>,
    /// Training images, validation images included, drawn anew for each seed; all in the middle.
    train_images: usize,
    /// Drawn anew for each seed.
    test_images: usize,
    /// Pixels up, down, left and right, and along the diagonals as many of both.
    distances: Vec<usize>,
    schedules: Schedules,
    seeds: Vec<u64>,
}

/// The figures of one network with one seed.
#[derive(Serialize)]
struct Run {
    network: String,
    seed: u64,
    best_epoch: usize,
    shifts: Vec<Shift>,
    /// Over all distances but 0.
    mean_consistency: f64,
}

fn main() -> anyhow::Result<()> {
    let options = Options::read();
    let sets = ImageSets::load(None)?;
    let settings = settings(&options);
    let (networks, seeds) = (&settings.networks, &settings.seeds);
    let runs = each_seed(NAME, options.threads(), networks, seeds, |network, seed| {
        let images = digits(&sets.train, settings.train_images, seed)?;
        let images = on_canvas(&images, CANVAS)?;
        let trained = train(network, &images, settings.schedules.of(network), seed)?;
        let test = digits(&sets.test, settings.test_images, seed)?;
        let shifts = over_shifts(&trained, &test, middle(DIGIT, CANVAS), &settings.distances)?;
        Ok(Run {
            network: network.name.clone(),
            seed,
            best_epoch: trained.best_epoch,
            mean_consistency: mean_consistency(&shifts),
            shifts,
        })
    })?;

    let found = Found { settings: &settings, runs: &runs };
    let folder = options.folder(NAME);
    let mut report = Report::new(NAME, options.quick, &settings)?.with_runs(runs.all())?;
    report.draw(
        &folder,
        "consistency.svg",
        &found.lines(
            "Answers that stay the same: mean and 95 % interval",
            "consistency (share of images, 0 to 1)",
            |shift| shift.consistency,
        ),
        "Share of images whose class stays the same, over the distance moved, with intervals",
    )?;
    report.draw(
        &folder,
        "accuracy.svg",
        &found.lines("Accuracy of moved digits: mean and 95 % interval", "test accuracy (0 to 1)", |shift| {
            shift.accuracy
        }),
        "Test accuracy of each network over the distance moved, with intervals",
    )?;
    report.summary = vec![
        found.table(
            "Consistency in percent over pixels moved: mean and 95 % interval over the seeds; mean: of all but 0.",
            |shift| shift.consistency,
            Some(|run| run.mean_consistency),
        ),
        found.table(
            "Test accuracy in percent over pixels moved: mean and 95 % interval over the seeds.",
            |shift| shift.accuracy,
            None,
        ),
    ];
    report.claims = found.claims()?;
    report.write(&folder)
}

fn settings(options: &Options) -> Settings {
    let mut networks = variants();
    networks.extend([without_pooling(), strided(), blurred()]);
    let schedule = |epochs| {
        // Small batches: else so few images are few steps.
        Schedule::fixed(epochs, options.choose(200, 50)).with_batch_size(32)
    };
    Settings {
        networks: (networks.into_iter()).map(|network| network.with_image_size(CANVAS)).collect(),
        train_images: options.choose(900, 250),
        test_images: options.choose(140, 30),
        distances: options.choose((0..=8).collect(), vec![0, 4, 8]),
        schedules: Schedules { flattening: schedule(options.choose(5, 1)), global: schedule(options.choose(80, 2)) },
        seeds: options.seeds(),
    }
}

struct Found<'a> {
    settings: &'a Settings,
    runs: &'a Runs<Run>,
}

impl Found<'_> {
    fn lines(&self, title: &str, y_label: &str, figure: fn(&Shift) -> f64) -> Lines {
        let line = |runs: &NetworkRuns<Run>| LineSeries {
            name: runs.network.name.clone(),
            points: (self.settings.distances.iter().enumerate())
                .map(|(place, &distance)| (distance as f64, runs.mean(|run| figure(&run.shifts[place]))))
                .collect(),
        };
        Lines {
            title: title.to_owned(),
            x_label: "moved down or up, right or left, or both (pixels)".to_owned(),
            y_label: y_label.to_owned(),
            logarithmic: false,
            bands: true,
            series: self.runs.0.iter().map(line).collect(),
        }
    }

    fn table(&self, caption: &str, figure: fn(&Shift) -> f64, mean: Option<fn(&Run) -> f64>) -> Table {
        let distances: Vec<_> = self.settings.distances.iter().map(usize::to_string).collect();
        let mut columns = vec![("network", 0)];
        columns.extend(distances.iter().map(|distance| (distance.as_str(), 1)));
        columns.extend(mean.map(|_| ("mean", 1)));
        let mut table = Table::new(caption, &columns);
        for runs in &self.runs.0 {
            let percent = |interval: Interval| Cell::from(interval.scaled(100.0));
            let mut row = vec![Cell::from(runs.network.name.as_str())];
            row.extend((0..distances.len()).map(|place| percent(runs.mean(|run| figure(&run.shifts[place])))));
            row.extend(mean.map(|mean| percent(runs.mean(mean))));
            table.push(row);
        }
        table
    }

    /// The consistency of a network at every distance from 1 to `most`.
    fn consistencies(&self, name: &str, most: usize) -> anyhow::Result<Vec<Interval>> {
        let runs = self.runs.of(name)?;
        let distances = self.settings.distances.iter().enumerate();
        let moved = distances.filter(|&(_, distance)| (1..=most).contains(distance));
        Ok(moved.map(|(place, _)| runs.mean(|run| run.shifts[place].consistency)).collect())
    }

    /// How far `one` is ahead of `other` in consistency over all distances but 0.
    fn ahead(&self, one: &str, other: &str) -> anyhow::Result<Interval> {
        let (one, other) = (self.runs.of(one)?, self.runs.of(other)?);
        Ok(one.ahead_of(other, |run| run.mean_consistency))
    }

    fn claims(&self) -> anyhow::Result<Vec<Claim>> {
        let over = ["none", "strided", "average"].map(|other| self.ahead("max", other));
        let over: Vec<_> = over.into_iter().collect::<anyhow::Result<_>>()?;
        let remedy = self.ahead("blur", "max")?;
        let max = self.consistencies("max", usize::MAX)?;
        let global = [self.consistencies("gmp", CLEAR)?, self.consistencies("gap", CLEAR)?].concat();
        let lowest = global.iter().fold(1.0, |low: f64, next| low.min(next.mean));
        let [of_max, of_none] = ["max", "none"].map(|name| {
            let runs = self.runs.of(name)?;
            anyhow::Ok(runs.mean(|run| run.mean_consistency).percent())
        });
        let (of_max, of_none) = (of_max?, of_none?);
        let all = "mean consistency over all distances but 0";
        let together = "95 % intervals (widened for their number, Bonferroni)";
        Ok(vec![
            Claim::decided(
                "Max pooling makes a network more robust to shifts",
                Parts::above(&over, 0.0),
                &format!("The mean consistency of max is {} points above that of no pooling", over[0].percent()),
                &format!(
                    "holds if the paired {together} of the difference in {all} are above 0 to no pooling, to strided \
                     convolutions and to average pooling; in part if some are."
                ),
            ),
            Claim::decided(
                "Max pooling makes a network invariant to shifts",
                Parts::above(&max, INVARIANT),
                &format!("The mean consistency of max is {of_max} % (no pooling: {of_none} %)"),
                &format!(
                    "holds if the {together} of the consistency are above 99 % at every distance, in part if at some."
                ),
            ),
            Claim::decided(
                "Global pooling makes a network invariant to shifts",
                Parts::above(&global, INVARIANT),
                &format!("The lowest consistency of gmp and gap up to {CLEAR} pixels is {:.2} %", 100.0 * lowest),
                &format!(
                    "holds if the {together} of the consistency are above 99 % for both heads at every distance up to \
                     {CLEAR} pixels, where no 3x3 window that touches a digit reaches beyond the canvas; in part if \
                     some are."
                ),
            ),
            Claim::decided(
                "Blur pooling is more robust to shifts than max pooling",
                Parts::above(&[remedy], 0.0),
                &format!("The mean consistency of blur is {} points above that of max", remedy.percent()),
                &format!("holds if the paired 95 % interval of the difference in {all} is above 0."),
            ),
        ])
    }
}
