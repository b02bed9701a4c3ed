//! From 100 to 60,000 training images: how far test accuracy stays behind training accuracy, with each pooling and none.

use burn_pooling::mnist::{ImageDataset, ImageSets};
use experiments_common::images::subset;
use experiments_common::network::NetworkConfig;
use experiments_common::options::Options;
use experiments_common::plot::{LineSeries, Lines};
use experiments_common::report::{Cell, Claim, Report, Table, Verdict};
use experiments_common::runs::{NetworkRuns, Runs, each_seed};
use experiments_common::statistics::Interval;
use experiments_common::training::{Schedule, train};
use serde::Serialize;

/// The experiment, and its folder.
const NAME: &str = "overfitting";
/// The networks that do not pool.
const UNPOOLED: [&str; 2] = ["none", "strided"];

/// What is chosen, and stands in `results.json`.
#[derive(Serialize)]
struct Settings {
    networks: Vec<NetworkConfig>,
    sizes: Vec<Size>,
    /// The most training images for `none`, a tenth as fast as the others.
    most_unpooled_images: usize,
    /// Networks of one convolution, quick to compute and slow to learn, train so many times as many epochs.
    epochs_factor_of_one_convolution: usize,
    /// Training accuracy is measured on so many of the training images, at most.
    measured_train_images: usize,
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
    let runs = each_seed(NAME, threads, networks, seeds, |network, seed| {
        run(&settings, network, seed, &sets.train, &test)
    })?;

    let folder = options.folder(NAME);
    std::fs::create_dir_all(&folder)?;
    let all: Vec<_> = runs.all().collect();
    let mut report = Report::new(NAME, options.quick, &settings)?.with_runs(&all)?;
    let percent_gap = |accuracies: &Accuracies| 100.0 * accuracies.gap();
    lines(
        &runs,
        "Overfitting: how far test accuracy is behind training accuracy",
        "training minus test accuracy (points)",
        percent_gap,
    )
    .draw(&folder.join("gap.svg"))?;
    report.add_plot(
        "gap.svg",
        "Training minus test accuracy of each network over the number of training images",
    );
    lines(
        &runs,
        "What counts in the end: accuracy on test images",
        "test accuracy (0 to 1)",
        |accuracies| accuracies.test,
    )
    .draw(&folder.join("test.svg"))?;
    report.add_plot(
        "test.svg",
        "Test accuracy of each network over the number of training images",
    );
    report.summary = vec![table(&settings, &runs)];
    report.claims = claims(&settings, &runs)?;
    report.write(&folder)
}

fn settings(options: &Options) -> Settings {
    let mut networks = vec![NetworkConfig::without_pooling(), NetworkConfig::strided()];
    networks.extend(NetworkConfig::variants());
    let size = |(images, epochs, batch_size)| Size {
        images,
        schedule: Schedule::fixed(epochs, 0).with_batch_size(batch_size),
    };
    // About as many steps each, but a whole epoch at least; small batches, so that few epochs are many steps.
    let full = vec![
        (100, 40, 32),
        (1_000, 8, 32),
        (10_000, 1, 32),
        (60_000, 1, 128),
    ];
    let sizes = options.choose(full, vec![(50, 4, 32), (200, 2, 32), (400, 1, 32)]);
    Settings {
        networks,
        sizes: sizes.into_iter().map(size).collect(),
        most_unpooled_images: options.choose(10_000, 200),
        epochs_factor_of_one_convolution: options.choose(3, 2),
        measured_train_images: options.choose(2_000, 200),
        test_images: options.choose(4_000, 500),
        seeds: options.seeds(),
    }
}

