//! Max pooling with windows of 1 to 6 and strides of 1 to the window, one changed at a time: accuracy, computation, answers
//! that stay when digits move.

use burn_pooling::mnist::ImageDataset;
use burn_pooling::model::PoolingCnnConfig;
use burn_pooling_experiments::costs::Costs;
use burn_pooling_experiments::images::{DIGIT, boxed, digits, placed};
use burn_pooling_experiments::networks::{convolution, max_pool, of_stages};
use burn_pooling_experiments::plot::{LineSeries, Lines};
use burn_pooling_experiments::protocol::{fitted, tuned_for};
use burn_pooling_experiments::report::{Cell, Claim, Comparison, Report, Table};
use burn_pooling_experiments::runs::{Runs, Setting};
use burn_pooling_experiments::shifts::{Shift, mean_over, over_shifts};
use burn_pooling_experiments::statistics::Interval;
use burn_pooling_experiments::study::Study;
use burn_pooling_experiments::training::{Plan, train};
use serde::{Deserialize, Serialize};

/// Heights and widths of the windows; the strides are those of them that are not larger than the window.
const WINDOWS: [usize; 5] = [1, 2, 3, 4, 6];
/// Height and width of the images: room for 2 pixels around a digit, and for what the strides leave out at the end.
const CANVAS: [usize; 2] = [33, 33];
/// Where the digits rest.
const CORNER: [usize; 2] = [2, 2];
/// Pixels up, down, left and right, and along the diagonals as many of both.
const DISTANCES: [usize; 2] = [1, 2];
/// Training images; validation images; test images that are moved.
const IMAGES: [usize; 3] = [10_000, 1_000, 1_000];

/// A network, and the digits that are moved.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Trial {
    plan: Plan,
    moved_images: usize,
    distances: Vec<usize>,
}

/// The figures of one window and stride with one seed.
#[derive(Debug, Serialize, Deserialize)]
struct Run {
    /// Share of all test images, at rest, that are classified correctly.
    accuracy: f64,
    shifts: Vec<Shift>,
}

/// Trains with every window and stride.
pub fn report(study: &Study) -> anyhow::Result<Option<Report>> {
    let settings = pairs().iter().map(|&pair| setting(pair, study)).collect::<anyhow::Result<_>>()?;
    let resting = |images: &ImageDataset| placed(images, CANVAS, CORNER, [0, 0]);
    let train_images = resting(&boxed(&study.data.sets.train, DIGIT)?)?;
    let test = resting(&boxed(&study.data.sets.test, DIGIT)?)?;
    let work = |trial: &Trial, seed| -> anyhow::Result<Run> {
        let trained = train(&trial.plan, &train_images, seed)?;
        let moved = digits(&study.data.sets.test, trial.moved_images, seed)?;
        Ok(Run {
            accuracy: trained.predict(&test)?.accuracy(),
            shifts: over_shifts(&trained, &moved, CORNER, &trial.distances)?,
        })
    };
    let Some(runs) = study.runs(settings, &study.seeds, work)? else { return Ok(None) };
    let found = Found(runs);
    let mut report = Report::new(study, &found.0.seeds, serde_json::json!({ "canvas": CANVAS, "corner": CORNER }))?;
    let accuracy = found.lines("Accuracy by window and stride", "test accuracy, percent", accuracy)?;
    report.draw("accuracy.svg", &accuracy, "Test accuracy over the window, a line for each stride")?;
    let same =
        found.lines("Answers that stay when digits move by 1 and 2 pixels", "share of the images, percent", kept)?;
    report.draw(
        "consistency.svg",
        &same,
        "Share of images whose class stays the same when they move, over the window",
    )?;
    report.claims = found.claims()?;
    report.tables = vec![found.table()?];
    Ok(Some(report))
}

fn pairs() -> Vec<(usize, usize)> {
    WINDOWS
        .iter()
        .flat_map(|&window| WINDOWS.map(|stride| (window, stride)))
        .filter(|(window, stride)| stride <= window)
        .collect()
}

/// As in "3x3, stride 2".
fn name((window, stride): (usize, usize)) -> String {
    format!("{window}x{window}, stride {stride}")
}

/// The network `max` with this pooling after its first convolution, and its own after the second.
fn network(pair: (usize, usize)) -> PoolingCnnConfig {
    let first = convolution().with_pool(Some(max_pool(pair.0, pair.1)));
    of_stages(name(pair), [first, convolution().max_pool(2)])
}

