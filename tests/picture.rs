//! Pictures of one's own: disturbed digits are classified as the originals are, and whatever is no picture is an error.

#![cfg(all(feature = "pictures", feature = "flex", feature = "bundled-mnist"))]

mod common;

use burn::module::AutodiffModule;
use burn_pooling::backend::{Autodiff, Flex};
use burn_pooling::mnist::Images;
use burn_pooling::model::{PoolingCnn, PoolingCnnConfig, Variant};
use burn_pooling::picture::{
    Invert, Limits, PictureError, Placement, PrepareOptions, decode, find_ink, inverted, place_digit, prepare,
    remove_background,
};
use burn_pooling::training::{Control, Learner, Training, TrainingConfig, fit, glorot_uniform};
use common::few_images;
use common::pictures::{chunk, digit, jpeg, lit, noisy, on_page, png, png_of, random, scaled};
use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::{GrayAlphaImage, GrayImage, ImageBuffer, ImageEncoder, Luma, LumaA, Rgb, RgbImage, Rgba, RgbaImage};
use proptest::prelude::*;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

const DIGITS: PrepareOptions = PrepareOptions {
    channels: 1,
    size: [28, 28],
    placement: Placement::Digit,
    invert: Invert::Auto,
    limits: Limits { bytes: 1 << 24, side: 4096, pixels: 1 << 24 },
};

fn trained() -> PoolingCnn<Flex> {
    let device = Default::default();
    let images = few_images(12_000, 1).train;
    let model = PoolingCnnConfig::new(Variant::Max).init::<Autodiff<Flex>>(&device).unwrap();
    let config = TrainingConfig { epochs: 2, valid_size: 0, ..Default::default() };
    let mut learner = Learner::new(glorot_uniform(model, config.seed));
    fit(&mut learner, &images, &Training::new(config), &device, |_| Ok(Control::Continue)).unwrap();
    learner.model().valid()
}

/// Percent of the images that are classified as labelled.
fn accuracy(model: &PoolingCnn<Flex>, pixels: Vec<u8>, labels: &[u8]) -> f64 {
    let images = Images { channels: 1, size: [28, 28], pixels };
    let classes = model.forward(images.tensor(&Default::default())).argmax(1).into_data();
    let correct = classes.iter::<i64>().zip(labels).filter(|(class, label)| *class == i64::from(**label)).count();
    100.0 * correct as f64 / labels.len() as f64
}

