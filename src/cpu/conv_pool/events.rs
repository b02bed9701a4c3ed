//! A filter's gradient at single positions, channels last: the rows of a filter lie on runs of pixels.

use bytemuck::{Pod, Zeroable};

use super::{
    problem::{Geometry, Problem},
    simd::Lanes,
};

/// A filter's gradient at one position: where the pixels under the filter start, channels last.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Event {
    pub start: u32,
    pub gradient: f32,
}

/// A filter that has a gradient at the position in question.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Sender {
    filter: u32,
    gradient: f32,
}

impl Sender {
    pub fn new(filter: usize, gradient: f32) -> Sender {
        Sender { filter: filter as u32, gradient }
    }
}

/// Sizes of an image and a filter, channels last: a row of a filter lies on one run of values.
#[derive(Clone, Copy)]
pub(super) struct Runs {
    /// Rows of a filter.
    pub rows: usize,
    /// Values from a row of the image to the next.
    pub row_step: usize,
    /// Vectors that hold a run.
    pub vectors: usize,
}

impl Runs {
    /// For a problem, in vectors of `lanes`.
    pub fn new(problem: &Problem, geometry: &Geometry, lanes: usize) -> Runs {
        Runs {
            rows: problem.kernel[0],
            row_step: geometry.padded[1] * problem.channels,
            vectors: (problem.kernel[1] * problem.channels).div_ceil(lanes),
        }
    }

    /// Vectors that hold a filter, each run padded by itself.
    pub fn filter_vectors(&self) -> usize {
        self.rows * self.vectors
    }

    /// Where the weights of a filter `[channels, height, width]` lie.
    pub fn places(&self, problem: &Problem, lanes: usize) -> Vec<usize> {
        let [height, width] = problem.kernel;
        let place = |i: usize| {
            let (channel, row, column) = (i / (height * width), i / width % height, i % width);
            row * self.vectors * lanes + column * problem.channels + channel
        };
        (0..problem.filter_len()).map(place).collect()
    }

    /// Adds an image's part of the gradient of one filter.
    #[inline(always)]
    pub fn add_weight_gradient<S: Lanes>(
        &self,
        simd: S,
        events: &[Event],
        image: &[f32],
        weight: &mut [S::f32s],
    ) {
        macro_rules! add {
            ($height:literal, $width:literal, $row:expr, $run:expr) => {
                self.add_block::<S, $height, $width>(simd, events, image, weight, [$row, $run])
            };
        }
        if self.rows == 3 && self.vectors == 1 {
            add!(3, 1, 0, 0);
            return;
        }
        if self.rows == 3 && self.vectors == 6 && S::REGISTER_COUNT >= 32 {
            add!(3, 6, 0, 0);
            return;
        }
        for row in 0..self.rows {
            let mut run = 0;
            while run < self.vectors {
                run += match self.vectors - run {
                    12.. => add!(1, 12, row, run),
                    6.. => add!(1, 6, row, run),
                    2.. => add!(1, 2, row, run),
                    _ => add!(1, 1, row, run),
                };
            }
        }
    }

    /// Some rows and vectors of a filter, whose sums stay in registers. Returns their width.
    #[inline(always)]
    fn add_block<S: Lanes, const H: usize, const W: usize>(
        &self,
        simd: S,
        events: &[Event],
        image: &[f32],
        weight: &mut [S::f32s],
        [row, run]: [usize; 2],
    ) -> usize {
        let mut sums = [[simd.splat_f32s(0.0); W]; H];
        let offset = row * self.row_step + run * S::LANES;
        for event in events {
            let gradient = simd.splat_f32s(event.gradient);
            for y in 0..H {
                let start = event.start as usize + offset + y * self.row_step;
                let pixels = &image[start..][..W * S::LANES];
                let pixels: &[S::f32s] = bytemuck::cast_slice(pixels);
                for x in 0..W {
                    sums[y][x] = simd.multiply_add(pixels[x], gradient, sums[y][x]);
                }
            }
        }
        for y in 0..H {
            let weight = &mut weight[(row + y) * self.vectors + run..][..W];
            for x in 0..W {
                weight[x] = simd.add_f32s(weight[x], sums[y][x]);
            }
        }
        W
    }

