//! Data sets in NumPy's `.npz` files: NumPy's own are read as NumPy reads them, and all others refused in words.

#![cfg(all(feature = "cli", feature = "flex", feature = "bundled-mnist"))]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;

use burn_pooling::mnist::{ArrayError, DataError, ImageDataset, ImageSets, read_npz};
use common::few_images;
use common::place::{Place, exit};
use proptest::prelude::*;
use serde::Deserialize;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

const NAMES: [&str; 4] = ["x_train", "y_train", "x_test", "y_test"];

/// What `tests/reference/npz.py` expects of a file.
#[derive(Deserialize)]
#[serde(untagged)]
enum Expected {
    Error { error: String },
    Sets { channels: usize, size: [usize; 2], train: Part, test: Part },
}

#[derive(Deserialize)]
struct Part {
    pixels: Vec<u8>,
    labels: Vec<u8>,
}

impl Part {
    fn check(&self, name: &str, [channels, height, width]: [usize; 3], found: &ImageDataset) {
        assert_eq!(found.image_shape(), [channels, height, width], "{name}");
        assert_eq!(found.labels(), self.labels, "{name}");
        let pixels: Vec<u8> = (0..found.len()).flat_map(|index| found.pixels(index)).copied().collect();
        assert_eq!(pixels, self.pixels, "{name}");
    }
}

#[test]
fn files_that_numpy_saves_are_read_or_refused_in_words() {
    let reference = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference");
    let text = fs::read_to_string(reference.join("npz.json")).unwrap();
    let files: BTreeMap<String, Expected> = serde_json::from_str(&text).unwrap();
    assert_eq!(files.len(), fs::read_dir(reference.join("npz")).unwrap().count());
    for (name, expected) in files {
        let found = ImageSets::load(Some(&reference.join("npz").join(format!("{name}.npz"))));
        match expected {
            Expected::Sets { channels, size: [height, width], train, test } => {
                let found = found.unwrap_or_else(|error| panic!("{name}: {error}"));
                train.check(&name, [channels, height, width], &found.train);
                test.check(&name, [channels, height, width], &found.test);
            }
            Expected::Error { error } => {
                let text = found.expect_err(&name).to_string();
                assert!(text.contains(&error) && text.contains(&format!("{name}.npz")), "{error} in {text}");
            }
        }
    }
}

/// An array: a header with this dictionary, and the values.
fn npy(header: &str, values: &[u8]) -> Vec<u8> {
    let len = u16::try_from(header.len()).unwrap();
    [b"\x93NUMPY\x01\x00", &len.to_le_bytes()[..], header.as_bytes(), values].concat()
}

fn bytes(shape: &str, values: &[u8]) -> Vec<u8> {
    npy(&format!("{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}"), values)
}

fn archive(arrays: [&[u8]; 4], method: CompressionMethod) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, array) in NAMES.iter().zip(arrays) {
        let options = SimpleFileOptions::default().compression_method(method);
        writer.start_file(format!("{name}.npy"), options).unwrap();
        writer.write_all(array).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// The file of a data set of grey images.
fn npz(sets: &ImageSets, method: CompressionMethod) -> Vec<u8> {
    let arrays = [&sets.train, &sets.test].map(|dataset| {
        let [height, width] = dataset.image_size();
        let pixels: Vec<u8> = (0..dataset.len()).flat_map(|index| dataset.pixels(index)).copied().collect();
        let images = bytes(&format!("({}, {height}, {width})", dataset.len()), &pixels);
        [images, bytes(&format!("({},)", dataset.len()), dataset.labels())]
    });
    let [[x_train, y_train], [x_test, y_test]] = &arrays;
    archive([x_train, y_train, x_test, y_test], method)
}

/// Reads a file whose training images are `array`, and whose others are one image of one pixel with its label.
fn read_with(array: &[u8]) -> Result<ImageSets, DataError> {
    let (image, label) = (bytes("(1, 1, 1)", &[7]), bytes("(1,)", &[0]));
    read_npz(Cursor::new(archive([array, &label, &image, &label], CompressionMethod::Stored)), "set.npz")
}

#[test]
fn the_digest_is_that_of_the_idx_files() {
    let sets = few_images(30, 20);
    for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
        let found = read_npz(Cursor::new(npz(&sets, method)), "set.npz").unwrap();
        assert_eq!((found.digest(), &found), (sets.digest(), &sets));
    }
}

