//! The data: real MNIST as published, and every broken file refused with an error that says what is wrong.

#![cfg(all(feature = "flex", feature = "bundled-mnist"))]

mod common;

use std::fs;
use std::io::Write;
use std::path::Path;

use burn::data::dataloader::batcher::Batcher;
use burn::tensor::{Tensor, TensorData, backend::Backend};
use burn_dataset::Dataset;
use burn_pooling::backend::Flex;
use burn_pooling::data::{Batch, BatchedDataset, Data};
use burn_pooling::mnist::{
    DataError, ImageDataset, ImageItem, ImageSets, Images, MNIST_DIGEST, read_images, read_labels,
};
use common::{few_images, idx, idx_files, write_sets};
use flate2::{Compression, write::GzEncoder};
use proptest::prelude::*;
use tempfile::tempdir;

const IMAGES: u32 = 0x803;
const LABELS: u32 = 0x801;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn bundled_mnist_is_the_published_one() {
    let sets = ImageSets::load(None).unwrap();
    assert_eq!((sets.image_size(), sets.classes()), ([28, 28], 10));
    // How often each digit occurs, as counted by many; the sums of all pixels, as computed with NumPy 2.4.
    let count =
        |labels: &[u8]| (0..10).map(|digit| labels.iter().filter(|&&label| label == digit).count()).collect::<Vec<_>>();
    assert_eq!(count(sets.train.labels()), [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
    assert_eq!(count(sets.test.labels()), [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
    let sum = |dataset: &burn_pooling::mnist::ImageDataset| -> u64 {
        (0..dataset.len()).flat_map(|index| dataset.pixels(index)).map(|&pixel| u64::from(pixel)).sum()
    };
    assert_eq!((sum(&sets.train), sum(&sets.test)), (1_567_298_545, 264_923_200));
}

#[test]
fn the_digest_tells_every_difference_and_no_packing() {
    // As Python's hashlib computes it from the published files.
    let published = "a5a86af499fda938bd8df7245c047bc60d32c64119da89df54bf1155284111cd";
    assert_eq!((ImageSets::load(None).unwrap().digest().as_str(), MNIST_DIGEST), (published, published));

    let images = |channels, size, pixels: &[u8], labels: &[u8]| {
        ImageDataset::new(Images { channels, size, pixels: pixels.to_vec() }, labels.to_vec()).unwrap()
    };
    let [one, other] = [images(1, [1, 2], &[1, 2], &[3]), images(1, [1, 2], &[1, 2], &[4])];
    let different = [
        ImageSets { train: one.clone(), test: one.clone() },
        ImageSets { train: one.clone(), test: other.clone() },
        ImageSets { train: other.clone(), test: one.clone() },
        ImageSets { train: images(1, [2, 1], &[1, 2], &[3]), test: one.clone() },
        ImageSets { train: images(2, [1, 1], &[1, 2], &[3]), test: one.clone() },
        ImageSets { train: images(1, [1, 1], &[1, 2], &[3, 3]), test: one.clone() },
        ImageSets { train: images(1, [1, 1], &[1], &[2]), test: one.clone() },
        ImageSets { train: images(1, [1, 2], &[1, 0], &[3]), test: one.clone() },
    ];
    let digests: std::collections::BTreeSet<String> = different.iter().map(ImageSets::digest).collect();
    assert_eq!(digests.len(), different.len());
    assert!(digests.iter().all(|digest| digest.len() == 64));
}

#[test]
fn images_with_a_bright_border_look_inverted() {
    let images = |channels: usize, size: [usize; 2], pixels: Vec<u8>| {
        let count = pixels.len() / (channels * size[0] * size[1]).max(1);
        ImageDataset::new(Images { channels, size, pixels }, vec![0; count]).unwrap()
    };
    let [bright, dark] =
        [vec![128, 128, 128, 128, 0, 128, 128, 128, 128], vec![127, 127, 127, 127, 255, 127, 127, 127, 127]];
    assert!(images(1, [3, 3], bright.clone()).looks_inverted());
    assert!(!images(1, [3, 3], dark.clone()).looks_inverted());
    assert!(!images(1, [3, 3], [bright.clone(), dark].concat()).looks_inverted(), "127.5 is the middle");
    assert!(!images(3, [3, 3], bright.repeat(3)).looks_inverted(), "colours have no opposite");
    assert!(images(1, [1, 2], vec![200, 200]).looks_inverted());
    assert!(!images(1, [3, 3], vec![]).looks_inverted());
    assert!(!ImageSets::load(None).unwrap().test.looks_inverted());
}

#[test]
fn images_are_scaled_as_those_with_labels_are() {
    let test = few_images(1, 5).test;
    let pixels = (0..5).flat_map(|index| test.pixels(index).to_vec()).collect();
    let images = Images { channels: 1, size: [28, 28], pixels };
    let device = Default::default();
    let expected = test.images::<Flex>(&[0, 1, 2, 3, 4], &device).into_data();
    images.tensor::<Flex>(&device).into_data().assert_eq(&expected, true);
    let none = Images { channels: 1, size: [0, 28], pixels: vec![] };
    assert_eq!(none.tensor::<Flex>(&device).dims(), [0, 1, 0, 28]);
}

#[test]
fn a_folder_may_hold_plain_and_gzipped_files() {
    let sets = few_images(30, 20);
    let folder = tempdir().unwrap();
    write_sets(folder.path(), &sets);
    assert_eq!(ImageSets::load(Some(folder.path())).unwrap(), sets);

    for entry in fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        fs::write(path.with_added_extension("gz"), gzip(&fs::read(&path).unwrap())).unwrap();
        fs::remove_file(path).unwrap();
    }
    assert_eq!(ImageSets::load(Some(folder.path())).unwrap(), sets);
}

#[test]
fn items_and_batches_show_the_same_images() {
    let train = few_images(5, 1).train;
    let item = Dataset::get(&train, 3).unwrap();
    assert_eq!((item.pixels.as_slice(), item.label), (train.pixels(3), train.labels()[3]));
    assert!(Dataset::get(&train, 5).is_none());

    let batch = Data::<Flex, _>::gather(&train, &[4, 3], &Default::default());
    assert_eq!(batch.inputs.dims(), [2, 1, 28, 28]);
    let scaled: Vec<f32> = item.pixels.iter().map(|&pixel| f32::from(pixel) / 255.0).collect();
    assert_eq!(batch.inputs.into_data().to_vec::<f32>().unwrap()[784..], scaled);
    assert_eq!(batch.labels, [4, 3].map(|index| usize::from(train.labels()[index])));
}

/// Makes the same batches out of items as [`ImageDataset`] does without them.
struct ItemBatcher;

impl<B: Backend> Batcher<B, ImageItem, Batch<Tensor<B, 4>>> for ItemBatcher {
    fn batch(&self, items: Vec<ImageItem>, device: &B::Device) -> Batch<Tensor<B, 4>> {
        let ImageItem { channels, size: [height, width], .. } = items[0];
        let values: Vec<f32> =
            (items.iter()).flat_map(|item| item.pixels.iter().map(|&pixel| f32::from(pixel) / 255.0)).collect();
        let shape = [items.len(), channels, height, width];
        Batch {
            inputs: Tensor::from_data(TensorData::new(values, shape), device),
            labels: items.iter().map(|item| item.label.into()).collect(),
        }
    }
}

#[test]
fn a_burn_data_set_with_a_batcher_gives_the_same_batches() {
    // Three channels: colour images, whose channels differ.
    let pixels = (0..5 * 3 * 4 * 2).map(|value| value as u8).collect();
    let images = Images { channels: 3, size: [4, 2], pixels };
    let colour = ImageDataset::new(images, vec![0, 1, 2, 1, 0]).unwrap();
    let batched = BatchedDataset::<_, _, ImageItem>::new(colour.clone(), ItemBatcher);
    assert_eq!(Data::<Flex, _>::len(&batched), 5);
    let [own, through_items] =
        [&colour as &dyn Data<Flex, _>, &batched].map(|data| data.gather(&[4, 1, 2], &Default::default()));
    assert_eq!(own.inputs.dims(), [3, 3, 4, 2]);
    assert_eq!(own.labels, through_items.labels);
    own.inputs.into_data().assert_eq(&through_items.inputs.into_data(), true);
}

#[test]
fn images_of_several_channels_are_read_and_must_agree() {
    let colour = idx(0x804, &[2, 3, 2, 2], &(0..24).collect::<Vec<u8>>());
    let images = read_images(colour.as_slice(), "colour").unwrap();
    assert_eq!((images.channels, images.size, images.pixels.len()), (3, [2, 2], 24));

    let (error, text) = load_with("train-images-idx3-ubyte", &idx(0x804, &[3, 2, 28, 28], &[0; 4704]));
    assert!(matches!(error, DataError::Shape { train: [2, 28, 28], test: [1, 28, 28], .. }), "{text}");
}

/// Writes a good data set, replaces one file, and returns the error and its text.
fn load_with(name: &str, bytes: &[u8]) -> (DataError, String) {
    let folder = tempdir().unwrap();
    write_sets(folder.path(), &few_images(3, 2));
    fs::write(folder.path().join(name), bytes).unwrap();
    let error = ImageSets::load(Some(folder.path())).unwrap_err();
    let text = error.to_string();
    (error, text)
}

#[test]
fn each_broken_file_is_named_with_what_was_expected_and_found() {
    let name = "train-images-idx3-ubyte";
    let [good, labels] = idx_files(&few_images(3, 2).train);

    let (error, text) = load_with(name, &idx(LABELS, &[3, 28, 28], &good[16..]));
    assert!(matches!(error, DataError::Magic { expected: IMAGES, found: LABELS, .. }), "{text}");
    assert!(text.contains(name) && text.contains("0x00000803") && text.contains("0x00000801"), "{text}");

    let (error, text) = load_with(name, &good[..good.len() - 1]);
    assert!(matches!(error, DataError::Length { expected: 2352, .. }), "{text}");
    assert!(text.contains(name) && text.contains("only 2351"), "{text}");

    let (error, text) = load_with(name, &[good.as_slice(), &[0]].concat());
    assert!(matches!(error, DataError::Length { .. }) && text.contains("found more"), "{text}");

    let (error, text) = load_with(name, &idx(IMAGES, &[0, 28, 28], &[]));
    assert!(matches!(error, DataError::Empty { .. }) && text.contains(name), "{text}");

    let (error, text) = load_with(name, &good[..7]);
    assert!(matches!(error, DataError::Read { .. }) && text.contains(name), "{text}");

    let (error, text) = load_with(name, &[]);
    assert!(matches!(error, DataError::Read { .. }) && text.contains(name), "{text}");

    let (error, text) = load_with("train-labels-idx1-ubyte", &idx(LABELS, &[2], &labels[8..10]));
    assert!(matches!(error, DataError::Count { images: 3, labels: 2, .. }), "{text}");
    assert!(text.contains(name) && text.contains("train-labels"), "{text}");

    let (error, text) = load_with("t10k-images-idx3-ubyte", &idx(IMAGES, &[2, 2, 2], &[0; 8]));
    assert!(matches!(error, DataError::Shape { train: [1, 28, 28], test: [1, 2, 2], .. }), "{text}");
}

#[test]
fn a_broken_gzip_stream_is_refused() {
    let name = "t10k-images-idx3-ubyte";
    let [images, _] = idx_files(&few_images(1, 2).test);
    let good = gzip(&images);
    let mut flipped = good.clone();
    let checksum = flipped.len() - 8;
    flipped[checksum] ^= 1;
    for broken in [&good[..good.len() / 2], &good[..good.len() - 4], &flipped] {
        let (error, text) = load_with(name, broken);
        assert!(matches!(error, DataError::Read { .. }) && text.contains(name), "{text}");
    }
}

#[test]
fn a_missing_file_is_named() {
    let folder = tempdir().unwrap();
    write_sets(folder.path(), &few_images(3, 2));
    fs::remove_file(folder.path().join("t10k-labels-idx1-ubyte")).unwrap();
    let text = ImageSets::load(Some(folder.path())).unwrap_err().to_string();
    assert!(text.contains("t10k-labels-idx1-ubyte") && text.contains(".gz"), "{text}");

    let text = ImageSets::load(Some(Path::new("no/such/folder"))).unwrap_err().to_string();
    assert!(text.contains("no/such/folder"), "{text}");
}

#[test]
fn a_header_that_promises_too_much_takes_no_memory() {
    // 4,294,967,295^3 bytes would end the process, were they reserved.
    let promise = idx(IMAGES, &[u32::MAX; 3], &[1, 2, 3]);
    for bytes in [promise.clone(), gzip(&promise)] {
        let text = read_images(bytes.as_slice(), "promise").unwrap_err().to_string();
        assert!(text.contains("promise") && text.contains("only 3"), "{text}");
    }
}

proptest! {
    /// No bytes panic, and what is accepted is exactly what the header says.
    #[test]
    fn any_bytes_are_read_or_refused(
        magic in prop_oneof![Just(IMAGES), Just(LABELS), any::<u32>()],
        dimensions in prop::collection::vec(prop_oneof![4 => 0u32..6, 1 => any::<u32>()], 0..4),
        values in prop::collection::vec(any::<u8>(), 0..150),
        zipped: bool,
        cut in 0usize..200,
    ) {
        let plain = idx(magic, &dimensions, &values);
        let mut bytes = if zipped { gzip(&plain) } else { plain.clone() };
        let whole = cut >= bytes.len();
        bytes.truncate(cut.max(1));
        if let Ok(images) = read_images(bytes.as_slice(), "any") {
            prop_assert!(whole || !zipped);
            prop_assert_eq!(magic, IMAGES);
            prop_assert_eq!(&images.pixels, &plain[16..bytes.len().min(plain.len()).max(16)]);
            prop_assert_eq!(images.pixels.len() % (images.size[0] * images.size[1]), 0);
        }
        if let Ok(labels) = read_labels(bytes.as_slice(), "any") {
            prop_assert_eq!(magic, LABELS);
            prop_assert_eq!(&labels, &plain[8..8 + labels.len()]);
        }
    }
}
