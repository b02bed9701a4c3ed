//! The command itself: what it prints, writes, refuses, and survives.

#![cfg(all(feature = "cli", feature = "flex", feature = "ndarray", feature = "bundled-mnist"))]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use assert_cmd::prelude::*;
use burn_pooling::run::Report;
use common::{few_images, write_sets};
use predicates::prelude::*;
use tempfile::{TempDir, tempdir};

/// A folder with a small data set of real images, where the command runs.
struct Place(TempDir);

impl Place {
    fn new(train: usize, test: usize) -> Self {
        let folder = tempdir().unwrap();
        fs::create_dir(folder.path().join("data")).unwrap();
        write_sets(&folder.path().join("data"), &few_images(train, test));
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The command, with words separated by spaces.
    fn command(&self, words: &str) -> Command {
        let mut command = Command::cargo_bin("burn-pooling").unwrap();
        command.current_dir(self.0.path()).args(words.split_whitespace());
        command
    }

    /// Trains on the small data set.
    fn train(&self, words: &str) -> Command {
        self.command(&format!("--data-dir data --valid-size 20 --batch-size 16 {words}"))
    }

    fn report(&self, run: &str) -> Report {
        serde_json::from_slice(&fs::read(self.path(run).join("report.json")).unwrap()).unwrap()
    }
}

fn usage_error(words: &str, message: &str) {
    let place = Place::new(30, 10);
    (place.command(words).assert().code(2)).stderr(predicate::str::contains(message));
}

#[test]
fn a_run_writes_everything_and_is_evaluated_again_to_the_same_figures() {
    let place = Place::new(120, 50);
    let train = place.train("--variant gmp --epochs 2 --seed 7 --out run");
    let output = { train }.assert().success().stderr("").get_output().stdout.clone();
    let output = String::from_utf8(output).unwrap();
    for expected in ["epoch 1/2", "epoch 2/2", "test accuracy", "true \\ predicted", "run: run"] {
        assert!(output.contains(expected), "{expected} in {output}");
    }
    let report = place.report("run");
    assert_eq!((report.seed, report.epochs, report.parameters), (7, 2, 5_834));
    assert_eq!((report.test.count, report.backend.as_str()), (50, "flex"));
    assert_eq!(report.test.confusion.iter().flatten().sum::<usize>(), 50);
    assert!(report.train_images_per_second > 0.0);
    let text = fs::read_to_string(place.path("run/report.json")).unwrap();
    assert!(text.contains("\"variant\": \"gmp\""), "{text}");
    assert_eq!(fs::read_to_string(place.path("run/metrics.jsonl")).unwrap().lines().count(), 2);

    for backend in ["flex", "ndarray"] {
        let evaluate = place.command(&format!("evaluate run --json --backend {backend}"));
        let output = { evaluate }.assert().success().get_output().stdout.clone();
        let again: burn_pooling::evaluation::Evaluation = serde_json::from_slice(&output).unwrap();
        assert_eq!(again.confusion, report.test.confusion, "{backend}");
        assert!((again.loss - report.test.loss).abs() < 1e-6, "{backend}");
    }
}

#[test]
fn synonyms_and_the_named_command_train_as_well() {
    let place = Place::new(40, 10);
    for (number, (words, variant)) in [
        ("--variant avg", "average"),
        ("--variant global-max", "gmp"),
        ("train --variant global-average", "gap"),
        ("", "max"),
    ]
    .into_iter()
    .enumerate()
    {
        let words =
            format!("{words} --quiet --epochs 1 --valid-size 0 --data-dir data --out {number}");
        place.command(&words).assert().success();
        assert_eq!(place.report(&number.to_string()).variant, variant);
    }
    place.train("--quiet --epochs 1").assert().success();
    place.train("--quiet --epochs 1").assert().success();
    let runs: Vec<_> = fs::read_dir(place.path("runs")).unwrap().collect();
    assert_eq!(runs.len(), 2, "each run has a folder of its own");
}

#[test]
fn help_and_version_are_printed() {
    let place = Place::new(30, 10);
    let help = place.command("--help").assert().success().get_output().stdout.clone();
    let help = String::from_utf8(help).unwrap();
    for flag in [
        "--variant",
        "--epochs",
        "--batch-size",
        "--learning-rate",
        "--seed",
        "--valid-size",
        "--threads",
        "--data-dir",
        "--backend",
        "--out",
        "--resume",
        "--quiet",
        "evaluate",
        "summary",
    ] {
        assert!(help.contains(flag), "{flag} in {help}");
    }
    place
        .command("--version")
        .assert()
        .success()
        .stdout(predicate::str::contains(env!("CARGO_PKG_VERSION")));
}

#[test]
fn usage_errors_exit_with_2_and_say_what_was_expected() {
    for (words, message) in [
        ("--variant median", "max, average, gmp, gap"),
        ("--epochs 0", "at least 1"),
        ("--epochs many", "a whole number"),
        ("--batch-size 0", "at least 1"),
        ("--learning-rate -1", "above 0"),
        ("--learning-rate nan", "above 0"),
        ("--seed=-3", "--seed"),
        ("--threads 0", "--threads"),
        ("--threads 100000", "1024"),
        ("--backend tpu", "flex, ndarray, wgpu or cuda"),
        ("--valid-size 30 --data-dir data", "fewer than the 30 training images"),
        ("--out a --resume b", "cannot be used with"),
        ("--resume b --seed 1", "cannot be used with"),
        ("--no-such-flag", "--no-such-flag"),
        ("evaluate", "<RUN>"),
    ] {
        usage_error(words, message);
    }
    if !cfg!(feature = "wgpu") {
        usage_error("--backend wgpu", "--features wgpu");
    }
}

#[test]
fn failures_exit_with_1_and_one_line() {
    let place = Place::new(30, 10);
    fs::create_dir(place.path("other")).unwrap();
    fs::write(place.path("other/file"), "").unwrap();
    for (words, message) in [
        ("--data-dir nowhere", "nowhere"),
        ("--data-dir data --valid-size 5 --out other", "other"),
        ("--resume other", "config.json"),
        ("evaluate other", "config.json"),
        ("evaluate nowhere", "nowhere"),
    ] {
        place.command(words).assert().code(1).stderr(predicate::str::contains(message)).stderr(
            predicate::function(|text: &str| {
                text.starts_with("error: ") && text.lines().count() == 1
            }),
        );
    }
}

#[test]
fn weights_that_do_not_fit_their_configuration_are_refused() {
    let place = Place::new(40, 10);
    place.train("--quiet --epochs 1 --variant gap --out run").assert().success();
    let path = place.path("run/config.json");
    let config = fs::read_to_string(&path).unwrap();
    fs::write(&path, config.replace("\"filters\": 32", "\"filters\": 16")).unwrap();
    for words in ["evaluate run", "--resume run"] {
        place.command(words).assert().code(1).stderr(predicate::str::contains("expected"));
    }
    fs::write(&path, "{}").unwrap();
    place.command("evaluate run").assert().code(1).stderr(predicate::str::contains("config.json"));
}

#[test]
fn the_keras_style_equals_keras_to_the_letter() {
    let place = Place::new(30, 10);
    for (variant, golden) in [
        ("max", include_str!("golden/keras/max.txt")),
        ("average", include_str!("golden/keras/average.txt")),
        ("gmp", include_str!("golden/keras/global-max.txt")),
        ("gap", include_str!("golden/keras/global-average.txt")),
    ] {
        let words = format!("summary --variant {variant} --style keras");
        place.command(&words).assert().success().stdout(golden);
        // A training run starts with the same table.
        let train = place.train(&format!("--epochs 1 --variant {variant} --out {variant}"));
        { train }.assert().success().stdout(predicate::str::starts_with(golden));
    }
}

#[test]
fn summaries_come_in_every_style_and_for_other_images() {
    let place = Place::new(30, 10);
    for (words, expected) in [
        ("summary", "113,386"),
        ("summary --variant gap --input 64x48 --batch-size 8", "[N, 1, 64, 48]"),
        ("summary --style markdown", "| Layer | Input | Output |"),
        ("summary --style json", "\"rows\""),
        ("summary --compare", "gmp"),
        ("summary --compare --style json", "\"models\""),
    ] {
        place.command(words).assert().success().stdout(predicate::str::contains(expected));
    }
    for words in ["summary --input 28", "summary --compare --style keras", "summary --style tiny"] {
        place.command(words).assert().code(2);
    }
    let small = place.command("summary --variant max --input 6x6");
    { small }.assert().code(1).stderr(predicate::str::contains("does not fit"));
}

#[test]
fn the_bench_prints_what_other_programs_read() {
    let place = Place::new(30, 10);
    for flags in ["", "--composed"] {
        let words = format!(
            "bench --variant gmp --data-dir data --images 20 --batch-size 8 --threads 1 --json {flags}"
        );
        let output = place.command(&words).assert().success().get_output().stdout.clone();
        let list: serde_json::Value = serde_json::from_slice(&output).unwrap();
        let [measured] = list.as_array().unwrap().as_slice() else {
            panic!("{list}");
        };
        assert_eq!(
            (measured["variant"].as_str(), measured["backend"].as_str()),
            (Some("gmp"), Some("flex"))
        );
        assert_eq!(
            (measured["threads"].as_u64(), measured["batch_size"].as_u64()),
            (Some(1), Some(8))
        );
        for speed in ["train_images_per_second", "inference_images_per_second"] {
            let [low, middle, high] = ["lower_quartile", "median", "upper_quartile"]
                .map(|name| measured[speed][name].as_f64().unwrap());
            assert!(0.0 < low && low <= middle && middle <= high, "{measured}");
        }
        assert!(measured["latency_microseconds"].as_f64().unwrap() > 0.0);
    }
}

/// The checkpointed weights of a whole run of the given length.
fn whole_run(place: &Place, words: &str) -> Vec<u8> {
    place.train(&format!("{words} --quiet --out whole")).assert().success();
    fs::read(place.path("whole/model.safetensors")).unwrap()
}

fn start(command: &mut Command) -> std::process::Child {
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn wait_for(path: &Path) {
    let start = Instant::now();
    while !path.exists() && start.elapsed() < Duration::from_secs(30) {
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_run_killed_at_any_moment_goes_on_to_the_same_weights() {
    let place = Place::new(120, 10);
    let words = "--variant gmp --epochs 6";
    let whole = whole_run(&place, words);
    for milliseconds in [0, 15, 40, 90, 160, 250] {
        let run = format!("killed-{milliseconds}");
        let mut child = start(&mut place.train(&format!("{words} --out {run}")));
        wait_for(&place.path(&run));
        thread::sleep(Duration::from_millis(milliseconds));
        child.kill().unwrap(); // SIGKILL
        child.wait().unwrap();
        place.command(&format!("--quiet --resume {run}")).assert().success();
        assert!(fs::read(place.path(&run).join("model.safetensors")).unwrap() == whole, "{run}");
        assert_eq!(place.report(&run).epochs, 6);
    }
}

#[test]
fn a_run_without_a_whole_epoch_is_not_evaluated() {
    let place = Place::new(120, 10);
    place.train("--quiet --epochs 1 --variant gap --out run").assert().success();
    fs::write(place.path("run/metrics.jsonl"), "").unwrap();
    let evaluate = place.command("evaluate run");
    { evaluate }.assert().code(1).stderr(predicate::str::contains("--resume run"));
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_saves_and_says_how_to_go_on() {
    let place = Place::new(120, 10);
    let words = "--variant gmp --epochs 40";
    let whole = whole_run(&place, words);
    let mut train = place.train(&format!("{words} --out run"));
    let child = train.stdout(Stdio::piped()).spawn().unwrap();
    wait_for(&place.path("run/metrics.jsonl"));
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("burn-pooling --resume run"), "{text}");
    place.command("--quiet --resume run").assert().success();
    assert!(fs::read(place.path("run/model.safetensors")).unwrap() == whole);
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let place = Place::new(150, 10);
    for (variant, backend) in
        [("max", "flex"), ("average", "ndarray"), ("gmp", "ndarray"), ("gap", "flex")]
    {
        let weights = [1, 2, 3].map(|threads| {
            let run = format!("{variant}-{threads}");
            let words = format!(
                "--quiet --epochs 2 --batch-size 50 --valid-size 0 --data-dir data \
                 --variant {variant} --backend {backend} --threads {threads} --out {run}"
            );
            place.command(&words).assert().success();
            fs::read(place.path(&run).join("model.safetensors")).unwrap()
        });
        assert!(weights[0] == weights[1] && weights[0] == weights[2], "{variant} on {backend}");
    }
}

#[test]
fn a_finished_run_can_be_prolonged_but_not_shortened() {
    let place = Place::new(60, 10);
    let longer = whole_run(&place, "--variant gap --epochs 4");
    place.train("--quiet --variant gap --epochs 2 --out run").assert().success();
    place.command("--quiet --resume run --epochs 4").assert().success();
    assert!(fs::read(place.path("run/model.safetensors")).unwrap() == longer);
    place.command("--resume run --epochs 1").assert().code(2);
}

#[cfg(feature = "wgpu")]
#[test]
fn a_gpu_that_is_not_there_is_an_error_and_no_panic() {
    let place = Place::new(30, 10);
    let mut train = place.train("--backend wgpu");
    // No Vulkan driver and no OpenGL: a machine without a GPU.
    train.env("VK_DRIVER_FILES", "/nonexistent").env("VK_ICD_FILENAMES", "/nonexistent");
    (train.assert().code(1))
        .stderr(predicate::str::contains("finds no device"))
        .stderr(predicate::function(|text: &str| text.lines().count() == 1));
}
