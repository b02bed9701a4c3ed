//! Data folders as people have them: names, kinds and states of the files.

#![cfg(all(feature = "flex", feature = "bundled-mnist"))]

mod common;

use std::fs;
use std::io::Write;
use std::path::Path;

use burn_pooling::mnist::{DataError, ImageDataset, ImageSets, Images, read_images, read_labels};
use common::{few_images, idx, idx_files, write_sets};
use flate2::{Compression, write::GzEncoder};
use tempfile::{TempDir, tempdir};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Writes a set under four names: training images and labels, test images and labels; those in `.gz` are packed.
fn write_as(folder: &Path, sets: &ImageSets, names: [&str; 4]) {
    let files = [idx_files(&sets.train), idx_files(&sets.test)].concat();
    for (name, bytes) in names.into_iter().zip(files) {
        let bytes = if name.ends_with(".gz") { gzip(&bytes) } else { bytes };
        fs::write(folder.join(name), bytes).unwrap();
    }
}

/// A folder with a good set, and the set.
fn good() -> (TempDir, ImageSets) {
    let (folder, sets) = (tempdir().unwrap(), few_images(3, 2));
    write_sets(folder.path(), &sets);
    (folder, sets)
}

fn load(folder: &TempDir) -> Result<ImageSets, String> {
    ImageSets::load(Some(folder.path())).map_err(|error| error.to_string())
}

#[test]
fn names_are_understood_as_people_have_them() {
    let sets = few_images(3, 2);
    for names in [
        ["train-images.idx3-ubyte", "train-labels.idx1-ubyte", "t10k-images.idx3-ubyte", "t10k-labels.idx1-ubyte"],
        [
            "emnist-letters-train-images-idx3-ubyte.gz",
            "emnist-letters-train-labels-idx1-ubyte.gz",
            "emnist-letters-test-images-idx3-ubyte.gz",
            "emnist-letters-test-labels-idx1-ubyte",
        ],
        [
            "mine_train-images-idx3-ubyte",
            "mine_train-labels.idx1-ubyte.gz",
            "mine_t10k-images-idx3-ubyte",
            "mine_t10k-labels.idx1-ubyte",
        ],
        ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "test-images-idx3-ubyte", "test-labels-idx1-ubyte.gz"],
    ] {
        let folder = tempdir().unwrap();
        write_as(folder.path(), &sets, names);
        fs::write(folder.path().join("._train-images-idx3-ubyte"), "macOS").unwrap();
        fs::write(folder.path().join("emnist-letters-mapping.txt"), "1 65 97").unwrap();
        assert_eq!(load(&folder).as_ref(), Ok(&sets), "{names:?}");
    }
}