    /// Adds to the gradient of an image what some filters send to one position: the pixels
    /// under the filters start at `start`.
    #[inline(always)]
    pub fn add_input_gradient<S: Lanes>(
        &self,
        simd: S,
        start: usize,
        senders: &[Sender],
        filters: &[S::f32s],
        image: &mut [f32],
    ) {
        let image = &mut image[start..];
        macro_rules! add {
            ($height:literal, $width:literal, $row:expr, $run:expr) => {
                self.send_block::<S, $height, $width>(simd, senders, filters, image, [$row, $run])
            };
        }
        if self.rows == 3 && self.vectors == 6 && S::REGISTER_COUNT >= 32 {
            add!(3, 6, 0, 0);
            return;
        }
        for row in 0..self.rows {
            let mut run = 0;
            while run < self.vectors {
                run += match self.vectors - run {
                    12.. => add!(1, 12, row, run),
                    6.. => add!(1, 6, row, run),
                    2.. => add!(1, 2, row, run),
                    _ => add!(1, 1, row, run),
                };
            }
        }
    }

    /// Some rows and vectors of the filters, whose sums stay in registers. Returns their width.
    #[inline(always)]
    fn send_block<S: Lanes, const H: usize, const W: usize>(
        &self,
        simd: S,
        senders: &[Sender],
        filters: &[S::f32s],
        image: &mut [f32],
        [row, run]: [usize; 2],
    ) -> usize {
        let mut sums = [[simd.splat_f32s(0.0); W]; H];
        for sender in senders {
            let filter = &filters[sender.filter as usize * self.filter_vectors()..];
            let filter = &filter[row * self.vectors + run..];
            let gradient = simd.splat_f32s(sender.gradient);
            for y in 0..H {
                let weights = &filter[y * self.vectors..][..W];
                for x in 0..W {
                    sums[y][x] = simd.multiply_add(weights[x], gradient, sums[y][x]);
                }
            }
        }
        for y in 0..H {
            let start = (row + y) * self.row_step + run * S::LANES;
            let pixels = &mut image[start..][..W * S::LANES];
            let pixels: &mut [S::f32s] = bytemuck::cast_slice_mut(pixels);
            for x in 0..W {
                pixels[x] = simd.add_f32s(pixels[x], sums[y][x]);
            }
        }
        W
    }
}

/// Finds the events of every window: their places and gradients, `[window, filter]`, zero gradient
/// where nothing passes.
#[inline(always)]
pub(super) fn find<S: Lanes>(
    simd: S,
    geometry: &Geometry,
    channels: usize,
    gates: &[u16],
    gradient: &[S::f32s],
    starts: &mut [S::u32s],
    passed: &mut [S::f32s],
) {
    let vectors = gradient.len() / geometry.windows();
    let [columns, width] = [geometry.positions[1], geometry.window.size[1]];
    for (window, gates) in gates.chunks_exact(geometry.area() * vectors).enumerate() {
        let corner = geometry.corner(window);
        for v in 0..vectors {
            let mut start = simd.splat_u32s(0);
            let mut open = 0;
            for (offset, gates) in gates.chunks_exact(vectors).enumerate() {
                let position = corner + offset / width * columns + offset % width;
                let place = position / columns * geometry.padded[1] + position % columns;
                let place = simd.splat_u32s((place * channels) as u32);
                start = simd.select_u32s(simd.mask(gates[v]), place, start);
                open |= gates[v];
            }
            starts[window * vectors + v] = start;
            passed[window * vectors + v] = simd.keep(open, gradient[window * vectors + v]);
        }
    }
}

/// Collects one filter's events out of those of all.
#[inline(always)]
pub(super) fn collect<'a>(
    starts: &[u32],
    passed: &[f32],
    filter: usize,
    stride: usize,
    events: &'a mut [Event],
) -> &'a [Event] {
    let mut count = 0;
    for at in (filter..starts.len()).step_by(stride) {
        let (start, gradient) = (starts[at], passed[at]);
        // Written in any case, kept if it counts: nothing to predict.
        events[count] = Event { start, gradient };
        count += usize::from(gradient != 0.0);
    }
    &events[..count]
}
