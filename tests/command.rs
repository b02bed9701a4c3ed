//! The command itself: what it prints, writes, refuses, and survives.

#![cfg(all(feature = "cli", feature = "flex", feature = "bundled-mnist"))]

mod common;

use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use common::place::{Place, exit, start, wait_for, whole_run};
use common::{few_images, write_sets};

/// The CPU backends of this build.
const BACKENDS: &[&str] = if cfg!(feature = "ndarray") { &["flex", "ndarray"] } else { &["flex"] };

#[test]
fn a_run_writes_everything_and_is_evaluated_again_to_the_same_figures() {
    let place = Place::new(120, 50);
    let (output, error) = exit(place.training("--variant gmp --epochs 2 --seed 7 --out run"), 0);
    assert_eq!(error, "");
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

    for backend in BACKENDS {
        let output = place.succeed(&format!("evaluate run --json --backend {backend}"));
        let again: burn_pooling::evaluation::Evaluation = serde_json::from_str(&output).unwrap();
        assert_eq!(again.confusion, report.test.confusion, "{backend}");
        assert!((again.loss - report.test.loss).abs() < 1e-6, "{backend}");
    }
}

/// With another head everything works as with the four, but for the export, whose error says what to do.
#[test]
fn another_head_is_trained_resumed_reported_and_not_exported() {
    let place = Place::new(80, 10);
    place.succeed("--variant gem --quiet --epochs 1 --valid-size 20 --data-dir data --out run");
    place.succeed("--resume run --quiet --epochs 2 --data-dir data");
    let report = place.report("run");
    assert_eq!((report.network.as_str(), report.epochs, report.parameters), ("gem", 2, 5_835));
    let output = place.succeed("evaluate run --json --data-dir data");
    let again: burn_pooling::evaluation::Evaluation = serde_json::from_str(&output).unwrap();
    assert_eq!(again.confusion, report.test.confusion);
    place.succeed("report run --out report.html --data-dir data");
    place.fail("export run --to onnx", 1, "found 'gem'; take the weights of the run's model.safetensors");
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
        let words = format!("{words} --quiet --epochs 1 --valid-size 0 --data-dir data --out {number}");
        place.succeed(&words);
        assert_eq!(place.report(&number.to_string()).network, variant);
    }
    place.train("--quiet --epochs 1");
    place.train("--quiet --epochs 1");
    let runs: Vec<_> = fs::read_dir(place.path("runs")).unwrap().collect();
    assert_eq!(runs.len(), 2, "each run has a folder of its own");
}

#[test]
fn every_hyperparameter_is_recorded_and_a_run_with_all_of_them_resumes() {
    let place = Place::new(120, 10);
    let words = "--quiet --variant gap --optimizer sgd --momentum 0.9 --weight-decay 1e-4 --schedule cosine --warmup 1 \
                 --patience 9 --best-by loss --label-smoothing 0.1 --augment shift=2,rotate=10";
    place.train(&format!("{words} --epochs 4 --out run"));
    let text = fs::read(place.path("run/config.json")).unwrap();
    let config: burn_pooling::run::RunConfig = serde_json::from_slice(&text).unwrap();
    let recipe = config.recipe;
    assert_eq!(recipe.optimizer, burn_pooling::run::OptimizerKind::Sgd);
    assert_eq!((recipe.momentum, recipe.weight_decay, recipe.warmup_epochs), (0.9, 1e-4, 1));
    assert_eq!((recipe.label_smoothing, config.training.patience), (0.1, Some(9)));
    assert_eq!((recipe.augmentation.shift, recipe.augmentation.rotate), (2.0, 10.0));
    place.succeed("--quiet --resume run --epochs 5");
    assert_eq!(place.report("run").epochs, 5);
}

