//! Digits on canvases of 28 to 64 pixels: which networks take them, and what a mean over more background does.

use std::collections::BTreeSet;

use anyhow::Context;
use burn_pooling::mnist::{ImageDataset, ImageSets};
use burn_pooling::model::Variant;
use experiments_common::images::{black, on_canvas, subset};
use experiments_common::network::NetworkConfig;
use experiments_common::options::Options;
use experiments_common::plot::{LineSeries, Lines};
use experiments_common::predictions::Matrix;
use experiments_common::report::{Cell, Claim, Report, Table, Verdict};
use experiments_common::runs::{NetworkRuns, Runs, each_seed};
use experiments_common::statistics::Interval;
use experiments_common::training::{Schedule, Trained, train};
use serde::Serialize;

/// The experiment, and its folder.
const NAME: &str = "input_size";
/// Accuracy that may be lost and still counts as none.
const MARGIN: f64 = 0.01;

/// What is chosen, and stands in `results.json`.
#[derive(Serialize)]
struct Settings {
    networks: Vec<NetworkConfig>,
    /// Networks of which only is asked whether they take other sizes.
    flattening: Vec<NetworkConfig>,
    /// Height and width; the first is that of training.
    canvases: Vec<usize>,
    /// Training images, validation images included, drawn anew for each seed.
    train_images: usize,
    test_images: usize,
    schedule: Schedule,
    seeds: Vec<u64>,
}

/// The figures of one network with one seed.
#[derive(Serialize)]
struct Run {
    network: String,
    seed: u64,
    best_epoch: usize,
    /// In the order of the settings.
    canvases: Vec<Canvas>,
}

/// The figures of one canvas.
#[derive(Serialize)]
struct Canvas {
    /// Numbers that the stages hand to the linear layers.
    features: usize,
    accuracy: f64,
    /// With the means taken over as many positions as in training: the rest, which sees only black, is taken out.
    accuracy_without_background: Option<f64>,
}

/// What a flattening network says of a canvas.
struct Refusal {
    network: String,
    canvas: usize,
    /// None: it takes the canvas.
    error: Option<String>,
}

fn main() -> anyhow::Result<()> {
    let options = Options::read();
    let sets = ImageSets::load(None)?;
    let settings = settings(&options);
    let test = subset(&sets.test, settings.test_images, 0);
    let (networks, seeds) = (&settings.networks, &settings.seeds);
    let runs = each_seed(NAME, options.threads(), networks, seeds, |network, seed| {
        let images = subset(&sets.train, settings.train_images, seed);
        let trained = train(network, &images, &settings.schedule, seed)?;
        let canvases = settings.canvases.iter();
        Ok(Run {
            network: network.name.clone(),
            seed,
            best_epoch: trained.best_epoch,
            canvases: canvases
                .map(|&side| canvas(&trained, &test, side))
                .collect::<anyhow::Result<_>>()?,
        })
    })?;
    let refusals = refusals(&settings, &sets)?;

    let found = Found {
        settings: &settings,
        runs: &runs,
        refusals: &refusals,
    };
    let folder = options.folder(NAME);
    std::fs::create_dir_all(&folder)?;
    let mut report =
        Report::new(NAME, options.quick, &settings)?.with_runs(&runs.all().collect::<Vec<_>>())?;
    found.lines().draw(&folder.join("accuracy.svg"))?;
    report.add_plot(
        "accuracy.svg",
        "Test accuracy of the global variants over the side of the canvas, with intervals",
    );
    report.summary = vec![found.accuracies(), found.refused()];
    report.claims = found.claims()?;
    report.write(&folder)
}

fn settings(options: &Options) -> Settings {
    let (networks, flattening) =
        (NetworkConfig::variants().into_iter()).partition(NetworkConfig::is_global);
    let schedule = Schedule::until_converged(options.choose(50, 3), 6, options.choose(1_000, 200));
    Settings {
        networks,
        flattening,
        canvases: options.choose((28..=64).step_by(4).collect(), vec![28, 40, 64]),
        train_images: options.choose(7_000, 1_000),
        test_images: options.choose(2_000, 200),
        schedule: schedule.with_batch_size(32),
        seeds: options.seeds(),
    }
}

