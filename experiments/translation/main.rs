//! Digits moved by 0 to 8 pixels: which networks keep their answer.

use burn_pooling::mnist::{ImageDataset, ImageSets};
use experiments_common::images::{boxed, on_canvas, subset};
use experiments_common::network::NetworkConfig;
use experiments_common::options::Options;
use experiments_common::plot::{LineSeries, Lines};
use experiments_common::report::{Cell, Claim, Report, Table, Verdict};
use experiments_common::runs::{NetworkRuns, Runs, each_seed};
use experiments_common::shifts::{Shift, mean_consistency, over_shifts};
use experiments_common::statistics::Interval;
use experiments_common::training::{Schedule, train};
use serde::Serialize;

/// The experiment, and its folder.
const NAME: &str = "translation";
/// Height and width that every digit of MNIST fits.
const DIGIT: [usize; 2] = [20, 20];
/// Height and width of the images: a digit with room for 8 pixels on every side.
const CANVAS: [usize; 2] = [36, 36];
/// Accuracy that an invariant network may lose.
const LOSS: f64 = 0.05;
/// Consistency above which a network counts as invariant.
const INVARIANT: f64 = 0.99;

/// What is chosen, and stands in `results.json`.
#[derive(Serialize)]
struct Settings {
    networks: Vec<NetworkConfig>,
    /// Training images, validation images included, drawn anew for each seed; all in the middle.
    train_images: usize,
    /// Drawn anew for each seed.
    test_images: usize,
    /// Pixels up, down, left and right.
    distances: Vec<usize>,
    schedule: Schedule,
    /// Longer: they converge slowly, and an epoch of theirs is short.
    global_schedule: Schedule,
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
    let digits = |images: &ImageDataset, count, seed| boxed(&subset(images, count, seed), DIGIT);
    let runs = each_seed(NAME, options.threads(), networks, seeds, |network, seed| {
        let images = digits(&sets.train, settings.train_images, seed)?;
        let schedule = match network.is_global() {
            true => &settings.global_schedule,
            false => &settings.schedule,
        };
        let trained = train(
            network,
            &on_canvas(&images, CANVAS, [0, 0])?,
            schedule,
            seed,
        )?;
        let test = digits(&sets.test, settings.test_images, seed)?;
        let shifts = over_shifts(&trained, &test, &settings.distances)?;
        Ok(Run {
            network: network.name.clone(),
            seed,
            best_epoch: trained.best_epoch,
            mean_consistency: mean_consistency(&shifts),
            shifts,
        })
    })?;

