//! From features back to pixels.

use burn_pooling::mnist::{ImageDataset, ImageSets};
use burn_pooling::training::Split;
use burn_pooling_experiments::images::{grey, noisy, subset};
use burn_pooling_experiments::matrix::{Matrix, mean_squared_error};
use burn_pooling_experiments::principal::PrincipalComponents;
use burn_pooling_experiments::ridge::Ridge;
use burn_pooling_experiments::training::Trained;
use rand::SeedableRng;
use rand::seq::index::sample;
use rand_chacha::ChaCha8Rng;

use super::trial::{Decoded, Noise, Run, Trial};

/// Numbers and pixels of the images to fit a decoder, of those to choose its penalty, and of those to test it.
type Pairs = [(Matrix, Matrix); 3];

/// Decodes the features of a network.
pub fn decoded(trained: &Trained, sets: &ImageSets, trial: &Trial, seed: u64) -> anyhow::Result<Run> {
    let images = images(sets, trial, seed);
    let features = |images: &ImageDataset| anyhow::Ok((trained.features(images)?, grey(images)));
    let pairs: Pairs = [features(&images[0])?, features(&images[1])?, features(&images[2])?];
    let of_components = trial.components.map(|components| decode(&reduced(&pairs, components)?, trial));
    Ok(Run {
        all: Some(decode(&pairs, trial)?),
        components: of_components.transpose()?,
        noise: Some(noise(trained, &images[2], trial.noise)?),
        baselines: None,
    })
}

/// Decodes without a network.
pub fn baselines(sets: &ImageSets, trial: &Trial, seed: u64) -> anyhow::Result<Run> {
    let (images, components) = (images(sets, trial, seed), trial.components.unwrap_or_default());
    let [fit, _, test] = images.each_ref().map(grey);
    let pixels = sample(&mut ChaCha8Rng::seed_from_u64(seed), fit.columns, components).into_vec();
    let chosen = |matrix: &Matrix| Matrix {
        values: matrix.rows().flat_map(|row| pixels.iter().map(|&pixel| row[pixel])).collect(),
        columns: pixels.len(),
    };
    let random = images.each_ref().map(|images| (chosen(&grey(images)), grey(images)));
    let whole = images.each_ref().map(|images| (grey(images), grey(images)));
    Ok(Run {
        all: None,
        components: None,
        noise: None,
        baselines: Some([
            psnr(&mean_image(&fit, test.rows().len()), &test),
            decode(&random, trial)?.psnr,
            decode(&reduced(&whole, components)?, trial)?.psnr,
        ]),
    })
}

/// Drawn by the seed: images to fit, to choose, and to test.
fn images(sets: &ImageSets, trial: &Trial, seed: u64) -> [ImageDataset; 3] {
    let [fit, choose, test] = trial.images;
    let drawn = subset(&sets.train, fit + choose, seed);
    let split = Split::new(drawn.len(), choose, seed);
    [drawn.select(&split.train), drawn.select(&split.valid), subset(&sets.test, test, seed)]
}

/// The same pictures from the first principal components of the numbers.
fn reduced(pairs: &Pairs, components: usize) -> anyhow::Result<Pairs> {
    let principal = PrincipalComponents::of(&pairs[0].0, components)?;
    Ok(pairs.each_ref().map(|(numbers, grey)| (principal.project(numbers), grey.clone())))
}

fn decode(pairs: &Pairs, trial: &Trial) -> anyhow::Result<Decoded> {
    let penalties: Vec<f64> = trial.penalties.iter().map(|&power| 10f64.powi(power)).collect();
    let [fit, choose, test] = pairs.each_ref().map(|(numbers, grey)| (numbers, grey));
    let decoder = Ridge::fit_best(fit, choose, &penalties)?;
    let mut guesses = decoder.predict(test.0);
    guesses.values.iter_mut().for_each(|value| *value = value.clamp(0.0, 1.0));
    let at_edge = [penalties.first(), penalties.last()].contains(&Some(&decoder.penalty));
    Ok(Decoded { numbers: test.0.columns, psnr: psnr(&guesses, test.1), at_edge })
}

/// Peak signal-to-noise ratio, in decibels.
fn psnr(guesses: &Matrix, grey: &Matrix) -> f64 {
    -10.0 * mean_squared_error(guesses, grey).log10()
}

fn mean_image(images: &Matrix, count: usize) -> Matrix {
    let mut mean = vec![0.0; images.columns];
    for row in images.rows() {
        mean.iter_mut().zip(row).for_each(|(mean, value)| *mean += value / images.rows().len() as f32);
    }
    Matrix { values: mean.repeat(count), columns: images.columns }
}

/// Two copies, so that what noise does on average, as brighten what is black, does not count.
fn noise(trained: &Trained, test: &ImageDataset, most: u8) -> anyhow::Result<Noise> {
    let [one, other] = [noisy(test, most, 1)?, noisy(test, most, 2)?];
    let features = [trained.features(&one)?, trained.features(&other)?];
    let mut of_other_images = features[1].clone();
    of_other_images.values.rotate_left(features[1].columns);
    let change = mean_squared_error(&features[0], &features[1]) / mean_squared_error(&features[0], &of_other_images);
    Ok(Noise { change: change.sqrt(), consistency: trained.predict(&one)?.consistency(&trained.predict(&other)?) })
}
