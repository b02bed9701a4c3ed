//! Runs on disk: nothing is lost, and nothing is used that is not what was written.

#![cfg(all(feature = "cli", feature = "flex", feature = "bundled-mnist", unix))]

mod common;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use burn_pooling::evaluation::Evaluation;
use burn_pooling::run::{RunConfig, RunFolder};
use common::place::{Place, exit, start, wait_for, whole_run};

fn signal(name: &str, child: &Child) {
    Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
}

fn config(place: &Place, run: &str) -> RunConfig {
    serde_json::from_slice(&fs::read(place.path(run).join("config.json")).unwrap()).unwrap()
}

/// The names of everything in a folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = entries.map(|name| name.to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_flipped_bit_in_any_file_is_noticed_by_evaluate_and_by_resume() {
    let place = Place::new(60, 10);
    place.train("--quiet --variant gap --epochs 1 --out run");
    for file in ["config.json", "metrics.jsonl", "model.safetensors", "checkpoint/state.mpk", "report.json"] {
        let path = place.path("run").join(file);
        let whole = fs::read(&path).unwrap();
        for position in [0, whole.len() / 2, whole.len() - 1] {
            let mut changed = whole.clone();
            changed[position] ^= 4;
            fs::write(&path, &changed).unwrap();
            for command in ["evaluate run", "--resume run"] {
                let error = place.fail(command, 1, file);
                assert!(error.contains("--unverified") || position == 0, "{error}");
            }
        }
        fs::remove_file(&path).unwrap();
        place.fail("evaluate run", 1, file);
        fs::write(&path, &whole).unwrap();
    }
    place.succeed("evaluate run");
    place.succeed("--quiet --resume run");
}

#[test]
fn what_was_changed_on_purpose_opens_unverified_and_an_old_run_opens_with_a_note() {
    let place = Place::new(60, 10);
    place.train("--quiet --variant gap --epochs 1 --out run");
    let report = place.path("run/report.json");
    fs::write(&report, "{}").unwrap();
    place.fail("evaluate run", 1, "report.json");
    place.succeed("evaluate run --unverified");
    // Resuming writes a manifest of the files as they are.
    place.succeed("--quiet --resume run --unverified");
    place.succeed("evaluate run");

    fs::remove_file(place.path("run/manifest.sha256")).unwrap();
    fs::remove_file(place.path("run/lock")).unwrap();
    let (_, note) = exit(place.command("evaluate run"), 0);
    assert!(note.contains("note: run:") && note.contains("no manifest"), "{note}");
    let (_, note) = exit(place.command("--quiet --resume run --epochs 2"), 0);
    assert!(note.contains("no manifest"), "{note}");
    assert_eq!(exit(place.command("evaluate run"), 0).1, "");
}

#[test]
fn two_processes_never_train_one_run_and_the_lock_dies_with_its_process() {
    let place = Place::new(120, 10);
    let mut first = start(&mut place.training("--variant gap --epochs 100000 --out run"));
    wait_for(&place.path("run/config.json"));
    place.fail("--resume run", 1, "another process trains this run");
    // Reading is not writing, and finds whole files at any moment.
    while fs::metadata(place.path("run/metrics.jsonl")).unwrap().len() == 0 {}
    for _ in 0..5 {
        place.succeed("evaluate run");
    }
    signal("-KILL", &first);
    first.wait().unwrap();
    let epochs = fs::read_to_string(place.path("run/metrics.jsonl")).unwrap().lines().count() + 2;
    place.succeed(&format!("--quiet --resume run --epochs {epochs}"));
    let whole = whole_run(&place, &format!("--variant gap --epochs {epochs}"));
    assert!(fs::read(place.path("run/model.safetensors")).unwrap() == whole);
}

#[test]
fn a_folder_that_is_removed_or_moved_while_training_ends_it_with_an_error() {
    for moved in [false, true] {
        let place = Place::new(120, 10);
        let mut train = place.training("--variant gap --epochs 100000 --out run");
        let child = train.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        wait_for(&place.path("run/config.json"));
        thread::sleep(Duration::from_millis(50));
        match moved {
            true => fs::rename(place.path("run"), place.path("elsewhere")).unwrap(),
            // As often as it takes: files are added meanwhile.
            false => while fs::remove_dir_all(place.path("run")).is_err() {},
        }
        let output = child.wait_with_output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert!(error.contains("was removed, moved or replaced"), "{error}");
        assert!(!place.path("run").exists());
    }
}