#[test]
fn a_transposed_data_set_stays_transposed_for_its_run() {
    let place = Place::new(120, 50);
    let upright = few_images(120, 50);
    fs::create_dir(place.path("lying")).unwrap();
    write_sets(&place.path("lying"), &upright.transposed());
    let words = "--quiet --variant max --valid-size 20 --batch-size 16 --epochs 1";
    place.succeed(&format!("{words} --data-dir data --out upright"));
    place.succeed(&format!("{words} --data-dir lying --transpose --out turned"));
    let weights = |run: &str| fs::read(place.path(run).join("model.safetensors")).unwrap();
    assert!(weights("upright") == weights("turned"));

    let figures = |words: &str| place.succeed(&format!("evaluate {words} --json"));
    assert_eq!(figures("turned"), figures("upright"));
    assert_eq!(figures("turned --data-dir data --transpose=false"), figures("upright"));
    assert_ne!(figures("upright --transpose"), figures("upright"));
    for run in ["upright", "turned"] {
        place.succeed(&format!("--quiet --resume {run} --epochs 2"));
    }
    assert!(weights("upright") == weights("turned"));
    place.fail("--quiet --resume turned --transpose=false", 1, "differ");
    place.succeed("bench --variant gmp --data-dir lying --transpose --images 8 --batch-size 8");
}

#[test]
fn a_stray_label_is_told() {
    let place = Place::new(60, 10);
    let path = place.path("data/train-labels-idx1-ubyte");
    let mut labels = fs::read(&path).unwrap();
    labels[20] = 255;
    fs::write(&path, labels).unwrap();
    for words in ["--quiet --epochs 1 --out run", "bench --variant gmp --images 8 --batch-size 8"] {
        let command = if words.starts_with("bench") {
            place.command(&format!("{words} --data-dir data"))
        } else {
            place.training(words)
        };
        let (_, error) = exit(command, 0);
        assert!(error.contains("256 classes, of which 245 have no image"), "{error}");
    }
}

#[test]
fn help_and_version_are_printed() {
    let place = Place::new(30, 10);
    let help = place.succeed("--help");
    let flags = "--variant --epochs --batch-size --learning-rate --seed --valid-size --optimizer \
                 --momentum --weight-decay --schedule --warmup --patience --label-smoothing --augment \
                 --threads --data-dir --backend --out --resume --quiet evaluate summary";
    for flag in flags.split_whitespace() {
        assert!(help.contains(flag), "{flag} in {help}");
    }
    assert!(place.succeed("--version").contains(env!("CARGO_PKG_VERSION")));
}

#[test]
fn usage_errors_exit_with_2_and_say_what_was_expected() {
    let place = Place::new(30, 10);
    for (words, message) in [
        ("--variant median", "max, average, gmp, gap"),
        ("--epochs 0", "at least 1"),
        ("--epochs many", "a whole number"),
        ("--batch-size 0", "at least 1"),
        ("--learning-rate -1", "above 0"),
        ("--learning-rate nan", "above 0"),
        ("--learning-rate 1e-320", "in 32 bits"),
        ("--learning-rate 1e39", "in 32 bits"),
        ("--weight-decay 1e-50", "in 32 bits"),
        ("--label-smoothing 1e-50", "in 32 bits"),
        ("--augment shift=1e39", "finite"),
        ("--augment shift=1,rotate=2,shift=3", "'shift' again"),
        ("--seed=-3", "--seed"),
        ("--threads 0", "--threads"),
        ("--threads 100000", "1024"),
        ("--backend tpu", "flex, ndarray, wgpu or cuda"),
        ("--valid-size 30 --data-dir data", "fewer than the 30 training images"),
        ("--out a --resume b", "cannot be used with"),
        ("--resume b --seed 1", "cannot be used with"),
        ("--resume b --optimizer sgd", "cannot be used with"),
        ("--resume b --augment shift=1", "cannot be used with"),
        ("--optimizer lion", "adam, adamw, sgd"),
        ("--momentum 0.9", "with sgd only"),
        ("--optimizer sgd --momentum 1", "up to, not including, 1"),
        ("--weight-decay -1", "at least 0"),
        ("--schedule linear", "constant, cosine, step, one-cycle"),
        ("--warmup 5", "fewer than the 5 epochs"),
        ("--schedule one-cycle --warmup 1", "none with the one-cycle schedule"),
        ("--patience 0", "at least 1"),
        ("--patience 2 --valid-size 0", "validation size of at least 1"),
        ("--label-smoothing 1", "not including, 1"),
        ("--augment tilt=3", "shift=2,rotate=10"),
        ("--augment scale=1", "below 1"),
        ("--no-such-flag", "--no-such-flag"),
        ("evaluate", "<RUN>"),
    ] {
        place.fail(words, 2, message);
    }
    if !cfg!(feature = "wgpu") {
        place.fail("--backend wgpu", 2, "--features wgpu");
    }
}

