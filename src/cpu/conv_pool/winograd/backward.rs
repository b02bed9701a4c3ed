//! The gradients of a batch.

use std::mem::MaybeUninit;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{
    convolve::Convolve,
    filters::{Filters, INPUTS, Transformed},
    forward::{Pixels, images_of},
    layout::Layout,
    plan::Plan,
    product::{Matrix, with_rows},
    tile::Tile,
    transform::{Map, add_weights, transform_tiles},
};
use crate::cpu::{
    buffer::{Buffer, LINE_LEN},
    conv_pool::{
        gradients::{Gradients, Passed, Wanted, add_up},
        magnitude::magnitude,
        problem::Problem,
        spread::{OfWindows, of_windows, spread},
    },
    parallel::{Workers, chunks, image_of, split_mut},
    simd::{Kernel, Lanes, Level, fill},
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
    let weight_len = backward.vectors * level.lanes() * problem.filter_len();
    let sums_len = (weight_len + backward.vectors * level.lanes()).next_multiple_of(LINE_LEN);
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
        let bias = add_up(&sums, sums_len)[weight_len..][..problem.filters].to_vec();
        (gradients.weight, gradients.bias) = (Some(total(problem, level, &sums, sums_len)), Some(bias));
    }
    Some(gradients)
}

/// Returns the total of all chunks' sums as weights `[filters, channels, 3, 3]`.
fn total(problem: &Problem, level: Level, sums: &[f32], sums_len: usize) -> Vec<f32> {
    let len = problem.filters * problem.filter_len();
    let mut weight = Vec::with_capacity(len);
    let pair_len = 2 * level.lanes() * problem.filter_len();
    let pairs = weight.spare_capacity_mut()[..len].chunks_mut(pair_len).enumerate();
    let pairs = pairs.map(|(pair, weight)| {
        let sums = &sums[pair * pair_len..];
        Total { taps: problem.filter_len(), sums, sums_len, weight }
    });
    Workers::All.each(pairs.collect(), |pair| level.run(pair));
    // SAFETY: the pairs cover the weights, and each has written all of its own.
    unsafe { weight.set_len(len) };
    weight
}

/// One or two vectors of filters.
struct Total<'a> {
    taps: usize,
    /// Of the first chunk, then as many values for each.
    sums: &'a [f32],
    sums_len: usize,
    weight: &'a mut [MaybeUninit<f32>],
}

