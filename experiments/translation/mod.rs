//! Digits moved by 0 to 5 pixels: which networks keep their answer.

use burn_pooling::mnist::ImageDataset;
use burn_pooling::model::{PoolingCnnConfig, Variant};
use burn_pooling_experiments::images::{DIGIT, boxed, digits, middle, on_canvas};
use burn_pooling_experiments::networks::{HEADS, blurred, strided, two_convolutions_strided, without_pooling};
use burn_pooling_experiments::plot::{LineSeries, Lines};
use burn_pooling_experiments::protocol::{fitted, tuned_for};
use burn_pooling_experiments::report::{Cell, Claim, Comparison, Report, Table};
use burn_pooling_experiments::runs::{Runs, Seeded, Setting};
use burn_pooling_experiments::shifts::{Shift, mean_over, over_shifts};
use burn_pooling_experiments::statistics::Interval;
use burn_pooling_experiments::study::Study;
use burn_pooling_experiments::training::{Plan, train};
use serde::{Deserialize, Serialize};

/// Height and width of the images: around a digit moved by 5 pixels there is room for the largest region that a pooled
/// value of these networks sees (8x8), so that the image's edge plays no part.
const CANVAS: [usize; 2] = [44, 44];
/// Pixels up, down, left and right, and along the diagonals as many of both.
const DISTANCES: [usize; 6] = [0, 1, 2, 3, 4, 5];
/// The distances of what people call small shifts.
const SMALL: [usize; 2] = [1, 3];
/// Training images; validation images; test images.
const IMAGES: [usize; 3] = [10_000, 1_000, 1_000];
/// Share of answers, in percent, above which a network counts as invariant.
const INVARIANT: f64 = 99.0;

/// A network, and the digits that it is tested with.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Trial {
    plan: Plan,
    test_images: usize,
    distances: Vec<usize>,
}

/// The figures of one network with one seed.
#[derive(Debug, Serialize, Deserialize)]
struct Run {
    shifts: Vec<Shift>,
}

/// Trains every network on digits in the middle, and moves them.
pub fn report(study: &Study) -> anyhow::Result<Option<Report>> {
    let settings = networks().iter().map(|network| setting(network, study)).collect::<anyhow::Result<_>>()?;
    let train_images = study.data.sets.train.clone();
    let train_images = on_canvas(&boxed(&train_images, DIGIT)?, CANVAS)?;
    let test: &ImageDataset = &study.data.sets.test;
    let work = |trial: &Trial, seed| -> anyhow::Result<Run> {
        let trained = train(&trial.plan, &train_images, seed)?;
        let test = digits(test, trial.test_images, seed)?;
        Ok(Run { shifts: over_shifts(&trained, &test, middle(DIGIT, CANVAS), &trial.distances)? })
    };
    let Some(runs) = study.runs(settings, &study.seeds, work)? else { return Ok(None) };
    let found = Found(runs);
    let mut report = Report::new(study, &found.0.seeds, serde_json::json!({ "canvas": CANVAS }))?;
    let consistency = |shift: &Shift| shift.consistency;
    let same = found.lines("Answers that stay the same", "share of the images, percent", consistency);
    report.draw("consistency.svg", &same, "Share of images whose class stays the same over the distance moved")?;
    let right = found.lines("Accuracy of moved digits", "test accuracy, percent", |shift| shift.accuracy);
    report.draw("accuracy.svg", &right, "Test accuracy of each network over the distance moved")?;
    report.claims = found.claims()?;
    report.tables = vec![
        found.table("Share of answers that stay the same", consistency),
        found.table("Test accuracy", |shift| shift.accuracy),
    ];
    Ok(Some(report))
}

fn networks() -> Vec<PoolingCnnConfig> {
    let mut networks = Variant::ALL.map(PoolingCnnConfig::new).to_vec();
    networks.extend(HEADS.map(two_convolutions_strided));
    networks.extend([without_pooling(), strided(), blurred()]);
    networks
}

/// As tuned for all images, with more epochs for fewer images.
fn setting(network: &PoolingCnnConfig, study: &Study) -> anyhow::Result<Setting<Trial>> {
    let network = fitted(network, study.data).with_image_size(CANVAS);
    let tuned = tuned_for(&network.name, study.data.sets.train.len(), study.options.quick);
    let [train_images, valid_images, test_images] = study.options.choose(IMAGES, [200, 50, 20]);
    let plan = tuned.times(2).plan(network, [train_images, valid_images]);
    let (label, cost) = (plan.network.name.clone(), plan.multiply_adds()?);
    Ok(Setting { label, cost, settings: Trial { plan, test_images, distances: DISTANCES.to_vec() } })
}

/// The mean over small shifts of the share of answers that stay the same, in percent.
fn small(run: &Run) -> f64 {
    100.0 * mean_over(&run.shifts, SMALL[0], SMALL[1], |shift| shift.consistency)
}

