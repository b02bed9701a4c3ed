//! From 100 to 60,000 training images: how far test accuracy stays behind training accuracy, pooled and not.

use burn_pooling::mnist::{ImageDataset, ImageSets};
use burn_pooling::model::PoolingCnnConfig;
use burn_pooling_experiments::images::subset;
use burn_pooling_experiments::networks::{strided, variants, without_pooling};
use burn_pooling_experiments::options::Options;
use burn_pooling_experiments::plot::{LineSeries, Lines};
use burn_pooling_experiments::report::{Cell, Claim, Parts, Report, Table};
use burn_pooling_experiments::runs::{NetworkRuns, Runs, each_seed};
use burn_pooling_experiments::statistics::Interval;
use burn_pooling_experiments::training::{Schedule, train};
use serde::Serialize;

/// The experiment, and its folder.
const NAME: &str = "overfitting";
/// The networks that do not pool, and those that differ from them in nothing but pooling.
const UNPOOLED: [&str; 2] = ["none", "strided"];
const POOLED: [&str; 2] = ["max", "average"];

/// What is chosen, and stands in `results.json`.
#[derive(Serialize)]
struct Settings {
    networks: Vec<PoolingCnnConfig>,
    sizes: Vec<Size>,
    /// The most training images for `none`, a tenth as fast as the others.
    most_unpooled_images: usize,
    /// Networks of one convolution, quick to compute and slow to learn, train so many times as many epochs.
    epochs_factor_of_one_convolution: usize,
    /// Training accuracy is measured on so many of the training images, at most.
    measured_train_images: usize,
    /// A size decides about two networks if both reach this mean training accuracy there: else they have not fitted.
    fitted: f64,
    test_images: usize,
    seeds: Vec<u64>,
}

/// How long to train on how many images.
#[derive(Clone, Serialize)]
struct Size {
    images: usize,
    schedule: Schedule,
}

/// The figures of one network with one seed.
#[derive(Serialize)]
struct Run {
    network: String,
    seed: u64,
    /// Size by size.
    accuracies: Vec<Accuracies>,
}

#[derive(Serialize)]
struct Accuracies {
    train_images: usize,
    epochs: usize,
    train: f64,
    test: f64,
}

impl Accuracies {
    fn gap(&self) -> f64 {
        self.train - self.test
    }
}

fn main() -> anyhow::Result<()> {
    let options = Options::read();
    let sets = ImageSets::load(None)?;
    let settings = settings(&options);
    let test = subset(&sets.test, settings.test_images, 0);
    let threads = options.threads();
    let (networks, seeds) = (&settings.networks, &settings.seeds);
    let runs =
        each_seed(NAME, threads, networks, seeds, |network, seed| run(&settings, network, seed, &sets.train, &test))?;

    let folder = options.folder(NAME);
    let mut report = Report::new(NAME, options.quick, &settings)?.with_runs(runs.all())?;
    report.draw(
        &folder,
        "gap.svg",
        &lines(
            &runs,
            "Overfitting: how far test accuracy is behind training accuracy",
            "training minus test accuracy (points)",
            |accuracies| 100.0 * accuracies.gap(),
        ),
        "Training minus test accuracy of each network over the number of training images",
    )?;
    report.draw(
        &folder,
        "test.svg",
        &lines(&runs, "What counts in the end: accuracy on test images", "test accuracy (0 to 1)", |accuracies| {
            accuracies.test
        }),
        "Test accuracy of each network over the number of training images",
    )?;
    report.summary = vec![table(&settings, &runs)];
    report.claims = claims(&settings, &runs)?;
    report.write(&folder)
}

fn settings(options: &Options) -> Settings {
    let mut networks = vec![without_pooling(), strided()];
    networks.extend(variants());
    let size = |(images, epochs, batch_size)| Size {
        images,
        schedule: Schedule::fixed(epochs, 0).with_batch_size(batch_size),
    };
    // Few images again and again, until they are fitted; all of them once. Small batches make many steps.
    let full = vec![(100, 40, 32), (1_000, 12, 32), (10_000, 6, 64), (60_000, 1, 128)];
    let sizes = options.choose(full, vec![(50, 4, 32), (200, 2, 32), (400, 1, 32)]);
    Settings {
        networks,
        sizes: sizes.into_iter().map(size).collect(),
        most_unpooled_images: options.choose(1_000, 200),
        epochs_factor_of_one_convolution: options.choose(3, 2),
        fitted: 0.99,
        measured_train_images: options.choose(2_000, 200),
        test_images: options.choose(4_000, 500),
        seeds: options.seeds(),
    }
}

fn run(
    settings: &Settings, network: &PoolingCnnConfig, seed: u64, images: &ImageDataset, test: &ImageDataset,
) -> anyhow::Result<Run> {
    let most = match network.name.as_str() {
        "none" => settings.most_unpooled_images,
        _ => usize::MAX,
    };
    let sizes = settings.sizes.iter().filter(|size| size.images <= most);
    let accuracies = sizes.map(|size| {
        let images = subset(images, size.images, seed);
        let mut schedule = size.schedule.clone();
        if network.stages.len() == 1 {
            schedule.epochs *= settings.epochs_factor_of_one_convolution;
        }
        let trained = train(network, &images, &schedule, seed)?;
        let measured = subset(&images, settings.measured_train_images, 0);
        Ok(Accuracies {
            train_images: size.images,
            epochs: schedule.epochs,
            train: trained.predict(&measured)?.accuracy(),
            test: trained.predict(test)?.accuracy(),
        })
    });
    Ok(Run { network: network.name.clone(), seed, accuracies: accuracies.collect::<anyhow::Result<_>>()? })
}