#[test]
fn headers_are_read_as_python_may_write_them_and_no_others() {
    let good = "'descr': '|u1', 'fortran_order': False, 'shape': (1, 1, 1)";
    for header in [
        format!("{{{good}, }}    \n"),
        format!("{{{good}}}"),
        format!("  {{ {} }}", good.replace('\'', "\"")),
        "{'shape':(1L,1,1,),'fortran_order':True,'descr':'<u1',}".to_owned(),
    ] {
        assert_eq!(read_with(&npy(&header, &[9])).unwrap().train.pixels(0), [9], "{header}");
    }
    for header in [
        String::new(),
        "{}".to_owned(),
        good.to_owned(),
        format!("{{{good}"),
        format!("{{{good}}} x"),
        format!("{{{good}, 'descr': '|u1'}}"),
        format!("{{{good}, 'other': '|u1'}}"),
        format!("{{{}}}", good.replace(", 'f", " 'f")),
        format!("{{{}}}", good.replace("False", "false")),
        format!("{{{}}}", good.replace("(1, 1, 1)", "[1, 1, 1]")),
        format!("{{{}}}", good.replace("(1, 1, 1)", "(1, -1, 1)")),
        format!("{{{}}}", good.replace("(1, 1, 1)", "(1, 1.0, 1)")),
        format!("{{{}}}", good.replace("(1, 1, 1)", "(1)")),
        format!("{{{}}}", good.replace("(1, 1, 1)", "(,)")),
        format!("{{{}}}", good.replace("(1, 1, 1)", "(1, 1, 18446744073709551616)")),
        format!("{{{good}{}}}", " ".repeat(10_000)),
    ] {
        let error = read_with(&npy(&header, &[9])).expect_err(&header);
        assert!(matches!(error, DataError::Array(ArrayError::Header { .. })), "{header}: {error}");
    }
    for descr in ["u1", "|u2", "<u3", "|b1", "<f2", "uint8"] {
        let header = format!("{{{}}}", good.replace("|u1", descr));
        let error = read_with(&npy(&header, &[9, 0])).expect_err(descr);
        assert!(matches!(&error, DataError::Array(ArrayError::ValueType { found, .. }) if found == descr), "{error}");
    }
    let mut other_version = bytes("(1, 1, 1)", &[9]);
    other_version[6] = 4;
    let text = read_with(&other_version).unwrap_err().to_string();
    assert!(text.contains("set.npz: x_train") && text.contains("version 4"), "{text}");
}

#[test]
fn a_header_that_promises_too_much_takes_no_memory() {
    // The product of the third is 2^128.
    for shape in ["(1000000000000, 28, 28)", "(1073741825, 1, 1)", &format!("({},)", ["4294967296"; 4].join(", "))] {
        let error = read_with(&bytes(shape, &[1, 2, 3])).unwrap_err();
        assert!(matches!(error, DataError::TooLarge { most: 1_073_741_824, .. }), "{error}");
    }
    let text = read_with(&bytes("(1073741824, 1, 1)", &[1, 2, 3])).unwrap_err().to_string();
    assert!(text.contains("expected 1073741824 bytes") && text.contains("found only 3"), "{text}");
    let text = read_with(&bytes("(1, 1, 1)", &[1, 2])).unwrap_err().to_string();
    assert!(text.contains("found more"), "{text}");
}

#[test]
fn what_is_damaged_or_no_archive_is_named() {
    let whole = npz(&few_images(3, 2), CompressionMethod::Stored);
    let read = |bytes: &[u8]| read_npz(Cursor::new(bytes), "set.npz").unwrap_err();
    for bytes in [&b""[..], b"PK", b"<!DOCTYPE html>", &whole[..whole.len() / 2]] {
        let error = read(bytes);
        assert!(matches!(error, DataError::Array(ArrayError::Archive { .. })), "{error}");
    }
    // A pixel of the first array: the archive's sum tells.
    let mut flipped = whole;
    flipped[1000] ^= 1;
    let text = read(&flipped).to_string();
    assert!(text.contains("set.npz: x_train") && text.contains("fetch it again"), "{text}");
}

