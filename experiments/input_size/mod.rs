//! Networks with global pooling on larger canvases than they were trained on: around digits of the same size, and around
//! digits that grow with the canvas.

use burn_pooling::mnist::ImageDataset;
use burn_pooling::model::{PoolingCnnConfig, Variant};
use burn_pooling_experiments::images::{black, on_canvas, scaled};
use burn_pooling_experiments::matrix::Matrix;
use burn_pooling_experiments::networks::{HEADS, two_convolutions_strided};
use burn_pooling_experiments::plot::{LineSeries, Lines};
use burn_pooling_experiments::protocol::plan;
use burn_pooling_experiments::report::{Cell, Claim, Comparison, Report, Table};
use burn_pooling_experiments::runs::{Runs, Seeded, Setting};
use burn_pooling_experiments::statistics::Interval;
use burn_pooling_experiments::study::Study;
use burn_pooling_experiments::training::{Plan, Trained, untrained};
use serde::{Deserialize, Serialize};

/// How many times as high and wide as the training images the canvases are.
const FACTORS: [f64; 4] = [1.25, 1.5, 2.0, 2.5];
/// Heights and widths that every variant is asked to take.
const SIZES: [[usize; 2]; 7] = [[28, 28], [64, 64], [20, 44], [44, 20], [16, 16], [3, 3], [2, 2]];
/// Accuracy that may be lost and still counts as none, in points.
const MARGIN: f64 = 1.0;

/// A network, and the canvases that it is given.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Trial {
    plan: Plan,
    canvases: Vec<[usize; 2]>,
}

/// Accuracy of one network with one seed, as shares of the test images.
#[derive(Debug, Serialize, Deserialize)]
struct Run {
    /// On the images as they are.
    accuracy: f64,
    canvases: Vec<Canvas>,
}

/// Accuracy on one canvas.
#[derive(Debug, Serialize, Deserialize)]
struct Canvas {
    /// Around digits of the same size.
    same_size: f64,
    /// The same, with the mean taken over as many positions as in training: those around, which see only black, are
    /// taken out. Of a maximum, nothing.
    without_background: Option<f64>,
    /// With digits scaled to the canvas.
    scaled: f64,
}

/// Tries every network with global pooling.
pub fn report(study: &Study) -> anyhow::Result<Option<Report>> {
    let size = study.data.sets.image_size();
    let canvases: Vec<[usize; 2]> =
        FACTORS.iter().map(|factor| size.map(|side| (side as f64 * factor).round() as usize)).collect();
    let settings = networks().into_iter().map(|network| {
        let plan = plan(&network, study.data, study.options.quick);
        let (label, cost) = (network.name, plan.multiply_adds()?);
        Ok(Setting { label, cost, settings: Trial { plan, canvases: canvases.clone() } })
    });
    let test = &study.data.sets.test;
    let work = |trial: &Trial, seed| -> anyhow::Result<Run> {
        let trained = study.trained(&trial.plan, seed)?;
        let canvases = trial.canvases.iter().map(|&size| canvas(&trained, test, size));
        Ok(Run { accuracy: trained.predict(test)?.accuracy(), canvases: canvases.collect::<anyhow::Result<_>>()? })
    };
    let settings = settings.collect::<anyhow::Result<Vec<_>>>()?;
    let Some(runs) = study.runs(settings, &study.seeds, work)? else { return Ok(None) };
    let found = Found { runs, canvases, answers: answers()? };
    let settings = serde_json::json!({ "margin_in_points": MARGIN, "canvases": found.canvases });
    let mut report = Report::new(study, &found.runs.seeds, settings)?;
    report.draw(
        "same.svg",
        &found.lines("digits of the same size", |canvas| canvas.same_size),
        "Accuracy over the side of the canvas, digits of the same size",
    )?;
    report.draw(
        "scaled.svg",
        &found.lines("digits scaled with the canvas", |canvas| canvas.scaled),
        "Accuracy over the side of the canvas, digits scaled with it",
    )?;
    report.claims = found.claims()?;
    report.tables = vec![found.accuracies(), found.features()];
    Ok(Some(report))
}

fn networks() -> Vec<PoolingCnnConfig> {
    let mut networks = HEADS.map(PoolingCnnConfig::new).to_vec();
    networks.extend(HEADS.map(two_convolutions_strided));
    networks
}

/// The two networks of a head.
fn of_head(head: Variant) -> [String; 2] {
    [head.to_string(), two_convolutions_strided(head).name]
}