    let found = Found {
        settings: &settings,
        runs: &runs,
    };
    let folder = options.folder(NAME);
    std::fs::create_dir_all(&folder)?;
    let mut report =
        Report::new(NAME, options.quick, &settings)?.with_runs(&runs.all().collect::<Vec<_>>())?;
    let consistency = found.lines(
        "Answers that stay the same: mean and 95 % interval",
        "consistency (share of images, 0 to 1)",
        |shift| shift.consistency,
    );
    consistency.draw(&folder.join("consistency.svg"))?;
    report.add_plot(
        "consistency.svg",
        "Share of images whose class stays the same, over the distance moved, with intervals",
    );
    let accuracy = found.lines(
        "Accuracy of moved digits: mean and 95 % interval",
        "test accuracy (0 to 1)",
        |shift| shift.accuracy,
    );
    accuracy.draw(&folder.join("accuracy.svg"))?;
    report.add_plot(
        "accuracy.svg",
        "Test accuracy of each network over the distance moved, with intervals",
    );
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
    let mut networks = NetworkConfig::variants();
    networks.extend([
        NetworkConfig::without_pooling(),
        NetworkConfig::strided(),
        NetworkConfig::blurred(),
    ]);
    let schedule = |epochs| {
        // Small batches: else so few images are few steps.
        Schedule::fixed(epochs, options.choose(200, 50)).with_batch_size(32)
    };
    Settings {
        networks: (networks.into_iter())
            .map(|network| network.with_image_size(CANVAS))
            .collect(),
        train_images: options.choose(1_000, 250),
        test_images: options.choose(200, 30),
        distances: options.choose((0..=8).collect(), vec![0, 4, 8]),
        schedule: schedule(options.choose(5, 1)),
        global_schedule: schedule(options.choose(80, 2)),
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
                .map(|(place, &distance)| {
                    (distance as f64, runs.mean(|run| figure(&run.shifts[place])))
                })
                .collect(),
        };
        Lines {
            title: title.to_owned(),
            x_label: "moved up, down, left or right (pixels)".to_owned(),
            y_label: y_label.to_owned(),
            logarithmic: false,
            bands: true,
            series: self.runs.0.iter().map(line).collect(),
        }
    }

    fn table(
        &self,
        caption: &str,
        figure: fn(&Shift) -> f64,
        mean: Option<fn(&Run) -> f64>,
    ) -> Table {
        let distances: Vec<_> = self
            .settings
            .distances
            .iter()
            .map(usize::to_string)
            .collect();
        let mut columns = vec![("network", 0)];
        columns.extend(distances.iter().map(|distance| (distance.as_str(), 1)));
        columns.extend(mean.map(|_| ("mean", 1)));
        let mut table = Table::new(caption, &columns);
        for runs in &self.runs.0 {
            let percent = |interval: Interval| Cell::from(interval.scaled(100.0));
            let mut row = vec![Cell::from(runs.network.name.as_str())];
            row.extend(
                (0..distances.len())
                    .map(|place| percent(runs.mean(|run| figure(&run.shifts[place])))),
            );
            row.extend(mean.map(|mean| percent(runs.mean(mean))));
            table.push(row);
        }
        table
    }

    fn claims(&self) -> anyhow::Result<Vec<Claim>> {
        let [max, none, strided, blur, gmp, gap] =
            ["max", "none", "strided", "blur", "gmp", "gap"].map(|name| self.runs.of(name));
        let (max, none, strided, blur) = (max?, none?, strided?, blur?);
        let ahead = |one: &NetworkRuns<Run>, other| one.ahead_of(other, |run| run.mean_consistency);
        let over = [ahead(max, none), ahead(max, strided)];
        let remedy = ahead(blur, max);
        let moved = || {
            let distances = self.settings.distances.iter().enumerate();
            distances.filter(|&(_, &distance)| distance > 0)
        };
        let consistency =
            |runs: &NetworkRuns<Run>, place: usize| runs.mean(|run| run.shifts[place].consistency);
        let global = [gmp?, gap?];
        let invariant = global.map(|runs| {
            let stays = |place| consistency(runs, place).is_above(INVARIANT);
            moved().map(|(place, _)| stays(place)).collect::<Vec<_>>()
        });
        let last = self.settings.distances.len() - 1;
        let kept = invariant
            .each_ref()
            .map(|stays| stays.iter().filter(|&&stays| stays).count());
        let farthest = global.map(|runs| consistency(runs, last).percent());
        let losses: Vec<_> = moved()
            .map(|(place, distance)| {
                let loss = |run: &Run| run.shifts[0].accuracy - run.shifts[place].accuracy;
                (distance, max.mean(loss))
            })
            .collect();
        let lost: Vec<_> = (losses.iter())
            .map(|(distance, loss)| format!("{} at {distance}", loss.percent()))
            .collect();
        let all = "mean consistency over all distances but 0";
        Ok(vec![
            Claim {
                claim: "Max pooling makes a network more robust to shifts".to_owned(),
                verdict: Verdict::of_parts(&over.map(|over| over.is_above(0.0))),
                figure: format!(
                    "Consistency of max is {} points above that of no pooling, {} above that of strided convolutions.",
                    over[0].percent(),
                    over[1].percent()
                ),
                rule: format!(
                    "holds if both paired 95 % intervals of the difference in {all} are above 0, in part if one is."
                ),
            },
            Claim {
                claim: "Max pooling makes a network invariant to shifts".to_owned(),
                verdict: Verdict::of_parts(
                    &(losses.iter()).map(|(_, loss)| loss.is_below(LOSS)).collect::<Vec<_>>(),
                ),
                figure: format!("Points of accuracy that max loses, by pixels moved: {}.", lost.join(", ")),
                rule: "holds if the 95 % interval of the loss is below 5 points at every distance, in part if at some."
                    .to_owned(),
            },
            Claim {
                claim: "Global pooling makes a network invariant to shifts".to_owned(),
                verdict: Verdict::of_parts(&invariant.concat()),
                figure: format!(
                    "Above 99 % consistent at {} (gmp) and {} (gap) of {last} distances; at {} pixels, where digits \
                     touch the edge, {} % and {} %.",
                    kept[0], kept[1], self.settings.distances[last], farthest[0], farthest[1]
                ),
                rule: "holds if the 95 % interval of the consistency is above 99 % at every distance for both heads, \
                       in part if at some."
                    .to_owned(),
            },
            Claim {
                claim: "Blur pooling is more robust to shifts than max pooling".to_owned(),
                verdict: Verdict::of_parts(&[remedy.is_above(0.0)]),
                figure: format!("Consistency of blur is {} points above that of max.", remedy.percent()),
                rule: format!("holds if the paired 95 % interval of the difference in {all} is above 0."),
            },
        ])
    }
}
