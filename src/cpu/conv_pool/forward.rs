//! The forward pass over a batch.

use std::mem::MaybeUninit;
use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use super::{
    by_definition::Definition,
    convolution::{Convolution, filter_taps, pack_filters},
    forward_image::Image,
    global::NO_WINNER,
    magnitude::magnitude,
    padding::Padding,
    problem::{Algorithm, Geometry, Inputs, Pool, Problem},
    saved::Saved,
    winograd::{Forward, Four, Plan, Tile, Two},
};
use crate::cpu::{
    buffer::{Buffer, LINE_LEN},
    parallel::{Workers, chunks, image_of, image_of_mut, split_mut},
    reduce::Parameters,
    simd::{Kernel, Lanes, Level},
};

/// Returns the output `[batch, filters, height, width]` and what the backward pass needs.
pub fn forward(level: Level, problem: &Problem, inputs: Inputs<'_>) -> (Vec<f32>, Saved) {
    let geometry = problem.geometry();
    let vectors = problem.filters.div_ceil(level.lanes());
    let (gates, winners) = match problem.pool {
        Pool::GlobalMax => (0, problem.filters),
        _ => (geometry.windows() * geometry.area() * vectors, 0),
    };
    let maps = match problem.pool {
        Pool::Reduced(_) => gates * level.lanes(),
        _ => 0,
    };
    let mut saved = Saved {
        level,
        gates: vec![0; problem.batch * gates],
        winners: vec![NO_WINNER; problem.batch * winners],
        maps: Vec::with_capacity(problem.batch * maps),
        largest: 0.0,
        finite: true,
    };
    let output = run(problem, inputs, problem.batch * maps, &mut saved);
    (output, saved)
}

/// Returns the output `[batch, filters, height, width]`.
pub fn infer(level: Level, problem: &Problem, inputs: Inputs<'_>) -> Vec<f32> {
    let (gates, winners, maps) = Default::default();
    let mut nothing = Saved { level, gates, winners, maps, largest: 0.0, finite: true };
    run(problem, inputs, 0, &mut nothing)
}

/// Returns the output, and fills what there is room for in `saved`, with so many values of maps.
fn run(problem: &Problem, inputs: Inputs<'_>, maps_len: usize, saved: &mut Saved) -> Vec<f32> {
    let (level, Inputs { input, weight, bias, parameters }) = (saved.level, inputs);
    let geometry = &problem.geometry();
    let algorithm = Algorithm::of(geometry, level);
    let filters = level.run(Pack { geometry, weight, bias });
    let batch = Batch { level, geometry, filters: &filters, algorithm, input, parameters, largest: AtomicU32::new(0) };
    let mut output = Vec::with_capacity(problem.batch * problem.output_len());
    let values = &mut output.spare_capacity_mut()[..problem.batch * problem.output_len()];
    let (gates, winners) = (&mut saved.gates[..], &mut saved.winners[..]);
    let maps = &mut saved.maps.spare_capacity_mut()[..maps_len];
    let all = Chunk { batch: &batch, images: 0..problem.batch, sums: &[], output: values, gates, winners, maps };
    let start = &filters.packed_bias;
    match algorithm {
        // Every image by itself, so its result does not depend on how the batch is split.
        Algorithm::Direct => {
            let count = problem.batch.div_ceil(rayon::current_num_threads() * 8).max(1);
            Workers::All.each(all.split(count), |chunk| level.run(chunk));
        }
        Algorithm::Winograd2 => all.blocks(&Forward::new(Two, level, geometry, weight, start)),
        Algorithm::Winograd4 => all.blocks(&Forward::new(Four, level, geometry, weight, start)),
    }
    saved.largest = f32::from_bits(batch.largest.load(Ordering::Relaxed));
    // An image that another algorithm would not take was computed directly.
    saved.finite = batch.is_finite(Algorithm::Direct, saved.largest);
    // SAFETY: the chunks cover the batch, and each has written the outputs, and the maps, of all its images.
    unsafe {
        output.set_len(problem.batch * problem.output_len());
        saved.maps.set_len(maps_len);
    }
    output
}