/// A name, the most points of accuracy that it may cost, whether it is dark on bright, and how a digit becomes a file.
type Disturbance = (&'static str, f64, bool, fn(&GrayImage, &mut ChaCha8Rng) -> Vec<u8>);

#[rustfmt::skip]
const DISTURBANCES: [Disturbance; 12] = [
    ("shifted", 1.0, false, |digit, random| png(&on_page(digit, [44, 52], random))),
    ("scaled, nearest", 1.0, false, |digit, random| png(&enlarged(digit, FilterType::Nearest, random))),
    ("scaled, bilinear", 1.0, false, |digit, random| png(&enlarged(digit, FilterType::Triangle, random))),
    ("scaled, bicubic", 1.0, false, |digit, random| png(&enlarged(digit, FilterType::CatmullRom, random))),
    ("scaled, Lanczos", 1.0, false, |digit, random| png(&enlarged(digit, FilterType::Lanczos3, random))),
    ("inverted", 1.0, true, |digit, random| png(&inverted(&on_page(&scaled(digit, 6.0), [280, 280], random)))),
    ("small on a page", 1.0, true, |digit, random| png(&inverted(&on_page(&scaled(digit, 2.0), [600, 400], random)))),
    ("noise of 10", 1.5, false, |digit, random| png(&noisy(&on_page(&scaled(digit, 5.0), [200, 240], random), 10.0, random))),
    ("noise of 25", 2.0, false, |digit, random| png(&noisy(&on_page(&scaled(digit, 5.0), [200, 240], random), 25.0, random))),
    ("JPEG, quality 20, unscaled", 2.0, false, |digit, random| jpeg(&on_page(digit, [40, 40], random), 20)),
    ("JPEG, quality 10", 1.5, true, |digit, random| jpeg(&inverted(&on_page(&scaled(digit, 5.0), [200, 240], random)), 10)),
    ("photographed", 1.5, true, |digit, random| jpeg(&lit(&on_page(&scaled(digit, 8.0), [480, 360], random), 4.0, random), 80)),
];

/// A digit, 3 to 20 times as large, somewhere on a page.
fn enlarged(digit: &GrayImage, filter: FilterType, random: &mut ChaCha8Rng) -> GrayImage {
    let side = random.random_range(3 * 28..=20 * 28);
    let digit = image::imageops::resize(digit, side, side, filter);
    on_page(&digit, [side + 50, side + 90], random)
}

#[test]
fn disturbed_digits_are_classified_as_the_originals() {
    const COUNT: usize = 500;
    let test = few_images(1, COUNT).test;
    let model = trained();
    let original = accuracy(&model, (0..COUNT).flat_map(|index| test.pixels(index).to_vec()).collect(), test.labels());
    println!("original: {original:.1} %");
    for (name, most, is_dark, disturb) in DISTURBANCES {
        let prepared = |index| {
            let bytes = disturb(&digit(&test, index), &mut random(index as u64));
            let prepared = prepare(&bytes, &DIGITS).unwrap();
            assert_eq!(prepared.is_inverted, is_dark, "{name}, image {index}");
            prepared.pixels
        };
        let pixels: Vec<Vec<u8>> = (0..COUNT).into_par_iter().map(prepared).collect();
        let found = accuracy(&model, pixels.concat(), test.labels());
        println!("{name}: {found:.1} % ({:+.1})", found - original);
        assert!(found >= original - most, "{name}: {found} after {original}");
    }
}

#[test]
fn a_shifted_digit_becomes_the_original_again() {
    let test = few_images(1, 100).test;
    let mut exact = 0;
    for index in 0..100 {
        let page = on_page(&digit(&test, index), [50, 60], &mut random(index as u64));
        let prepared = prepare(&png(&page), &DIGITS).unwrap();
        let differences = prepared.pixels.iter().zip(test.pixels(index)).map(|(&now, &before)| now.abs_diff(before));
        exact += usize::from(differences.max().unwrap() <= 26); // the faintest pixels are no ink
    }
    assert!(exact >= 90, "{exact} of 100");
}

/// A vertical bar, in the middle third of 60x60 pixels.
fn bar<P: image::Pixel>(ink: P, background: P) -> ImageBuffer<P, Vec<P::Subpixel>> {
    ImageBuffer::from_fn(60, 60, |x, y| if (25..35).contains(&x) && (15..45).contains(&y) { ink } else { background })
}

#[test]
fn every_kind_of_png_shows_the_same_ink() {
    let clear = 0;
    let palette = {
        let header = [60_u32.to_be_bytes(), 60_u32.to_be_bytes()].concat();
        let rows: Vec<u8> =
            (0..60).flat_map(|y| [vec![0], (0..60).map(|x| bar_index(x, y)).collect()].concat()).collect();
        let chunks = [
            chunk(b"IHDR", &[header, vec![8, 3, 0, 0, 0]].concat()),
            chunk(b"PLTE", &[250, 240, 230, 20, 30, 90]),
            chunk(b"IDAT", &common::pictures::zlib(&rows)),
            chunk(b"IEND", &[]),
        ];
        [b"\x89PNG\r\n\x1a\n".to_vec(), chunks.concat()].concat()
    };
    let pictures = [
        ("grey", png_of(bar(Luma([0_u8]), Luma([255])))),
        ("16 bit", png_of(bar(Luma([1000_u16]), Luma([60_000])))),
        ("colour", png_of(bar(Rgb([200_u8, 0, 0]), Rgb([255, 255, 200])))),
        ("palette", palette),
        ("black on transparent white", png_of(bar(LumaA([0_u8, 255]), LumaA([255, clear])))),
        ("black on transparent black", png_of(bar(LumaA([0_u8, 255]), LumaA([0, clear])))),
        ("white on transparent white", png_of(bar(Rgba([255_u8, 255, 255, 255]), Rgba([255, 255, 255, clear])))),
        ("16 bit, transparent", png_of(bar(Rgba([0_u16, 0, 0, u16::MAX]), Rgba([0, 0, 0, clear as u16])))),
        ("half transparent", png_of(bar(Rgba([0_u8, 0, 90, 128]), Rgba([0, 0, 0, clear])))),
    ];
    let expected = prepare(&pictures[0].1, &DIGITS).unwrap();
    for (name, bytes) in pictures {
        let prepared = prepare(&bytes, &DIGITS).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((prepared.ink, &prepared.pixels), (expected.ink, &expected.pixels), "{name}");
        assert_eq!(prepared.is_inverted, name != "white on transparent white", "{name}");
    }
}

fn bar_index(x: u32, y: u32) -> u8 {
    u8::from((25..35).contains(&x) && (15..45).contains(&y))
}

#[test]
fn rounded_corners_have_the_colour_of_the_page() {
    let mut page = bar(Rgba([0_u8, 0, 0, 255]), Rgba([255, 255, 255, 255]));
    for (x, y) in [(0, 0), (1, 0), (0, 1), (59, 59)] {
        page.put_pixel(x, y, Rgba([0; 4]));
    }
    let flat = decode(&png_of(page), &Limits::default()).unwrap();
    assert_eq!(flat.get_pixel(0, 0), &Rgb([255; 3]));
}

#[test]
fn a_picture_is_turned_upright() {
    let lying = RgbImage::from_fn(40, 20, |x, _| if x < 20 { Rgb([0; 3]) } else { Rgb([255; 3]) });
    // Big-endian TIFF, one entry: orientation (0x0112), short, one value: 6, to be turned by 90 degrees clockwise.
    let exif = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 95);
    encoder.set_exif_metadata(exif.to_vec()).unwrap();
    encoder.encode_image(&lying).unwrap();
    let upright = decode(&bytes, &Limits::default()).unwrap();
    assert_eq!(upright.dimensions(), (20, 40));
    assert!(upright.get_pixel(10, 5)[0] < 20 && upright.get_pixel(10, 35)[0] > 235);
}