/// The share of answers that stay the same at one distance, in percent.
fn at(distance: usize) -> impl Fn(&Run) -> f64 {
    move |run| 100.0 * mean_over(&run.shifts, distance, distance, |shift| shift.consistency)
}

/// The lowest share of answers that stay the same at any distance, in percent.
fn lowest(run: &Run) -> f64 {
    run.shifts.iter().map(|shift| 100.0 * shift.consistency).fold(f64::INFINITY, f64::min)
}

struct Found(Runs<Trial, Run>);

impl Found {
    fn more_robust(&self, one: &str, other: &str) -> anyhow::Result<[Comparison; 1]> {
        let [first, second] = [self.0.get(one)?, self.0.get(other)?];
        let difference = first.minus(second, small);
        let sentence = format!(
            "When digits move by {} to {} pixels, `{one}` keeps {} of its answers than `{other}` ({:.1} against {:.1} %).",
            SMALL[0],
            SMALL[1],
            difference.in_words("points", 1, ["more", "less"]),
            first.mean(small).mean,
            second.mean(small).mean,
        );
        Ok([Comparison::above(difference, 0.0, sentence)])
    }

    fn invariant(&self, network: &str) -> anyhow::Result<Comparison> {
        let kept = self.0.get(network)?.mean(lowest);
        let sentence = format!("`{network}` keeps at least {} % of its answers at every distance.", kept.text(1));
        Ok(Comparison::above(kept, INVARIANT, sentence))
    }

    fn claims(&self) -> anyhow::Result<Vec<Claim>> {
        let heads = HEADS.map(|head| self.invariant(head.name()));
        let strides = HEADS.map(|head| -> anyhow::Result<Comparison> {
            let network = two_convolutions_strided(head).name;
            let runs = self.0.get(&network)?;
            let kept = runs.mean(at(1));
            let sentence = format!(
                "When digits move by 1 pixel, `{network}` keeps {} % of its answers (by 2 pixels, {} %).",
                kept.text(1),
                runs.mean(at(2)).text(1),
            );
            Ok(Comparison::below(kept, INVARIANT, sentence))
        });
        let all =
            |comparisons: [anyhow::Result<Comparison>; 2]| comparisons.into_iter().collect::<anyhow::Result<Vec<_>>>();
        Ok(vec![
            Claim::new(
                "Max pooling makes a network more robust to small shifts than no pooling",
                self.more_robust("max", "none")?,
            ),
            Claim::new(
                "Max pooling makes a network more robust to small shifts than average pooling",
                self.more_robust("max", "average")?,
            ),
            Claim::new(
                "Max pooling makes a network more robust to small shifts than strided convolutions",
                self.more_robust("max", "strided")?,
            ),
            Claim::new(
                "Blur pooling is more robust to small shifts than max pooling",
                self.more_robust("blur", "max")?,
            ),
            Claim::new("Max pooling makes a network invariant to shifts", [self.invariant("max")?]),
            Claim::new("Without a stride before it, global pooling makes a network invariant to shifts", all(heads)?),
            Claim::new("A stride before global pooling ends the invariance", all(strides)?),
        ])
    }

    fn lines(&self, title: &str, y_label: &str, figure: fn(&Shift) -> f64) -> Lines {
        let line = |runs: &Seeded<Trial, Run>| {
            let points = DISTANCES.iter().enumerate();
            let points = points.map(|(place, &distance)| (distance as f64, percent(runs, place, figure)));
            LineSeries { name: runs.label.clone(), points: points.collect() }
        };
        Lines {
            title: format!("{title}: mean of the seeds and 95 % interval"),
            x_label: "distance moved, pixels".to_owned(),
            y_label: y_label.to_owned(),
            logarithmic: [false, false],
            marks: true,
            series: self.0.all.iter().map(line).collect(),
        }
    }

    fn table(&self, what: &str, figure: fn(&Shift) -> f64) -> Table {
        let caption =
            format!("{what}, in percent, by the distance moved in pixels: mean and 95 % interval over the seeds.");
        let distances = DISTANCES.map(|distance| distance.to_string());
        let mut columns = vec![("network", 0)];
        columns.extend(distances.iter().map(|distance| (distance.as_str(), 1)));
        let mut table = Table::new(&caption, &columns);
        for runs in &self.0.all {
            let mut row = vec![Cell::from(runs.label.as_str())];
            row.extend((0..DISTANCES.len()).map(|place| Cell::from(percent(runs, place, figure))));
            table.push(row);
        }
        table
    }
}

fn percent(runs: &Seeded<Trial, Run>, place: usize, figure: fn(&Shift) -> f64) -> Interval {
    runs.mean(|run| 100.0 * figure(&run.shifts[place]))
}
