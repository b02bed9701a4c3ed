//! The gradients of a batch.

use std::mem::MaybeUninit;
use std::ops::Range;
use std::sync::atomic::AtomicBool;

use super::{
    convolve::Convolve,
    filters::{Filters, Transformed},
    of_filters::OfFilters,
    plan::Plan,
    prepare::{ForFilters, ForImages, Positions, Windows},
    tile::Tile,
    total::total,
};
use crate::cpu::{
    buffer::{Buffer, LINE_LEN},
    conv_pool::{
        gradients::{Gradients, Passed, Wanted},
        magnitude::magnitude,
        problem::{Problem, Window},
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
    let backward = Backward::new(tile, plan, passed, weight, wanted, most(passed, weight)?);
    let input_len = if wanted.input { passed.input.len() } else { 0 };
    let mut input = Vec::with_capacity(input_len);
    let [outer, inner] = plan.workers();
    // As many whatever the number of threads, so that it does not change the order of additions.
    let chunks = chunks(problem.batch, if plan.is_shared { 1 } else { passed.chunks });
    let filters_len = backward.filters_len();
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

/// Returns a bound for magnitudes of the output's gradient: below, nothing on the way to the other gradients overflows.
/// `None` if the input alone may.
fn most(passed: &Passed<'_>, weight: &[f32]) -> Option<f32> {
    let (geometry, problem) = (passed.geometry, &passed.geometry.problem);
    // A gradient adds up what all positions of the batch pass on, or what all filters do; and each position gets that of
    // all windows that it is in.
    let Window { size, stride } = geometry.window;
    let overlap: usize = (0..2).map(|i| size[i].div_ceil(stride[i])).product();
    let positions = problem.batch * geometry.positions[0] * geometry.positions[1];
    let terms = (positions.max(9 * problem.filters) * overlap) as f32;
    let factor = passed.saved.largest.max(magnitude(weight)).max(1.0);
    // The transforms' factors, in both directions, multiply to less.
    let most = f32::MAX / 1e6;
    (factor < most).then(|| most / terms / factor)
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
    flipped: Filters<'a>,
    /// The filters, transformed, if threads share them.
    transformed: Option<Transformed>,
    zeros: Buffer<f32>,
    /// No magnitude of the gradient may be larger.
    most: f32,
    /// Set to false where one is.
    finite: AtomicBool,
}

impl<'a, T: Tile> Backward<'a, T> {
    fn new(tile: T, plan: Plan, passed: &'a Passed<'a>, weight: &'a [f32], wanted: Wanted, most: f32) -> Self {
        let (geometry, level) = (passed.geometry, passed.saved.level);
        let (problem, lanes) = (&geometry.problem, level.lanes());
        let Problem { filters, channels, .. } = *problem;
        let flipped = Filters { weight, filters, channels, flipped: true };
        let transformed = (wanted.input && !plan.is_shared).then(|| flipped.transform_all(tile, level));
        Self {
            tile,
            plan,
            passed,
            wanted,
            transformed,
            flipped,
            zeros: Buffer::zeros(channels.next_multiple_of(lanes)),
            most,
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
        let (passed, level) = (self.passed, self.passed.saved.level);
        let windows_len = passed.geometry.windows() * self.filters_len();
        let mut windows = Buffer::new(images.len() * windows_len);
        let tasks = images.clone().zip(windows.chunks_mut(windows_len)).map(|(image, windows)| Windows {
            passed,
            image,
            most: self.most,
            finite: &self.finite,
            windows,
        });
        workers.each(tasks.collect(), |image| level.run(image));
        let positions = Positions { passed, first: images.start, windows: &windows, windows_len };
        if self.wanted.filters {
            self.add_filters(workers, images.clone(), positions, is_first, weight, bias);
        }
        if self.wanted.input {
            self.store_input(workers, images, positions, input);
        }
    }

    /// Returns the number of filters, and of as many more as make whole vectors.
    fn filters_len(&self) -> usize {
        self.passed.geometry.problem.filters.next_multiple_of(self.passed.saved.level.lanes())
    }

    fn add_filters(
        &self, workers: Workers, images: Range<usize>, positions: Positions<'_>, is_first: bool, weight: &mut [f32],
        bias: &mut [f32],
    ) {
        let (tile, geometry, level) = (self.tile, self.passed.geometry, self.passed.saved.level);
        let (problem, lanes, filters_len) = (&geometry.problem, level.lanes(), self.filters_len());
        let vectors = [problem.channels.div_ceil(lanes), filters_len / lanes];
        let layouts = vectors.map(|vectors| self.plan.layout(tile, geometry.positions, vectors));
        let [pixels_len, gradient_len] = layouts.map(|layout| layout.group_len(tile) * lanes);
        for (step, groups) in self.plan.steps(tile, images, geometry.positions[0]).iter().enumerate() {
            let mut pixels = Buffer::new(groups.len() * pixels_len);
            let mut gradient = Buffer::new(groups.len() * gradient_len);
            let mut biases = Buffer::zeros(groups.len() * filters_len);
            let rooms = pixels.chunks_mut(pixels_len).zip(gradient.chunks_mut(gradient_len));
            let tasks = groups.iter().zip(rooms).zip(biases.chunks_mut(filters_len));
            let tasks = tasks.map(|((group, (pixels, gradient)), bias)| ForFilters {
                tile,
                positions,
                group,
                layouts,
                pixels,
                gradient,
                bias,
            });
            workers.each(tasks.collect(), |group| level.run(group));
            for of_group in biases.chunks_exact(filters_len) {
                bias.iter_mut().zip(of_group).for_each(|(total, bias)| *total += bias);
            }
            let pairs = weight.chunks_mut(2 * lanes * problem.filter_len()).enumerate();
            let pairs = pairs.map(|(pair, weight)| OfFilters {
                tile,
                channels: problem.channels,
                pixel_tiles: layouts[0],
                positions: layouts[1],
                groups,
                is_first: is_first && step == 0,
                first_vector: 2 * pair,
                pixels: &pixels,
                gradient: &gradient,
                weight,
            });
            workers.each(pairs.collect(), |pair| level.run(pair));
        }
    }

    fn store_input(
        &self, workers: Workers, images: Range<usize>, positions: Positions<'_>, input: &mut [MaybeUninit<f32>],
    ) {
        let (tile, level, problem) = (self.tile, self.passed.saved.level, &self.passed.geometry.problem);
        let lanes = level.lanes();
        let layout = self.plan.layout(tile, problem.image, self.filters_len() / lanes);
        let group_len = layout.group_len(tile) * lanes;
        let convolve = Convolve {
            tile,
            level,
            layout,
            outputs: problem.image,
            start: &self.zeros,
            filters: self.flipped,
            transformed: self.transformed.as_ref(),
        };
        let image_len = problem.image[0] * problem.image[1] * self.zeros.len();
        let mut sums = Buffer::new(images.len() * image_len);
        let mut rest = &mut sums[..];
        for groups in self.plan.steps(tile, images, problem.image[0]) {
            let mut gradient = Buffer::new(groups.len() * group_len);
            let tasks = groups.iter().zip(gradient.chunks_mut(group_len));
            let tasks = tasks.map(|(group, gradient)| ForImages { tile, positions, group, layout, gradient });
            workers.each(tasks.collect(), |group| level.run(group));
            rest = convolve.run(workers, &groups, &gradient, rest);
        }
        let images = input.chunks_exact_mut(problem.image_len()).zip(sums.chunks_exact(image_len));
        let images = images.map(|(target, sums)| Store { channels: problem.channels, sums, target });
        workers.each(images.collect(), |image| level.run(image));
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