#[test]
fn the_whole_picture_keeps_its_ratio_and_colours() {
    let (red, blue) = (Rgb([250, 10, 20]), Rgb([0, 0, 200]));
    let picture = RgbImage::from_fn(64, 16, |x, _| if (20..44).contains(&x) { blue } else { red });
    let whole = PrepareOptions { channels: 3, size: [32, 32], placement: Placement::Whole, ..DIGITS };
    let prepared = prepare(&png_of(picture.clone()), &whole).unwrap();
    let at = |row: usize, column: usize| [0, 1, 2].map(|channel| prepared.pixels[(channel * 32 + row) * 32 + column]);
    assert_eq!((prepared.channels, prepared.size, prepared.ink), (3, [32, 32], None));
    assert_eq!((at(0, 16), at(16, 16), at(16, 0)), (red.0, blue.0, red.0));
    let height = (0..32).filter(|&row| at(row, 16) == blue.0).count();
    assert_eq!((height, prepared.is_inverted), (8, false));

    let inverted = prepare(&png_of(picture), &PrepareOptions { invert: Invert::Yes, ..whole }).unwrap();
    assert!(
        inverted.is_inverted && inverted.pixels.iter().zip(&prepared.pixels).all(|(now, before)| now + before == 255)
    );

    // A grey network: white clothes on black, as Fashion-MNIST has them.
    let page = bar(Luma([60_u8]), Luma([255]));
    let grey = prepare(&png(&page), &PrepareOptions { channels: 1, size: [60, 60], ..whole }).unwrap();
    assert!(grey.is_inverted);
    assert_eq!(grey.pixels, inverted_bytes(page.as_raw()));
}

fn inverted_bytes(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| 255 - byte).collect()
}

#[test]
fn other_sizes_have_the_same_ratios_and_other_channels_the_same_digit() {
    let bytes = png_of(bar(Luma([0_u8]), Luma([255])));
    for (size, height) in [([28, 28], 20), ([56, 56], 40), ([32, 32], 23), ([14, 28], 10), ([1, 1], 1)] {
        let prepared = prepare(&bytes, &PrepareOptions { size, channels: 3, ..DIGITS }).unwrap();
        let len = size[0] * size[1];
        assert_eq!(prepared.pixels[..len], prepared.pixels[2 * len..]);
        let rows = prepared.pixels[..len].chunks(size[1]).filter(|row| row.contains(&255)).count();
        assert_eq!(rows, height, "{size:?}");
    }
}

