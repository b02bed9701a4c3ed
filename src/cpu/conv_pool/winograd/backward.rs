//! The gradients of a batch.

use std::mem::MaybeUninit;
use std::ops::Range;
use std::sync::atomic::AtomicBool;

use super::{
    convolve::Convolve,
    filters::{Filters, Transformed},
    layout::{Layout, Tiles},
    of_filters::OfFilters,
    plan::Plan,
    prepare::Prepare,
    tile::Tile,
    total::total,
};
use crate::cpu::{
    buffer::{Buffer, LINE_LEN},
    conv_pool::{
        gradients::{Gradients, Passed, Wanted},
        magnitude::magnitude,
        problem::Problem,
    },
    parallel::{Workers, chunks, split_mut},
    simd::{Kernel, Lanes},
    transpose::transpose,
};

/// Returns the gradients, if that of the output is finite and small enough that nothing on the way to them overflows.
pub(in crate::cpu::conv_pool) fn gradients<T: Tile>(
    tile: T, passed: &Passed<'_>, weight: &[f32], wanted: Wanted,
) -> Option<Gradients> {
    let (geometry, level) = (passed.geometry, passed.saved.level);
    let problem = &geometry.problem;
    let plan = Plan::of(tile, geometry, level.lanes());
    let backward = Backward::new(tile, plan, passed, weight, wanted);
    let input_len = if wanted.input { passed.input.len() } else { 0 };
    let mut input = Vec::with_capacity(input_len);
    let [outer, inner] = plan.workers();
    // As many whatever the number of threads, so that it does not change the order of additions.
    let chunks = chunks(problem.batch, if plan.is_shared { 1 } else { passed.chunks });
    let filters_len = backward.tiles.positions.vectors * level.lanes();
    let weight_len = filters_len * problem.filter_len();
    let sums_len = (weight_len + filters_len).next_multiple_of(LINE_LEN);
    let mut sums = Buffer::new(chunks.len() * sums_len);
    let inputs = split_mut(&mut input.spare_capacity_mut()[..input_len], &chunks);
    let targets = inputs.zip(sums.chunks_exact_mut(sums_len));
    let chunks = chunks.iter().cloned().zip(targets).map(|(images, (input, sums))| {
        let (weight, bias) = sums.split_at_mut(weight_len);
        bias.fill(0.0);
        Chunk { images, input, weight, bias }
    });
    outer.each(chunks.collect(), |chunk| backward.chunk(inner, chunk));
    // SAFETY: the chunks cover the batch, and each has stored the gradient of all its images.
    unsafe { input.set_len(input_len) };
    if !backward.finite.into_inner() {
        return None;
    }
    let mut gradients = Gradients { input: wanted.input.then_some(input), ..Gradients::default() };
    if wanted.filters {
        let mut bias = vec![0.0; problem.filters];
        for sums in sums.chunks_exact(sums_len) {
            bias.iter_mut().zip(&sums[weight_len..]).for_each(|(total, sum)| *total += sum);
        }
        (gradients.weight, gradients.bias) = (Some(total(problem, level, &sums, sums_len)), Some(bias));
    }
    Some(gradients)
}

/// Some images, and where their gradients go.
struct Chunk<'a> {
    images: Range<usize>,
    input: &'a mut [MaybeUninit<f32>],
    /// Packed.
    weight: &'a mut [f32],
    bias: &'a mut [f32],
}

/// What the gradients are computed from.
struct Backward<'a, T> {
    tile: T,
    plan: Plan,
    passed: &'a Passed<'a>,
    wanted: Wanted,
    tiles: Tiles,
    turned: Filters<'a>,
    /// The filters, transformed, if threads share them.
    transformed: Option<Transformed>,
    zeros: Buffer<f32>,
    /// No magnitude of the gradient may be larger.
    most: f32,
    /// Set to false where one is.
    finite: AtomicBool,
}

impl<'a, T: Tile> Backward<'a, T> {
    fn new(tile: T, plan: Plan, passed: &'a Passed<'a>, weight: &'a [f32], wanted: Wanted) -> Self {
        let (geometry, level) = (passed.geometry, passed.saved.level);
        let (problem, lanes) = (&geometry.problem, level.lanes());
        let [channel_vectors, vectors] = [problem.channels.div_ceil(lanes), geometry.vectors(lanes)];
        let Problem { filters, channels, .. } = *problem;
        let turned = Filters { weight, filters, channels, turned: true };
        let transformed = (wanted.input && !plan.is_shared).then(|| turned.transform_all(tile, level));
        let terms = (problem.batch * geometry.positions[0] * geometry.positions[1]) as f32;
        let positions = Layout::cover(tile, plan.group, geometry.positions, vectors);
        let tiles = Tiles {
            pixels: Layout { vectors: channel_vectors, ..positions },
            positions,
            image: Layout::cover(tile, plan.group, problem.image, vectors),
            offset: problem.padding.map(|padding| 2 - padding),
        };
        Self {
            tile,
            plan,
            passed,
            wanted,
            tiles,
            transformed,
            turned,
            zeros: Buffer::zeros(channel_vectors * lanes),
            most: f32::MAX / 1e6 / terms / passed.saved.largest.max(magnitude(weight)).max(1.0),
            finite: AtomicBool::new(true),
        }
    }