#[test]
fn of_several_sets_none_is_guessed_but_the_usual_names_win() {
    let (folder, sets) = good();
    let emnist = |set: &str| {
        ["train-images-idx3", "train-labels-idx1", "test-images-idx3", "test-labels-idx1"]
            .map(|file| format!("emnist-{set}-{file}-ubyte"))
    };
    let other = few_images(5, 4);
    for set in ["letters", "digits"] {
        write_as(folder.path(), &other, emnist(set).each_ref().map(String::as_str));
    }
    write_as(folder.path(), &other, ["a.gz", "b.gz", "test-images-idx3-ubyte", "test-labels-idx1-ubyte"]);
    assert_eq!(load(&folder), Ok(sets));

    fs::remove_file(folder.path().join("train-labels-idx1-ubyte")).unwrap();
    let text = load(&folder).unwrap_err();
    for part in ["emnist-letters-train", "emnist-digits-train", "a folder of their own"] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn a_missing_file_of_a_named_set_is_named_in_full() {
    let folder = tempdir().unwrap();
    let names = ["my-train-images-idx3-ubyte", "my-train-labels-idx1-ubyte", "my-test-images-idx3-ubyte", "rest"];
    write_as(folder.path(), &few_images(3, 2), names);
    assert!(load(&folder).unwrap_err().contains("expected a file my-test-labels-idx1-ubyte or"));
}

#[test]
fn zeros_behind_a_gzip_stream_are_padding_and_anything_else_is_damage() {
    let (folder, sets) = good();
    let packed = folder.path().join("train-images-idx3-ubyte.gz");
    let plain = fs::read(folder.path().join("train-images-idx3-ubyte")).unwrap();
    fs::remove_file(folder.path().join("train-images-idx3-ubyte")).unwrap();
    let (first, second) = plain.split_at(100);
    let zeros = |count| vec![0; count];
    for bytes in [
        [gzip(&plain), zeros(1)].concat(),
        [gzip(&plain), zeros(1 << 20)].concat(),
        [gzip(first), gzip(second)].concat(),
        [gzip(first), zeros(512), gzip(second), zeros(3)].concat(),
    ] {
        fs::write(&packed, bytes).unwrap();
        assert_eq!(load(&folder).as_ref(), Ok(&sets));
    }
    for bytes in [[gzip(&plain), b"x".to_vec()].concat(), [gzip(&plain), zeros(9), b"garbage".to_vec()].concat()] {
        fs::write(&packed, bytes).unwrap();
        assert!(load(&folder).unwrap_err().contains("fetch it again"));
    }
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_named_and_nothing_blocks() {
    let name = "t10k-labels-idx1-ubyte";
    let make = |kind: &str, path: &Path| match kind {
        "a folder" => fs::create_dir(path).unwrap(),
        "a socket" => drop(std::os::unix::net::UnixListener::bind(path).unwrap()),
        "a device" => std::os::unix::fs::symlink("/dev/zero", path).unwrap(),
        _ => assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success()),
    };
    for kind in ["a folder", "a socket", "a device", "a named pipe (FIFO)"] {
        for suffix in ["", ".gz"] {
            let (folder, sets) = good();
            let path = folder.path().join(name);
            let bytes = fs::read(&path).unwrap();
            fs::remove_file(&path).unwrap();
            make(kind, &path.with_file_name(format!("{name}{suffix}")));
            let text = load(&folder).unwrap_err();
            assert!(text.contains(&format!("{name}{suffix}: expected a file, found {kind}")), "{text}");

            // As archives unpack: a file of a like name is the one that is meant.
            fs::write(folder.path().join("t10k-labels.idx1-ubyte"), bytes).unwrap();
            assert_eq!(load(&folder), Ok(sets));
        }
    }
}

#[cfg(unix)]
#[test]
fn only_a_damaged_file_is_to_be_fetched_again() {
    let (folder, _) = good();
    let name = "train-images-idx3-ubyte";
    fs::remove_file(folder.path().join(name)).unwrap();
    std::os::unix::fs::symlink("no/such/file", folder.path().join(name)).unwrap();
    let text = load(&folder).unwrap_err();
    assert!(text.ends_with("train-images-idx3-ubyte: cannot be read"), "{text}");

    struct Refused(std::io::ErrorKind);
    impl std::io::Read for Refused {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(self.0.into())
        }
    }
    use std::io::ErrorKind::{InvalidData, OutOfMemory, PermissionDenied, UnexpectedEof};
    for (kind, damaged) in [(OutOfMemory, false), (PermissionDenied, false), (InvalidData, true), (UnexpectedEof, true)]
    {
        let text = read_labels(Refused(kind), "refused").unwrap_err().to_string();
        assert_eq!(text.contains("fetch it again"), damaged, "{text}");
    }
}

#[test]
fn other_idx_types_are_named() {
    for (code, values) in [
        (0x09, "signed bytes"),
        (0x0B, "16-bit integers"),
        (0x0C, "32-bit integers"),
        (0x0D, "32-bit floats"),
        (0x0E, "64-bit floats"),
    ] {
        let bytes = idx(code << 8 | 3, &[1, 1, 1], &[0; 8]);
        let text = read_images(bytes.as_slice(), "other").unwrap_err().to_string();
        assert!(text.contains(&format!("found an IDX file of {values} with 3 dimensions")), "{text}");
    }
    let [images, labels] = idx_files(&few_images(3, 2).train);
    let text = read_labels(images.as_slice(), "one").unwrap_err().to_string();
    assert!(text.contains("expected labels") && text.contains("found images"), "{text}");
    let text = read_images(labels.as_slice(), "one").unwrap_err().to_string();
    assert!(text.contains("expected images") && text.contains("found labels"), "{text}");
    let error = read_images(&b"<!DOCTYPE html>"[..], "page").unwrap_err();
    assert!(matches!(error, DataError::Magic { .. }) && error.to_string().contains("no IDX file"), "{error}");
}

#[test]
fn classes_without_an_image_are_told() {
    let mut sets = few_images(100, 100);
    assert_eq!(sets.unused_classes(), Vec::<usize>::new());
    sets.test = ImageDataset::new(Images { channels: 1, size: [28, 28], pixels: vec![0; 784] }, vec![255]).unwrap();
    assert_eq!(sets.unused_classes(), (10..255).collect::<Vec<_>>());
}

#[test]
fn transposing_swaps_rows_and_columns_of_every_channel() {
    // Two images of two channels of two rows and three columns.
    let images = |size, pixels| ImageDataset::new(Images { channels: 2, size, pixels }, vec![4, 5]).unwrap();
    let plane = |first: u8| [0, 1, 2, 3, 4, 5].map(|pixel| first + pixel);
    let swapped = |first: u8| [0, 3, 1, 4, 2, 5].map(|pixel| first + pixel);
    let upright = images([2, 3], [plane(0), plane(10), plane(20), plane(30)].concat());
    let transposed = images([3, 2], [swapped(0), swapped(10), swapped(20), swapped(30)].concat());
    assert_eq!(upright.clone().transposed(), transposed);
    let sets = ImageSets { train: upright.clone(), test: upright };
    assert_eq!(sets.clone().transposed().transposed(), sets);
}