impl Kernel for Total<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Lanes>(self, simd: S) {
        let filters = self.weight.len() / self.taps;
        let stride = filters.next_multiple_of(S::LANES);
        let len = self.taps * stride;
        let mut total = Buffer::new(len);
        for (chunk, sums) in self.sums.chunks(self.sums_len).enumerate() {
            let (total, sums): (&mut [S::f32s], &[S::f32s]) =
                (bytemuck::cast_slice_mut(&mut total), bytemuck::cast_slice(&sums[..len]));
            for i in 0..total.len() {
                total[i] = if chunk == 0 { sums[i] } else { simd.add_f32s(total[i], sums[i]) };
            }
        }
        transpose(simd, [self.taps, filters], &total, stride, self.weight, self.taps);
    }
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
    /// Vectors that hold the filters.
    vectors: usize,
    /// Tiles of the positions, for the filters' gradient.
    positions: Layout,
    /// Tiles of the image, for its own.
    image: Layout,
    /// From the upper left corner of the image, the pixel above and left of the first position.
    offset: [usize; 2],
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
        let vectors = geometry.vectors(lanes);
        let Problem { filters, channels, .. } = *problem;
        let turned = Filters { weight, filters, channels, turned: true };
        let transformed = (wanted.input && !plan.is_shared).then(|| turned.transform_all(tile, level));
        let terms = (problem.batch * geometry.positions[0] * geometry.positions[1]) as f32;
        Self {
            tile,
            plan,
            passed,
            wanted,
            vectors,
            positions: Layout::cover(tile, plan.group, geometry.positions, vectors),
            image: Layout::cover(tile, plan.group, problem.image, vectors),
            offset: problem.padding.map(|padding| 2 - padding),
            transformed,
            turned,
            zeros: Buffer::zeros(problem.channels.next_multiple_of(lanes)),
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
        let pixel_tiles = Layout { vectors: problem.channels.div_ceil(lanes), ..self.positions };
        let lens = [
            (pixel_tiles, self.wanted.filters),
            (self.positions, self.wanted.filters),
            (self.image, self.wanted.input),
        ];
        let lens = lens.map(|(layout, wanted)| if wanted { layout.group_len(self.tile) * lanes } else { 0 });
        let mut rooms = lens.map(|len| Buffer::new(groups * len));
        let mut biases = Buffer::zeros(groups * self.vectors * lanes);
        {
            let [mut pixels, mut gradient, mut turned] = rooms.each_mut().map(|room| &mut room[..]);
            let mut tasks = Vec::with_capacity(groups);
            for (group, bias) in biases.chunks_mut(self.vectors * lanes).enumerate() {
                let [pixels, gradient, turned] =
                    [(&mut pixels, lens[0]), (&mut gradient, lens[1]), (&mut turned, lens[2])].map(|(all, len)| {
                        let (first, rest) = std::mem::take(all).split_at_mut(len);
                        *all = rest;
                        first
                    });
                let images = images_of(group, self.plan, &images);
                tasks.push(Prepare { backward: self, pixel_tiles, images, pixels, gradient, turned, bias });
            }
            workers.each(tasks, |group| level.run(group));
        }
        let [pixels, gradient, turned] = &rooms;
        if self.wanted.filters {
            for of_group in biases.chunks_exact(self.vectors * lanes) {
                for i in 0..of_group.len() {
                    bias[i] += of_group[i];
                }
            }
            let pairs = weight.chunks_mut(2 * lanes * problem.filter_len()).enumerate();
            let pairs = pairs.map(|(pair, weight)| OfFilters {
                backward: self,
                pixel_tiles,
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
                layout: self.image,
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

/// Transforms what a group of images contributes.
struct Prepare<'a, T> {
    backward: &'a Backward<'a, T>,
    pixel_tiles: Layout,
    images: Range<usize>,
    pixels: &'a mut [f32],
    /// Of the outputs, for the filters.
    gradient: &'a mut [f32],
    /// Of the outputs, for the images.
    turned: &'a mut [f32],
    bias: &'a mut [f32],
}

impl<T: Tile> Kernel for Prepare<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Lanes>(self, simd: S) {
        let &Backward { tile, passed, wanted, vectors, ref positions, ref image, offset, most, .. } = self.backward;
        let (geometry, batch) = (passed.geometry, passed.geometry.problem.batch);
        let [rows, columns] = geometry.positions;
        let size: [usize; 2] = std::array::from_fn(|i| {
            let of_positions = offset[i] + positions.tiles[i] * T::OUTPUTS;
            of_positions.max(image.tiles[i] * T::OUTPUTS + 2)
        });
        let row_len = size[1] * vectors;
        let mut map = Buffer::<S::f32s>::zeros(size[0] * row_len);
        let first = offset[0] * row_len + offset[1] * vectors;
        let mut windows = Buffer::zeros(geometry.windows() * vectors * S::LANES);
        let mut pixels = Pixels::new(tile, geometry, self.pixel_tiles, simd);
        let bias: &mut [S::f32s] = bytemuck::cast_slice_mut(self.bias);
        for (number, i) in self.images.enumerate() {
            let largest = of_windows(simd, geometry, image_of(passed.gradient, i, batch), &mut windows);
            if largest.is_nan() || largest > most {
                self.backward.finite.store(false, Ordering::Relaxed);
            }
            let gates = image_of(&passed.saved.gates, i, batch);
            let of_windows = OfWindows { geometry, values: &windows, gates };
            spread(simd, of_windows, 0..rows, &mut map[first..], row_len);
            if wanted.filters {
                for row in 0..rows {
                    let row = &map[first + row * row_len..][..columns * vectors];
                    for position in row.chunks_exact(vectors) {
                        for v in 0..vectors {
                            bias[v] = simd.add_f32s(bias[v], position[v]);
                        }
                    }
                }
                let to = bytemuck::cast_slice_mut(&mut *self.pixels);
                pixels.transform(tile, simd, image_of(passed.input, i, batch), number, to);
                let map = Map { values: &map[first..], row_len };
                let to = bytemuck::cast_slice_mut(&mut *self.gradient);
                transform_tiles::<T, S, true>(tile, simd, map, positions, number, to);
            }
            if wanted.input {
                let map = Map { values: &map, row_len };
                let to = bytemuck::cast_slice_mut(&mut *self.turned);
                transform_tiles::<T, S, false>(tile, simd, map, image, number, to);
            }
        }
    }
}

/// Adds a block's part of the gradient of one or two vectors of filters.
struct OfFilters<'a, T> {
    backward: &'a Backward<'a, T>,
    pixel_tiles: Layout,
    images: usize,
    /// Whether there is nothing yet to add to.
    is_first: bool,
    first_vector: usize,
    pixels: &'a [f32],
    gradient: &'a [f32],
    weight: &'a mut [f32],
}

impl<T: Tile> Kernel for OfFilters<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Lanes>(mut self, simd: S) {
        let channels = self.backward.passed.geometry.problem.channels;
        for first in (0..channels).step_by(INPUTS) {
            let some = first..(first + INPUTS).min(channels);
            if self.weight.len() == 2 * 9 * channels * S::LANES {
                self.add::<S, 2>(simd, some);
            } else {
                self.add::<S, 1>(simd, some);
            }
        }
    }
}

