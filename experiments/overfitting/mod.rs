//! From 100 to 10,000 training images: how far test accuracy stays behind training accuracy, with pooling, without, and
//! with what else people use against overfitting.

use burn_pooling::model::{PoolingCnnConfig, Variant};
use burn_pooling::training::ImageAugmentation;
use burn_pooling_experiments::images::subset;
use burn_pooling_experiments::networks::{strided, without_pooling};
use burn_pooling_experiments::plot::{LineSeries, Lines};
use burn_pooling_experiments::protocol::{fitted, tuned_for};
use burn_pooling_experiments::report::{Cell, Claim, Comparison, Report, Table};
use burn_pooling_experiments::runs::{Runs, Setting};
use burn_pooling_experiments::statistics::Interval;
use burn_pooling_experiments::study::Study;
use burn_pooling_experiments::training::{BATCH_SIZE, Plan, train};
use serde::{Deserialize, Serialize};

/// Numbers of training images, each with the steps of training: enough for the images to be fitted.
const SIZES: [(usize, usize); 3] = [(100, 500), (1_000, 1_000), (10_000, 2_000)];
/// Training accuracy in percent from which the images count as fitted.
const FITTED: f64 = 99.0;
/// Shift augmentation, in pixels.
const SHIFT: f64 = 2.0;
/// Dropout of the hidden units.
const DROPOUT: f64 = 0.5;
/// The most images of `none`, a tenth as fast as the others.
const MOST_OF_NONE: usize = 1_000;

/// Shares of the images that are classified correctly.
#[derive(Debug, Serialize, Deserialize)]
struct Run {
    train: f64,
    test: f64,
}

/// Trains every network on every number of images.
pub fn report(study: &Study) -> anyhow::Result<Option<Report>> {
    let mut settings = Vec::new();
    for (plan, label) in SIZES.iter().flat_map(|&(size, steps)| plans(size, steps, study)) {
        settings.push(Setting { label, cost: plan.multiply_adds()?, settings: plan });
    }
    let sets = &study.data.sets;
    let work = |plan: &Plan, seed| -> anyhow::Result<Run> {
        let trained = train(plan, &sets.train, seed)?;
        let train = trained.predict(&subset(&sets.train, plan.train_images, seed))?.accuracy();
        Ok(Run { train, test: trained.predict(&sets.test)?.accuracy() })
    };
    let Some(runs) = study.runs(settings, &study.seeds, work)? else { return Ok(None) };
    let found = Found(runs);
    let mut report = Report::new(study, &found.0.seeds, serde_json::json!({ "images_and_steps": SIZES }))?;
    let difference = found
        .lines("How far test accuracy is behind training accuracy", "points", |run| 100.0 * (run.train - run.test));
    report.draw("difference.svg", &difference, "Training less test accuracy over the number of training images")?;
    let test = found.lines("Accuracy on test images", "test accuracy, percent", test);
    report.draw("test.svg", &test, "Test accuracy over the number of training images")?;
    report.claims = found.claims()?;
    report.tables = vec![found.table()];
    Ok(Some(report))
}

/// The networks and what is done against overfitting, with their names.
fn plans(size: usize, steps: usize, study: &Study) -> Vec<(Plan, String)> {
    let [max, average] = [Variant::Max, Variant::Average].map(PoolingCnnConfig::new);
    let shift = Some(ImageAugmentation { shift: SHIFT, ..Default::default() });
    let mut networks = vec![
        (max.clone(), "max", None, None),
        (average, "average", None, None),
        (strided(), "strided", None, None),
        (strided(), "strided with dropout", None, Some(DROPOUT)),
        (strided(), "strided with shifts", shift, None),
        (max, "max with shifts", shift, None),
    ];
    if size <= MOST_OF_NONE {
        networks.push((without_pooling(), "none", None, None));
    }
    let images = study.options.choose(size, size.min(200));
    let in_epoch = images.div_ceil(BATCH_SIZE);
    let plan = |(network, name, augmentation, dropout): (PoolingCnnConfig, &str, _, _)| {
        let network = fitted(&network, study.data);
        let tuned = tuned_for(&network.name, study.data.sets.train.len(), study.options.quick);
        let epochs = study.options.choose(steps.div_ceil(in_epoch), 1);
        let plan = Plan { epochs, augmentation, dropout, ..tuned.plan(network, [images, 0]) };
        (plan, label(name, size))
    };
    networks.into_iter().map(plan).collect()
}

fn label(name: &str, size: usize) -> String {
    format!("{name}, {size} images")
}

