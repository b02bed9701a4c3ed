//! The brightness of the background, which a lamp or a shadow makes uneven.

use image::{GrayImage, Luma};

/// Samples of the picture along each side: six coefficients need no more.
const SAMPLES: u32 = 32;
/// The share of pixels that are darker than the background: ink is brighter, and may be most of the others.
const QUANTILE: f64 = 0.2;
/// Of normal noise, the mean distance below its 0.2 quantile times this is the standard deviation.
const DEVIATION: f64 = 1.79;
const ITERATIONS: usize = 30;
/// Coefficients of a polynomial of the second degree in x and y.
const TERMS: usize = 6;

type Terms = [f64; TERMS];

/// A picture without its background.
#[derive(Clone, Debug, PartialEq)]
pub struct Foreground {
    /// What is brighter than the background, on black.
    pub picture: GrayImage,
    /// Standard deviation of the noise, in grey values.
    pub noise: f64,
}

/// Removes the background of a picture with bright ink on a dark background: subtracts its brightness, a polynomial of the
/// second degree in x and y.
///
/// The polynomial is the 0.2 quantile of the picture, fitted by iteratively reweighted least squares, so that more than
/// half of the picture may be ink without changing it. The noise is estimated from the pixels below it, which are not
/// ink. Koenker, Bassett: *Regression quantiles* (1978).
pub fn remove_background(picture: &GrayImage) -> Foreground {
    let (width, height) = picture.dimensions();
    let samples = samples(picture);
    let surface = fit(&samples);
    let ink = GrayImage::from_fn(width, height, |x, y| {
        let value = f64::from(picture.get_pixel(x, y)[0]) - dot(&surface, &terms(place(x, width), place(y, height)));
        Luma([value.round().clamp(0.0, 255.0) as u8])
    });
    Foreground { picture: ink, noise: noise(&samples, &surface) }
}

fn noise(samples: &[(Terms, f64)], surface: &Terms) -> f64 {
    let below = samples.iter().map(|(terms, value)| (dot(surface, terms) - value).max(0.0)).sum::<f64>();
    DEVIATION * below / (QUANTILE * samples.len() as f64).max(1.0)
}

/// The position of a pixel along a side, -1 to 1.
fn place(index: u32, length: u32) -> f64 {
    2.0 * (f64::from(index) + 0.5) / f64::from(length) - 1.0
}

fn terms(x: f64, y: f64) -> Terms {
    [1.0, x, y, x * x, x * y, y * y]
}

fn dot(left: &Terms, right: &Terms) -> f64 {
    left.iter().zip(right).map(|(left, right)| left * right).sum()
}

fn samples(picture: &GrayImage) -> Vec<(Terms, f64)> {
    let (width, height) = picture.dimensions();
    let along = |length: u32| {
        let count = length.min(SAMPLES);
        (0..count).map(move |index| ((2 * u64::from(index) + 1) * u64::from(length) / (2 * u64::from(count))) as u32)
    };
    let points = along(height).flat_map(|y| along(width).map(move |x| (x, y)));
    points.map(|(x, y)| (terms(place(x, width), place(y, height)), f64::from(picture.get_pixel(x, y)[0]))).collect()
}

fn fit(samples: &[(Terms, f64)]) -> Terms {
    let mut surface = [0.0; TERMS];
    for iteration in 0..ITERATIONS {
        let weight = |residual: f64| {
            let side = if residual > 0.0 { QUANTILE } else { 1.0 - QUANTILE };
            if iteration == 0 { 1.0 } else { side / residual.abs().max(1.0) }
        };
        let mut equations = [[0.0; TERMS + 1]; TERMS];
        for (terms, value) in samples {
            let weight = weight(value - dot(&surface, terms));
            for (row, term) in equations.iter_mut().zip(terms) {
                let right = terms.iter().chain([value]);
                row.iter_mut().zip(right).for_each(|(sum, other)| *sum += weight * term * other);
            }
        }
        surface = solve(equations);
    }
    surface
}

/// Solves normal equations by Gaussian elimination.
fn solve(mut equations: [[f64; TERMS + 1]; TERMS]) -> Terms {
    // In a picture of one row they would have many solutions; too small to change others.
    let ridge = 1e-9 * (1.0 + equations[0][0]);
    (0..TERMS).for_each(|index| equations[index][index] += ridge);
    for pivot in 0..TERMS {
        let row = equations[pivot].map(|value| value / equations[pivot][pivot]);
        equations[pivot] = row;
        for (_, equation) in equations.iter_mut().enumerate().filter(|&(other, _)| other != pivot) {
            let factor = equation[pivot];
            equation.iter_mut().zip(row).for_each(|(value, of_pivot)| *value -= factor * of_pivot);
        }
    }
    equations.map(|equation| equation[TERMS])
}
