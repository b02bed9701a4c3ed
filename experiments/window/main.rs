//! Max pooling with windows of 1 to 6 and strides of 1 to the window: accuracy, computation, answers that stay.

use burn_pooling::mnist::{ImageDataset, ImageSets};
use burn_pooling::model::PoolingCnnConfig;
use burn_pooling_experiments::images::{digits, placed, subset};
use burn_pooling_experiments::networks::{convolution, max_pool, of_stages};
use burn_pooling_experiments::options::Options;
use burn_pooling_experiments::plot::{LineSeries, Lines};
use burn_pooling_experiments::report::{Cell, Claim, Parts, Report, Table};
use burn_pooling_experiments::runs::{NetworkRuns, Runs, each_seed};
use burn_pooling_experiments::shifts::{Shift, mean_consistency, over_shifts};
use burn_pooling_experiments::statistics::Interval;
use burn_pooling_experiments::training::{Schedule, train};
use serde::Serialize;

/// The experiment, and its folder.
const NAME: &str = "window";
/// Height and width of the images: room for 2 pixels around a digit, and for what the strides leave out at the end.
const CANVAS: [usize; 2] = [33, 33];
/// Where the digits rest: they can move by 2 pixels.
const CORNER: [usize; 2] = [2, 2];

/// What is chosen, and stands in `results.json`.
#[derive(Serialize)]
struct Settings {
    networks: Vec<PoolingCnnConfig>,
    largest_window: usize,
    /// Training images, validation images included, drawn anew for each seed; all at rest.
    train_images: usize,
    /// For the accuracy; drawn anew for each seed.
    test_images: usize,
    /// Those of them that are moved.
    moved_images: usize,
    /// Pixels up, down, left and right, and along the diagonals as many of both.
    distances: Vec<usize>,
    schedule: Schedule,
    seeds: Vec<u64>,
}

/// The figures of one window and stride with one seed.
#[derive(Serialize)]
struct Run {
    network: String,
    seed: u64,
    best_epoch: usize,
    /// Test accuracy of digits at rest.
    accuracy: f64,
    shifts: Vec<Shift>,
    /// Over all distances.
    mean_consistency: f64,
}

fn main() -> anyhow::Result<()> {
    let options = Options::read();
    let sets = ImageSets::load(None)?;
    let settings = settings(&options);
    let (networks, seeds) = (&settings.networks, &settings.seeds);
    let resting = |images: &ImageDataset| placed(images, CANVAS, CORNER, [0, 0]);
    let runs = each_seed(NAME, options.threads(), networks, seeds, |network, seed| {
        let images = resting(&digits(&sets.train, settings.train_images, seed)?)?;
        let trained = train(network, &images, &settings.schedule, seed)?;
        let test = digits(&sets.test, settings.test_images, seed)?;
        let moved = subset(&test, settings.moved_images, seed);
        let shifts = over_shifts(&trained, &moved, CORNER, &settings.distances)?;
        Ok(Run {
            network: network.name.clone(),
            seed,
            best_epoch: trained.best_epoch,
            accuracy: trained.predict(&resting(&test)?)?.accuracy(),
            mean_consistency: mean_consistency(&shifts),
            shifts,
        })
    })?;

    let found = Found { settings: &settings, runs: &runs };
    let folder = options.folder(NAME);
    let mut report = Report::new(NAME, options.quick, &settings)?.with_runs(runs.all())?;
    for (file, lines, shows) in found.plots()? {
        report.draw(&folder, file, &lines, shows)?;
    }
    report.summary = vec![found.table()];
    report.claims = found.claims()?;
    report.write(&folder)
}

fn settings(options: &Options) -> Settings {
    let largest_window = options.choose(6, 3);
    let schedule = Schedule::fixed(options.choose(5, 1), options.choose(250, 50));
    Settings {
        networks: (1..=largest_window)
            .flat_map(|window| (1..=window).map(move |stride| pooled(window, stride)))
            .map(|network| network.with_image_size(CANVAS))
            .collect(),
        largest_window,
        train_images: options.choose(1_250, 250),
        test_images: options.choose(1_000, 60),
        moved_images: options.choose(150, 20),
        distances: options.choose(vec![1, 2], vec![2]),
        // Small batches: else so few images are few steps.
        schedule: schedule.with_batch_size(32),
        seeds: options.seeds(),
    }
}

/// The network `max` with this pooling after its first convolution.
fn pooled(window: usize, stride: usize) -> PoolingCnnConfig {
    let first = convolution().with_pool(Some(max_pool(window, stride)));
    of_stages(name(window, stride), [first, convolution().max_pool(2)])
}

fn name(window: usize, stride: usize) -> String {
    format!("{window}/{stride}")
}

struct Found<'a> {
    settings: &'a Settings,
    runs: &'a Runs<Run>,
}