#[test]
fn a_run_goes_into_any_empty_folder_and_into_nothing_else() {
    let place = Place::new(60, 10);
    let train = |out: &str| place.training(&format!("--quiet --variant gap --epochs 1 --out {out}"));
    for empty in ["empty", "target", "inside"] {
        fs::create_dir(place.path(empty)).unwrap();
    }
    symlink(place.path("target"), place.path("link")).unwrap();
    let long = "n".repeat(255);
    for out in ["empty", "link", "new/nested/run", &long] {
        exit(train(out), 0);
        place.succeed(&format!("evaluate {out}"));
        assert!(exit(train(out), 1).1.contains("not empty"), "{out}");
    }
    assert!(place.path("link").symlink_metadata().unwrap().is_symlink());
    let data = place.path("data");
    let mut here = place.command("--quiet --variant gap --epochs 1 --valid-size 20 --out .");
    exit(
        {
            here.current_dir(place.path("inside")).arg("--data-dir").arg(data);
            here
        },
        0,
    );
    place.succeed("evaluate inside");

    fs::write(place.path("file"), "mine").unwrap();
    fs::create_dir(place.path("full")).unwrap();
    fs::write(place.path("full/mine"), "mine").unwrap();
    symlink(place.path("nowhere"), place.path("dangling")).unwrap();
    for (out, message) in [("file", "found a file"), ("full", "not empty"), ("dangling", "found a file")] {
        let (_, error) = exit(train(out), 1);
        assert!(error.contains(message), "{out}: {error}");
    }
    assert_eq!(names(&place.path("full")), ["mine"]);
    assert_eq!(fs::read(place.path("file")).unwrap(), b"mine");
    let left: Vec<_> = names(&place.path("")).into_iter().filter(|name| name.ends_with(".new")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn what_a_killed_process_left_unfinished_is_removed_by_the_next() {
    let place = Place::new(60, 10);
    let abandoned = place.path(".burn-pooling-abcdef.new");
    fs::create_dir_all(abandoned.join("checkpoint")).unwrap();
    fs::write(abandoned.join("lock"), "").unwrap();
    fs::create_dir(place.path("cut-off")).unwrap();
    fs::write(place.path("cut-off/unfinished"), "").unwrap();
    fs::write(place.path("cut-off/metrics.jsonl"), "").unwrap();
    place.fail("--resume cut-off", 1, "no config.json");
    place.train("--quiet --variant gap --epochs 1 --out run");
    assert!(!abandoned.exists());
    place.train("--quiet --variant gap --epochs 1 --out cut-off");
    assert_eq!(names(&place.path("cut-off")), names(&place.path("run")));

    for left in ["run/model.safetensors.abcdef.new", "run/checkpoint/state.mpk.new"] {
        fs::write(place.path(left), "half").unwrap();
    }
    place.succeed("--quiet --resume run");
    assert_eq!(names(&place.path("cut-off")), names(&place.path("run")));
    assert_eq!(names(&place.path("run/checkpoint")), ["state.mpk"]);
}

#[test]
fn paths_that_are_no_text_work_and_are_found_again() {
    let place = Place::new(60, 10);
    let [data, run] = [b"d\xffta", b"r\xffn!"].map(|name| place.path("").join(OsStr::from_bytes(name)));
    fs::rename(place.path("data"), &data).unwrap();
    let mut train = place.command("--quiet --variant gap --epochs 1 --valid-size 20");
    exit(
        {
            train.arg("--data-dir").arg(&data).arg("--out").arg(&run);
            train
        },
        0,
    );
    for command in ["evaluate", "--resume"] {
        exit(
            {
                let mut words = place.command(command);
                words.arg(&run);
                words
            },
            0,
        );
    }
}

#[test]
fn data_that_changed_are_refused_in_words() {
    let place = Place::new(60, 10);
    place.train("--quiet --variant gap --epochs 1 --out run");
    for file in ["train-labels-idx1-ubyte", "t10k-images-idx3-ubyte"] {
        let path = place.path("data").join(file);
        let whole = fs::read(&path).unwrap();
        let mut reversed = whole.clone();
        let last = whole.len() - 1;
        reversed[last] = if whole[last] == 1 { 2 } else { 1 };
        fs::write(&path, reversed).unwrap();
        place.fail("--resume run --epochs 2", 1, "a pixel or a label");
        fs::write(&path, whole).unwrap();
    }
    let error = place.fail("--resume run --data-dir ../nowhere", 1, "nowhere");
    assert!(!error.contains("DataConfig"));
    common::write_sets(&place.path("data"), &common::few_images(61, 10));
    place.fail("--resume run", 1, "training images: expected 60, found 61");
}

#[test]
fn output_that_is_lost_is_an_error_and_a_closed_pipe_is_none() {
    let place = Place::new(60, 10);
    place.train("--quiet --variant gap --epochs 1 --out run");
    let full = || Stdio::from(fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
    for words in
        ["summary", "summary --compare --style json", "evaluate run", "evaluate run --json", "--help", "--version"]
    {
        let output = place.command(words).stdout(full()).stderr(Stdio::piped()).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{words}: {error}");
        assert!(error.contains("standard output: cannot be written"), "{words}: {error}");
    }
    // Training ends and is saved all the same.
    let status = place.training("--variant gap --epochs 2 --out full").stdout(full()).stderr(Stdio::null()).status();
    assert_eq!(status.unwrap().code(), Some(1));
    assert_eq!(place.report("full").epochs, 2);

    let mut child = place.command("summary").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
}

#[test]
fn signals_that_the_process_was_started_to_ignore_stay_ignored() {
    let place = Place::new(120, 10);
    let mut shell = Command::new("sh");
    shell.current_dir(place.path("")).args(["-c", "trap '' HUP INT; exec \"$@\"", "sh"]);
    let train = place.training("--quiet --variant gap --epochs 40 --out run");
    shell.arg(train.get_program()).args(train.get_args());
    let mut child = start(&mut shell);
    wait_for(&place.path("run/config.json"));
    signal("-INT", &child);
    signal("-HUP", &child);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(place.report("run").epochs, 40);
}

#[test]
fn the_first_signal_saves_and_ends_and_the_second_ends_at_once_with_its_number() {
    let place = Place::new(120, 10);
    let mut codes = Vec::new();
    for (number, name) in ["-TERM", "-INT", "-HUP"].into_iter().cycle().take(12).enumerate() {
        let run = format!("run{number}");
        let mut child = start(&mut place.training(&format!("--variant max --epochs 100000 --out {run}")));
        wait_for(&place.path(&run).join("config.json"));
        thread::sleep(Duration::from_millis(20));
        signal(name, &child);
        if number >= 3 {
            signal("-TERM", &child);
        }
        codes.push(child.wait().unwrap().code().unwrap());
        assert!(RunFolder::open(&place.path(&run)).unwrap().is_verified());
    }
    assert_eq!(codes[..3], [130; 3]);
    // The second may come when the first has already been followed, or be delivered before it.
    let is_known = |code| [128 + 1, 128 + 2, 128 + 15].contains(code);
    assert!(codes[3..].iter().all(is_known) && codes[3..].contains(&(128 + 15)), "{codes:?}");
}

#[test]
fn what_may_change_when_a_run_is_resumed_is_kept_in_its_history() {
    let place = Place::new(60, 10);
    place.train("--quiet --variant gap --epochs 1 --threads 1 --out run");
    place.succeed("--quiet --resume run --epochs 2 --learning-rate 1e-4 --threads 2");
    place.succeed("--quiet --resume run --epochs 3 --threads 2");
    let config = config(&place, "run");
    assert_eq!((config.training.epochs, config.training.learning_rate), (3, 1e-4));
    let history: Vec<_> = config.history.iter().map(|change| (change.epoch, change.setting.as_str())).collect();
    let first = [(1, "training/epochs"), (1, "training/learning_rate"), (1, "threads")];
    assert_eq!(history, [&first[..], &[(2, "training/epochs")]].concat());
    assert_eq!((&config.history[1].from, &config.history[1].to), (&1e-3.into(), &1e-4.into()));
    for fixed in ["--seed 1", "--batch-size 8", "--variant gap", "--optimizer sgd"] {
        place.fail(&format!("--resume run {fixed}"), 2, "--resume");
    }
    place.fail("--resume run --epochs 2", 2, "at least the 3 epochs");
}

#[test]
fn a_manifest_that_does_not_list_every_file_is_none_and_a_lost_one_is_written_whole() {
    let place = Place::new(60, 10);
    place.train("--quiet --variant gap --epochs 1 --out run");
    let path = place.path("run/manifest.sha256");
    let whole = fs::read_to_string(&path).unwrap();
    for name in ["model.safetensors", "config.json", "state.mpk", ""] {
        let lines = whole.lines().filter(|line| !line.ends_with(name)).map(|line| format!("{line}\n"));
        fs::write(&path, lines.collect::<String>()).unwrap();
        place.fail("evaluate run", 1, "manifest.sha256");
    }
    fs::remove_file(&path).unwrap();
    exit(place.command("--quiet --resume run --epochs 2"), 0);
    let mut names: Vec<_> = fs::read_to_string(&path).unwrap().lines().map(|line| line[66..].to_owned()).collect();
    names.sort();
    assert_eq!(names, ["checkpoint/state.mpk", "config.json", "metrics.jsonl", "model.safetensors", "report.json"]);
}

#[test]
fn files_of_the_user_stay_and_a_folder_that_has_only_a_lock_is_free() {
    let place = Place::new(60, 10);
    fs::create_dir(place.path("run")).unwrap();
    fs::write(place.path("run/lock"), "").unwrap();
    place.train("--quiet --variant gap --epochs 1 --out run");
    for name in ["notes.new", "config.json.my.draft.new", "checkpoint/other.new"] {
        fs::write(place.path("run").join(name), "mine").unwrap();
    }
    place.succeed("--quiet --resume run");
    for name in ["notes.new", "config.json.my.draft.new", "checkpoint/other.new"] {
        assert!(place.path("run").join(name).exists(), "{name}");
    }
}

#[test]
fn a_configuration_that_is_not_the_checkpoints_takes_no_memory() {
    let place = Place::new(60, 10);
    place.train("--quiet --variant gap --epochs 1 --out run");
    let path = place.path("run/config.json");
    let text = fs::read_to_string(&path).unwrap();
    for (from, to) in [
        ("\"channels\": 1,", "\"channels\": 1000000000000,"),
        ("\"channels\": 1,", "\"channels\": 18446744073709551615,"),
        ("\"hidden_units\": 128", "\"hidden_units\": 300000000"),
        ("\"filters\": 32", "\"filters\": 20000000"),
        ("\"filters\": 32", "\"filters\": 1000000000"),
    ] {
        fs::write(&path, text.replacen(from, to, 1)).unwrap();
        for words in ["--resume run --unverified --threads 1", "evaluate run --unverified --threads 1"] {
            let (_, error) = exit(place.limited(4_000_000, words), 1);
            assert!(error.contains("expected"), "{to}, {words}: {error}");
        }
    }
}

#[test]
fn a_run_of_the_version_before_the_manifest_is_evaluated_and_resumed() {
    let place = Place::new(20, 10);
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/run");
    assert!(Command::new("cp").arg("-r").arg(golden).arg(place.path("run")).status().unwrap().success());
    let (figures, note) = exit(place.command("evaluate run --json"), 0);
    assert!(note.contains("no manifest"), "{note}");
    let again: Evaluation = serde_json::from_str(&figures).unwrap();
    let before = place.report("run").test;
    // Another processor sums in another order.
    assert!((again.accuracy - before.accuracy).abs() < 2e-3 && (again.loss - before.loss).abs() < 1e-4);
    place.succeed("--quiet --resume run --epochs 2 --learning-rate 1e-4");
    assert_eq!((config(&place, "run").history.len(), place.report("run").epochs), (3, 2));
    assert_eq!(exit(place.command("evaluate run"), 0).1, "");
}