    /// Computes the gradients of a chunk, block by block.
    fn chunk(&self, workers: Workers, chunk: Chunk<'_>) {
        let Chunk { images, input, weight, bias } = chunk;
        let image_len = if self.wanted.input { self.passed.geometry.problem.image_len() } else { 0 };
        for first in images.clone().step_by(self.plan.block) {
            let block = first..(first + self.plan.block).min(images.end);
            let of_block = (block.start - images.start) * image_len..(block.end - images.start) * image_len;
            let (is_first, input) = (first == images.start, &mut input[of_block]);
            self.block(workers, Chunk { images: block, input, weight, bias }, is_first);
        }
    }

    /// Adds a block's part of the gradients of filters and bias, and stores that of its images. The first of a chunk
    /// writes that of the filters.
    fn block(&self, workers: Workers, block: Chunk<'_>, is_first: bool) {
        let Chunk { images, input, weight, bias } = block;
        let (level, problem) = (self.passed.saved.level, &self.passed.geometry.problem);
        let (lanes, groups) = (level.lanes(), images.len().div_ceil(self.plan.group));
        let Tiles { pixels, positions, image, .. } = self.tiles;
        let filters_len = positions.vectors * lanes;
        let lens = [(pixels, self.wanted.filters), (positions, self.wanted.filters), (image, self.wanted.input)];
        let lens = lens.map(|(layout, wanted)| if wanted { layout.group_len(self.tile) * lanes } else { 0 });
        let mut rooms = lens.map(|len| Buffer::new(groups * len));
        let mut biases = Buffer::zeros(groups * filters_len);
        {
            let [mut pixels, mut gradient, mut turned] = rooms.each_mut().map(|room| &mut room[..]);
            let mut tasks = Vec::with_capacity(groups);
            for (group, bias) in biases.chunks_mut(filters_len).enumerate() {
                let [pixels, gradient, turned] =
                    [(&mut pixels, lens[0]), (&mut gradient, lens[1]), (&mut turned, lens[2])].map(|(all, len)| {
                        let (first, rest) = std::mem::take(all).split_at_mut(len);
                        *all = rest;
                        first
                    });
                let first = images.start + group * self.plan.group;
                let images = first..(first + self.plan.group).min(images.end);
                tasks.push(Prepare {
                    tile: self.tile,
                    passed: self.passed,
                    wanted: self.wanted,
                    tiles: &self.tiles,
                    most: self.most,
                    finite: &self.finite,
                    images,
                    pixels,
                    gradient,
                    turned,
                    bias,
                });
            }
            workers.each(tasks, |group| level.run(group));
        }
        let [pixels, gradient, turned] = &rooms;
        if self.wanted.filters {
            for of_group in biases.chunks_exact(filters_len) {
                for i in 0..of_group.len() {
                    bias[i] += of_group[i];
                }
            }
            let pairs = weight.chunks_mut(2 * lanes * problem.filter_len()).enumerate();
            let pairs = pairs.map(|(pair, weight)| OfFilters {
                tile: self.tile,
                channels: problem.channels,
                pixel_tiles: self.tiles.pixels,
                positions,
                images: images.len(),
                is_first,
                first_vector: 2 * pair,
                pixels,
                gradient,
                weight,
            });
            workers.each(pairs.collect(), |pair| level.run(pair));
        }
        if self.wanted.input {
            let convolve = Convolve {
                tile: self.tile,
                level,
                layout: image,
                outputs: problem.image,
                start: &self.zeros,
                filters: self.turned,
                transformed: self.transformed.as_ref(),
            };
            let sums = convolve.run(workers, images.len(), turned);
            let sums = sums.chunks_exact(sums.len() / images.len());
            let images = input.chunks_exact_mut(problem.image_len()).zip(sums);
            let images = images.map(|(target, sums)| Store { channels: problem.channels, sums, target });
            workers.each(images.collect(), |image| level.run(image));
        }
    }
}

/// Stores an image's gradient, `[row, column, vector of channels]`, as `[channel, row, column]`.
struct Store<'a> {
    channels: usize,
    sums: &'a [f32],
    target: &'a mut [MaybeUninit<f32>],
}

impl Kernel for Store<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Lanes>(self, simd: S) {
        let len = self.target.len() / self.channels;
        let stride = self.channels.next_multiple_of(S::LANES);
        transpose(simd, [len, self.channels], self.sums, stride, self.target, len);
    }
}