/// Filters and bias as the kernels read them.
struct Filters<'a> {
    weight: &'a [f32],
    bias: &'a [f32],
    /// Made when it is needed.
    packed_weight: OnceLock<Buffer<f32>>,
    packed_bias: Buffer<f32>,
    taps: Vec<usize>,
    /// No sum over an image of ones is larger.
    magnitude: f32,
}

/// Makes what is always needed of the filters.
struct Pack<'a> {
    geometry: &'a Geometry,
    weight: &'a [f32],
    bias: &'a [f32],
}

impl<'a> Kernel for Pack<'a> {
    type Output = Filters<'a>;

    #[inline(always)]
    fn run<S: Lanes>(self, _: S) -> Filters<'a> {
        let Pack { geometry: Geometry { problem, padded, .. }, weight, bias } = self;
        let mut packed_bias = Buffer::zeros(bias.len().next_multiple_of(S::LANES));
        packed_bias[..bias.len()].copy_from_slice(bias);
        Filters {
            weight,
            bias,
            packed_weight: OnceLock::new(),
            packed_bias,
            taps: filter_taps(problem.channels, problem.kernel, *padded),
            magnitude: problem.filter_len() as f32 * magnitude(weight) + magnitude(bias),
        }
    }
}

struct PackWeight<'a> {
    problem: &'a Problem,
    weight: &'a [f32],
}

impl Kernel for PackWeight<'_> {
    type Output = Buffer<f32>;

    #[inline(always)]
    fn run<S: Lanes>(self, simd: S) -> Buffer<f32> {
        pack_filters(simd, self.problem, self.weight)
    }
}

/// A batch, and what its images have in common.
struct Batch<'a> {
    level: Level,
    geometry: &'a Geometry,
    filters: &'a Filters<'a>,
    algorithm: Algorithm,
    input: &'a [f32],
    /// Of a reduction.
    parameters: &'a [f32],
    /// The largest magnitude of the input, as [`magnitude_bits`](super::magnitude::magnitude_bits) has it.
    largest: AtomicU32,
}

impl Batch<'_> {
    fn packed_weight(&self) -> &[f32] {
        let pack = || self.level.run(PackWeight { problem: &self.geometry.problem, weight: self.filters.weight });
        self.filters.packed_weight.get_or_init(pack)
    }

    /// Returns whether no sum over images of this magnitude, by this algorithm, overflows or is NaN.
    #[inline(always)]
    fn is_finite(&self, algorithm: Algorithm, largest: f32) -> bool {
        algorithm.is_finite(largest, (largest + 1.0) * self.filters.magnitude)
    }
}

/// Some images of the batch.
struct Chunk<'a> {
    batch: &'a Batch<'a>,
    images: Range<usize>,
    /// Their sums `[image, row, column, vector of filters]`, if they are known.
    sums: &'a [f32],
    output: &'a mut [MaybeUninit<f32>],
    gates: &'a mut [u16],
    winners: &'a mut [u32],
    maps: &'a mut [MaybeUninit<f32>],
}