/// Trained as `max` is, with more epochs for fewer images.
fn setting(pair: (usize, usize), study: &Study) -> anyhow::Result<Setting<Trial>> {
    let network = fitted(&network(pair), study.data).with_image_size(CANVAS);
    let tuned = tuned_for("max", study.data.sets.train.len(), study.options.quick);
    let [train_images, valid_images, moved_images] = study.options.choose(IMAGES, [200, 50, 20]);
    let plan = tuned.times(2).plan(network, [train_images, valid_images]);
    let (label, cost) = (plan.network.name.clone(), plan.multiply_adds()?);
    Ok(Setting { label, cost, settings: Trial { plan, moved_images, distances: DISTANCES.to_vec() } })
}

fn accuracy(run: &Run) -> f64 {
    100.0 * run.accuracy
}

/// Share of answers that stay the same when digits move, in percent.
fn kept(run: &Run) -> f64 {
    100.0 * mean_over(&run.shifts, DISTANCES[0], DISTANCES[1], |shift| shift.consistency)
}

struct Found(Runs<Trial, Run>);

impl Found {
    /// That a figure is higher with one window and stride than with another; `phrase` says the difference.
    fn higher(
        &self, [one, other]: [(usize, usize); 2], figure: fn(&Run) -> f64, phrase: fn(&Interval) -> String,
    ) -> anyhow::Result<Comparison> {
        let [first, second] = [self.0.get(&name(one))?, self.0.get(&name(other))?];
        let difference = first.minus(second, figure);
        let sentence = format!(
            "With windows of {}, the network {} than with windows of {} ({:.2} against {:.2} %).",
            name(one),
            phrase(&difference),
            name(other),
            first.mean(figure).mean,
            second.mean(figure).mean,
        );
        Ok(Comparison::above(difference, 0.0, sentence))
    }

    fn claims(&self) -> anyhow::Result<Vec<Claim>> {
        // Each pair differs in one of the two.
        let windows = [[(6, 1), (1, 1)], [(6, 2), (2, 2)]];
        let strides = [[(2, 1), (2, 2)], [(3, 1), (3, 3)], [(6, 1), (6, 6)]];
        let accurate = |pair| {
            self.higher(pair, accuracy, |by| {
                format!("is {}", by.in_words("points", 2, ["more accurate", "less accurate"]))
            })
        };
        let robust = |pair| {
            self.higher(pair, kept, |by| format!("keeps {} of its answers", by.in_words("points", 2, ["more", "less"])))
        };
        let all = |pairs: &[_], compare: &dyn Fn(_) -> anyhow::Result<Comparison>| {
            pairs.iter().map(|&pair| compare(pair)).collect::<anyhow::Result<Vec<_>>>()
        };
        let smaller = windows.map(|[one, other]| [other, one]);
        Ok(vec![
            Claim::new("At the same stride, a larger window costs accuracy", all(&smaller, &accurate)?),
            Claim::new("At the same window, a larger stride costs accuracy", all(&strides, &accurate)?),
            Claim::new(
                "At the same stride, a larger window makes a network more robust to shifts",
                all(&windows, &robust)?,
            ),
            Claim::new("At the same window, a larger stride costs robustness to shifts", all(&strides, &robust)?),
            Claim::new(
                "Windows that overlap (3x3, stride 2) classify better than windows side by side (2x2, stride 2)",
                [accurate([(3, 2), (2, 2)])?],
            ),
        ])
    }

    fn lines(&self, title: &str, y_label: &str, figure: fn(&Run) -> f64) -> anyhow::Result<Lines> {
        let line = |stride: usize| -> anyhow::Result<LineSeries> {
            let windows = WINDOWS.into_iter().filter(|&window| window >= stride);
            let points = windows.map(|window| Ok((window as f64, self.0.get(&name((window, stride)))?.mean(figure))));
            Ok(LineSeries { name: format!("stride {stride}"), points: points.collect::<anyhow::Result<_>>()? })
        };
        Ok(Lines {
            title: format!("{title}: mean of the seeds and 95 % interval"),
            x_label: "height and width of the window, positions".to_owned(),
            y_label: y_label.to_owned(),
            logarithmic: [false, false],
            marks: true,
            series: WINDOWS.into_iter().map(line).collect::<anyhow::Result<_>>()?,
        })
    }

    fn table(&self) -> anyhow::Result<Table> {
        let caption = "Accuracy of all test images at rest, and share of answers that stay when digits move by 1 and 2 \
                       pixels, in percent: mean and 95 % interval over the seeds.";
        let columns = [
            ("window of the first pooling", 0),
            ("parameters", 0),
            ("multiply-adds", 0),
            ("accuracy", 2),
            ("answers that stay", 2),
        ];
        let mut table = Table::new(caption, &columns);
        for runs in &self.0.all {
            let costs = Costs::of(&runs.settings.plan.network)?;
            table.push([
                Cell::from(runs.label.as_str()),
                costs.parameters.into(),
                (costs.multiply_adds as f64).into(),
                runs.mean(accuracy).into(),
                runs.mean(kept).into(),
            ]);
        }
        Ok(table)
    }
}
