//! The experiments, end to end and quickly; and whether what is committed follows from the committed runs.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use burn_pooling_experiments::options::project;
use burn_pooling_experiments::report::{Cell, Report, replace_results};

/// Runs `reproduce`.
fn reproduce(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_reproduce")).args(arguments).output().unwrap()
}

/// Runs `reproduce --quick` into `folder`.
fn quick(folder: &Path, arguments: &[&str]) -> Output {
    reproduce(&[&["--quick", "--out", folder.to_str().unwrap()], arguments].concat())
}

fn succeeded(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn failed_with(output: &Output, message: &str) {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && errors.contains(message), "expected '{message}', found: {errors}");
}

/// The reports below a folder, with their folders' names.
fn reports(folder: &Path) -> Vec<(String, Report)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_dir()) {
        // Made by another program.
        if entry.file_name() == "throughput" {
            continue;
        }
        for place in [entry.path(), entry.path().join("digits")] {
            let name = place.strip_prefix(folder).unwrap().display().to_string();
            found.extend(Report::load(&place).unwrap().map(|report| (name, report)));
        }
    }
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    found
}

/// Every figure and every plot is there; and the quick figures say that they are.
#[test]
#[cfg_attr(debug_assertions, ignore = "takes minutes without --release")]
fn everything_runs_and_what_follows_is_checked() {
    let folder = tempfile::tempdir().unwrap();
    succeeded(&quick(folder.path(), &[]));
    let reports = reports(folder.path());
    assert_eq!(reports.len(), 13);
    for (name, report) in &reports {
        assert!(report.quick && !report.runs.is_empty() && !report.tables.is_empty(), "{name}");
        for comparison in report.claims.iter().flat_map(|claim| &claim.comparisons) {
            let sentence = &comparison.sentence;
            assert!(sentence.contains(|c: char| c.is_ascii_digit()) && sentence.ends_with('.'), "{name}: {sentence}");
            let is_no_number = |word: &str| ["NaN", "inf", "-inf"].contains(&word);
            assert!(!sentence.split(' ').any(is_no_number), "{name}: {sentence}");
        }
        for table in &report.tables {
            assert!(table.rows.iter().all(|row| row.len() == table.columns.len()), "{name}: {}", table.caption);
        }
        for plot in &report.plots {
            let svg = fs::read_to_string(folder.path().join(name).join(&plot.file)).unwrap();
            assert!(svg.contains("<svg") && svg.trim_end().ends_with("</svg>"), "{name}: {}", plot.file);
        }
        let readme = fs::read_to_string(folder.path().join(name).join("README.md")).unwrap();
        assert_eq!(replace_results(&readme, &report.markdown()).unwrap(), readme);
    }
    succeeded(&quick(folder.path(), &["--check"]));
    a_changed_figure_is_found(folder.path());
}

fn a_changed_figure_is_found(folder: &Path) {
    let runs = folder.join("variants/runs");
    let run = fs::read_dir(&runs).unwrap().map(|entry| entry.unwrap().path()).min().unwrap();
    let text = fs::read_to_string(&run).unwrap();
    let place = text.find("\"valid_loss\":[").unwrap() + "\"valid_loss\":[".len();
    let digit = text[place..].find(|letter: char| letter.is_ascii_digit()).unwrap() + place;
    let other = if &text[digit..=digit] == "1" { "2" } else { "1" };
    fs::write(&run, [&text[..digit], other, &text[digit + 1..]].concat()).unwrap();
    failed_with(&quick(folder, &["--check"]), "variants");
    fs::write(&run, text).unwrap();
    succeeded(&quick(folder, &["--check"]));
    fs::write(runs.join("other.json"), "").unwrap();
    failed_with(&quick(folder, &["--check"]), "other.json");
}

#[test]
#[cfg_attr(debug_assertions, ignore = "takes minutes without --release")]
fn parts_give_the_same_as_one_process_however_many_threads_compute() {
    let [parts, alone] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let chosen = ["variants/digits", "tuning/digits", "--seeds", "3"];
    failed_with(&quick(parts.path(), &[&chosen[..], &["--collect"]].concat()), "compute them first");
    for part in ["2/3", "1/3", "3/3", "2/3"] {
        succeeded(&quick(parts.path(), &[&chosen[..], &["--shard", part]].concat()));
    }
    succeeded(&quick(parts.path(), &[&chosen[..], &["--collect"]].concat()));
    succeeded(&quick(alone.path(), &[&chosen[..], &["--threads", "1"]].concat()));
    assert_eq!(reports(parts.path()), reports(alone.path()));
}