fn canvas(trained: &Trained, images: &ImageDataset, side: usize) -> anyhow::Result<Canvas> {
    let placed = on_canvas(images, [side; 2], [0, 0])?;
    let features = trained.features(&placed)?;
    let mean = trained.config.name == Variant::GlobalAverage.name();
    Ok(Canvas {
        features: features.columns,
        accuracy: trained
            .predict_features(&features, images.labels())
            .accuracy(),
        accuracy_without_background: match mean {
            true => {
                let features = without_background(trained, &features, side)?;
                Some(
                    trained
                        .predict_features(&features, images.labels())
                        .accuracy(),
                )
            }
            false => None,
        },
    })
}

/// Means over the positions of a canvas of `side`, turned into means over those of the training size: the positions
/// around it all give what a black image gives.
fn without_background(trained: &Trained, features: &Matrix, side: usize) -> anyhow::Result<Matrix> {
    let [height, width] = trained.config.image_size;
    let positions = |height, width| ((height - 2) * (width - 2)) as f32;
    let (all, kept) = (positions(side, side), positions(height, width));
    let background = trained.features(&black([height, width])?)?.values;
    let mean = |(mean, background): (&f32, &f32)| (mean * all - background * (all - kept)) / kept;
    Ok(Matrix {
        values: (features.values.iter().zip(background.iter().cycle()))
            .map(mean)
            .collect(),
        columns: features.columns,
    })
}

/// Whether the flattening networks take other canvases; what they have learnt does not matter.
fn refusals(settings: &Settings, sets: &ImageSets) -> anyhow::Result<Vec<Refusal>> {
    let (images, one) = (subset(&sets.train, 100, 1), subset(&sets.test, 1, 1));
    let mut refusals = Vec::new();
    for network in &settings.flattening {
        let trained = train(network, &images, &Schedule::fixed(1, 0), 1)?;
        let answer = |side| trained.predict(&on_canvas(&one, [side; 2], [0, 0])?);
        // That it takes its own size is checked first: else a refusal would say nothing.
        answer(settings.canvases[0])?;
        let canvas = settings.canvases[1];
        refusals.push(Refusal {
            network: network.name.clone(),
            canvas,
            error: answer(canvas).err().map(|error| error.to_string()),
        });
    }
    Ok(refusals)
}

struct Found<'a> {
    settings: &'a Settings,
    runs: &'a Runs<Run>,
    refusals: &'a [Refusal],
}

