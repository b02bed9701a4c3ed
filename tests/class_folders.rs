//! Data sets of pictures in class folders: torchvision's order, classes and pixels, and errors that name the file.

#![cfg(all(feature = "cli", feature = "flex", feature = "bundled-mnist"))]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use burn_pooling::mnist::{DataError, ImageDataset, ImageSets};
use burn_pooling::run::DataConfig;
use common::few_images;
use common::pictures::{digit, png, png_of};
use common::place::Place;
use image::{GrayImage, ImageBuffer, Luma, Rgb, RgbImage, Rgba, RgbaImage};
use serde::Deserialize;
use tempfile::{TempDir, tempdir};

/// What torchvision finds: the classes, and of each picture its path, label and pixels in three channels.
#[derive(Deserialize)]
struct Reference {
    classes: Vec<String>,
    train: Vec<(PathBuf, u8, Vec<u8>)>,
    test: Vec<(PathBuf, u8, Vec<u8>)>,
}

#[test]
fn classes_order_and_pixels_are_those_of_torchvision() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference");
    let text = fs::read_to_string(folder.join("image_folder.json")).unwrap();
    let sets: BTreeMap<String, Reference> = serde_json::from_str(&text).unwrap();
    // One picture of `colour`, in its test set, decides for all.
    for (name, channels) in [("grey", 1), ("colour", 3)] {
        let found = ImageSets::load(Some(&folder.join("image_folder").join(name))).unwrap();
        let expected = &sets[name];
        assert_eq!((found.class_names(), found.classes()), (&expected.classes[..], 5));
        for (found, expected) in [(&found.train, &expected.train), (&found.test, &expected.test)] {
            assert_eq!((found.image_shape(), found.len()), ([channels, 2, 3], expected.len()));
            for (index, (path, label, pixels)) in expected.iter().enumerate() {
                assert_eq!(found.labels()[index], *label, "{path:?}");
                assert_eq!(found.pixels(index), &pixels[..channels * 6], "{path:?}");
            }
        }
    }
}

/// Writes files below a new folder, with the folders that they need.
fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempdir().unwrap();
    files.iter().for_each(|(name, bytes)| add(&folder, name, bytes));
    folder
}