impl<T: Tile> OfFilters<'_, T> {
    /// For some channels, and `V` vectors of filters.
    #[inline(always)]
    fn add<S: Lanes, const V: usize>(&mut self, simd: S, channels: Range<usize>) {
        let Backward { tile, .. } = *self.backward;
        let place_len = Filters::place(channels.len(), V);
        let mut transformed = Buffer::<S::f32s>::new(T::PLACES * place_len);
        let groups = channels.len().div_ceil(S::PIXELS);
        for place in 0..T::PLACES {
            let mut channel = 0;
            for group in 0..groups {
                let count = (channels.len() - channel).div_ceil(groups - group);
                let to = &mut transformed[place * place_len + channel * V..][..count * V];
                let first = channels.start + channel;
                with_rows!(S, count, COUNT => self.products::<S, COUNT, V>(simd, place, first, to));
                channel += count;
            }
        }
        let weight = &mut self.weight[channels.start * 9 * V * S::LANES..][..channels.len() * 9 * V * S::LANES];
        if self.is_first {
            fill(weight, 0.0);
        }
        add_weights::<T, S, V>(tile, simd, &transformed, bytemuck::cast_slice_mut(weight));
    }

    /// Writes the gradient of a place for `P` channels from this one on.
    #[inline(always)]
    fn products<S: Lanes, const P: usize, const V: usize>(
        &self, simd: S, place: usize, channel: usize, to: &mut [S::f32s],
    ) {
        let positions = &self.backward.positions;
        let (from, of) = (self.pixel_tiles.place() * S::LANES, positions.place());
        let gradient: &[S::f32s] = bytemuck::cast_slice(self.gradient);
        let groups = self.images.div_ceil(positions.group);
        let mut sums = [[simd.splat_f32s(0.0); V]; P];
        for group in 0..groups {
            let pixels = Matrix {
                values: &self.pixels[(group * T::PLACES + place) * from..][..from],
                tiles: positions.tiles(positions.images(group, self.images)),
                columns: self.pixel_tiles.vectors * S::LANES,
                stride: self.pixel_tiles.stride() * S::LANES,
            };
            let gradient = &gradient[(group * T::PLACES + place) * of + self.first_vector..];
            pixels.add_outer(simd, channel, gradient, positions.stride(), &mut sums);
        }
        for p in 0..P {
            for v in 0..V {
                to[p * V + v] = sums[p][v];
            }
        }
    }
}