#[test]
fn variables_that_ask_for_what_is_not_there_are_refused() {
    let place = Place::new(30, 10);
    for (words, variable, value, code, message) in [
        ("--out run", "BURN_POOLING_SIMD", "foo", 1, "baseline"),
        ("--out run", "BURN_POOLING_SIMD", if cfg!(target_arch = "x86_64") { "neon" } else { "avx2" }, 1, "baseline"),
        ("bench --data-dir data", "BURN_POOLING_SIMD", "AVX2", 1, "found 'AVX2'"),
        ("--out run", "BURN_POOLING_EXACT", "yes", 1, "expected 1"),
        ("--out run", "RAYON_NUM_THREADS", "100000", 2, "up to 1024, found '100000'"),
        ("--out run", "RAYON_NUM_THREADS", "many", 2, "found 'many'"),
    ] {
        let mut command = if words.starts_with("bench") { place.command(words) } else { place.training(words) };
        command.env(variable, value);
        let (_, error) = exit(command, code);
        assert!(error.contains(message) && error.contains(variable) && error.lines().count() == 1, "{error}");
        assert!(!place.path("run").exists());
    }
    for (number, (variable, value)) in
        [("BURN_POOLING_SIMD", "baseline"), ("BURN_POOLING_SIMD", ""), ("RAYON_NUM_THREADS", "2")]
            .into_iter()
            .enumerate()
    {
        let mut command = place.training(&format!("--quiet --epochs 1 --out run-{number}"));
        command.env(variable, value);
        exit(command, 0);
    }
    place.train("--quiet --epochs 1 --variant gmp --threads 1024 --out many");
}

/// The system's limit on the memory of a process is the one that a test can lower.
#[cfg(target_os = "linux")]
#[test]
fn a_training_that_cannot_fit_is_refused_before_anything_is_written() {
    let place = Place::new(30, 10);
    fs::create_dir(place.path("large")).unwrap();
    for (part, count) in [("train", 8_u8), ("t10k", 2)] {
        let pixels = vec![count; usize::from(count) * 300 * 300];
        let labels: Vec<u8> = (0..count).collect();
        let folder = place.path("large");
        let images = common::idx(0x803, &[count.into(), 300, 300], &pixels);
        fs::write(folder.join(format!("{part}-images-idx3-ubyte")), images).unwrap();
        let labels = common::idx(0x801, &[count.into()], &labels);
        fs::write(folder.join(format!("{part}-labels-idx1-ubyte")), labels).unwrap();
    }
    // 84 MB of weights: their checkpoint does not fit into a gigabyte.
    let limited = |words: &str| place.limited(1 << 20, words);
    let (_, error) = exit(limited("--data-dir large --valid-size 2 --variant max --out run"), 1);
    for part in ["at least 1.1 GB", "of memory that are available", "global pooling"] {
        assert!(error.contains(part) && error.lines().count() == 1, "{error}");
    }
    assert!(!place.path("run").exists());
    exit(limited("--quiet --data-dir large --valid-size 2 --variant gmp --epochs 1 --threads 1 --out run"), 0);

    let path = place.path("run/config.json");
    let config = fs::read_to_string(&path).unwrap();
    fs::write(&path, config.replacen("\"channels\": 1", "\"channels\": 1000000000000", 1)).unwrap();
    let error = place.fail("--resume run --epochs 2 --unverified", 1, "bytes in f32");
    assert!(!error.contains("panicked"), "{error}");
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
        let error = place.fail(words, 1, message);
        assert!(error.starts_with("error: ") && error.lines().count() == 1, "{error}");
    }
}

