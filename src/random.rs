//! Random numbers that a seed decides, on every machine and in every version.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What random numbers are for: each purpose has numbers of its own, so that none shifts another's.
pub(crate) enum Purpose {
    Weights,
    Split,
    Shuffle { epoch: usize },
    Augment { epoch: usize, step: usize },
}

/// The generator for a purpose.
pub(crate) fn generator(seed: u64, purpose: Purpose) -> ChaCha8Rng {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    generator.set_stream(match purpose {
        Purpose::Weights => 0,
        Purpose::Split => 1,
        Purpose::Shuffle { epoch } => 2 + epoch as u64,
        Purpose::Augment { epoch, step } => 1 << 63 | (epoch as u64) << 32 | step as u64,
    });
    generator
}

/// Random numbers for the augmentation of one batch; the seed, the epoch and the step decide them.
#[derive(Clone, Debug)]
pub struct Random(ChaCha8Rng);

impl Random {
    /// Returns the numbers of one step (from 0) of one epoch (from 0).
    pub fn of_step(seed: u64, epoch: usize, step: usize) -> Self {
        Self(generator(seed, Purpose::Augment { epoch, step }))
    }

    /// Draws a number between -1 and 1, each as likely as the other.
    pub fn uniform(&mut self) -> f64 {
        self.0.random_range(-1.0..=1.0)
    }

    /// Draws a number from the normal distribution with mean 0 and standard deviation 1.
    ///
    /// Box, Muller: *A note on the generation of random normal deviates* (1958).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.0.random::<f64>()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.0.random::<f64>()).cos()
    }

    /// Draws a number below `count`, or 0 if that is 0.
    pub fn below(&mut self, count: usize) -> usize {
        self.0.random_range(0..count.max(1))
    }
}
