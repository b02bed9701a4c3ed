//! The four variants beside controls that differ from them in one thing each, all trained until they have converged.

use std::cmp::Ordering;

use burn_pooling::model::{PoolingCnnConfig, Variant};
use burn_pooling_experiments::costs::Costs;
use burn_pooling_experiments::mcnemar::McNemar;
use burn_pooling_experiments::networks::{self, HEADS};
use burn_pooling_experiments::plot::{Dots, LineSeries, Lines};
use burn_pooling_experiments::predictions::Errors;
use burn_pooling_experiments::protocol::plan;
use burn_pooling_experiments::report::{Cell, Claim, Comparison, Report, Table};
use burn_pooling_experiments::runs::{Runs, Seeded, Setting};
use burn_pooling_experiments::statistics::{Interval, mean_curve};
use burn_pooling_experiments::study::Study;
use burn_pooling_experiments::training::{History, Plan};
use serde::{Deserialize, Serialize};

/// The seeds that are also trained for twice as many epochs.
const DOUBLED: [u64; 2] = [1, 2];

/// What one training gave.
#[derive(Debug, Serialize, Deserialize)]
struct Run {
    history: History,
    /// Which test images are classified wrongly, and as what.
    test_errors: Errors,
}

/// The runs, and what is needed to read them.
struct Found<'a> {
    runs: Runs<Plan, Run>,
    /// Trained for twice as many epochs.
    doubled: Option<Runs<Plan, Run>>,
    labels: &'a [u8],
}

/// Trains every network.
pub fn report(study: &Study) -> anyhow::Result<Option<Report>> {
    let plans: Vec<Plan> =
        networks::all().iter().map(|network| plan(network, study.data, study.options.quick)).collect();
    let test = &study.data.sets.test;
    let work = |plan: &Plan, seed| -> anyhow::Result<Run> {
        let trained = study.trained(plan, seed)?;
        Ok(Run { test_errors: trained.predict(test)?.errors(), history: trained.history })
    };
    let runs = study.runs(settings(&plans)?, &study.seeds, work)?;
    let twice = plans.iter().map(|plan| Plan { epochs: 2 * plan.epochs, ..plan.clone() });
    let doubled = study.runs(settings(&twice.collect::<Vec<_>>())?, &DOUBLED, work)?;
    let Some(runs) = runs else { return Ok(None) };

    let found = Found { runs, doubled, labels: test.labels() };
    let mut report =
        Report::new(study, &found.runs.seeds, serde_json::json!({ "seeds_of_twice_the_epochs": DOUBLED }))?;
    report.draw(
        "accuracy.svg",
        &found.errors(),
        "Share of test images classified wrongly, by network, with intervals",
    )?;
    report.draw("curves.svg", &found.curves(), "Validation loss over the epochs, for some of the networks")?;
    report.claims = found.claims()?;
    report.tables = vec![found.accuracies()?];
    if let Some(doubled) = &found.doubled {
        report.tables.push(found.converged(doubled)?);
    }
    Ok(Some(report))
}

fn settings(plans: &[Plan]) -> anyhow::Result<Vec<Setting<Plan>>> {
    let setting = |plan: &Plan| {
        Ok(Setting { label: plan.network.name.clone(), cost: plan.multiply_adds()?, settings: plan.clone() })
    };
    plans.iter().map(setting).collect()
}

/// A global network: the head behind one of the four bodies.
fn global(head: Variant, body: usize) -> String {
    let bodies: [fn(Variant) -> PoolingCnnConfig; 3] =
        [networks::two_convolutions_strided, networks::two_convolutions, networks::widened];
    body.checked_sub(1).map_or_else(|| head.to_string(), |index| bodies[index](head).name)
}

/// How many bodies there are.
const BODIES: usize = 4;

