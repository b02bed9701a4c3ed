//! Which images train, which validate, and in which order.

use rand::seq::SliceRandom;

use crate::random::{Purpose, generator};

/// Indices of the training and of the validation images, which share none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// For training, in ascending order.
    pub train: Vec<usize>,
    /// For validation, in ascending order.
    pub valid: Vec<usize>,
}

impl Split {
    /// Draws `valid_size` of `count` images for validation (all of them, if there are no more).
    pub fn new(count: usize, valid_size: usize, seed: u64) -> Self {
        let mut indices: Vec<usize> = (0..count).collect();
        if valid_size == 0 {
            return Self { train: indices, valid: Vec::new() };
        }
        indices.shuffle(&mut generator(seed, Purpose::Split));
        let mut train = indices.split_off(valid_size.min(count));
        train.sort_unstable();
        indices.sort_unstable();
        Self { train, valid: indices }
    }

    /// The training images in the order of one epoch (from 0).
    pub fn shuffled(&self, seed: u64, epoch: usize) -> Vec<usize> {
        let mut order = self.train.clone();
        order.shuffle(&mut generator(seed, Purpose::Shuffle { epoch }));
        order
    }
}
