//! Synthetic images of which is known what each pooling can and cannot tell.

mod drawing;

use burn_pooling::model::{PoolingCnnConfig, Variant};
use burn_pooling_experiments::images::grey;
use burn_pooling_experiments::plot::{Dots, Gallery, Picture};
use burn_pooling_experiments::protocol::Tuned;
use burn_pooling_experiments::report::{Cell, Claim, Comparison, Report, Table};
use burn_pooling_experiments::runs::{Runs, Setting};
use burn_pooling_experiments::study::Study;
use burn_pooling_experiments::training::{Plan, train};
use serde::{Deserialize, Serialize};

use drawing::{Purpose, SIZE, Task};

/// Training images; validation images; test images.
const IMAGES: [usize; 3] = [2_000, 200, 1_000];
/// How the variants are trained: tried out until all learn what they can.
const TRAINING: [Tuned; 4] = [
    Tuned { learning_rate: 3e-3, epochs: 60 },
    Tuned { learning_rate: 3e-3, epochs: 60 },
    Tuned { learning_rate: 3e-3, epochs: 200 },
    Tuned { learning_rate: 1e-2, epochs: 300 },
];
/// Accuracy in percent above which a task is solved.
const SOLVED: f64 = 99.0;
/// Accuracy in percent below which two classes are not told apart.
const CHANCE: f64 = 55.0;

/// A network and its task.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Trial {
    plan: Plan,
    task: String,
    test_images: usize,
}

/// Shares of the images that are classified correctly.
#[derive(Debug, Serialize, Deserialize)]
struct Run {
    /// Of validation images, which are like those of training.
    like_training: f64,
    test: f64,
}

/// Trains every variant for every task.
pub fn report(study: &Study) -> anyhow::Result<Option<Report>> {
    let mut settings = Vec::new();
    let variants = || Variant::ALL.into_iter().zip(TRAINING);
    for (task, (variant, tuned)) in Task::ALL.into_iter().flat_map(|task| variants().map(move |one| (task, one))) {
        let trial = trial(task, variant, tuned, study);
        let cost = trial.plan.multiply_adds()?;
        settings.push(Setting { label: label(task, variant), cost, settings: trial });
    }
    let work = |trial: &Trial, seed| -> anyhow::Result<Run> {
        let task = Task::ALL.into_iter().find(|task| task.name() == trial.task).unwrap_or(Task::Place);
        let count = trial.plan.train_images + trial.plan.valid_images;
        let trained = train(&trial.plan, &task.draw(count, Purpose::Train, seed)?, seed)?;
        let test = task.draw(trial.test_images, Purpose::Test, seed)?;
        Ok(Run { like_training: trained.history.final_valid_accuracy(), test: trained.predict(&test)?.accuracy() })
    };
    let Some(runs) = study.runs(settings, &study.seeds, work)? else { return Ok(None) };
    let found = Found(runs);
    let mut report = Report::new(study, &found.0.seeds, serde_json::json!({}))?;
    report.data = "synthetic".to_owned();
    report.draw("images.svg", &gallery()?, "Two images of each class of each task")?;
    report.draw("accuracy.svg", &found.dots()?, "Test accuracy of each variant in each task")?;
    report.claims = found.claims()?;
    report.tables = vec![found.table()?];
    Ok(Some(report))
}

fn label(task: Task, variant: Variant) -> String {
    format!("{variant}, {}", task.name())
}

fn trial(task: Task, variant: Variant, tuned: Tuned, study: &Study) -> Trial {
    let [train_images, valid_images, test_images] = study.options.choose(IMAGES, [100, 40, 40]);
    let network = PoolingCnnConfig::new(variant).with_image_size([SIZE; 2]).with_classes(task.classes());
    let tuned = Tuned { epochs: study.options.choose(tuned.epochs, 1), ..tuned };
    let plan = tuned.plan(network, [train_images, valid_images]);
    Trial { plan, task: task.name().to_owned(), test_images }
}

/// A figure of a run.
type Figure = fn(&Run) -> f64;

fn test(run: &Run) -> f64 {
    100.0 * run.test
}

struct Found(Runs<Trial, Run>);

