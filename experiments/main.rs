//! Makes the experiments: computes their runs, and what follows from them.

mod context;
mod cost;
mod information;
mod input_size;
mod overfitting;
mod saliency;
mod shapes;
mod translation;
mod tuning;
mod variants;
mod window;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, ensure};
use burn_pooling_experiments::data::DataSet;
use burn_pooling_experiments::options::{Mode, Options, project};
use burn_pooling_experiments::output::Output;
use burn_pooling_experiments::report::{Report, adjust, claims_table, replace_results};
use burn_pooling_experiments::study::Study;

/// What makes the report of an experiment on one data set, or `None` if only a part of its runs was computed.
type Experiment = fn(&Study) -> anyhow::Result<Option<Report>>;

/// All experiments, in the order in which they are shown: the name, which is the folder's, and whether the second data
/// set can answer the question as well.
const EXPERIMENTS: [(&str, Experiment, bool); 11] = [
    ("variants", variants::report, true),
    ("cost", cost::report, false),
    ("translation", translation::report, false),
    ("window", window::report, false),
    ("overfitting", overfitting::report, false),
    ("context", context::report, false),
    ("input_size", input_size::report, false),
    ("information", information::report, false),
    ("saliency", saliency::report, false),
    ("shapes", shapes::report, false),
    ("tuning", tuning::report, true),
];

/// The fewest seeds of committed figures.
const SEEDS: usize = 10;

/// An experiment on one data set.
struct Task<'a> {
    experiment: &'static str,
    make: Experiment,
    data: &'a DataSet,
    /// The name of the experiment, and of the data set if it is not the first: the folder of the results.
    name: String,
}

fn main() -> anyhow::Result<()> {
    let options = Options::read();
    let start = Instant::now();
    let folder = options.folder()?;
    refuse_to_spoil(&options, &folder)?;
    let mut sets = match &options.data_dir {
        Some(folder) => vec![DataSet::folder(folder)?],
        None => vec![DataSet::mnist()?, DataSet::digits()?],
    };
    if options.quick {
        sets = sets.into_iter().map(|data| data.shortened(1_000, 200)).collect();
    }
    let tasks = tasks(&sets);
    refuse_unknown(&options, &tasks)?;
    let mut reports = Vec::new();
    for task in &tasks {
        let place = folder.join(&task.name);
        let report = match is_chosen(&options, task) {
            true => make(task, &options, place.clone()).with_context(|| task.name.clone())?,
            // One family of comparisons: those of all reports that are there.
            false => Report::load(&place)?,
        };
        reports.extend(report.map(|report| (task.name.clone(), report)));
    }
    if !matches!(options.mode(), Mode::Shard(_)) {
        publish(&options, &folder, reports)?;
    }
    eprintln!("{:.0} seconds", start.elapsed().as_secs_f64());
    Ok(())
}

fn tasks(sets: &[DataSet]) -> Vec<Task<'_>> {
    let all = EXPERIMENTS.iter().flat_map(|&(experiment, make, on_second)| {
        let sets = sets.iter().enumerate().filter(move |(index, _)| *index == 0 || on_second);
        sets.map(move |(index, data)| {
            let name = match index {
                0 => experiment.to_owned(),
                _ => format!("{experiment}/{}", data.key.name),
            };
            Task { experiment, make, data, name }
        })
    });
    all.collect()
}

/// Whether a task was asked for, by its experiment or by its own name; without any name, all are.
fn is_chosen(options: &Options, task: &Task) -> bool {
    let is_named = |name: &String| name == task.experiment || *name == task.name;
    options.experiments.is_empty() || options.experiments.iter().any(is_named)
}

fn make(task: &Task, options: &Options, place: PathBuf) -> anyhow::Result<Option<Report>> {
    eprintln!("{} on {}", task.experiment, task.data.key.name);
    let mode = options.mode();
    let (is_named, is_reported) = (!options.experiments.is_empty(), Report::load(&place)?.is_some());
    if mode == Mode::Check && !is_named && !is_reported {
        eprintln!("{}: no report yet, so nothing to check", task.name);
        return Ok(None);
    }
    let study = Study::new(task.experiment, options, task.data, place.clone(), options.networks()?);
    let report = (task.make)(&study)?;
    if report.is_none() && matches!(mode, Mode::Collect | Mode::Check) {
        let is_expected = is_named || is_reported;
        ensure!(!is_expected, "expected every run of at least one seed, found some missing: compute them first");
        eprintln!("{}: not computed yet", task.name);
    }
    if report.is_some() && mode == Mode::Check {
        study.refuse_left_over()?;
    }
    Ok(report)
}

/// Writes or compares what follows from the reports.
fn publish(options: &Options, folder: &Path, mut reports: Vec<(String, Report)>) -> anyhow::Result<()> {
    adjust(reports.iter_mut().flat_map(|(_, report)| &mut report.claims));
    let mut output = match options.mode() {
        Mode::Check => Output::Compare(Vec::new()),
        _ => Output::Write,
    };
    for (name, report) in &reports {
        report.put(&folder.join(name), &mut output)?;
    }
    let table = claims_table(&reports);
    // Only the project's folder has a README for the table.
    let path = folder.join("README.md");
    match fs::read_to_string(&path) {
        Ok(text) => output.put(&path, &replace_results(&text, &table)?)?,
        Err(_) if options.mode() == Mode::Check => {}
        Err(_) => println!("{table}"),
    }
    output.finish()
}

fn refuse_unknown(options: &Options, tasks: &[Task]) -> anyhow::Result<()> {
    let names: Vec<&str> = tasks.iter().map(|task| task.name.as_str()).collect();
    let unknown = options.experiments.iter().find(|name| !names.contains(&name.as_str()));
    match unknown {
        Some(name) => anyhow::bail!("expected some of {}, found '{name}'", names.join(", ")),
        None => Ok(()),
    }
}

/// The committed figures are of full runs.
fn refuse_to_spoil(options: &Options, folder: &Path) -> anyhow::Result<()> {
    let real = |path: &Path| path.canonicalize().ok();
    let writes = matches!(options.mode(), Mode::Compute | Mode::Collect);
    let is_committed = writes && real(folder).is_some() && project().is_ok_and(|path| real(&path) == real(folder));
    ensure!(
        !is_committed || (!options.quick && options.data_dir.is_none() && options.seeds().len() >= SEEDS),
        "the committed figures are of full runs with at least {SEEDS} seeds: choose another folder with --out"
    );
    Ok(())
}