fn test(run: &Run) -> f64 {
    100.0 * run.test
}

fn train_accuracy(run: &Run) -> f64 {
    100.0 * run.train
}

struct Found(Runs<Plan, Run>);

impl Found {
    /// That one is better than the other on test images, at every size that both have.
    fn better(&self, one: &str, other: &str) -> Vec<Comparison> {
        let compare = |&(size, _): &(usize, usize)| {
            let [first, second] = [one, other].map(|name| self.0.get(&label(name, size)).ok());
            let (first, second) = (first?, second?);
            let difference = first.minus(second, test);
            let sentence = format!(
                "Trained on {size} images, `{one}` is {} than `{other}` ({:.1} against {:.1} % of the test images; {:.1} \
                 and {:.1} % of the training images).",
                difference.in_words("points", 2, ["more accurate", "less accurate"]),
                first.mean(test).mean,
                second.mean(test).mean,
                first.mean(train_accuracy).mean,
                second.mean(train_accuracy).mean,
            );
            Some(Comparison::above(difference, 0.0, sentence))
        };
        SIZES.iter().filter_map(compare).collect()
    }

    fn claims(&self) -> anyhow::Result<Vec<Claim>> {
        let fitted = |name: &str| {
            let fit = |&(size, _): &(usize, usize)| {
                let accuracy = self.0.get(&label(name, size)).ok()?.mean(train_accuracy);
                let sentence =
                    format!("`{name}` classifies {} % of its {size} training images correctly.", accuracy.text(2));
                Some(Comparison::above(accuracy, FITTED, sentence))
            };
            SIZES.iter().filter_map(fit).collect::<Vec<_>>()
        };
        Ok(vec![
            Claim::new(
                "Max pooling generalises better from the same images than strided convolutions",
                self.better("max", "strided"),
            ),
            Claim::new(
                "Average pooling generalises better from the same images than strided convolutions",
                self.better("average", "strided"),
            ),
            Claim::new(
                "Max pooling generalises better from the same images than no pooling",
                self.better("max", "none"),
            ),
            Claim::new(
                "Strided convolutions with dropout generalise better than max pooling",
                self.better("strided with dropout", "max"),
            ),
            Claim::new(
                "Strided convolutions with shifts of the training images generalise better than max pooling without",
                self.better("strided with shifts", "max"),
            ),
            Claim::new(
                "With shifts, max pooling generalises better than strided convolutions",
                self.better("max with shifts", "strided with shifts"),
            ),
            Claim::new("The training images are fitted with max pooling", fitted("max")),
            Claim::new("The training images are fitted with strided convolutions", fitted("strided")),
        ])
    }

    fn lines(&self, title: &str, y_label: &str, figure: fn(&Run) -> f64) -> Lines {
        let mut series: Vec<LineSeries> = Vec::new();
        for (name, size, value) in self.each(figure) {
            match series.iter_mut().find(|line| line.name == name) {
                Some(line) => line.points.push((size, value)),
                None => series.push(LineSeries { name, points: vec![(size, value)] }),
            }
        }
        Lines {
            title: format!("{title}: mean of the seeds and 95 % interval"),
            x_label: "training images (logarithmic)".to_owned(),
            y_label: y_label.to_owned(),
            logarithmic: [true, false],
            marks: true,
            series,
        }
    }

    /// Name, size and mean of everything.
    fn each(&self, figure: fn(&Run) -> f64) -> impl Iterator<Item = (String, f64, Interval)> {
        self.0.all.iter().filter_map(move |runs| {
            let (name, size) = runs.label.strip_suffix(" images")?.rsplit_once(", ")?;
            Some((name.to_owned(), size.parse().ok()?, runs.mean(figure)))
        })
    }

    fn table(&self) -> Table {
        let caption = "Accuracy on all training images and on the test images, in percent, and the points between them: mean \
                       and 95 % interval over the seeds.";
        let columns =
            [("network", 0), ("training images", 0), ("epochs", 0), ("training", 2), ("test", 2), ("difference", 2)];
        let mut table = Table::new(caption, &columns);
        for (runs, (name, size, _)) in self.0.all.iter().zip(self.each(test)) {
            table.push([
                Cell::from(name.as_str()),
                size.into(),
                runs.settings.epochs.into(),
                runs.mean(train_accuracy).into(),
                runs.mean(test).into(),
                runs.mean(|run| train_accuracy(run) - test(run)).into(),
            ]);
        }
        table
    }
}