fn run(
    settings: &Settings,
    network: &NetworkConfig,
    seed: u64,
    images: &ImageDataset,
    test: &ImageDataset,
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
    Ok(Run {
        network: network.name.clone(),
        seed,
        accuracies: accuracies.collect::<anyhow::Result<_>>()?,
    })
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
        points: (means(runs, figure).into_iter())
            .map(|(images, mean)| (images as f64, mean))
            .collect(),
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
        let figures: [fn(&Accuracies) -> f64; 4] = [
            |of| of.epochs as f64,
            |of| 100.0 * of.train,
            |of| 100.0 * of.test,
            |of| 100.0 * of.gap(),
        ];
        let columns = figures.map(|figure| means(network, figure));
        for index in 0..columns[0].len().min(settings.sizes.len()) {
            let mut row: Vec<Cell> = vec![
                network.network.name.as_str().into(),
                network.costs.parameters.into(),
                columns[0][index].0.into(),
            ];
            row.extend(columns.iter().map(|column| Cell::from(column[index].1)));
            table.push(row);
        }
    }
    table
}

/// How far `figure` is above with `one` than with `other`, at each size that both were trained on.
fn differences(
    one: &NetworkRuns<Run>,
    other: &NetworkRuns<Run>,
    figure: fn(&Accuracies) -> f64,
) -> Vec<Interval> {
    let sizes = |runs: &NetworkRuns<Run>| runs.runs.first().map_or(0, |run| run.accuracies.len());
    (0..sizes(one).min(sizes(other)))
        .map(|index| one.ahead_of(other, |run| figure(&run.accuracies[index])))
        .collect()
}

fn claims(settings: &Settings, runs: &Runs<Run>) -> anyhow::Result<Vec<Claim>> {
    let (mut narrower, mut better) = (Vec::new(), Vec::new());
    for unpooled in UNPOOLED {
        let unpooled = runs.of(unpooled)?;
        let pooled = (runs.0.iter()).filter(|runs| !UNPOOLED.contains(&runs.network.name.as_str()));
        for pooled in pooled {
            narrower.extend(differences(unpooled, pooled, Accuracies::gap));
            better.extend(differences(pooled, unpooled, |of| of.test));
        }
    }
    // The second smallest size: few images, and yet enough to learn from.
    let place = 1.min(settings.sizes.len() - 1);
    let at = |name: &str, figure: fn(&Accuracies) -> f64| -> anyhow::Result<String> {
        let mean = means(runs.of(name)?, figure)[place].1;
        Ok(format!("{name} {}", mean.percent()))
    };
    let list = |figure| -> anyhow::Result<String> {
        let names = ["none", "strided", "max", "average"];
        Ok((names.into_iter().map(|name| at(name, figure)))
            .collect::<anyhow::Result<Vec<_>>>()?
            .join(", "))
    };
    let images = settings.sizes[place].images;
    let count = |parts: &[Interval]| {
        let above = parts.iter().filter(|part| part.is_above(0.0)).count();
        format!("{above} of {} comparisons", parts.len())
    };
    let verdict = |parts: &[Interval]| {
        Verdict::of_parts(
            &parts
                .iter()
                .map(|part| part.is_above(0.0))
                .collect::<Vec<_>>(),
        )
    };
    let rule = "each network that pools is compared with each that does not (none, strided), at each size, paired by \
                seed";
    Ok(vec![
        Claim {
            claim: "Pooling narrows the gap between training and test accuracy".to_owned(),
            verdict: verdict(&narrower),
            figure: format!(
                "Narrower in {}; points of gap at {images} images: {}.",
                count(&narrower),
                list(Accuracies::gap)?
            ),
            rule: format!(
                "{rule}; holds if the gap is narrower in all (interval above 0), in part if in some."
            ),
        },
        Claim {
            claim: "Pooling prevents overfitting: it generalises better from the same images"
                .to_owned(),
            verdict: verdict(&better),
            figure: format!(
                "Better on test images in {}; percent at {images} images: {}.",
                count(&better),
                list(|of| of.test)?
            ),
            rule: format!(
                "{rule}; holds if test accuracy is higher in all (interval above 0), in part if in some. A gap can \
                 also be narrow because a network learns nothing."
            ),
        },
    ])
}