#[test]
fn what_is_to_be_inverted_can_be_said() {
    let bytes = png_of(bar(Luma([0_u8]), Luma([255])));
    let with = |invert| prepare(&bytes, &PrepareOptions { invert, ..DIGITS });
    assert!(with(Invert::Yes).unwrap().is_inverted);
    assert_eq!(with(Invert::Yes), with(Invert::Auto));
    assert_eq!(with(Invert::No), Err(PictureError::NoInk)); // nothing is brighter than white
}

#[test]
fn a_picture_without_ink_is_an_error() {
    let blank = |grey: u8| GrayImage::from_pixel(120, 90, Luma([grey]));
    let pictures = [
        ("black", png(&blank(0))),
        ("white", png(&blank(255))),
        ("one pixel", png(&GrayImage::from_pixel(1, 1, Luma([9])))),
        ("noise", png(&noisy(&blank(128), 10.0, &mut random(3)))),
        ("JPEG noise", jpeg(&noisy(&blank(128), 6.0, &mut random(4)), 60)),
        ("paper under a lamp", jpeg(&lit(&GrayImage::new(400, 300), 3.0, &mut random(5)), 80)),
        ("nothing visible", png_of(RgbaImage::new(30, 30))),
        ("nothing visible, grey", png_of(GrayAlphaImage::new(30, 30))),
    ];
    for (name, bytes) in pictures {
        assert_eq!(prepare(&bytes, &DIGITS).map(|prepared| prepared.ink), Err(PictureError::NoInk), "{name}");
        let whole = PrepareOptions { placement: Placement::Whole, ..DIGITS };
        assert!(prepare(&bytes, &whole).is_ok(), "{name}");
    }
    assert!(find_ink(&remove_background(&GrayImage::new(0, 0))).is_none());
}

#[test]
fn specks_are_no_ink() {
    let mut page = bar(Luma([0_u8]), Luma([255]));
    let clean = prepare(&png(&page), &DIGITS).unwrap();
    for (x, y) in [(3, 5), (50, 50), (57, 2)] {
        page.put_pixel(x, y, Luma([0]));
    }
    assert_eq!(prepare(&png(&page), &DIGITS).unwrap(), clean);
}

#[test]
fn the_steps_by_themselves_make_the_same_digit() {
    let digit = digit(&few_images(1, 1).test, 0);
    let ink = find_ink(&remove_background(&digit)).unwrap();
    let prepared = prepare(&png(&digit), &DIGITS).unwrap();
    assert_eq!((place_digit(&ink, [28, 28]).into_raw(), Some(ink.bounds)), (prepared.pixels, prepared.ink));
}

#[test]
fn what_is_no_picture_is_an_error_that_says_why() {
    let page = bar(Luma([0_u8]), Luma([255]));
    let (png, jpeg) = (png(&page), jpeg(&page, 90));
    let size = |width: u32, height: u32| [width.to_be_bytes(), height.to_be_bytes()].concat();
    let start = |width, height| {
        let header = chunk(b"IHDR", &[size(width, height), vec![8, 6, 0, 0, 0]].concat());
        [b"\x89PNG\r\n\x1a\n".to_vec(), header, chunk(b"IDAT", &[])].concat()
    };
    let header_only = |bytes: &[u8]| bytes[..bytes.len() / 3].to_vec();
    for (name, bytes, expected) in [
        ("empty", vec![], "an empty file"),
        ("text", b"a picture of a seven".to_vec(), "a file of another kind"),
        ("GIF", b"GIF89a\x01\0\x01\0\0\0\0".to_vec(), "found Gif"),
        ("truncated PNG", header_only(&png), "a damaged"),
        ("truncated PNG, last bytes", png[..png.len() - 20].to_vec(), "a damaged"),
        ("truncated JPEG", header_only(&jpeg), "a damaged"),
        ("truncated JPEG, last bytes", jpeg[..jpeg.len() - 20].to_vec(), "a damaged"),
        ("magic alone", b"\x89PNG\r\n\x1a\n".to_vec(), "a damaged"),
        ("no width", start(0, 5), "a damaged"),
        ("bomb", start(60_000, 60_000), "found 60000x60000"),
        ("wide", start(5000, 1), "found 5000x1"),
        ("too many pixels", start(4096, 4097), "found 4096x4097"),
    ] {
        let error = prepare(&bytes, &DIGITS).expect_err(name).to_string();
        assert!(error.starts_with("expected") && error.contains(expected), "{name}: {error}");
        assert!(error.contains("; "), "{name}: {error}");
    }
    let limits = Limits { bytes: 100, ..DIGITS.limits };
    assert_eq!(decode(&png, &limits), Err(PictureError::TooLong { most: 100 }));
    assert!(decode(&png, &Limits { side: 60, pixels: 3600, ..limits }).is_err());
    assert!(decode(&png, &Limits { bytes: png.len(), side: 60, pixels: 3600 }).is_ok());
    assert!(decode(&png, &Limits { bytes: png.len(), side: 60, pixels: 3599 }).is_err());
    for options in [
        PrepareOptions { channels: 2, ..DIGITS },
        PrepareOptions { channels: 0, ..DIGITS },
        PrepareOptions { size: [0, 28], ..DIGITS },
        PrepareOptions { size: [28, usize::MAX], ..DIGITS },
    ] {
        assert!(prepare(&png, &options).is_err());
    }
}