impl Found<'_> {
    /// The name and the accuracy of a line.
    fn series(&self) -> Vec<(String, Vec<Interval>)> {
        let canvases = || 0..self.settings.canvases.len();
        let mut series = Vec::new();
        for runs in &self.runs.0 {
            let means = canvases().map(|place| runs.mean(|run| run.canvases[place].accuracy));
            series.push((runs.network.name.clone(), means.collect()));
            let corrected = |place| without(runs, place).map(|values| Interval::of(&values));
            if let Some(means) = canvases().map(corrected).collect() {
                series.push((format!("{} corrected", runs.network.name), means));
            }
        }
        series
    }

    fn lines(&self) -> Lines {
        let sides = || self.settings.canvases.iter().map(|&side| side as f64);
        let line = |(name, means): (String, Vec<Interval>)| LineSeries {
            name,
            points: sides().zip(means).collect(),
        };
        Lines {
            title: "Trained at 28x28, tested on larger canvases: mean and 95 % interval".to_owned(),
            x_label: "side of the canvas (pixels)".to_owned(),
            y_label: "test accuracy (0 to 1)".to_owned(),
            logarithmic: false,
            bands: true,
            series: self.series().into_iter().map(line).collect(),
        }
    }

    fn accuracies(&self) -> Table {
        let caption = "Test accuracy in percent by the side of the canvas in pixels: mean and 95 % interval over the \
                       seeds; corrected: with the black positions around the 28x28 taken out of the mean.";
        let sides: Vec<_> = (self.settings.canvases.iter())
            .map(usize::to_string)
            .collect();
        let mut columns = vec![("network", 0)];
        columns.extend(sides.iter().map(|side| (side.as_str(), 1)));
        let mut table = Table::new(caption, &columns);
        for (name, means) in self.series() {
            let mut row = vec![Cell::from(name.as_str())];
            row.extend((means.iter()).map(|mean| Cell::from(mean.scaled(100.0))));
            table.push(row);
        }
        table
    }

    fn refused(&self) -> Table {
        let columns = ["network", "side of the canvas", "answer"].map(|title| (title, 0));
        let mut table = Table::new("What the flattening variants say.", &columns);
        for refusal in self.refusals {
            let answer = refusal.error.as_deref().unwrap_or("takes it");
            table.push([
                Cell::from(refusal.network.as_str()),
                refusal.canvas.into(),
                answer.into(),
            ]);
        }
        table
    }

    fn claims(&self) -> anyhow::Result<Vec<Claim>> {
        let (gmp, gap) = (self.runs.of("gmp")?, self.runs.of("gap")?);
        let last = self.settings.canvases.len() - 1;
        let change = |runs: &NetworkRuns<Run>, place: usize| {
            runs.mean(|run| run.canvases[place].accuracy - run.canvases[0].accuracy)
        };
        let sizes = |runs: &NetworkRuns<Run>| -> BTreeSet<usize> {
            let canvases = runs.runs.iter().flat_map(|run| &run.canvases);
            canvases.map(|canvas| canvas.features).collect()
        };
        let kept = [gmp, gap].map(|runs| {
            let all: Vec<_> = (1..=last)
                .map(|place| change(runs, place).is_above(-MARGIN))
                .collect();
            Verdict::of_parts(&all) == Verdict::Holds
        });
        let plain = gap.values(|run| run.canvases[0].accuracy);
        let corrected = without(gap, last).context("gap is corrected")?;
        let corrected = Interval::of_differences(&corrected, &plain);
        let diluted = [change(gap, last).is_below(0.0), corrected.is_above(-MARGIN)];
        let refused = |refusal: &&Refusal| refusal.error.is_some();
        let refused = self.refusals.iter().filter(refused).count();
        let [smallest, largest] = [0, last].map(|place| self.settings.canvases[place]);
        Ok(vec![
            Claim {
                claim: "Global pooling gives a fixed-size output for any input".to_owned(),
                verdict: Verdict::of_parts(&[gmp, gap].map(|runs| sizes(runs).len() == 1)),
                figure: format!(
                    "Features on canvases of {smallest} to {largest} pixels: gmp {}, gap {}; {refused} of {} \
                     flattening variants refuse another size than {smallest}.",
                    listed(sizes(gmp)),
                    listed(sizes(gap)),
                    self.settings.flattening.len()
                ),
                rule: "holds if the number of features is the same on all canvases for both heads, in part if for one."
                    .to_owned(),
            },
            Claim {
                claim: "A network with global pooling classifies larger images without being trained again".to_owned(),
                verdict: Verdict::of_parts(&kept),
                figure: format!(
                    "From {smallest} to {largest} pixels accuracy changes by {} points (gmp) and {} points (gap).",
                    change(gmp, last).percent(),
                    change(gap, last).percent()
                ),
                rule: "holds for a head if on every canvas the paired 95 % interval of accuracy less that at 28 pixels \
                       is above -1 point; as a whole if for both heads, in part if for one."
                    .to_owned(),
            },
            Claim {
                claim: "A mean over a larger canvas dilutes the digit, and that alone misleads the average head"
                    .to_owned(),
                verdict: Verdict::of_parts(&diluted),
                figure: format!(
                    "On {largest} pixels gap changes by {} points; with the black positions taken out of its mean, \
                     by {} points.",
                    change(gap, last).percent(),
                    corrected.percent()
                ),
                rule: "holds if the first paired 95 % interval is below 0 and the second above -1 point, in part if \
                       one is."
                    .to_owned(),
            },
        ])
    }
}

/// Different numbers, in words.
fn listed(numbers: BTreeSet<usize>) -> String {
    let texts: Vec<_> = numbers.iter().map(usize::to_string).collect();
    texts.join(" or ")
}

/// The corrected accuracies of every seed, if this network is corrected.
fn without(runs: &NetworkRuns<Run>, place: usize) -> Option<Vec<f64>> {
    (runs.runs.iter())
        .map(|run| run.canvases[place].accuracy_without_background)
        .collect()
}
