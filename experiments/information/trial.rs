//! What is decoded, and what comes out.

use burn_pooling_experiments::training::Plan;
use serde::{Deserialize, Serialize};

/// The windows of the networks of one stage; the stride is the window.
pub const WINDOWS: [usize; 4] = [1, 2, 4, 6];
/// How those networks pool.
pub const KINDS: [&str; 2] = ["max", "average"];
/// The numbers that global pooling keeps: features of local pooling are also decoded from so many components.
pub const COMPONENTS: usize = 32;
/// What the baselines are called.
pub const BASELINES: &str = "baselines";

/// A network, and how it is decoded.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Trial {
    /// `None`: no network, but what is recovered without one.
    pub plan: Option<Plan>,
    /// Images of the decoders, those by which their penalty is chosen, and those that they are tested with.
    pub images: [usize; 3],
    /// The penalties that are tried: powers of ten.
    pub penalties: Vec<i32>,
    /// The features are also decoded from so many principal components; of the baselines, so many numbers.
    pub components: Option<usize>,
    pub noise: u8,
}

/// The figures of one network, or of the baselines, with one seed.
#[derive(Debug, Serialize, Deserialize)]
pub struct Run {
    /// From all features.
    pub all: Option<Decoded>,
    /// From as many principal components as global pooling keeps numbers, where that is asked for.
    pub components: Option<Decoded>,
    pub noise: Option<Noise>,
    /// Of the baselines: the mean image, as many random pixels as global pooling keeps numbers, and as many principal
    /// components of the pixels; peak signal-to-noise ratio in decibels.
    pub baselines: Option<[f64; 3]>,
}

/// What two noisy copies of each test image have in common.
#[derive(Debug, Serialize, Deserialize)]
pub struct Noise {
    /// How far the features of two copies are from each other, as a share of how far those of two images are; both
    /// as root mean squares.
    pub change: f64,
    /// Share of images with the same class in both copies, 0 to 1.
    pub consistency: f64,
}

/// What a decoder recovers.
#[derive(Debug, Serialize, Deserialize)]
pub struct Decoded {
    /// Numbers that it decodes from.
    pub numbers: usize,
    /// Peak signal-to-noise ratio of the decoded test images, in decibels.
    pub psnr: f64,
    /// Whether its penalty is the smallest or the largest that was tried.
    pub at_edge: bool,
}

/// Of window 1, max and average pooling are the same.
pub fn name(kind: &str, window: usize) -> String {
    match window {
        1 => "1x1".to_owned(),
        _ => format!("{kind} {window}x{window}"),
    }
}