#[test]
fn weights_that_do_not_fit_their_configuration_are_refused() {
    let place = Place::new(40, 10);
    place.train("--quiet --epochs 1 --variant gap --out run");
    let path = place.path("run/config.json");
    let config = fs::read_to_string(&path).unwrap();
    fs::write(&path, config.replace("\"filters\": 32", "\"filters\": 16")).unwrap();
    for words in ["evaluate run", "--resume run"] {
        place.fail(words, 1, "expected");
    }
    fs::write(&path, "{}").unwrap();
    place.fail("evaluate run", 1, "config.json");
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
        assert_eq!(place.succeed(&format!("summary --variant {variant} --style keras")), golden);
        // A training run starts with the same table.
        let output = place.train(&format!("--epochs 1 --variant {variant} --out {variant}"));
        assert!(output.starts_with(golden), "{output}");
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
        ("summary --columns weights,trainable --all", "weight [32, 1, 3, 3]"),
        ("summary --optimizer sgd", "Training with SGD"),
        ("summary --compare", "gmp"),
        ("summary --compare --style json", "\"models\""),
    ] {
        let output = place.succeed(words);
        assert!(output.contains(expected), "{words}: {expected} in {output}");
    }
    for words in
        ["summary --input 28", "summary --compare --style keras", "summary --style tiny", "summary --columns price"]
    {
        place.fail(words, 2, "error: ");
    }
    place.fail("summary --variant max --input 6x6", 1, "does not fit");
}

#[test]
fn a_summary_of_absurd_sizes_is_an_error_without_a_path() {
    let place = Place::new(30, 10);
    let most = usize::MAX;
    for size in ["1000000000x1000000000", "4000000000x4000000000", &format!("{most}x{most}"), &format!("28x{most}")] {
        for variant in ["--variant max", "--variant gmp", "--compare"] {
            let error = place.fail(&format!("summary --input {size} {variant}"), 1, "at most 17179869184 bytes");
            assert!(!error.contains(".rs"), "{error}");
        }
    }
    place.fail("summary --variant gmp --input 10000x10000 --batch-size 4294967295", 1, "expected at most");
}

#[test]
fn the_bench_prints_what_other_programs_read() {
    let place = Place::new(30, 10);
    for flags in ["", "--composed"] {
        let words =
            format!("bench --variant gmp --data-dir data --images 20 --batch-size 8 --threads 1 --json {flags}");
        let list: serde_json::Value = serde_json::from_str(&place.succeed(&words)).unwrap();
        let [measured] = list.as_array().unwrap().as_slice() else {
            panic!("{list}");
        };
        assert_eq!((measured["variant"].as_str(), measured["backend"].as_str()), (Some("gmp"), Some("flex")));
        assert_eq!((measured["threads"].as_u64(), measured["batch_size"].as_u64()), (Some(1), Some(8)));
        for speed in ["train_images_per_second", "inference_images_per_second"] {
            let [low, middle, high] =
                ["lower_quartile", "median", "upper_quartile"].map(|name| measured[speed][name].as_f64().unwrap());
            assert!(0.0 < low && low <= middle && middle <= high, "{measured}");
        }
        assert!(measured["latency_microseconds"].as_f64().unwrap() > 0.0);
    }
}

#[test]
fn the_profile_accounts_for_the_whole_step() {
    let place = Place::new(30, 10);
    let words = "bench --profile --variant max --data-dir data --images 80 --batch-size 8 --threads 1 --json";
    let list: serde_json::Value = serde_json::from_str(&place.succeed(words)).unwrap();
    let operations = list[0]["operations"].as_array().unwrap();
    let shares: f64 = operations.iter().map(|row| row["share"].as_f64().unwrap()).sum();
    assert!((shares - 1.0).abs() < 1e-6, "{list}");
    // What is between operations is the rest: less than nothing if one were counted twice.
    assert!(operations.iter().all(|row| (0.0..=1.0).contains(&row["share"].as_f64().unwrap())), "{list}");
    let names: Vec<_> = operations.iter().map(|row| row["operation"].as_str().unwrap()).collect();
    for name in ["gathering a batch", "loss", "Adam", "between operations", "linear 128 to 10, backward"] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    // Adam multiplies no matrices.
    let of = |name: &str| &operations[names.iter().position(|found| found.starts_with(name)).unwrap()];
    assert!(of("convolution 32x13x13")["of_multiply_adds"].as_f64().unwrap() > 0.0);
    assert_eq!(of("Adam")["of_multiply_adds"].as_f64(), Some(0.0));
    assert!(list[0]["limits"]["multiply_adds"].as_f64().unwrap() > 1e8, "{list}");
}