impl Found {
    /// That a variant is right above (or below) a threshold.
    fn right(&self, task: Task, variant: Variant, threshold: f64, is_above: bool) -> anyhow::Result<Comparison> {
        let runs = self.0.get(&label(task, variant))?;
        let accuracy = runs.mean(test);
        let sentence = format!(
            "`{variant}` classifies {} % of the test images correctly ({:.1} % of those like in training).",
            accuracy.text(1),
            runs.mean(|run| 100.0 * run.like_training).mean,
        );
        Ok(match is_above {
            true => Comparison::above(accuracy, threshold, sentence),
            false => Comparison::below(accuracy, threshold, sentence),
        })
    }

    fn claims(&self) -> anyhow::Result<Vec<Claim>> {
        use Variant::{GlobalAverage, GlobalMax, Max};
        let [max, average] = [GlobalMax, GlobalAverage].map(|variant| self.0.get(&label(Task::Presence, variant)));
        let difference = max?.minus(average?, test);
        let sentence = format!(
            "`gmp` is {} than `gap` at telling whether a small cross is among the dots.",
            difference.in_words("points", 1, ["more accurate", "less accurate"]),
        );
        let right = |task, variant, threshold, is_above| self.right(task, variant, threshold, is_above);
        Ok(vec![
            Claim::new(
                "Networks with global pooling recognise shapes where they never saw them",
                [right(Task::Place, GlobalMax, SOLVED, true)?, right(Task::Place, GlobalAverage, SOLVED, true)?],
            ),
            Claim::new(
                "A network with local max pooling does not recognise shapes where it never saw them",
                [right(Task::Place, Max, SOLVED, false)?],
            ),
            Claim::new(
                "Global max pooling cannot tell textures apart that differ in their mean alone",
                [right(Task::Mean, GlobalMax, CHANCE, false)?],
            ),
            Claim::new(
                "Global average pooling tells textures apart that differ in their mean alone",
                [right(Task::Mean, GlobalAverage, SOLVED, true)?],
            ),
            Claim::new(
                "Global max pooling finds a small shape among others better than global average pooling",
                [Comparison::above(difference, 0.0, sentence)],
            ),
        ])
    }

    fn table(&self) -> anyhow::Result<Table> {
        let caption = "Accuracy in percent on validation images, which are like those of training, and on test images, with \
                       that by chance in brackets: mean and 95 % interval over the seeds.";
        let titles = Task::ALL.map(|task| format!("{} ({:.0})", task.name(), 100.0 / task.classes() as f64));
        let mut columns = vec![("network", 0), ("images", 0)];
        columns.extend(titles.iter().map(|title| (title.as_str(), 1)));
        let mut table = Table::new(caption, &columns);
        let figures: [(&str, Figure); 2] = [("validation", |run| 100.0 * run.like_training), ("test", test)];
        for (variant, (images, figure)) in Variant::ALL.into_iter().flat_map(|one| figures.map(|other| (one, other))) {
            let mut row = vec![Cell::from(variant.name()), images.into()];
            for task in Task::ALL {
                row.push(self.0.get(&label(task, variant))?.mean(figure).into());
            }
            table.push(row);
        }
        Ok(table)
    }

    fn dots(&self) -> anyhow::Result<Dots> {
        let row = |task: Task| {
            let values = Variant::ALL.map(|variant| Ok(self.0.get(&label(task, variant))?.mean(test)));
            Ok((task.name().to_owned(), values.into_iter().collect::<anyhow::Result<_>>()?))
        };
        Ok(Dots {
            title: "Test accuracy by task: mean of the seeds and 95 % interval".to_owned(),
            x_label: "test accuracy, percent".to_owned(),
            logarithmic: false,
            series: Variant::ALL.map(|variant| variant.name().to_owned()).to_vec(),
            rows: Task::ALL.into_iter().map(row).collect::<anyhow::Result<_>>()?,
        })
    }
}

/// Two images of each class of each task; of the first, one of training and one of testing.
fn gallery() -> anyhow::Result<Gallery> {
    let most = Task::ALL.map(Task::classes).into_iter().max().unwrap_or(0);
    let row = |task: Task| {
        let [train, test] = [Purpose::Train, Purpose::Test].map(|purpose| task.draw(task.classes(), purpose, 1));
        let pictures = [grey(&train?), grey(&test?)];
        let pictures = pictures.iter().flat_map(|images| images.rows()).map(|image| Picture::ink(image, [SIZE; 2]));
        Ok((task.name().to_owned(), pictures.collect()))
    };
    Ok(Gallery {
        title: "One image of each class, of training and then of testing".to_owned(),
        columns: vec![String::new(); 2 * most],
        rows: Task::ALL.into_iter().map(row).collect::<anyhow::Result<_>>()?,
    })
}
