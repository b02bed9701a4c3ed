//! Inputs from inputs: bytes flipped, cut, repeated, replaced, and mixed with those of another.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Longest input: what is longer finds no more, and takes longer.
const MOST_BYTES: usize = 1 << 16;

/// Numbers at the ends of their types, which lengths and dimensions are often computed from.
const EXTREMES: [u64; 10] =
    [0, 1, 0x7f, 0x80, 0xff, 0xffff, 0x7fff_ffff, 0xffff_ffff, 0x7fff_ffff_ffff_ffff, 0xffff_ffff_ffff_ffff];

/// Returns `input` with one to eight changes, some of them taken from `other`.
pub fn mutate(input: &[u8], other: &[u8], random: &mut ChaCha8Rng) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..random.random_range(1..=8) {
        change(&mut bytes, other, random);
    }
    bytes.truncate(MOST_BYTES);
    bytes
}

fn change(bytes: &mut Vec<u8>, other: &[u8], random: &mut ChaCha8Rng) {
    if bytes.is_empty() {
        bytes.extend_from_slice(other);
        return;
    }
    let at = random.random_range(0..bytes.len());
    let end = (at + random.random_range(1..=16)).min(bytes.len());
    match random.random_range(0..9) {
        0 | 1 => bytes[at] ^= 1 << random.random_range(0..8),
        2 => bytes[at] = random.random_range(0..=255),
        3 => bytes.truncate(at),
        4 => drop(bytes.drain(at..end)),
        5 => drop(bytes.splice(at..at, bytes[at..end].to_vec())),
        6 => {
            let number = EXTREMES[random.random_range(0..EXTREMES.len())];
            let size = [1, 2, 4, 8][random.random_range(0..4)];
            let number = match random.random_range(0..2) {
                0 => number.to_le_bytes()[..size].to_vec(),
                _ => number.to_be_bytes()[8 - size..].to_vec(),
            };
            let end = (at + size).min(bytes.len());
            drop(bytes.splice(at..end, number));
        }
        7 => {
            // In JSON, and in text within other formats.
            let number = EXTREMES[random.random_range(0..EXTREMES.len())].to_string();
            drop(bytes.splice(at..end.min(at + 2), number.into_bytes()));
        }
        _ if other.is_empty() => {}
        _ => {
            let from = random.random_range(0..other.len());
            let to = (from + random.random_range(1..=64)).min(other.len());
            drop(bytes.splice(at..end, other[from..to].to_vec()));
        }
    }
}