#[test]
fn a_run_killed_at_any_moment_goes_on_to_the_same_weights() {
    let place = Place::new(120, 10);
    const EPOCHS: usize = 60;
    let words = &format!("--variant gmp --epochs {EPOCHS}");
    let whole = whole_run(&place, words);
    let mut killed_in_training = 0;
    for milliseconds in [0, 15, 40, 90, 160, 250] {
        let run = format!("killed-{milliseconds}");
        let mut child = start(&mut place.training(&format!("{words} --out {run}")));
        wait_for(&place.path(&run));
        thread::sleep(Duration::from_millis(milliseconds));
        child.kill().unwrap(); // SIGKILL
        child.wait().unwrap();
        killed_in_training += usize::from(!place.path(&run).join("report.json").exists());
        place.succeed(&format!("--quiet --resume {run}"));
        assert!(fs::read(place.path(&run).join("model.safetensors")).unwrap() == whole, "{run}");
        assert_eq!(place.report(&run).epochs, EPOCHS);
    }
    assert!(killed_in_training >= 3, "{killed_in_training} of the runs were killed before their end");
}

#[test]
fn a_run_without_a_whole_epoch_is_not_evaluated() {
    let place = Place::new(120, 10);
    place.train("--quiet --epochs 1 --variant gap --out run");
    fs::write(place.path("run/metrics.jsonl"), "").unwrap();
    place.fail("evaluate run --unverified", 1, "--resume run");
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_saves_and_says_how_to_go_on() {
    let place = Place::new(120, 10);
    // So many that it cannot end before the signal comes.
    let mut train = place.training("--variant gmp --epochs 100000 --out run");
    let child = train.stdout(Stdio::piped()).spawn().unwrap();
    wait_for(&place.path("run/metrics.jsonl"));
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("burn-pooling --resume run"), "{text}");
    let epochs = fs::read_to_string(place.path("run/metrics.jsonl")).unwrap().lines().count() + 2;
    place.succeed(&format!("--quiet --resume run --epochs {epochs}"));
    let whole = whole_run(&place, &format!("--variant gmp --epochs {epochs}"));
    assert!(fs::read(place.path("run/model.safetensors")).unwrap() == whole);
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let place = Place::new(150, 10);
    for (variant, backend) in ["max", "average", "gmp", "gap"].into_iter().zip(BACKENDS.iter().cycle()) {
        let weights = [1, 2, 3].map(|threads| {
            let run = format!("{variant}-{threads}");
            let words = format!(
                "--quiet --epochs 2 --batch-size 50 --valid-size 0 --data-dir data \
                 --variant {variant} --backend {backend} --threads {threads} --out {run}"
            );
            place.succeed(&words);
            fs::read(place.path(&run).join("model.safetensors")).unwrap()
        });
        assert!(weights[0] == weights[1] && weights[0] == weights[2], "{variant} on {backend}");
    }
}

#[test]
fn a_finished_run_can_be_extended_but_not_shortened() {
    let place = Place::new(60, 10);
    let longer = whole_run(&place, "--variant gap --epochs 4");
    place.train("--quiet --variant gap --epochs 2 --out run");
    place.succeed("--quiet --resume run --epochs 4");
    assert!(fs::read(place.path("run/model.safetensors")).unwrap() == longer);
    place.fail("--resume run --epochs 3", 2, "at least the 4 epochs");
}

#[cfg(feature = "wgpu")]
#[test]
fn a_gpu_that_is_not_there_is_an_error_and_no_panic() {
    let place = Place::new(30, 10);
    let mut train = place.training("--backend wgpu");
    // No Vulkan driver and no OpenGL: a machine without a GPU.
    train.env("VK_DRIVER_FILES", "/nonexistent").env("VK_ICD_FILENAMES", "/nonexistent");
    let (_, error) = exit(train, 1);
    assert!(error.contains("finds no device") && error.lines().count() == 1, "{error}");
}
