//! `burn-pooling predict`: pictures of one's own, classified by a saved run, and what is no picture, refused.

#![cfg(all(feature = "cli", feature = "flex", feature = "bundled-mnist"))]

mod common;

use std::fs::{self, File};
use std::sync::LazyLock;

use burn_pooling::backend::Flex;
use burn_pooling::mnist::{ImageDataset, ImageSets, Images};
use burn_pooling::picture::{PrepareOptions, inverted, prepare};
use burn_pooling::run::load_run;
use common::pictures::{digit, jpeg, on_page, png, random, scaled};
use common::place::{Place, exit};
use common::{few_images, write_sets};
use serde_json::Value;

/// A place with a run `mnist`, trained on all of MNIST for one epoch, and a run `own`, on a folder of images.
static PLACE: LazyLock<Place> = LazyLock::new(|| {
    let place = Place::new(60, 10);
    place.succeed("--quiet --variant max --epochs 1 --valid-size 0 --out mnist");
    place.train("--quiet --variant gmp --epochs 1 --out own");
    place
});

/// Writes the picture of a test digit, black on white, off centre, and returns its label.
fn write_digit(name: &str, index: usize) -> u8 {
    let test = few_images(1, index + 1).test;
    let page = on_page(&scaled(&digit(&test, index), 6.0), [280, 280], &mut random(index as u64));
    let bytes = if name.ends_with("png") { png(&inverted(&page)) } else { jpeg(&inverted(&page), 70) };
    let path = PLACE.path(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
    test.labels()[index]
}

fn predictions(words: &str) -> Vec<Value> {
    serde_json::from_str(&PLACE.succeed(&format!("predict {words} --json"))).unwrap()
}

#[test]
fn a_folder_of_inverted_and_moved_digits_is_classified() {
    const COUNT: usize = 40;
    let name = |index: usize| format!("digits/{index:02}.{}", ["png", "JPG", "jpeg"][index % 3]);
    let labels: Vec<u8> = (0..COUNT).map(|index| write_digit(&name(index), index)).collect();
    fs::write(PLACE.path("digits/notes.txt"), "no picture").unwrap();
    fs::write(PLACE.path("digits/._00.png"), "what a system writes").unwrap();
    fs::create_dir(PLACE.path("digits/more.png")).unwrap();

    let predictions = predictions("mnist digits");
    let files: Vec<&str> = predictions.iter().map(|prediction| prediction["file"].as_str().unwrap()).collect();
    assert_eq!(files, (0..COUNT).map(name).collect::<Vec<_>>());
    for prediction in &predictions {
        assert_eq!((&prediction["inverted"], &prediction["placement"]), (&true.into(), &"digit".into()));
        assert_eq!(prediction["picture_size"], serde_json::json!([280, 280]));
        let height = prediction["ink"]["height"].as_u64().unwrap();
        assert!((60..140).contains(&height), "{prediction}");
        let probabilities: Vec<f64> =
            prediction["probabilities"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect();
        assert!(probabilities.len() == 10 && (probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-4);
        assert_eq!(probabilities[prediction["class"].as_u64().unwrap() as usize], prediction["probability"]);
    }
    let is_right = |(prediction, label): &(&Value, &u8)| prediction["class"] == **label;
    let right = predictions.iter().zip(&labels).filter(is_right).count();
    assert!(right >= COUNT - 2, "{right} of {COUNT}");
}

#[test]
fn the_figures_are_those_of_the_library() {
    write_digit("library.png", 3);
    let bytes = fs::read(PLACE.path("library.png")).unwrap();
    let device = Default::default();
    let (_, model) = load_run::<Flex>(&PLACE.path("mnist"), &device).unwrap();
    let prepared = prepare(&bytes, &PrepareOptions::default()).unwrap();
    let image = Images { channels: 1, size: [28, 28], pixels: prepared.pixels };
    let expected: Vec<f32> = model.probabilities(image.tensor(&device)).into_data().iter().collect();
    let [prediction] = &predictions("mnist library.png")[..] else { panic!("one picture") };
    let found: Vec<f32> = serde_json::from_value(prediction["probabilities"].clone()).unwrap();
    assert!(expected.iter().zip(&found).all(|(expected, found)| (expected - found).abs() < 1e-5));
    assert_eq!(prediction["ink"], serde_json::to_value(prepared.ink).unwrap());
}

#[test]
fn each_picture_has_a_line_and_bars() {
    let label = write_digit("bars.png", 0);
    let output = PLACE.succeed("predict mnist bars.png");
    let lines: Vec<&str> = output.lines().collect();
    assert!(lines[0].starts_with(&format!("bars.png: {label}  0.")) && lines[0].ends_with("  (inverted)"), "{output}");
    assert_eq!(lines.len(), 4);
    assert!(lines[1].trim_start().starts_with(&format!("{label}  ")) && lines[1].ends_with("##"), "{output}");
    let probability = |line: &str| line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap();
    assert!(lines[1..].is_sorted_by(|one, next| probability(one) >= probability(next)));
    assert!(lines.iter().all(|line| line.len() <= 80));

    for (top, lines) in [("1", 2), ("10", 11), ("1000", 11)] {
        assert_eq!(PLACE.succeed(&format!("predict mnist bars.png --top {top}")).lines().count(), lines);
    }
    assert_eq!(PLACE.succeed("predict mnist bars.png bars.png ./bars.png").lines().count(), 12);
}

#[test]
fn a_picture_comes_from_standard_input() {
    let label = write_digit("input.png", 1);
    let mut command = PLACE.command("predict mnist - --json");
    command.stdin(File::open(PLACE.path("input.png")).unwrap());
    let list: Vec<Value> = serde_json::from_str(&exit(command, 0).0).unwrap();
    assert_eq!((&list[0]["file"], &list[0]["class"]), (&"-".into(), &label.into()));

    let mut command = PLACE.command("predict mnist -");
    command.stdin(std::process::Stdio::null());
    let (_, error) = exit(command, 1);
    assert!(error.starts_with("error: -: ") && error.contains("an empty file"), "{error}");
}

#[test]
fn a_broken_picture_is_named_and_the_others_are_done() {
    write_digit("mixed/1.png", 2);
    write_digit("mixed/3.png", 3);
    fs::write(PLACE.path("mixed/2.png"), &fs::read(PLACE.path("mixed/1.png")).unwrap()[..300]).unwrap();
    fs::write(PLACE.path("text.png"), "no picture").unwrap();
    fs::create_dir_all(PLACE.path("empty")).unwrap();
    let (output, error) = exit(PLACE.command("predict mnist mixed text.png nowhere.png empty mixed/1.png --json"), 1);
    let list: Vec<Value> = serde_json::from_str(&output).unwrap();
    let files: Vec<&Value> = list.iter().map(|prediction| &prediction["file"]).collect();
    assert_eq!(files, ["mixed/1.png", "mixed/3.png", "mixed/1.png"]);
    let errors: Vec<&str> = error.lines().collect();
    for (line, parts) in errors.iter().zip([
        ["mixed/2.png: ", "a damaged"],
        ["text.png: ", "expected a PNG or JPEG picture"],
        ["nowhere.png: ", "cannot be read"],
        ["empty: ", "expected pictures"],
    ]) {
        assert!(line.starts_with(&format!("error: {}", parts[0])) && line.contains(parts[1]), "{line}");
    }
    assert_eq!(errors.len(), 4, "{error}");
    for words in ["predict mnist text.png", "predict mnist empty", "predict nowhere mixed/1.png"] {
        assert!(PLACE.fail(words, 1, "error: ").lines().count() == 1);
    }
}

#[test]
fn inversion_and_placement_can_be_said() {
    write_digit("said.png", 4);
    PLACE.fail("predict mnist said.png --invert no", 1, "exchange black and white"); // nothing is brighter than white
    let [prediction] = &predictions("mnist said.png --placement whole --invert no")[..] else { panic!("one picture") };
    assert_eq!(prediction["inverted"], false);
    let [prediction] = &predictions("mnist said.png --placement whole --invert yes")[..] else { panic!("one picture") };
    assert_eq!((&prediction["inverted"], &prediction["ink"]), (&true.into(), &Value::Null));

    // Of other data than MNIST it is not known that they are digits.
    for (words, placement) in [("own said.png", "whole"), ("own said.png --placement digit", "digit")] {
        assert_eq!(predictions(words)[0]["placement"], placement);
    }
    let help = PLACE.succeed("predict --help").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(help.contains("digit if the run was trained on MNIST, else whole"), "{help}");
}

#[test]
fn usage_errors_exit_with_2() {
    for (words, message) in [
        ("predict", "<RUN>"),
        ("predict mnist", "<IMAGE>"),
        ("predict mnist a.png --top 0", "--top"),
        ("predict mnist a.png --invert maybe", "yes, no, auto"),
        ("predict mnist a.png --placement middle", "digit, whole"),
        ("predict mnist a.png --backend tpu", "flex"),
    ] {
        PLACE.fail(words, 2, message);
    }
}

#[test]
fn a_changed_run_is_opened_unverified_only() {
    write_digit("changed.png", 5);
    PLACE.train("--quiet --variant gap --epochs 1 --out changed");
    let path = PLACE.path("changed/config.json");
    let config = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{config}\n")).unwrap();
    PLACE.fail("predict changed changed.png", 1, "--unverified");
    PLACE.succeed("predict changed changed.png --unverified");
    fs::write(PLACE.path("changed/metrics.jsonl"), "").unwrap();
    PLACE.fail("predict changed changed.png --unverified", 1, "--resume changed");
}

#[test]
fn a_network_for_two_channels_takes_no_pictures() {
    write_digit("channels.png", 6);
    let folder = PLACE.path("two");
    fs::create_dir(&folder).unwrap();
    for (part, count) in [("train", 30_u32), ("t10k", 10)] {
        let labels: Vec<u8> = (0..count).map(|index| (index % 10) as u8).collect();
        let pixels = vec![100; count as usize * 2 * 28 * 28];
        let images = common::idx(0x804, &[count, 2, 28, 28], &pixels);
        fs::write(folder.join(format!("{part}-images-idx3-ubyte")), images).unwrap();
        fs::write(folder.join(format!("{part}-labels-idx1-ubyte")), common::idx(0x801, &[count], &labels)).unwrap();
    }
    PLACE.succeed("--quiet --variant gap --epochs 1 --data-dir two --valid-size 5 --out two-run");
    PLACE.fail("predict two-run channels.png", 1, "found 2 channels");
}

fn negatives(dataset: &ImageDataset) -> ImageDataset {
    let pixels = (0..dataset.len()).flat_map(|index| dataset.pixels(index)).map(|pixel| 255 - pixel).collect();
    ImageDataset::new(Images { channels: 1, size: [28, 28], pixels }, dataset.labels().to_vec()).unwrap()
}

#[test]
fn evaluate_warns_of_inverted_images() {
    let sets = few_images(60, 10);
    let negative = ImageSets { train: negatives(&sets.train), test: negatives(&sets.test) };
    assert!(negative.test.looks_inverted() && negative.train.looks_inverted());
    assert!(!sets.test.looks_inverted() && !sets.train.looks_inverted());
    fs::create_dir(PLACE.path("negative")).unwrap();
    write_sets(&PLACE.path("negative"), &negative);
    let stderr = |words: &str| exit(PLACE.command(words), 0).1;
    assert!(stderr("evaluate own --data-dir negative").contains("note: the images have a bright border"));
    assert_eq!(stderr("evaluate own"), "");
    // Who trains on them has a network that knows them so.
    PLACE.succeed("--quiet --variant gap --epochs 1 --data-dir negative --valid-size 20 --out negative-run");
    assert_eq!(stderr("evaluate negative-run"), "");
}

#[test]
fn an_explanation_has_a_picture_of_every_step_and_one_of_all() {
    write_digit("explained/seven.png", 0);
    write_digit("again/seven.png", 0);
    let words = "predict mnist explained/seven.png again/seven.png --explain why";
    let output = PLACE.succeed(words);
    assert!(output.contains("explained in why/seven.svg") && output.contains("why/seven-2.svg"), "{output}");
    let steps = ["image", "stage1-before", "stage1-after", "stage2-before", "stage2-after", "places", "pixels"];
    for name in steps {
        let picture = fs::read(PLACE.path(&format!("why/seven-{name}.png"))).unwrap();
        assert!(picture.starts_with(b"\x89PNG"), "{name}");
    }
    let sheet = fs::read_to_string(PLACE.path("why/seven.svg")).unwrap();
    assert_eq!(sheet.matches("<image ").count(), steps.len());
    assert!(sheet.contains("stage 2 after pooling: 32 maps of 5x5"), "{sheet:.500}");
    let own = predictions("own explained/seven.png --explain own-why --placement digit");
    assert_eq!(own[0]["explanation"], "own-why/seven.svg");
    PLACE.fail("predict mnist explained/seven.png --explain mnist/config.json", 1, "config.json");
}
