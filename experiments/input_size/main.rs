//! Digits on canvases of 28 to 64 pixels: which networks take them, and what a mean over more background does.

use burn_pooling::mnist::{ImageDataset, ImageSets};
use burn_pooling::model::{PoolingCnnConfig, Variant};
use burn_pooling_experiments::images::{black, on_canvas, subset};
use burn_pooling_experiments::matrix::Matrix;
use burn_pooling_experiments::networks::variants;
use burn_pooling_experiments::options::Options;
use burn_pooling_experiments::plot::{LineSeries, Lines};
use burn_pooling_experiments::report::{Cell, Claim, Parts, Report, Table};
use burn_pooling_experiments::runs::{NetworkRuns, Runs, each_seed};
use burn_pooling_experiments::statistics::Interval;
use burn_pooling_experiments::training::{Schedule, Trained, train, untrained};
use serde::Serialize;

/// The experiment, and its folder.
const NAME: &str = "input_size";
/// Accuracy that may be lost and still counts as none.
const MARGIN: f64 = 0.01;

/// What is chosen, and stands in `results.json`.
#[derive(Serialize)]
struct Settings {
    networks: Vec<PoolingCnnConfig>,
    /// Networks of which only is asked whether they take other sizes.
    flattening: Vec<PoolingCnnConfig>,
    /// Height and width; the first is that of training.
    canvases: Vec<usize>,
    /// Heights and widths that every network is asked to take.
    sizes: Vec<[usize; 2]>,
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

/// What an untrained network says of images of one size.
struct Answer {
    network: String,
    global: bool,
    size: [usize; 2],
    /// How many features it makes of an image, or why it refuses.
    features: Result<usize, String>,
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
            canvases: canvases.map(|&side| canvas(&trained, &test, side)).collect::<anyhow::Result<_>>()?,
        })
    })?;
    let answers = answers(&settings)?;

    let found = Found { settings: &settings, runs: &runs, answers: &answers };
    let folder = options.folder(NAME);
    let mut report = Report::new(NAME, options.quick, &settings)?.with_runs(runs.all())?;
    report.draw(
        &folder,
        "accuracy.svg",
        &found.lines(),
        "Test accuracy of the global variants over the side of the canvas, with intervals",
    )?;
    report.summary = vec![found.accuracies(), found.features(), found.refusals()];
    report.claims = found.claims()?;
    report.write(&folder)
}

fn settings(options: &Options) -> Settings {
    let (networks, flattening) = variants().into_iter().partition(PoolingCnnConfig::is_global);
    let schedule = Schedule::until_converged(options.choose(50, 3), 6, options.choose(1_000, 200));
    Settings {
        networks,
        flattening,
        canvases: options.choose((28..=64).step_by(4).collect(), vec![28, 40, 64]),
        sizes: vec![[28, 28], [64, 64], [20, 44], [44, 20], [16, 16], [3, 3], [2, 2]],
        train_images: options.choose(7_000, 1_000),
        test_images: options.choose(2_000, 200),
        schedule: schedule.with_batch_size(32),
        seeds: options.seeds(),
    }
}

