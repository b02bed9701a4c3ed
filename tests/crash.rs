//! A run that is killed, or refused by the system, at a call that writes: nothing is lost.
//!
//! `strace` does it, at one call after the other; it has to be installed, so these tests are ignored unless asked for:
//! `cargo test --release --test crash -- --ignored`. They take every fourth call; with `CRASH_TEST_STEP=1` every one.

#![cfg(all(feature = "cli", feature = "flex", feature = "bundled-mnist", target_os = "linux"))]

mod common;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use burn_pooling::run::RunFolder;
use common::place::{Place, whole_run};

/// The calls that change what lies on a disk. Strace counts each of them by itself.
const CALLS: [&str; 6] = ["write", "fsync", "rename", "renameat2", "mkdir", "unlink"];

/// Two epochs on few images: every file is written several times.
const WORDS: &str = "--variant gap --epochs 2 --threads 1";
const RESUME: &str = "--quiet --epochs 2 --threads 1 --resume";

/// Runs a command, in which `fault` happens at one call, by its number from 1.
fn with_fault(command: &Command, fault: &str, call: &str, number: usize) -> Output {
    let mut strace = Command::new("strace");
    strace.args(["-qqq", "-o", "/dev/null", "-e", &format!("trace={call}")]);
    strace.args(["-e", &format!("inject={call}:{fault}:when={number}")]);
    strace.arg(command.get_program()).args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        strace.current_dir(folder);
    }
    strace.output().expect("strace is installed")
}

fn weights(place: &Place, run: &str) -> Vec<u8> {
    fs::read(place.path(run).join("model.safetensors")).unwrap()
}

fn leftovers(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    entries.filter(|name| name.ends_with(".new")).collect()
}

/// Goes on with a run, or begins it again where it is no run yet; the weights are those of an unbroken run.
fn goes_on(place: &Place, run: &str, whole: &[u8], fault: &str) {
    match RunFolder::open(&place.path(run)) {
        Ok(_) => drop(place.succeed(&format!("{RESUME} {run}"))),
        Err(_) => drop(place.train(&format!("{WORDS} --out {run}"))),
    }
    assert!(weights(place, run) == whole, "{fault}");
    assert!(RunFolder::open(&place.path(run)).unwrap().is_verified());
    for folder in [run.to_owned(), format!("{run}/checkpoint")] {
        assert_eq!(leftovers(&place.path(&folder)), [""; 0], "{fault}");
    }
}

/// Where a run is trained.
#[derive(Clone, Copy, PartialEq)]
enum Start {
    New,
    InAnEmptyFolder,
    AfterAnEpoch,
}

/// Lets `fault` happen at the calls of a command that trains, until it ends unharmed: at every call of each kind, or as
/// many as the environment says.
fn survives(fault: &str, from: Start) {
    let step = std::env::var("CRASH_TEST_STEP").ok().and_then(|step| step.parse().ok()).unwrap_or(4);
    let place = Place::new(60, 10);
    let whole = whole_run(&place, WORDS);
    place.train(&format!("{} --out short", WORDS.replace("--epochs 2", "--epochs 1")));
    let mut faults = 0;
    for call in CALLS {
        for number in (1..).step_by(step) {
            let (fault, run) = (format!("{fault} at {call} {number}"), format!("{call}{number}"));
            match from {
                Start::New => {}
                Start::InAnEmptyFolder => fs::create_dir(place.path(&run)).unwrap(),
                Start::AfterAnEpoch => copy(&place.path("short"), &place.path(&run)),
            }
            let command = match from {
                Start::AfterAnEpoch => place.command(&format!("{RESUME} {run}")),
                _ => place.training(&format!("{WORDS} --out {run}")),
            };
            let output = with_fault(&command, fault.split(' ').next().unwrap_or_default(), call, number);
            let (error, unharmed) = (String::from_utf8_lossy(&output.stderr), output.status.success());
            assert!(unharmed || !fault.starts_with("error") || error.contains("error: "), "{fault}: {error}");
            assert!(!error.contains("panicked"), "{fault}: {error}");
            goes_on(&place, &run, &whole, &fault);
            fs::remove_dir_all(place.path(&run)).unwrap();
            if unharmed {
                break;
            }
            faults += 1;
        }
    }
    assert!(faults >= 40 / step, "strace has let {faults} faults happen");
    assert_eq!(leftovers(&place.path("")), [""; 0]);
}

fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-r").args([from, to]).status().unwrap().success());
}

#[test]
#[ignore = "needs strace"]
fn a_new_run_survives_a_kill_at_any_call() {
    survives("signal=KILL", Start::New);
}

#[test]
#[ignore = "needs strace"]
fn a_new_run_in_an_empty_folder_survives_a_kill_at_any_call() {
    survives("signal=KILL", Start::InAnEmptyFolder);
}

#[test]
#[ignore = "needs strace"]
fn a_resumed_run_survives_a_kill_at_any_call() {
    survives("signal=KILL", Start::AfterAnEpoch);
}

#[test]
#[ignore = "needs strace"]
fn a_new_run_survives_a_full_disk_at_any_call() {
    survives("error=ENOSPC", Start::New);
}

#[test]
#[ignore = "needs strace"]
fn a_resumed_run_survives_a_full_disk_at_any_call() {
    survives("error=ENOSPC", Start::AfterAnEpoch);
}