#[test]
#[cfg_attr(debug_assertions, ignore = "takes minutes without --release")]
fn one_more_seed_computes_one_more_seed() {
    let folder = tempfile::tempdir().unwrap();
    succeeded(&quick(folder.path(), &["variants/digits"]));
    let output = quick(folder.path(), &["variants/digits", "--seeds", "3"]);
    succeeded(&output);
    let progress = String::from_utf8_lossy(&output.stderr);
    assert!(progress.contains("seed 3") && !progress.contains("seed 2"), "{progress}");
}

/// Other data, from a folder.
#[test]
#[cfg_attr(debug_assertions, ignore = "takes minutes without --release")]
fn other_data_have_their_own_results() {
    let folder = tempfile::tempdir().unwrap();
    let data = project().unwrap().join("../data/mnist");
    succeeded(&quick(folder.path(), &["variants", "--data-dir", data.to_str().unwrap()]));
    let reports = reports(folder.path());
    assert_eq!((reports.len(), reports[0].1.data.as_str()), (1, "mnist"));
}

#[test]
fn the_committed_figures_are_not_overwritten_by_quick_or_short_runs_or_other_data() {
    let committed = project().unwrap();
    let data = committed.join("../data/mnist");
    let [committed, data] = [&committed, &data].map(|path| path.to_str().unwrap());
    for arguments in [vec!["--seeds", "9"], vec!["--quick"], vec!["--data-dir", data]] {
        let output = reproduce(&[&arguments[..], &["--out", committed]].concat());
        failed_with(&output, "at least 10 seeds");
    }
}

#[test]
fn a_wrong_name_is_an_error_that_lists_the_right_ones() {
    failed_with(&reproduce(&["variant"]), "expected some of variants, ");
}

/// A copied command must not write where it was built.
#[test]
fn outside_of_the_project_a_folder_is_asked_for() {
    let elsewhere = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_reproduce"));
    let output = command.env_remove("CARGO_MANIFEST_DIR").current_dir(elsewhere.path()).output().unwrap();
    failed_with(&output, "--out");
}

#[test]
#[cfg_attr(debug_assertions, ignore = "takes minutes without --release")]
fn what_is_committed_follows_from_the_committed_runs() {
    succeeded(&reproduce(&["--check"]));
}

/// Time is measured once, and learning rates are chosen with seeds of their own.
#[test]
fn what_is_committed_is_of_full_runs_with_ten_seeds() {
    for (name, report) in reports(&project().unwrap()) {
        assert!(!report.quick, "{name}: results.json is of a quick run");
        let is_apart = ["cost", "tuning"].contains(&report.experiment.as_str());
        assert!(is_apart || report.seeds.len() >= 10, "{name}: {} seeds", report.seeds.len());
    }
}

/// What `protocol` uses is what the experiment *tuning* found.
#[test]
fn the_learning_rates_are_those_of_the_lowest_validation_loss() {
    let committed = reports(&project().unwrap());
    for (name, report) in committed.iter().filter(|(name, _)| name.starts_with("tuning")) {
        let table = &report.tables[0];
        let column = |title: &str| table.columns.iter().position(|column| column.title == title).unwrap();
        let (best, used) = (column("best"), column("used"));
        for row in &table.rows {
            assert!(matches!(row[best], Cell::Number(_)) && row[best] == row[used], "{name}: {row:?}");
        }
    }
}

/// The page of `explore` tells what the experiment with shapes measured.
#[test]
fn the_page_says_what_the_experiment_measured() {
    let read = |path: &str| fs::read_to_string(project().unwrap().join(path)).unwrap();
    let (page, report) = (read("../src/explore/page/index.html"), read("shapes/README.md"));
    for name in ["max", "average", "gmp", "gap"] {
        let row = report.split_once(&format!("\n| {name} | test | ")).unwrap().1;
        let figure = row.split(" |").next().unwrap();
        assert!(page.contains(&format!("{name} {figure} %")), "{name}: {figure}");
    }
}