impl Found<'_> {
    /// Test accuracy in percent.
    fn accuracy(&self, run: &Run) -> f64 {
        100.0 * (1.0 - run.test_errors.count() as f64 / self.labels.len() as f64)
    }

    /// That `one` classifies better than `other`.
    fn better(&self, one: &str, other: &str) -> anyhow::Result<Comparison> {
        let [first, second] = [self.runs.get(one)?, self.runs.get(other)?];
        let accuracy = |run: &Run| self.accuracy(run);
        let difference = first.minus(second, accuracy);
        let sentence = format!(
            "`{one}` is {} than `{other}` ({:.2} against {:.2} % of the test images).",
            difference.in_words("points", 2, ["more accurate", "less accurate"]),
            first.mean(accuracy).mean,
            second.mean(accuracy).mean,
        );
        Ok(Comparison::above(difference, 0.0, sentence))
    }

    fn claims(&self) -> anyhow::Result<Vec<Claim>> {
        let bodies = |pair: &dyn Fn(usize) -> [String; 2]| -> anyhow::Result<Vec<Comparison>> {
            (0..BODIES).map(pair).map(|[one, other]| self.better(&one, &other)).collect()
        };
        let costs = |head: Variant| bodies(&|body| ["max".to_owned(), global(head, body)]);
        let [gmp, gap] = HEADS;
        let stride = |head| Ok::<_, anyhow::Error>([self.better(&global(head, 2), &global(head, 1))?]);
        Ok(vec![
            Claim::new("Max pooling classifies better than average pooling", [self.better("max", "average")?]),
            Claim::new("Max pooling classifies better than no pooling", [self.better("max", "none")?]),
            Claim::new("Average pooling classifies better than no pooling", [self.better("average", "none")?]),
            Claim::new(
                "Max pooling classifies better than convolutions of stride 2 in its place",
                [self.better("max", "all conv")?, self.better("max", "strided")?],
            ),
            Claim::new("Global max pooling costs accuracy", costs(gmp)?),
            Claim::new("Global average pooling costs accuracy", costs(gap)?),
            Claim::new(
                "Global max pooling classifies better than global average pooling",
                bodies(&|body| [global(gmp, body), global(gap, body)])?,
            ),
            Claim::new("A stride before global max pooling costs accuracy", stride(gmp)?),
            Claim::new("A stride before global average pooling costs accuracy", stride(gap)?),
        ])
    }

    fn accuracies(&self) -> anyhow::Result<Table> {
        let caption = "Test accuracy in percent, and less that of `max` in points, paired by seed: mean and 95 % interval \
                       over the seeds. Better, worse: seeds in which McNemar's exact test of the two networks' answers \
                       says so (p < 0.05, each test by itself).";
        let columns = [
            ("network", 0),
            ("parameters", 0),
            ("multiply-adds", 0),
            ("learning rate", 4),
            ("epochs", 0),
            ("test accuracy", 2),
            ("less `max`", 2),
            ("better", 0),
            ("worse", 0),
        ];
        let mut table = Table::new(caption, &columns);
        let max = self.runs.get("max")?;
        for runs in &self.runs.all {
            let costs = Costs::of(&runs.settings.network)?;
            let other = (runs.label != "max").then_some(runs);
            let tests = self.tests(runs, max)?;
            let decided = |order| tests.iter().filter(|test| test.only_first.cmp(&test.only_second) == order).count();
            table.push([
                Cell::from(runs.label.as_str()),
                costs.parameters.into(),
                (costs.multiply_adds as f64).into(),
                runs.settings.learning_rate.into(),
                runs.settings.epochs.into(),
                runs.mean(|run| self.accuracy(run)).into(),
                other.map(|runs| runs.minus(max, |run| self.accuracy(run))).into(),
                other.map(|_| decided(Ordering::Greater)).into(),
                other.map(|_| decided(Ordering::Less)).into(),
            ]);
        }
        Ok(table)
    }

    /// McNemar's tests that decide between two networks, seed by seed.
    fn tests(&self, one: &Seeded<Plan, Run>, other: &Seeded<Plan, Run>) -> anyhow::Result<Vec<McNemar>> {
        let tests = one.runs.iter().zip(&other.runs).map(|(one, other)| {
            let predictions = |run: &Run| run.test_errors.predictions(self.labels);
            Ok(McNemar::of(&predictions(one)?, &predictions(other)?))
        });
        let tests: Vec<McNemar> = tests.collect::<anyhow::Result<_>>()?;
        Ok(tests.into_iter().filter(|test| test.p < 0.05).collect())
    }

    fn converged(&self, doubled: &Runs<Plan, Run>) -> anyhow::Result<Table> {
        let caption = "Whether training had converged: seeds 1 and 2 trained anew for twice as many epochs. Test accuracy \
                       and validation loss less those of the same seeds after the epochs of the table above, means; \
                       beside half the width of the 95 % interval of the accuracy over all seeds.";
        let columns = [
            ("network", 0),
            ("epochs", 0),
            ("accuracy, points", 2),
            ("half width, points", 2),
            ("validation loss", 4),
            ("validation loss before", 4),
        ];
        let mut table = Table::new(caption, &columns);
        for (runs, doubled) in self.runs.all.iter().zip(&doubled.all) {
            let change = |figure: &dyn Fn(&Run) -> f64| {
                Interval::of_differences(&doubled.values(figure), &runs.values(figure)).mean
            };
            let loss = |run: &Run| run.history.final_valid_loss();
            table.push([
                Cell::from(runs.label.as_str()),
                doubled.settings.epochs.into(),
                change(&|run| self.accuracy(run)).into(),
                runs.mean(|run| self.accuracy(run)).half_width().into(),
                change(&loss).into(),
                runs.mean(loss).mean.into(),
            ]);
        }
        Ok(table)
    }

    fn errors(&self) -> Dots {
        let error = |run: &Run| 100.0 - self.accuracy(run);
        Dots {
            title: "Test images classified wrongly: mean of the seeds and 95 % interval".to_owned(),
            x_label: "share of the test images, percent (logarithmic)".to_owned(),
            logarithmic: true,
            series: vec!["converged".to_owned()],
            rows: self.runs.all.iter().map(|runs| (runs.label.clone(), vec![runs.mean(error)])).collect(),
        }
    }

    fn curves(&self) -> Lines {
        let shown = |runs: &&Seeded<Plan, Run>| !runs.label.ends_with("wide") && !runs.label.ends_with("conv");
        let line = |runs: &Seeded<Plan, Run>| {
            let curves = runs.runs.iter().map(|run| run.history.valid_loss.iter().map(|&loss| loss.into()).collect());
            let points = mean_curve(&curves.collect::<Vec<Vec<f64>>>()).into_iter().enumerate();
            LineSeries {
                name: runs.label.clone(),
                points: points.map(|(index, loss)| ((index + 1) as f64, loss)).collect(),
            }
        };
        Lines {
            title: "Loss on validation images: mean of the seeds and 95 % interval".to_owned(),
            x_label: "epochs (logarithmic)".to_owned(),
            y_label: "validation loss".to_owned(),
            logarithmic: [true, true],
            marks: false,
            series: self.runs.all.iter().filter(shown).map(line).collect(),
        }
    }
}
