//! The experiments, end to end and quickly; and whether the committed tables are those of the committed figures.

use std::fs;
use std::path::Path;
use std::process::Command;

use burn_pooling_experiments::options::experiments;
use burn_pooling_experiments::report::{EXPERIMENTS, Report, claims_table, load_all, replace_results};

/// Runs an experiment `--quick` and reads what it wrote into `folder`.
fn quick(executable: &str, folder: &Path, arguments: &[&str]) -> Report {
    let output = Command::new(executable).args(["--quick", "--out"]).arg(folder).args(arguments).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{executable}: {errors}");
    Report::load(folder).unwrap()
}

/// Everything there, verdicts and plots included; and the quick figures say that they are.
fn check(name: &str, executable: &str) {
    let folder = tempfile::tempdir().unwrap();
    let report = quick(executable, folder.path(), &[]);
    assert_eq!((report.experiment.as_str(), report.quick), (name, true));
    assert!(report.settings["seeds"].as_array().unwrap().len() >= 2);
    assert!(!report.runs.is_empty() && !report.summary.is_empty());
    assert!(!report.claims.is_empty(), "{name} claims nothing");
    for claim in &report.claims {
        assert!(claim.figure.contains(|c: char| c.is_ascii_digit()), "{claim:?}");
        assert!(!claim.figure.contains("NaN"), "{claim:?}");
        assert!(!claim.rule.is_empty(), "{claim:?}");
    }
    assert!(!report.plots.is_empty(), "{name} shows nothing");
    for plot in &report.plots {
        let svg = fs::read_to_string(folder.path().join(&plot.file)).unwrap();
        assert!(svg.contains("<svg") && svg.trim_end().ends_with("</svg>"), "{}", plot.file);
    }
    for table in &report.summary {
        for row in &table.rows {
            assert_eq!(row.len(), table.columns.len(), "{name}: {row:?}");
        }
    }
    let readme = fs::read_to_string(folder.path().join("README.md")).unwrap();
    assert_eq!(replace_results(&readme, &report.markdown()).unwrap(), readme);
}

macro_rules! quick_runs {
    ($($name:ident),*) => {$(
        #[test]
        #[cfg_attr(debug_assertions, ignore = "takes minutes without --release")]
        fn $name() {
            check(stringify!($name), env!(concat!("CARGO_BIN_EXE_", stringify!($name))));
        }
    )*

    #[test]
    fn every_experiment_is_tested() {
        assert_eq!([$(stringify!($name)),*], EXPERIMENTS);
    }};
}

quick_runs!(variants, cost, translation, window, input_size, overfitting, information, saliency);

#[test]
#[cfg_attr(debug_assertions, ignore = "takes minutes without --release")]
fn the_same_seeds_give_the_same_figures_however_many_trainings_run_at_once() {
    const INFORMATION: &str = env!("CARGO_BIN_EXE_information");
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [one, three] = [(&folders[0], "1"), (&folders[1], "3")]
        .map(|(folder, threads)| quick(INFORMATION, folder.path(), &["--threads", threads]));
    assert_eq!(one, three);
    let other = tempfile::tempdir().unwrap();
    let more_seeds = quick(INFORMATION, other.path(), &["--seeds", "3"]);
    assert_ne!(one.claims, more_seeds.claims);
}

/// `reproduce` is started from another folder than the project's.
#[test]
#[cfg_attr(debug_assertions, ignore = "takes minutes without --release")]
fn the_committed_figures_are_not_overwritten_by_quick_or_short_runs() {
    let committed = experiments();
    let to_committed = ["--out", committed.to_str().unwrap()];
    for arguments in [vec!["--seeds", "9"], [&["--quick"][..], &to_committed].concat()] {
        let elsewhere = tempfile::tempdir().unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_reproduce"))
            .current_dir(elsewhere.path())
            .args(&arguments)
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{arguments:?}");
        assert!(errors.contains("at least 10 seeds"), "{arguments:?}: {errors}");
    }
}

#[test]
fn the_committed_results_are_of_full_runs_with_ten_seeds() {
    for report in committed() {
        let name = &report.experiment;
        assert!(!report.quick, "{name}: results.json is of a quick run");
        let seeds = report.settings["seeds"].as_array().unwrap();
        assert!(seeds.len() >= 10, "{name}: {} seeds", seeds.len());
        for plot in &report.plots {
            assert!(experiments().join(name).join(&plot.file).exists(), "{name}: {}", plot.file);
        }
    }
}

#[test]
fn the_committed_tables_are_those_of_the_committed_results() {
    let reports = committed();
    up_to_date(&experiments().join("README.md"), &claims_table(&reports));
    for report in reports {
        up_to_date(&experiments().join(&report.experiment).join("README.md"), &report.markdown());
    }
}

fn committed() -> Vec<Report> {
    load_all(&experiments()).unwrap_or_else(|error| {
        panic!("`cargo run --release -p burn-pooling-experiments --bin reproduce` has to be run: {error:#}")
    })
}

fn up_to_date(readme: &Path, results: &str) {
    let text = fs::read_to_string(readme).unwrap();
    let expected = replace_results(&text, results).unwrap_or_else(|error| panic!("{}: {error}", readme.display()));
    assert_eq!(text, expected, "{} has other results", readme.display());
}
