//! Digits as pictures, as files, and disturbed.

use std::io::{Cursor, Write};

use burn_pooling::mnist::ImageDataset;
use flate2::{Compression, Crc, write::ZlibEncoder};
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{self, FilterType};
use image::{DynamicImage, GrayImage, ImageFormat, Luma};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub fn random(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

pub fn digit(dataset: &ImageDataset, index: usize) -> GrayImage {
    GrayImage::from_raw(28, 28, dataset.pixels(index).to_vec()).unwrap()
}

pub fn png_of(picture: impl Into<DynamicImage>) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.into().write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

pub fn png(picture: &GrayImage) -> Vec<u8> {
    png_of(picture.clone())
}

pub fn jpeg(picture: &GrayImage, quality: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, quality).encode_image(picture).unwrap();
    bytes
}

/// A chunk of a PNG file.
pub fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut sum = Crc::new();
    sum.update(kind);
    sum.update(data);
    [&(data.len() as u32).to_be_bytes(), &kind[..], data, &sum.sum().to_be_bytes()].concat()
}

pub fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub fn scaled(digit: &GrayImage, factor: f64) -> GrayImage {
    let side = |length: u32| (f64::from(length) * factor).round() as u32;
    imageops::resize(digit, side(digit.width()), side(digit.height()), FilterType::Triangle)
}

/// The digit anywhere on a black page of this height and width.
pub fn on_page(digit: &GrayImage, [height, width]: [u32; 2], random: &mut ChaCha8Rng) -> GrayImage {
    let mut page = GrayImage::new(width, height);
    let x = random.random_range(0..=width - digit.width());
    let y = random.random_range(0..=height - digit.height());
    imageops::replace(&mut page, digit, x.into(), y.into());
    page
}

/// Adds normal noise, the sum of twelve uniform numbers.
pub fn noisy(picture: &GrayImage, deviation: f64, random: &mut ChaCha8Rng) -> GrayImage {
    let mut picture = picture.clone();
    for value in picture.iter_mut() {
        let normal = (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0;
        *value = (f64::from(*value) + deviation * normal).round().clamp(0.0, 255.0) as u8;
    }
    picture
}

/// White ink on black, as dark ink on paper that a lamp at one side lights, photographed with noise.
pub fn lit(ink: &GrayImage, deviation: f64, random: &mut ChaCha8Rng) -> GrayImage {
    let angle = random.random_range(0.0..std::f64::consts::TAU);
    let darkest = random.random_range(0.35..0.8);
    let (width, height) = ink.dimensions();
    let page = GrayImage::from_fn(width, height, |x, y| {
        let [x_share, y_share] = [f64::from(x) / f64::from(width) - 0.5, f64::from(y) / f64::from(height) - 0.5];
        let along = (x_share * angle.cos() + y_share * angle.sin()) / 1.42 + 0.5; // 0 to 1
        let vignette = 1.0 - 0.3 * (x_share * x_share + y_share * y_share);
        let light = 240.0 * (darkest + (1.0 - darkest) * along) * vignette;
        Luma([(light * (1.0 - 0.75 * f64::from(ink.get_pixel(x, y)[0]) / 255.0)) as u8])
    });
    noisy(&page, deviation, random)
}