#[test]
fn a_run_finds_its_file_again_from_everywhere() {
    let place = Place::new(60, 10);
    fs::write(place.path("set.npz"), npz(&few_images(60, 10), CompressionMethod::Deflated)).unwrap();
    let train = "--quiet --variant gap --valid-size 20 --batch-size 16";
    place.succeed(&format!("{train} --epochs 1 --data-dir set.npz --out run"));
    let mut elsewhere = place.command("--quiet --resume ../run --epochs 2");
    elsewhere.current_dir(place.path("data"));
    exit(elsewhere, 0);
    // The same images in the other layout: the same run.
    place.succeed(&format!("{train} --epochs 2 --data-dir data --out idx"));
    let weights = |run: &str| fs::read(place.path(run).join("model.safetensors")).unwrap();
    assert_eq!(weights("run"), weights("idx"));
    fs::write(place.path("set.npz"), npz(&few_images(60, 9), CompressionMethod::Stored)).unwrap();
    place.fail("--resume run --epochs 3", 1, "test images: expected 10, found 9");
}

proptest! {
    /// No bytes panic, and what is accepted is exactly what the header says.
    #[test]
    fn any_array_is_read_or_refused(
        descr in prop::sample::select(vec!["|u1", "<u1", "<i2", ">u4", "<i8", "|i2", "<f4", "|O", "<U3", "", "é"]),
        fortran_order in prop::sample::select(vec!["True", "False", "None"]),
        shape in prop::collection::vec(prop_oneof![8 => Just(1u64), 1 => 0u64..4, 1 => any::<u64>()], 0..6),
        values in prop::collection::vec(prop_oneof![3 => Just(0u8), 1 => any::<u8>()], 0..10),
        noise in prop::option::of((any::<prop::sample::Index>(), any::<u8>())),
    ) {
        let sides: String = shape.iter().map(|side| format!("{side}, ")).collect();
        let header = format!("{{'descr': '{descr}', 'fortran_order': {fortran_order}, 'shape': ({sides}), }}");
        let mut array = npy(&header, &values);
        if let Some((place, byte)) = noise {
            let place = place.index(array.len());
            array[place] = byte;
        }
        // Accepted beside a label and a test image of one pixel: one pixel.
        if let (Ok(sets), None) = (read_with(&array), noise) {
            prop_assert!(["|u1", "<u1", "<i2", ">u4", "<i8"].contains(&descr));
            prop_assert!(shape.len() == 3 || shape.len() == 4);
            prop_assert_eq!(shape.iter().product::<u64>(), 1);
            prop_assert_eq!(values.len(), descr[2..].parse::<usize>().unwrap());
            let place = if descr.starts_with('>') { values.len() - 1 } else { 0 };
            prop_assert_eq!(sets.train.pixels(0), &values[place..=place]);
        }
    }

    /// Whatever the order and the size of the values: each pixel is where NumPy's strides say.
    #[test]
    fn pixels_keep_their_places(
        [count, height, width, channels] in prop::array::uniform4(1usize..5), fortran: bool, wide: bool,
    ) {
        // NumPy's value at [image, row, column, channel] in memory order.
        let value = |image: usize, row: usize, column: usize, channel: usize| {
            (image * 64 + row * 16 + column * 4 + channel) as u8
        };
        let mut values = Vec::new();
        for place in 0..count * height * width * channels {
            let (mut rest, mut index) = (place, [0; 4]);
            let order: [usize; 4] = if fortran { [0, 1, 2, 3] } else { [3, 2, 1, 0] };
            for axis in order {
                let side = [count, height, width, channels][axis];
                (index[axis], rest) = (rest % side, rest / side);
            }
            let [image, row, column, channel] = index;
            values.push(value(image, row, column, channel));
            values.extend(wide.then_some(0));
        }
        let (descr, order) = (if wide { "<u2" } else { "|u1" }, if fortran { "True" } else { "False" });
        let shape = format!("({count}, {height}, {width}, {channels})");
        let header = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}}}");
        let (images, labels) = (npy(&header, &values), bytes(&format!("({count},)"), &vec![0; count]));
        let file = archive([&images, &labels, &images, &labels], CompressionMethod::Stored);
        let train = read_npz(Cursor::new(file), "set.npz").unwrap().train;
        prop_assert_eq!(train.image_shape(), [channels, height, width]);
        for image in 0..count {
            let expected = (0..channels).flat_map(|channel| {
                (0..height).flat_map(move |row| (0..width).map(move |column| value(image, row, column, channel)))
            });
            prop_assert_eq!(train.pixels(image), expected.collect::<Vec<u8>>());
        }
    }
}