/// A figure's mean at each size, from the smallest; sizes that the network was not trained on are left out.
fn means(runs: &NetworkRuns<Run>, figure: fn(&Accuracies) -> f64) -> Vec<(usize, Interval)> {
    let sizes = runs.runs.first().map_or(&[][..], |run| &run.accuracies);
    let mean = |(index, accuracies): (usize, &Accuracies)| {
        let mean = runs.mean(|run| figure(&run.accuracies[index]));
        (accuracies.train_images, mean)
    };
    sizes.iter().enumerate().map(mean).collect()
}

fn lines(runs: &Runs<Run>, title: &str, y_label: &str, figure: fn(&Accuracies) -> f64) -> Lines {
    let series = |runs: &NetworkRuns<Run>| LineSeries {
        name: runs.network.name.clone(),
        points: (means(runs, figure).into_iter()).map(|(images, mean)| (images as f64, mean)).collect(),
    };
    Lines {
        title: title.to_owned(),
        x_label: "training images (mean of the seeds, 95 % intervals)".to_owned(),
        y_label: y_label.to_owned(),
        logarithmic: true,
        bands: false,
        series: runs.0.iter().map(series).collect(),
    }
}

fn table(settings: &Settings, runs: &Runs<Run>) -> Table {
    let caption = "Accuracy in percent by number of training images, training / test, and the points between: mean \
                   and 95 % interval over the seeds.";
    let columns = [
        ("network", 0),
        ("parameters", 0),
        ("training images", 0),
        ("epochs", 0),
        ("training accuracy", 2),
        ("test accuracy", 2),
        ("gap", 2),
    ];
    let mut table = Table::new(caption, &columns);
    for network in &runs.0 {
        let figures: [fn(&Accuracies) -> f64; 4] =
            [|of| of.epochs as f64, |of| 100.0 * of.train, |of| 100.0 * of.test, |of| 100.0 * of.gap()];
        let columns = figures.map(|figure| means(network, figure));
        for index in 0..columns[0].len().min(settings.sizes.len()) {
            let mut row: Vec<Cell> =
                vec![network.network.name.as_str().into(), network.costs.parameters.into(), columns[0][index].0.into()];
            row.extend(columns.iter().map(|column| Cell::from(column[index].1)));
            table.push(row);
        }
    }
    table
}

/// How far `figure` is above with `one` than with `other`, at each size that both have fitted.
fn differences(
    settings: &Settings, [one, other]: [&NetworkRuns<Run>; 2], figure: fn(&Accuracies) -> f64,
) -> Vec<(usize, Interval)> {
    let fitted = [one, other].map(|runs| means(runs, |of| of.train));
    (fitted[0].iter().zip(&fitted[1]).enumerate())
        .filter(|(_, (one, other))| one.1.mean.min(other.1.mean) >= settings.fitted)
        .map(|(index, ((images, _), _))| {
            let difference = one.ahead_of(other, |run| figure(&run.accuracies[index]));
            (*images, difference)
        })
        .collect()
}

fn claims(settings: &Settings, runs: &Runs<Run>) -> anyhow::Result<Vec<Claim>> {
    let against = |unpooled: &str, figure: fn(&Accuracies) -> f64| {
        let mut all = Vec::new();
        for pooled in POOLED {
            all.extend(differences(settings, [runs.of(pooled)?, runs.of(unpooled)?], figure));
        }
        anyhow::Ok(all)
    };
    let intervals = |differences: Vec<(usize, Interval)>| -> Vec<Interval> {
        differences.into_iter().map(|(_, difference)| difference).collect()
    };
    // Max at the largest size that decides.
    let at_most = |what: &str, unpooled: &str, figure: fn(&Accuracies) -> f64| {
        let pair = [runs.of(POOLED[0])?, runs.of(unpooled)?];
        anyhow::Ok(match differences(settings, pair, figure).last() {
            Some((images, difference)) => {
                format!("{what} of max less that of {unpooled} at {images} images: {} points", difference.percent())
            }
            None => format!("Max and {unpooled} have both fitted no size"),
        })
    };
    let mut claims = Vec::new();
    for unpooled in UNPOOLED {
        let rule = |what: &str, side: &str| {
            format!(
                "Max and average are each compared with {unpooled}, at each size where the mean training accuracy of \
                 both is at least {:.0} %: else there is no overfitting to prevent; a part holds if the paired \
                 interval of {what}, widened for the number of parts, is {side} 0.",
                100.0 * settings.fitted
            )
        };
        claims.push(Claim::decided(
            &format!("Pooling narrows the gap between training and test accuracy (against {unpooled})"),
            Parts::below(&intervals(against(unpooled, Accuracies::gap)?), 0.0),
            &at_most("The gap", unpooled, Accuracies::gap)?,
            &rule("the difference of the gaps", "below"),
        ));
        claims.push(Claim::decided(
            &format!("Pooling generalises better from the same images (against {unpooled})"),
            Parts::above(&intervals(against(unpooled, |of| of.test)?), 0.0),
            &at_most("Test accuracy", unpooled, |of| of.test)?,
            &rule("the difference of test accuracy", "above"),
        ));
    }
    Ok(claims)
}