impl Found<'_> {
    fn of(&self, window: usize, stride: usize) -> anyhow::Result<&NetworkRuns<Run>> {
        self.runs.of(&name(window, stride))
    }

    fn plots(&self) -> anyhow::Result<[(&'static str, Lines, &'static str); 3]> {
        Ok([
            (
                "accuracy.svg",
                self.lines(
                    "Accuracy by window and stride: mean and 95 % interval",
                    "test accuracy (0 to 1)",
                    |runs| runs.mean(|run| run.accuracy),
                )?,
                "Test accuracy over the window, a line for each stride, with intervals",
            ),
            (
                "consistency.svg",
                self.lines(
                    "Answers that stay the same, by window and stride: mean and 95 % interval",
                    "consistency (share of moved images, 0 to 1)",
                    |runs| runs.mean(|run| run.mean_consistency),
                )?,
                "Share of images whose class stays the same when they move, over the window, with intervals",
            ),
            (
                "cost.svg",
                self.lines("Multiply-adds by window and stride", "multiply-adds of an image (millions)", |runs| {
                    Interval::exact(runs.costs.multiply_adds as f64 / 1e6)
                })?,
                "Multiply-adds over the window, a line for each stride",
            ),
        ])
    }

    fn lines(
        &self, title: &str, y_label: &str, figure: impl Fn(&NetworkRuns<Run>) -> Interval,
    ) -> anyhow::Result<Lines> {
        let largest = self.settings.largest_window;
        let point = |window: usize, stride| Ok((window as f64, figure(self.of(window, stride)?)));
        let side_by_side = LineSeries {
            name: "as the window".to_owned(),
            points: (1..=largest).map(|window| point(window, window)).collect::<anyhow::Result<_>>()?,
        };
        let mut series = vec![side_by_side];
        for stride in 1..largest {
            series.push(LineSeries {
                name: format!("stride {stride}"),
                points: (stride..=largest).map(|window| point(window, stride)).collect::<anyhow::Result<_>>()?,
            });
        }
        Ok(Lines {
            title: title.to_owned(),
            x_label: "height and width of the window (positions)".to_owned(),
            y_label: y_label.to_owned(),
            logarithmic: false,
            bands: true,
            series,
        })
    }

    fn table(&self) -> Table {
        let caption = "Window/stride of the first pooling. Multiply-adds of an image; accuracy at rest, and \
                       consistency over all distances, in percent: mean and 95 % interval over the seeds.";
        let columns = [
            ("window/stride", 0),
            ("parameters", 0),
            ("multiply-adds", 0),
            ("results, bytes", 0),
            ("accuracy", 2),
            ("consistency", 2),
        ];
        let mut table = Table::new(caption, &columns);
        for runs in &self.runs.0 {
            table.push([
                Cell::from(runs.network.name.as_str()),
                runs.costs.parameters.into(),
                (runs.costs.multiply_adds as f64).into(),
                runs.costs.activation_bytes.into(),
                runs.mean(|run| 100.0 * run.accuracy).into(),
                runs.mean(|run| 100.0 * run.mean_consistency).into(),
            ]);
        }
        table
    }

    /// How far the first window and stride are ahead of the second, for every window from `smallest` up.
    fn ahead(
        &self, smallest: usize, pair: impl Fn(usize) -> [(usize, usize); 2], figure: fn(&Run) -> f64,
    ) -> anyhow::Result<Vec<Interval>> {
        let windows = smallest..=self.settings.largest_window;
        windows
            .map(|window| {
                let [one, other] = pair(window).map(|(window, stride)| self.of(window, stride));
                Ok(one?.ahead_of(other?, figure))
            })
            .collect()
    }

    fn claims(&self) -> anyhow::Result<Vec<Claim>> {
        let accuracy = |run: &Run| run.accuracy;
        let consistency = |run: &Run| run.mean_consistency;
        let larger = [
            self.ahead(3, |window| [(window, 1), (2, 1)], accuracy)?,
            self.ahead(3, |window| [(window, window), (2, 2)], accuracy)?,
        ]
        .concat();
        let robust = [
            self.ahead(2, |window| [(window, 1), (1, 1)], consistency)?,
            self.ahead(2, |window| [(window, window), (1, 1)], consistency)?,
        ]
        .concat();
        let stride = |window| [(window, 1), (window, window)];
        let stride = [self.ahead(2, stride, accuracy)?, self.ahead(2, stride, consistency)?].concat();
        let overlap = self.ahead(2, |window| [(window, window - 1), (window, window)], accuracy)?;
        let largest = self.settings.largest_window;
        let last = |intervals: &[Interval]| (intervals.last()).map_or_else(String::new, Interval::percent);
        let together = "paired 95 % intervals (widened for their number, Bonferroni)";
        Ok(vec![
            Claim::decided(
                "A larger window costs accuracy",
                Parts::below(&larger, 0.0),
                &format!("Side by side, windows of {largest} are ahead of windows of 2 by {} points", last(&larger)),
                &format!(
                    "holds if the {together} of the difference to a window of 2 are below 0 for windows of 3 to \
                     {largest}, at stride 1 and side by side; in part if some are."
                ),
            ),
            Claim::decided(
                "A larger window makes a network more robust to shifts",
                Parts::above(&robust, 0.0),
                &format!(
                    "Side by side, windows of {largest} are ahead of windows of 1 by {} points of consistency",
                    last(&robust)
                ),
                &format!(
                    "holds if the {together} of the difference to a window of 1 are above 0 for windows of 2 to \
                     {largest}, at stride 1 and side by side; in part if some are."
                ),
            ),
            Claim::decided(
                "A larger stride costs accuracy and robustness to shifts",
                Parts::above(&stride, 0.0),
                &format!(
                    "With windows of {largest}, a stride of 1 is ahead of one of {largest} by {} points of consistency",
                    last(&stride)
                ),
                &format!(
                    "holds if the {together} of the difference between a stride of 1 and one of the window are above 0 \
                     for windows of 2 to {largest}, in accuracy and in consistency; in part if some are."
                ),
            ),
            Claim::decided(
                "Windows that overlap classify better than windows side by side",
                Parts::above(&overlap, 0.0),
                &format!(
                    "With windows of 2, a stride of 1 is ahead of one of 2 by {} points of accuracy",
                    overlap.first().map_or_else(String::new, Interval::percent)
                ),
                &format!(
                    "holds if the {together} of the difference between a stride of one less than the window and one of \
                     the window are above 0 for windows of 2 to {largest}, in part if some are."
                ),
            ),
        ])
    }
}
