//! The backward pass by events: a maximum sends its gradient to one position, if any.

use super::{
    global::NO_WINNER,
    gradients::{Image, Method, Wanted},
    problem::{Geometry, Pool},
    runs::{Runs, Term},
};
use crate::cpu::{
    buffer::{Buffer, LINE_LEN},
    simd::Lanes,
    transpose::transpose,
};

/// How the gradients are computed.
pub(super) struct ByEvent<'a> {
    geometry: &'a Geometry,
    wanted: Wanted,
    runs: Runs,
    /// Where the weights of a filter `[channels, height, width]` lie in its runs.
    places: Vec<usize>,
    /// Values of a filter in runs.
    filter_len: usize,
    /// The filters in runs, if the input's gradient is wanted.
    filters: Buffer<f32>,
}

impl<'a> ByEvent<'a> {
    /// Creates it for the weights `[filters, channels, height, width]`.
    pub fn new(geometry: &'a Geometry, lanes: usize, weight: &[f32], wanted: Wanted) -> Self {
        let runs = Runs::new(geometry, lanes);
        let places = runs.places(geometry, lanes);
        let filter_len = runs.filter_vectors() * lanes;
        let len = if wanted.input { geometry.problem.filters * filter_len } else { 0 };
        let mut filters = Buffer::zeros(len);
        let weights = weight.chunks_exact(places.len());
        for (filter, weights) in filters.chunks_exact_mut(filter_len).zip(weights) {
            for (&place, &weight) in places.iter().zip(weights) {
                filter[place] = weight;
            }
        }
        Self { geometry, wanted, runs, places, filter_len, filters }
    }

    /// Returns the number of values of an image, channels last, and as many more as its last run may reach past it.
    #[inline(always)]
    fn image_len(&self) -> usize {
        self.geometry.padded_len() + LINE_LEN
    }

    /// Returns the number of values from a row of an image, channels last, to the next.
    #[inline(always)]
    fn image_step(&self) -> usize {
        self.geometry.padded[1] * self.geometry.problem.channels
    }

    /// Returns where the values under a filter at a position start, channels last.
    #[inline(always)]
    fn start(&self, position: usize) -> usize {
        self.geometry.pixel(position) * self.geometry.problem.channels
    }

    /// Returns a gradient times a filter.
    #[inline(always)]
    fn filter_term(&self, filter: usize, gradient: f32) -> Term {
        Term { start: (filter * self.filter_len) as u32, gradient }
    }

    /// Returns where the values under the global maximum of a filter start, and its gradient, if it is active.
    #[inline(always)]
    fn winner(&self, image: &Image<'_>, filter: usize) -> Option<(usize, f32)> {
        let winner = image.winners[filter];
        if winner == NO_WINNER {
            return None;
        }
        Some((self.start(winner as usize), image.windows[filter]))
    }

    /// Finds the events of every window: where they start and their gradients, `[window, filter]`, zero
    /// where nothing passes.
    #[inline(always)]
    fn find<S: Lanes>(&self, simd: S, image: &Image<'_>, starts: &mut [u32], passed: &mut [f32]) {
        let gradient: &[S::f32s] = bytemuck::cast_slice(image.windows);
        let starts: &mut [S::u32s] = bytemuck::cast_slice_mut(starts);
        let passed: &mut [S::f32s] = bytemuck::cast_slice_mut(passed);
        let vectors = self.geometry.vectors(S::LANES);
        let [columns, width] = [self.geometry.positions[1], self.geometry.window.size[1]];
        let windows = image.gates.chunks_exact(self.geometry.area() * vectors);
        for (window, gates) in windows.enumerate() {
            let corner = self.geometry.corner(window);
            for v in 0..vectors {
                let mut start = simd.splat_u32s(0);
                let mut open = 0;
                for (offset, gates) in gates.chunks_exact(vectors).enumerate() {
                    let position = corner + offset / width * columns + offset % width;
                    let here = simd.splat_u32s(self.start(position) as u32);
                    start = simd.select_u32s(simd.mask(gates[v]), here, start);
                    open |= gates[v];
                }
                starts[window * vectors + v] = start;
                passed[window * vectors + v] = simd.keep(open, gradient[window * vectors + v]);
            }
        }
    }