fn canvas(trained: &Trained, images: &ImageDataset, size: [usize; 2]) -> anyhow::Result<Canvas> {
    let features = trained.features(&on_canvas(images, size)?)?;
    let accuracy = |features: &Matrix| trained.predict_features(features, images.labels()).accuracy();
    let is_mean = trained.config.name.starts_with(Variant::GlobalAverage.name());
    let corrected = is_mean.then(|| without_background(trained, &features, size)).transpose()?;
    Ok(Canvas {
        same_size: accuracy(&features),
        without_background: corrected.as_ref().map(accuracy),
        scaled: trained.predict(&scaled(images, size)?)?.accuracy(),
    })
}

/// Means over the positions of a canvas, turned into means over those of the training size: the positions around it all
/// give what a black image gives.
fn without_background(trained: &Trained, features: &Matrix, canvas: [usize; 2]) -> anyhow::Result<Matrix> {
    let size = trained.config.image_size;
    let positions = |image: [usize; 2]| -> anyhow::Result<f32> {
        let last = trained.config.stages.len() - 1;
        let before = &trained.config.stages[..last];
        let maps = before.iter().try_fold(image, |maps, stage| stage.output_size(maps))?;
        let [rows, columns] = trained.config.stages[last].with_pool(None).output_size(maps)?;
        Ok((rows * columns) as f32)
    };
    let (all, kept) = (positions(canvas)?, positions(size)?);
    let background = trained.features(&black(size)?)?.values;
    let mean = |(mean, background): (&f32, &f32)| (mean * all - background * (all - kept)) / kept;
    Ok(Matrix {
        values: features.values.iter().zip(background.iter().cycle()).map(mean).collect(),
        columns: features.columns,
    })
}

/// What an untrained network says of images of one size.
struct Answer {
    variant: Variant,
    size: [usize; 2],
    /// How many features it makes of an image; `None` if it refuses.
    features: Option<usize>,
}

/// Which sizes which variants take; what they have learnt does not matter.
fn answers() -> anyhow::Result<Vec<Answer>> {
    let mut answers = Vec::new();
    for variant in Variant::ALL {
        let network = untrained(&PoolingCnnConfig::new(variant), 1)?;
        for size in SIZES {
            let features = network.features(&black(size)?).ok().map(|features| features.columns);
            answers.push(Answer { variant, size, features });
        }
    }
    Ok(answers)
}

struct Found {
    runs: Runs<Trial, Run>,
    canvases: Vec<[usize; 2]>,
    answers: Vec<Answer>,
}

impl Found {
    /// That accuracy on the largest canvas is less than a point lower than on the images as they are.
    fn keeps(&self, network: &str, what: &str, figure: impl Fn(&Canvas) -> f64) -> anyhow::Result<Comparison> {
        let runs = self.runs.get(network)?;
        let last = |run: &Run| run.canvases.last().map_or(f64::NAN, &figure);
        let change = runs.mean(|run| 100.0 * (last(run) - run.accuracy));
        let [height, width] = self.canvases.last().copied().unwrap_or_default();
        let sentence = format!(
            "On {height}x{width} pixels {what}, `{network}` is {} than at the size of training ({:.1} against {:.1} %).",
            change.in_words("points", 2, ["more accurate", "less accurate"]),
            runs.mean(|run| 100.0 * last(run)).mean,
            runs.mean(|run| 100.0 * run.accuracy).mean,
        );
        Ok(Comparison::above(change, -MARGIN, sentence))
    }

    fn claims(&self) -> anyhow::Result<Vec<Claim>> {
        let of_head = |head, what: &str, figure: fn(&Canvas) -> f64| -> anyhow::Result<Vec<Comparison>> {
            of_head(head).iter().map(|network| self.keeps(network, what, figure)).collect()
        };
        let (same, scaled) = ("with digits of the same size", "with digits scaled to them");
        let claim = |pooling: &str, what: &str, comparisons: Vec<Comparison>| {
            Claim::new(
                &format!("With global {pooling} pooling a network classifies {what} without new training"),
                comparisons,
            )
        };
        let [gmp, gap] = HEADS;
        let (on_larger, larger) = ("digits of the same size on larger canvases", "larger digits");
        Ok(vec![
            Claim::new("Global pooling gives a fixed-size output for any image of 3x3 and more", self.fixed()),
            claim("max", on_larger, of_head(gmp, same, |canvas| canvas.same_size)?),
            claim("average", on_larger, of_head(gap, same, |canvas| canvas.same_size)?),
            Claim::new(
                "What misleads global average pooling on larger canvases is the background in the mean",
                of_head(gap, "with digits of the same size and the background taken out of the mean", |canvas| {
                    canvas.without_background.unwrap_or(f64::NAN)
                })?,
            ),
            claim("max", larger, of_head(gmp, scaled, |canvas| canvas.scaled)?),
            claim("average", larger, of_head(gap, scaled, |canvas| canvas.scaled)?),
        ])
    }