fn canvas(trained: &Trained, images: &ImageDataset, side: usize) -> anyhow::Result<Canvas> {
    let placed = on_canvas(images, [side; 2])?;
    let features = trained.features(&placed)?;
    let mean = trained.config.name == Variant::GlobalAverage.name();
    Ok(Canvas {
        features: features.columns,
        accuracy: trained.predict_features(&features, images.labels()).accuracy(),
        accuracy_without_background: match mean {
            true => {
                let features = without_background(trained, &features, side)?;
                Some(trained.predict_features(&features, images.labels()).accuracy())
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
        values: (features.values.iter().zip(background.iter().cycle())).map(mean).collect(),
        columns: features.columns,
    })
}

/// Which sizes which networks take; what they have learnt does not matter.
fn answers(settings: &Settings) -> anyhow::Result<Vec<Answer>> {
    let mut answers = Vec::new();
    for network in settings.flattening.iter().chain(&settings.networks) {
        let untrained = untrained(network, 1)?;
        for &size in &settings.sizes {
            let features = untrained.features(&black(size)?);
            answers.push(Answer {
                network: network.name.clone(),
                global: network.is_global(),
                size,
                features: match features {
                    Ok(features) => Ok(features.columns),
                    Err(error) => Err(error.root_cause().to_string()),
                },
            });
        }
    }
    Ok(answers)
}

struct Found<'a> {
    settings: &'a Settings,
    runs: &'a Runs<Run>,
    answers: &'a [Answer],
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
        let line = |(name, means): (String, Vec<Interval>)| LineSeries { name, points: sides().zip(means).collect() };
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
        let sides: Vec<_> = (self.settings.canvases.iter()).map(usize::to_string).collect();
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

    fn features(&self) -> Table {
        let caption = "Features that each network makes of a black image of this height and width.";
        let sizes: Vec<_> = self.settings.sizes.iter().map(named).collect();
        let mut columns = vec![("network", 0)];
        columns.extend(sizes.iter().map(|size| (size.as_str(), 0)));
        let mut table = Table::new(caption, &columns);
        for answers in self.answers.chunks(sizes.len()) {
            let mut row: Vec<_> = (answers.iter().take(1)).map(|answer| Cell::from(answer.network.as_str())).collect();
            row.extend(answers.iter().map(|answer| match &answer.features {
                Ok(features) => Cell::from(*features),
                Err(_) => "refused".into(),
            }));
            table.push(row);
        }
        table
    }

    /// The first refusal of each network.
    fn refusals(&self) -> Table {
        let columns = ["network", "image", "refusal"].map(|title| (title, 0));
        let mut table = Table::new("Why a size is refused: the library's words.", &columns);
        for answers in self.answers.chunks(self.settings.sizes.len()) {
            let refusal = (answers.iter()).find_map(|answer| Some((answer, answer.features.as_ref().err()?)));
            if let Some((answer, error)) = refusal {
                table.push([
                    Cell::from(answer.network.as_str()),
                    named(&answer.size).as_str().into(),
                    error.as_str().into(),
                ]);
            }
        }
        table
    }

    fn claims(&self) -> anyhow::Result<Vec<Claim>> {
        let (gmp, gap) = (self.runs.of("gmp")?, self.runs.of("gap")?);
        let last = self.settings.canvases.len() - 1;
        let change = |runs: &NetworkRuns<Run>, place: usize| {
            runs.mean(|run| run.canvases[place].accuracy - run.canvases[0].accuracy)
        };
        let changes: Vec<_> = (1..=last).flat_map(|place| [gmp, gap].map(|runs| change(runs, place))).collect();
        let worst = changes.iter().fold(0.0, |worst: f64, next| worst.min(next.mean));
        let filters = self.settings.networks[0].stages[0].filters;
        let fixed: Vec<_> = (self.answers.iter())
            .filter(|answer| answer.global && answer.size.iter().all(|&side| side >= 3))
            .map(|answer| Some(answer.features == Ok(filters)))
            .collect();
        let [smallest, largest] = [0, last].map(|place| self.settings.canvases[place]);
        Ok(vec![
            Claim::decided(
                "Global pooling gives a fixed-size output for any input of 3x3 and more",
                Parts::known(&fixed),
                &format!("Features of every image: {filters}"),
                "holds if both heads make as many features as they have filters of images of every size tried, in \
                 part if of some; that 2x2 is refused is in the tables.",
            ),
            Claim::decided(
                "A network with global pooling classifies larger images without being trained again",
                Parts::above(&changes, -MARGIN),
                &format!("The largest loss of a head on a canvas is {:.2} points", -100.0 * worst),
                "holds if the paired 95 % intervals (widened for their number, Bonferroni) of accuracy less that at \
                 28 pixels are above -1 point on every canvas for both heads, in part if some are.",
            ),
            Claim::decided(
                "A mean over a larger canvas dilutes the digit and misleads the average head",
                Parts::below(&[change(gap, last)], 0.0),
                &format!(
                    "From {smallest} to {largest} pixels the accuracy of gap changes by {} points",
                    change(gap, last).percent()
                ),
                "holds if the paired 95 % interval of accuracy on the largest canvas less that at 28 pixels is below 0 \
                 for gap.",
            ),
        ])
    }
}

/// As in 28x28.
fn named([height, width]: &[usize; 2]) -> String {
    format!("{height}x{width}")
}

/// The corrected accuracies of every seed, if this network is corrected.
fn without(runs: &NetworkRuns<Run>, place: usize) -> Option<Vec<f64>> {
    (runs.runs.iter()).map(|run| run.canvases[place].accuracy_without_background).collect()
}