fn options() -> impl Strategy<Value = PrepareOptions> {
    let invert = prop_oneof![Just(Invert::Yes), Just(Invert::No), Just(Invert::Auto)];
    let placement = prop_oneof![Just(Placement::Digit), Just(Placement::Whole)];
    (prop_oneof![Just(1), Just(3)], [1..=64_usize, 1..=64], placement, invert)
        .prop_map(|(channels, size, placement, invert)| PrepareOptions { channels, size, placement, invert, ..DIGITS })
}

/// Pictures from noise to large even parts.
fn any_picture() -> impl Strategy<Value = RgbaImage> {
    let content = proptest::collection::vec(any::<[u8; 4]>(), 1..40);
    (1..=300_u32, 1..=300_u32, 1..=60_u32, content).prop_map(|(width, height, block, content)| {
        RgbaImage::from_fn(width, height, |x, y| {
            let place = (y / block * 31 + x / block * 7) as usize;
            Rgba(content[place % content.len()])
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_picture_becomes_an_image_or_a_typed_error(picture in any_picture(), options in options()) {
        let size = [picture.height() as usize, picture.width() as usize];
        match prepare(&png_of(picture), &options) {
            Ok(prepared) => {
                prop_assert_eq!(prepared.pixels.len(), options.channels * options.size[0] * options.size[1]);
                prop_assert_eq!((prepared.size, prepared.picture_size), (options.size, size));
                if let Some(ink) = prepared.ink {
                    prop_assert!(ink.width > 0 && ink.height > 0);
                    prop_assert!((ink.x + ink.width) as usize <= size[1] && (ink.y + ink.height) as usize <= size[0]);
                }
            }
            Err(error) => prop_assert_eq!((error, options.placement), (PictureError::NoInk, Placement::Digit)),
        }
    }

    #[test]
    fn any_bytes_are_a_picture_or_an_error(
        start in prop_oneof![Just(&b"\x89PNG\r\n\x1a\n"[..]), Just(&b"\xff\xd8\xff"[..]), Just(&b""[..])],
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let _ = prepare(&[start, &bytes].concat(), &DIGITS);
    }

    #[test]
    fn damaged_files_are_a_picture_or_an_error(
        is_png in any::<bool>(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        length in any::<prop::sample::Index>(),
        is_cut in any::<bool>(),
    ) {
        let page = bar(Rgb([0_u8, 90, 0]), Rgb([255, 255, 200]));
        let mut bytes = if is_png { png_of(page) } else {
            let mut bytes = Vec::new();
            JpegEncoder::new_with_quality(&mut bytes, 80).encode_image(&page).unwrap();
            bytes
        };
        changes.iter().for_each(|(place, value)| *place.get_mut(&mut bytes) = *value);
        bytes.truncate(if is_cut { length.index(bytes.len()) } else { bytes.len() });
        let _ = prepare(&bytes, &DIGITS);
    }
}