    /// Known without error: as many features as filters, of every image that is large enough.
    fn fixed(&self) -> Vec<Comparison> {
        let of_head = |head: &Variant| {
            let large = |answer: &&Answer| answer.variant == *head && answer.size.iter().all(|&side| side >= 3);
            let features: Vec<_> = self.answers.iter().filter(large).map(|answer| answer.features).collect();
            let filters = PoolingCnnConfig::new(*head).stages[0].filters;
            let fixed = features.iter().filter(|features| **features == Some(filters)).count();
            let sentence =
                format!("`{head}` gives {filters} features of images of {fixed} of {} sizes.", features.len());
            Comparison::above(Interval::exact(fixed as f64), features.len() as f64 - 0.5, sentence)
        };
        HEADS.iter().map(of_head).collect()
    }

    fn lines(&self, what: &str, figure: fn(&Canvas) -> f64) -> Lines {
        let line = |runs: &Seeded<Trial, Run>| {
            let first = (runs.settings.plan.network.image_size[0] as f64, runs.mean(|run| 100.0 * run.accuracy));
            let others = self
                .canvases
                .iter()
                .enumerate()
                .map(|(place, size)| (size[0] as f64, runs.mean(|run| 100.0 * figure(&run.canvases[place]))));
            LineSeries { name: runs.label.clone(), points: [first].into_iter().chain(others).collect() }
        };
        Lines {
            title: format!("Larger canvases, {what}: mean of the seeds and 95 % interval"),
            x_label: "side of the canvas, pixels (the smallest is that of training)".to_owned(),
            y_label: "test accuracy, percent".to_owned(),
            logarithmic: [false, false],
            marks: true,
            series: self.runs.all.iter().map(line).collect(),
        }
    }

    fn accuracies(&self) -> Table {
        let caption = "Test accuracy in percent by the canvas: mean and 95 % interval over the seeds. Without background: \
                       the black positions around are taken out of the mean.";
        let sides: Vec<String> = self.canvases.iter().map(named).collect();
        let mut columns = vec![("network", 0), ("digits", 0), ("as trained", 1)];
        columns.extend(sides.iter().map(|side| (side.as_str(), 1)));
        let mut table = Table::new(caption, &columns);
        for runs in &self.runs.all {
            let mut push = |digits: &str, figure: &dyn Fn(&Canvas) -> f64| {
                let accuracy = runs.mean(|run| 100.0 * run.accuracy);
                let mut row = vec![Cell::from(runs.label.as_str()), digits.into(), accuracy.into()];
                let places = 0..self.canvases.len();
                row.extend(places.map(|place| Cell::from(runs.mean(|run| 100.0 * figure(&run.canvases[place])))));
                table.push(row);
            };
            push("of the same size", &|canvas| canvas.same_size);
            let is_mean = |run: &Run| run.canvases.iter().all(|canvas| canvas.without_background.is_some());
            if runs.runs.iter().all(is_mean) {
                push("without background", &|canvas| canvas.without_background.unwrap_or(f64::NAN));
            }
            push("scaled", &|canvas| canvas.scaled);
        }
        table
    }

    fn features(&self) -> Table {
        let caption = "Features that each variant makes of a black image of this height and width, built for 28x28.";
        let sizes = SIZES.map(|size| named(&size));
        let mut columns = vec![("network", 0)];
        columns.extend(sizes.iter().map(|size| (size.as_str(), 0)));
        let mut table = Table::new(caption, &columns);
        for answers in self.answers.chunks(SIZES.len()) {
            let mut row: Vec<_> = answers.iter().take(1).map(|answer| Cell::from(answer.variant.name())).collect();
            row.extend(answers.iter().map(|answer| match answer.features {
                Some(features) => Cell::from(features),
                None => "refused".into(),
            }));
            table.push(row);
        }
        table
    }
}

/// As in 28x28.
fn named([height, width]: &[usize; 2]) -> String {
    format!("{height}x{width}")
}