impl<'a> Chunk<'a> {
    /// Returns chunks of so many images.
    fn split(self, count: usize) -> Vec<Chunk<'a>> {
        let Chunk { batch, images, sums, output, gates, winners, maps } = self;
        let sums_len = sums.len() / images.len().max(1);
        let all = images.len();
        let chunks = chunks(all, all.div_ceil(count).max(1));
        let outputs = split_mut(output, &chunks);
        let places = split_mut(gates, &chunks).zip(split_mut(winners, &chunks)).zip(split_mut(maps, &chunks));
        let chunks = chunks.iter().zip(outputs).zip(places).map(|((range, output), ((gates, winners), maps))| Chunk {
            batch,
            images: images.start + range.start..images.start + range.end,
            sums: &sums[range.start * sums_len..range.end * sums_len],
            output,
            gates,
            winners,
            maps,
        });
        chunks.collect()
    }

    /// Computes the sums of a block of images, then what is made of them, block by block.
    fn blocks<T: Tile>(self, forward: &Forward<'_, T>) {
        let Plan { block, .. } = forward.plan();
        let [outer, inner] = forward.plan().workers();
        let image_len = self.batch.geometry.problem.image_len();
        outer.each(self.split(block), |chunk: Chunk| {
            let input = &chunk.batch.input[chunk.images.start * image_len..chunk.images.end * image_len];
            let sums = &forward.sums(inner, input);
            let level = chunk.batch.level;
            let one = if inner == Workers::All { 1 } else { block };
            inner.each(Chunk { sums, ..chunk }.split(one), |chunk| level.run(chunk));
        });
    }
}

impl Kernel for Chunk<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Lanes>(self, simd: S) {
        let Batch { geometry, filters, algorithm, input, parameters, ref largest, .. } = *self.batch;
        let (taps, start) = (&filters.taps[..], bytemuck::cast_slice(&filters.packed_bias));
        let pool = geometry.problem.pool;
        let maximum = !matches!(pool, Pool::Average(_) | Pool::GlobalAverage);
        let recorded = !self.gates.is_empty() || !self.winners.is_empty();
        let mut padding = Padding::new(geometry, if self.winners.is_empty() { 0 } else { LINE_LEN });
        let mut room = Buffer::new(3 * geometry.vectors(S::LANES));
        let (image_len, images) = (geometry.problem.image_len(), self.images.len());
        let all_sums: &[S::f32s] = bytemuck::cast_slice(self.sums);
        for i in 0..images {
            let input = &input[(self.images.start + i) * image_len..];
            // Maxima have to know beforehand whether there can be a NaN among the sums, so has the backward pass, and what
            // is transformed: false where one could overflow, and where a number is NaN already.
            let is_read = maximum || recorded || algorithm != Algorithm::Direct;
            let magnitude = if is_read { magnitude(&input[..image_len]) } else { 0.0 };
            largest.fetch_max(magnitude.to_bits(), Ordering::Relaxed);
            let finite = self.batch.is_finite(Algorithm::Direct, magnitude);
            let output = image_of_mut(self.output, i, images);
            if let (false, Pool::None { depthwise: true, .. }) = (finite, pool) {
                // A number that is not finite, times the zeros for other channels, is NaN.
                let definition = Definition::new(&geometry.problem, filters.weight, filters.bias, S::FUSED);
                definition.write_unpooled(&input[..image_len], output);
                continue;
            }
            let is_known = self.batch.is_finite(algorithm, magnitude);
            let known = if is_known { image_of(all_sums, i, images) } else { &[] };
            let (planes, weight) =
                if known.is_empty() { (padding.pad(input), self.batch.packed_weight()) } else { (&[][..], &[][..]) };
            let convolution = &Convolution { taps, filters: bytemuck::cast_slice(weight), start };
            let image = Image { geometry, convolution, planes, finite, known };
            let gates = image_of_mut(self.gates, i, images);
            match pool {
                Pool::Max(_) | Pool::None { .. } => image.windows(simd, true, output, gates),
                Pool::Average(_) => image.windows(simd, false, output, gates),
                Pool::GlobalAverage => image.mean(simd, &mut room, output, gates),
                Pool::Reduced(reduction) => {
                    let maps = image_of_mut(self.maps, i, images);
                    image.reduced(simd, (reduction, Parameters { all: parameters }), output, gates, maps);
                }
                Pool::GlobalMax => {
                    let winners = image_of_mut(self.winners, i, images);
                    image.largest(simd, (filters.weight, filters.bias), &mut room, output, winners);
                }
            }
        }
    }
}
