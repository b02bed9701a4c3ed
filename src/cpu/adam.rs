//! Adam's update of weights and moments in place, in one loop over slices.

use rayon::prelude::*;

/// Values that one thread updates at a time.
const CHUNK: usize = 1 << 14;

/// The numbers of one step of Adam.
#[derive(Clone, Copy)]
pub struct AdamStep {
    /// Decay of the running mean of the gradient.
    pub beta_1: f32,
    /// Decay of the running mean of the squared gradient.
    pub beta_2: f32,
    /// Keeps the division from zero.
    pub epsilon: f32,
    /// The learning rate, times the correction of the first moment's bias towards zero.
    pub rate: f32,
    /// The correction of the second moment's bias towards zero.
    pub correction_2: f32,
    /// What decoupled weight decay leaves of a weight.
    pub keep: f32,
    /// The part of a weight that is added to its gradient.
    pub penalty: f32,
}

/// Updates weights and moments, all of the same length.
pub fn update(step: AdamStep, weights: &mut [f32], gradient: &[f32], moment_1: &mut [f32], moment_2: &mut [f32]) {
    let moments = moment_1.par_chunks_mut(CHUNK).zip(moment_2.par_chunks_mut(CHUNK));
    (weights.par_chunks_mut(CHUNK).zip(gradient.par_chunks(CHUNK)).zip(moments)).for_each(
        |((weights, gradient), (moment_1, moment_2))| {
            update_chunk(step, weights, gradient, moment_1, moment_2);
        },
    );
}

fn update_chunk(step: AdamStep, weights: &mut [f32], gradient: &[f32], moment_1: &mut [f32], moment_2: &mut [f32]) {
    let AdamStep { beta_1, beta_2, epsilon, rate, correction_2, keep, penalty } = step;
    let moments = moment_1.iter_mut().zip(moment_2);
    for ((weight, gradient), (moment_1, moment_2)) in weights.iter_mut().zip(gradient).zip(moments) {
        let gradient = gradient + *weight * penalty;
        *moment_1 = normal_or_zero(*moment_1 * beta_1 + gradient * (1.0 - beta_1));
        *moment_2 = normal_or_zero(*moment_2 * beta_2 + gradient * gradient * (1.0 - beta_2));
        let scale = (*moment_2 * correction_2).sqrt() + epsilon;
        *weight = *weight * keep - *moment_1 * rate / scale;
    }
}

/// Zero for what is too small to have all its digits. The moments of a weight that gets no more gradients would
/// otherwise shrink to the smallest number there is and stay there, and a processor takes a hundred times as long for
/// such numbers.
#[inline(always)]
fn normal_or_zero(value: f32) -> f32 {
    if value.abs() < f32::MIN_POSITIVE { 0.0 } else { value }
}