fn add(folder: &TempDir, name: &str, bytes: &[u8]) {
    let path = folder.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn grey(value: u8) -> Vec<u8> {
    png(&GrayImage::from_pixel(3, 2, Luma([value])))
}

/// A good set: two classes of a picture each.
fn good() -> TempDir {
    let [train_a, train_b, test_a, test_b] = [10, 20, 30, 40].map(grey);
    folder(&[
        ("train/a/1.png", &train_a),
        ("train/b/1.png", &train_b),
        ("test/a/1.png", &test_a),
        ("test/b/1.png", &test_b),
    ])
}

fn load(folder: &TempDir) -> Result<ImageSets, DataError> {
    ImageSets::load(Some(folder.path()))
}

/// The first pixel of every image.
fn firsts(dataset: &ImageDataset) -> Vec<u8> {
    (0..dataset.len()).map(|index| dataset.pixels(index)[0]).collect()
}

#[test]
fn hidden_and_other_files_are_ignored_and_test_comes_before_val() {
    let set = good();
    for name in [".DS_Store", "train/.ipynb_checkpoints/1.png", "train/a/._1.png", "train/a/.cache/1.png"] {
        add(&set, name, b"hidden");
    }
    for name in ["README.md", "train/classes.txt", "train/a/1.json", "train/a/png", "mean/1.png"] {
        add(&set, name, b"no picture");
    }
    for part in ["val", "valid"] {
        ["a", "b"].iter().for_each(|class| add(&set, &format!("{part}/{class}/1.png"), &grey(part.len() as u8)));
    }
    for (part, expected) in [("test", [30, 40]), ("val", [3, 3]), ("valid", [5, 5])] {
        let sets = load(&set).unwrap();
        assert_eq!((firsts(&sets.train), firsts(&sets.test)), (vec![10, 20], expected.to_vec()));
        fs::remove_dir_all(set.path().join(part)).unwrap();
    }
    let text = load(&set).unwrap_err().to_string();
    assert!(text.contains("expected a folder `test`, `val` or `valid` beside `train`"), "{text}");
}

#[test]
fn wide_values_are_rounded_and_transparent_pictures_get_a_background() {
    let wide = ImageBuffer::from_fn(3, 2, |x, _| Luma([[0_u16, 128, 32_768][x as usize]]));
    let clear = RgbaImage::from_fn(3, 2, |x, _| Rgba([0, 0, 0, [0, 0, 255][x as usize]])); // black ink on nothing
    let set = good();
    add(&set, "train/a/2.png", &png_of(wide));
    add(&set, "train/a/3.png", &png_of(clear));
    let train = load(&set).unwrap().train;
    assert_eq!(train.image_shape(), [1, 2, 3]);
    assert_eq!(train.pixels(1)[..3], [0, 0, 128]); // 65535 is 255: one step is 257
    assert_eq!(train.pixels(2)[..3], [255, 255, 0]);
}

#[test]
fn a_colour_in_one_picture_gives_three_channels_to_all() {
    let set = good();
    add(&set, "train/a/2.png", &png_of(RgbImage::from_pixel(3, 2, Rgb([7, 7, 7]))));
    assert_eq!(load(&set).unwrap().channels(), 1);
    let spot = RgbImage::from_fn(3, 2, |x, y| if (x, y) == (2, 1) { Rgb([1, 2, 3]) } else { Rgb([9, 9, 9]) });
    add(&set, "train/a/3.png", &png_of(spot));
    let sets = load(&set).unwrap();
    let [train, test] = [&sets.train, &sets.test];
    assert_eq!(train.pixels(0), [10; 18]);
    assert_eq!(train.pixels(2), [9, 9, 9, 9, 9, 1, 9, 9, 9, 9, 9, 2, 9, 9, 9, 9, 9, 3]);
    assert_eq!((train.pixels(3), test.pixels(1)), (&[20; 18][..], &[40; 18][..]));
}

#[test]
fn each_fault_is_named_with_its_file() {
    let cases: [(&str, Vec<u8>, &str); 6] = [
        ("test/b/2.png", png(&GrayImage::new(2, 3)), "of 2x3 (height x width), the size of "),
        ("train/b/0.png", b"no picture".to_vec(), "expected a PNG or JPEG picture"),
        ("train/b/0.bmp", b"BM picture".to_vec(), "save it as PNG or JPEG"),
        ("train/b/0.PNG", grey(1)[..40].to_vec(), "found a damaged or unsupported one"),
        ("train/b/0.jpg", png(&GrayImage::new(4097, 1)), "found 4097x1"),
        ("train/b/more.d/1.png", grey(1), "expected a file, found a folder"),
    ];
    for (name, bytes, message) in cases {
        let set = good();
        add(&set, name, &bytes);
        let text = load(&set).unwrap_err().to_string();
        let named = set.path().join(name.trim_end_matches("/1.png"));
        assert!(text.starts_with(&format!("{}: ", named.display())), "{name}: {text}");
        assert!(text.contains(message), "{name}: {message} in {text}");
    }
}

#[test]
fn both_parts_need_the_same_classes_with_pictures() {
    let without = |removed: &str| {
        let set = good();
        fs::remove_dir_all(set.path().join(removed)).unwrap();
        (load(&set).unwrap_err().to_string(), set)
    };
    assert!(without("test/b").0.contains("found no b; every class"));
    assert!(without("train/a").0.contains("found also a; every class"));
    let (_, set) = without("test/a");
    add(&set, "test/c/1.png", &grey(1));
    let text = load(&set).unwrap_err().to_string();
    assert!(text.contains("test: expected the classes of") && text.contains("found no a and also c"), "{text}");

    let (_, set) = without("test/b");
    add(&set, "test/b/1.txt", b"no picture");
    let text = load(&set).unwrap_err().to_string();
    assert!(text.contains("test/b: expected a picture"), "{text}");

    let empty = folder(&[("train/1.png", &grey(1)), ("test/1.png", &grey(1))]);
    let text = load(&empty).unwrap_err().to_string();
    assert!(text.contains("train: expected a folder of pictures for each class"), "{text}");

    let many = tempdir().unwrap();
    for part in ["train", "test"] {
        (0..=256).for_each(|class| add(&many, &format!("{part}/{class}/1.png"), &grey(1)));
    }
    let text = load(&many).unwrap_err().to_string();
    assert!(text.contains("expected at most 256 class folders, found 257"), "{text}");
}

#[cfg(unix)]
#[test]
fn a_named_pipe_blocks_nothing() {
    let set = good();
    let pipe = set.path().join("train/a/0.png");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let text = load(&set).unwrap_err().to_string();
    assert!(text.contains("0.png: expected a file, found a named pipe (FIFO)"), "{text}");
}

#[test]
fn pictures_that_unpack_to_gigabytes_are_refused() {
    let set = tempdir().unwrap();
    let large = png(&GrayImage::new(4096, 4096)); // 50 MB in colour
    for (part, count) in [("train", 20), ("test", 2)] {
        (0..count).for_each(|index| add(&set, &format!("{part}/a/{index}.png"), &large));
    }
    let error = load(&set).unwrap_err();
    assert!(matches!(error, DataError::TooLarge { found: 1_107_296_256, most: 1_073_741_824, .. }), "{error}");
}

#[test]
fn what_is_found_decides_the_layout() {
    let set = good();
    common::write_sets(set.path(), &few_images(3, 2));
    assert_eq!(load(&set).unwrap(), few_images(3, 2));
    let nothing = folder(&[("pictures/a/1.png", &grey(1))]);
    let text = load(&nothing).unwrap_err().to_string();
    for part in ["train-images-idx3-ubyte", "train/CLASS and test/CLASS", ".npz"] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn class_names_stay_with_the_data_and_the_run() {
    let sets = load(&good()).unwrap().transposed();
    assert_eq!(sets.train.select(&[0]).class_names(), ["a", "b"]);
    assert_eq!(sets.train.select(&[0]).classes(), 2, "the class without an image has a name");
    let named = DataConfig::of(&sets, None);
    assert_eq!((named.class_title(1), named.class_title(2)), ("1 b".to_owned(), "2".to_owned()));
    let stored = serde_json::to_string(&named).unwrap();
    assert_eq!(serde_json::from_str::<DataConfig>(&stored).unwrap(), named);

    let numbers = DataConfig { class_names: vec!["0".to_owned(), "2".to_owned()], ..named.clone() };
    assert_eq!([0, 1].map(|class| numbers.class_title(class)), ["0", "1 2"]);

    let renamed = DataConfig { class_names: vec!["a".to_owned(), "c".to_owned()], ..named.clone() };
    assert_eq!(named.differences(&renamed), ["names of classes: expected a, b, found a, c"]);
    let unnamed = DataConfig { class_names: Vec::new(), ..named.clone() };
    assert_eq!(named.differences(&unnamed), Vec::<String>::new());
    assert!(!serde_json::to_string(&unnamed).unwrap().contains("class_names"));
}

#[test]
fn the_command_shows_the_names_of_classes() {
    let place = Place::new(60, 20);
    let sets = few_images(60, 20);
    for (part, dataset) in [("train", &sets.train), ("test", &sets.test)] {
        for index in 0..dataset.len() {
            let class = ["even digits", "odd"][usize::from(dataset.labels()[index] % 2)];
            let folder = place.path("set").join(part).join(class);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join(format!("{index:02}.png")), png(&digit(dataset, index))).unwrap();
        }
    }
    let train = "--variant gap --epochs 1 --valid-size 20 --batch-size 16 --threads 1 --data-dir set --out run";
    let trained = place.succeed(train);
    assert!(trained.contains("\n   0 even digits ") && trained.contains("\n           1 odd "), "{trained}");
    assert_eq!(place.report("run").test.confusion.len(), 2);
    assert!(place.succeed("evaluate run").contains("0 even digits "));
    let predicted = place.succeed("predict run set/test/odd/02.png");
    assert!(predicted.contains("0 even digits  0.") && predicted.contains("1 odd  0."), "{predicted}");
    let json = place.succeed("predict run set/test/odd --json");
    assert!(json.contains("\"class_name\": \"even digits\"") || json.contains("\"class_name\": \"odd\""), "{json}");
    place.succeed("report run --out report.html");
    let report = fs::read_to_string(place.path("report.html")).unwrap();
    assert!(report.contains("<th class=\"number\" scope=\"row\">1 odd</th>"));
}
