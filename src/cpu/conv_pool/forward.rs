//! The forward pass over a batch.

use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{
    by_definition::Definition,
    convolution::{Convolution, filter_taps, pack_filters},
    forward_image::Image,
    global::NO_WINNER,
    padding::Padding,
    problem::{Geometry, Pool, Problem},
};
use crate::cpu::{
    buffer::{Buffer, LINE_LEN},
    parallel::{chunks, for_each, image_of_mut, split_mut},
    simd::{Kernel, Lanes, Level},
};

/// What the backward pass needs to know of the forward pass, beside its input.
#[derive(Clone, Debug)]
pub struct Saved {
    pub(super) level: Level,
    /// `[image, window, position in the window, vector of filters]`, a bit for each filter: whether
    /// the window's gradient reaches the position.
    pub(super) gates: Vec<u16>,
    /// `[image, filter]`, for a global maximum: its position, if it is active.
    pub(super) winners: Vec<u32>,
    /// Whether no sum could overflow or be NaN; gates and winners are right only then.
    pub(super) finite: bool,
}

/// Returns the output `[batch, filters, height, width]` and what the backward pass needs.
pub fn forward(
    level: Level, problem: &Problem, input: &[f32], weight: &[f32], bias: Option<&[f32]>,
) -> (Vec<f32>, Saved) {
    let geometry = problem.geometry();
    let vectors = problem.filters.div_ceil(level.lanes());
    let (gates, winners) = match problem.pool {
        Pool::GlobalMax => (0, problem.filters),
        _ => (geometry.windows() * geometry.area() * vectors, 0),
    };
    let mut saved = Saved {
        level,
        gates: vec![0; problem.batch * gates],
        winners: vec![NO_WINNER; problem.batch * winners],
        finite: true,
    };
    let output = run(problem, input, weight, bias, &mut saved);
    (output, saved)
}

/// Returns the output `[batch, filters, height, width]`.
pub fn infer(level: Level, problem: &Problem, input: &[f32], weight: &[f32], bias: Option<&[f32]>) -> Vec<f32> {
    let mut nothing = Saved { level, gates: Vec::new(), winners: Vec::new(), finite: true };
    run(problem, input, weight, bias, &mut nothing)
}

/// Returns the output, and fills what there is room for in `saved`.
fn run(problem: &Problem, input: &[f32], weight: &[f32], bias: Option<&[f32]>, saved: &mut Saved) -> Vec<f32> {
    let level = saved.level;
    let zeros = vec![0.0; problem.filters];
    let bias = bias.unwrap_or(&zeros);
    let geometry = &problem.geometry();
    let filters = &level.run(Pack { geometry, weight, bias });
    let mut output = Vec::with_capacity(problem.batch * problem.output_len());
    let values = &mut output.spare_capacity_mut()[..problem.batch * problem.output_len()];
    // Every image by itself, so its result does not depend on how the batch is split.
    let chunks = chunks(problem.batch, rayon::current_num_threads() * 8);
    let outputs = split_mut(values, &chunks);
    let all_finite = &AtomicBool::new(true);
    let places = split_mut(&mut saved.gates, &chunks).zip(split_mut(&mut saved.winners, &chunks));
    let chunks = chunks.iter().zip(outputs).zip(places).map(|((images, output), (gates, winners))| Chunk {
        geometry,
        filters,
        images: images.len(),
        input: &input[images.start * problem.image_len()..],
        output,
        gates,
        winners,
        all_finite,
    });
    for_each(chunks.collect(), |chunk| level.run(chunk));
    saved.finite = all_finite.load(Ordering::Relaxed);
    // SAFETY: the chunks cover the batch, and each has written the outputs of all its images.
    unsafe { output.set_len(problem.batch * problem.output_len()) };
    output
}

/// Filters and bias as the kernels read them.
struct Filters<'a> {
    weight: &'a [f32],
    bias: &'a [f32],
    packed_weight: Buffer<f32>,
    packed_bias: Buffer<f32>,
    taps: Vec<usize>,
    /// No sum over an image of ones is larger.
    magnitude: f32,
}

