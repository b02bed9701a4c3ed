//! Random numbers that a seed decides, on every machine and in every version.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// What random numbers are for: each purpose has numbers of its own, so that none shifts another's.
pub(crate) enum Purpose {
    Weights,
    Split,
    Shuffle { epoch: usize },
}

/// The generator for a purpose.
pub(crate) fn generator(seed: u64, purpose: Purpose) -> ChaCha8Rng {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    generator.set_stream(match purpose {
        Purpose::Weights => 0,
        Purpose::Split => 1,
        Purpose::Shuffle { epoch } => 2 + epoch as u64,
    });
    generator
}