    #[inline(always)]
    fn add_weight_gradient<S: Lanes>(&self, simd: S, image: &mut Image<'_>) {
        let channels = self.geometry.problem.channels;
        let mut channels_last = Buffer::new(if channels == 1 { 0 } else { self.image_len() });
        let pixels = if channels == 1 {
            image.planes
        } else {
            let plane = self.geometry.padded_len() / channels;
            transpose(simd, [channels, plane], image.planes, plane, &mut channels_last, channels);
            &channels_last
        };
        let pixels = (pixels, self.image_step());
        let step = self.runs.step::<S>();
        if let Pool::GlobalMax = self.geometry.problem.pool {
            for filter in 0..image.winners.len() {
                if let Some((start, gradient)) = self.winner(image, filter) {
                    let weight = &mut image.weight[filter * self.filter_len..][..self.filter_len];
                    let term = Term { start: start as u32, gradient };
                    self.runs.add(simd, &[term], pixels, (weight, step));
                    image.bias[filter] += gradient;
                }
            }
            return;
        }
        let windows = self.geometry.windows();
        let (mut starts, mut passed) = (Buffer::new(image.windows.len()), Buffer::new(image.windows.len()));
        self.find(simd, image, &mut starts, &mut passed);
        let (starts, passed): (&[u32], &[f32]) = (&starts, &passed);
        let mut terms = Buffer::<Term>::new(windows);
        let terms: &mut [Term] = &mut terms;
        let stride = passed.len() / windows;
        for filter in 0..self.geometry.problem.filters {
            let mut count = 0;
            for at in (filter..passed.len()).step_by(stride) {
                // Written in any case, kept if it counts: nothing to predict.
                terms[count] = Term { start: starts[at], gradient: passed[at] };
                count += usize::from(passed[at] != 0.0);
            }
            let terms = &terms[..count];
            let weight = &mut image.weight[filter * self.filter_len..][..self.filter_len];
            self.runs.add(simd, terms, pixels, (weight, step));
            for term in terms {
                image.bias[filter] += term.gradient;
            }
        }
    }

    #[inline(always)]
    fn add_input_gradient<S: Lanes>(&self, simd: S, image: &Image<'_>, gradient: &mut [f32]) {
        let source = (&*self.filters, self.runs.step::<S>());
        let step = self.image_step();
        if let Pool::GlobalMax = self.geometry.problem.pool {
            for filter in 0..image.winners.len() {
                if let Some((start, value)) = self.winner(image, filter) {
                    let terms = &[self.filter_term(filter, value)];
                    self.runs.add(simd, terms, source, (&mut gradient[start..], step));
                }
            }
            return;
        }
        let vectors = self.geometry.vectors(S::LANES);
        let mut terms = Buffer::<Term>::new(vectors * S::LANES);
        let terms: &mut [Term] = &mut terms;
        let [columns, width] = [self.geometry.positions[1], self.geometry.window.size[1]];
        let windows = image.gates.chunks_exact(self.geometry.area() * vectors);
        for (window, gates) in windows.enumerate() {
            let values = &image.windows[window * vectors * S::LANES..][..vectors * S::LANES];
            let corner = self.geometry.corner(window);
            for (offset, gates) in gates.chunks_exact(vectors).enumerate() {
                let mut count = 0;
                for (v, &gate) in gates.iter().enumerate() {
                    let mut open = gate;
                    while open != 0 {
                        let filter = v * S::LANES + open.trailing_zeros() as usize;
                        terms[count] = self.filter_term(filter, values[filter]);
                        count += 1;
                        open &= open - 1;
                    }
                }
                if count > 0 {
                    let position = corner + offset / width * columns + offset % width;
                    let target = (&mut gradient[self.start(position)..], step);
                    self.runs.add(simd, &terms[..count], source, target);
                }
            }
        }
    }
}

impl Method for ByEvent<'_> {
    fn weight_len(&self) -> usize {
        (self.geometry.problem.filters * self.filter_len).next_multiple_of(LINE_LEN)
    }

    fn slack(&self) -> usize {
        // One channel is channels last as it is.
        if self.geometry.problem.channels == 1 { LINE_LEN } else { 0 }
    }

    #[inline(always)]
    fn add<S: Lanes>(&self, simd: S, mut image: Image<'_>) {
        // One gradient after the other: each has its own image, and both do not fit the nearest cache.
        if self.wanted.filters {
            self.add_weight_gradient(simd, &mut image);
        }
        if self.wanted.input {
            let mut gradient = Buffer::zeros(self.image_len());
            self.add_input_gradient(simd, &image, &mut gradient);
            image.store(simd, &gradient, self.geometry.problem.channels);
        }
    }

    #[inline(always)]
    fn unpack<S: Lanes>(&self, _: S, sums: &[f32], weight: &mut [f32]) {
        for (filter, weight) in weight.chunks_exact_mut(self.places.len()).enumerate() {
            for (i, &place) in self.places.iter().enumerate() {
                weight[i] = sums[filter * self.filter_len + place];
            }
        }
    }
}
