//! Whether a network uses where the parts of a digit are: the quarters of an image change places, and a stroke of another
//! digit stands at its edge.

use burn_pooling::model::{PoolingCnnConfig, Variant};
use burn_pooling_experiments::images::{quarters_swapped, with_stroke};
use burn_pooling_experiments::networks::{HEADS, two_convolutions_strided};
use burn_pooling_experiments::plot::Dots;
use burn_pooling_experiments::protocol::plan;
use burn_pooling_experiments::report::{Cell, Claim, Comparison, Report, Table};
use burn_pooling_experiments::runs::{Runs, Setting};
use burn_pooling_experiments::study::Study;
use burn_pooling_experiments::training::Plan;
use serde::{Deserialize, Serialize};

/// Columns of the stroke: the margin of MNIST's digits.
const STROKE: usize = 4;

/// A network, and what is done to the test images.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Trial {
    plan: Plan,
    stroke_columns: usize,
}

/// The figures of one network with one seed, as shares of the test images.
#[derive(Debug, Serialize, Deserialize)]
struct Run {
    accuracy: f64,
    /// With the quarters in other places.
    swapped_accuracy: f64,
    /// Share of images with the same class as before the swap, right or wrong.
    swapped_same: f64,
    /// With a stroke of another digit at the edge.
    stroke_accuracy: f64,
    stroke_same: f64,
}

/// Tries every network.
pub fn report(study: &Study) -> anyhow::Result<Option<Report>> {
    let settings = networks().into_iter().map(|network| {
        let plan = plan(&network, study.data, study.options.quick);
        let (label, cost) = (network.name.clone(), plan.multiply_adds()?);
        Ok(Setting { label, cost, settings: Trial { plan, stroke_columns: STROKE } })
    });
    let test = &study.data.sets.test;
    let work = |Trial { plan, stroke_columns }: &Trial, seed| -> anyhow::Result<Run> {
        let trained = study.trained(plan, seed)?;
        let before = trained.predict(test)?;
        let swapped = trained.predict(&quarters_swapped(test, seed)?)?;
        let stroke = trained.predict(&with_stroke(test, *stroke_columns, seed)?)?;
        Ok(Run {
            accuracy: before.accuracy(),
            swapped_accuracy: swapped.accuracy(),
            swapped_same: swapped.consistency(&before),
            stroke_accuracy: stroke.accuracy(),
            stroke_same: stroke.consistency(&before),
        })
    };
    let settings = settings.collect::<anyhow::Result<Vec<_>>>()?;
    let Some(runs) = study.runs(settings, &study.seeds, work)? else { return Ok(None) };
    let found = Found(runs);
    let mut report = Report::new(study, &found.0.seeds, serde_json::json!({ "stroke_columns": STROKE }))?;
    report.draw("context.svg", &found.dots(), "Share of answers that stay the same, by network and change")?;
    report.claims = found.claims()?;
    report.tables = vec![found.table()];
    Ok(Some(report))
}

fn networks() -> Vec<PoolingCnnConfig> {
    let mut networks = Variant::ALL.map(PoolingCnnConfig::new).to_vec();
    networks.extend(HEADS.map(two_convolutions_strided));
    networks
}

struct Found(Runs<Trial, Run>);

impl Found {
    /// That `one` keeps more answers than `other`.
    fn keeps_more(&self, one: &str, other: &str, when: &str, same: fn(&Run) -> f64) -> anyhow::Result<Comparison> {
        let [first, second] = [self.0.get(one)?, self.0.get(other)?];
        let difference = first.minus(second, |run| 100.0 * same(run));
        let sentence = format!(
            "When {when}, `{one}` keeps {} answers than `{other}` ({:.1} against {:.1} %).",
            difference.in_words("points", 1, ["more", "fewer"]),
            first.mean(|run| 100.0 * same(run)).mean,
            second.mean(|run| 100.0 * same(run)).mean,
        );
        Ok(Comparison::above(difference, 0.0, sentence))
    }

    fn claims(&self) -> anyhow::Result<Vec<Claim>> {
        let swapped = |one: &str, other: &str| {
            self.keeps_more(one, other, "the quarters of the image change places", |run| run.swapped_same)
        };
        let stroke =
            |one: &str, other: &str| self.keeps_more(one, other, "a stroke stands at the edge", |run| run.stroke_same);
        let deeper = |head: Variant| anyhow::Ok([swapped(head.name(), &two_convolutions_strided(head).name)?]);
        Ok(vec![
            Claim::new(
                "Behind one convolution, global pooling ignores the arrangement of the parts, where local pooling uses it",
                [swapped("gmp", "max")?, swapped("gap", "average")?],
            ),
            Claim::new(
                "Global max pooling keeps fewer answers behind two convolutions than behind one when parts change places",
                deeper(Variant::GlobalMax)?,
            ),
            Claim::new(
                "Global average pooling keeps fewer answers behind two convolutions than behind one when parts change places",
                deeper(Variant::GlobalAverage)?,
            ),
            Claim::new(
                "A stroke at the edge misleads global pooling more than local pooling",
                [stroke("max", "gmp")?, stroke("average", "gap")?],
            ),
        ])
    }

    fn table(&self) -> Table {
        let caption = "Test accuracy, and the share of answers that stay the same, in percent: mean and 95 % interval \
                       over the seeds.";
        let columns = [
            ("network", 0),
            ("accuracy", 2),
            ("quarters swapped", 2),
            ("same answers", 2),
            ("stroke at the edge", 2),
            ("same answers", 2),
        ];
        let mut table = Table::new(caption, &columns);
        for runs in &self.0.all {
            let percent = |figure: fn(&Run) -> f64| Cell::from(runs.mean(|run| 100.0 * figure(run)));
            table.push([
                Cell::from(runs.label.as_str()),
                percent(|run| run.accuracy),
                percent(|run| run.swapped_accuracy),
                percent(|run| run.swapped_same),
                percent(|run| run.stroke_accuracy),
                percent(|run| run.stroke_same),
            ]);
        }
        table
    }

    fn dots(&self) -> Dots {
        let row = |name: &str, same: fn(&Run) -> f64| {
            (name.to_owned(), self.0.all.iter().map(|runs| runs.mean(|run| 100.0 * same(run))).collect())
        };
        Dots {
            title: "Answers that stay the same: mean of the seeds and 95 % interval".to_owned(),
            x_label: "share of the test images, percent".to_owned(),
            logarithmic: false,
            series: self.0.all.iter().map(|runs| runs.label.clone()).collect(),
            rows: vec![
                row("quarters swapped", |run| run.swapped_same),
                row("stroke at the edge", |run| run.stroke_same),
            ],
        }
    }
}