/// Makes the filters.
struct Pack<'a> {
    geometry: &'a Geometry,
    weight: &'a [f32],
    bias: &'a [f32],
}

impl<'a> Kernel for Pack<'a> {
    type Output = Filters<'a>;

    #[inline(always)]
    fn run<S: Lanes>(self, simd: S) -> Filters<'a> {
        let Pack { geometry: Geometry { problem, padded, .. }, weight, bias } = self;
        let mut packed_bias = Buffer::zeros(bias.len().next_multiple_of(S::LANES));
        packed_bias[..bias.len()].copy_from_slice(bias);
        Filters {
            weight,
            bias,
            packed_weight: pack_filters(simd, problem, weight),
            packed_bias,
            taps: filter_taps(problem.channels, problem.kernel, *padded),
            magnitude: problem.filter_len() as f32 * magnitude(weight) + magnitude(bias),
        }
    }
}

/// Returns the bits of a magnitude: they are ordered as magnitudes are, with infinity and then NaN above all numbers.
#[inline(always)]
pub(super) fn magnitude_bits(value: f32) -> u32 {
    value.to_bits() & 0x7fff_ffff
}

/// Returns the largest magnitude, NaN if there is one.
#[inline(always)]
fn magnitude(values: &[f32]) -> f32 {
    let mut largest = 0;
    for value in values {
        largest = magnitude_bits(*value).max(largest);
    }
    f32::from_bits(largest)
}

/// Some images of the batch.
struct Chunk<'a> {
    geometry: &'a Geometry,
    filters: &'a Filters<'a>,
    images: usize,
    /// These images, and all that follow.
    input: &'a [f32],
    output: &'a mut [MaybeUninit<f32>],
    gates: &'a mut [u16],
    winners: &'a mut [u32],
    /// Set to false where an image is not.
    all_finite: &'a AtomicBool,
}

impl Kernel for Chunk<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Lanes>(self, simd: S) {
        let Chunk { geometry, filters, images, .. } = self;
        let convolution = &Convolution {
            taps: &filters.taps,
            filters: bytemuck::cast_slice(&filters.packed_weight),
            start: bytemuck::cast_slice(&filters.packed_bias),
        };
        let pool = geometry.problem.pool;
        let maximum = !matches!(pool, Pool::Average(_) | Pool::GlobalAverage);
        let recorded = !self.gates.is_empty() || !self.winners.is_empty();
        let mut padding = Padding::new(geometry, if self.winners.is_empty() { 0 } else { LINE_LEN });
        let mut room = Buffer::new(3 * convolution.start.len());
        for i in 0..images {
            let input = &self.input[i * geometry.problem.image_len()..];
            // Maxima have to know beforehand whether there can be a NaN among the sums, and so has the backward pass:
            // false where one could overflow, and where a number is NaN already.
            let largest = if maximum || recorded { magnitude(&input[..geometry.problem.image_len()]) } else { 0.0 };
            let finite = (largest + 1.0) * filters.magnitude < f32::MAX / 4.0;
            let output = image_of_mut(self.output, i, images);
            if !finite {
                self.all_finite.store(false, Ordering::Relaxed);
                if let Pool::None { depthwise: true, .. } = pool {
                    // A number that is not finite, times the zeros for other channels, is NaN.
                    let definition = Definition::new(&geometry.problem, filters.weight, filters.bias, S::FUSED);
                    definition.write_unpooled(&input[..geometry.problem.image_len()], output);
                    continue;
                }
            }
            let image = Image { geometry, convolution, planes: padding.pad(input), finite };
            let gates = image_of_mut(self.gates, i, images);
            match pool {
                Pool::Max(_) | Pool::None { .. } => image.windows(simd, true, output, gates),
                Pool::Average(_) => image.windows(simd, false, output, gates),
                Pool::GlobalAverage => image.mean(simd, &mut room, output, gates),
                Pool::GlobalMax => {
                    let winners = image_of_mut(self.winners, i, images);
                    image.largest(simd, (filters.weight, filters.bias), &mut room, output, winners);
                }
            }
        }
    }
}
