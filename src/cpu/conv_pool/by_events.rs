//! The backward pass by events: a maximum sends its gradient to one position, if any.

use super::{
    backward::{Image, Wanted},
    events::{Event, Runs, Sender, collect, find},
    global::NO_WINNER,
    layout::transpose,
    problem::{Geometry, Pool, Problem},
    scratch::{Line, PIECE, Pieces, aligned},
    simd::{Lanes, fill},
};

/// How the gradients are computed.
pub(super) struct ByEvents {
    wanted: Wanted,
    runs: Runs,
    /// Where the weights of a filter `[channels, height, width]` lie in its runs.
    places: Vec<usize>,
    /// The filters in runs, if the input's gradient is wanted.
    filters: Vec<Line>,
    /// Values of a filter in runs.
    filter_len: usize,
    /// Values of the filters' gradient as it is summed.
    pub weight_len: usize,
}

impl ByEvents {
    /// Multiply-adds for an image's gradient of the filters if every window is active, in vectors: to
    /// find an event and to begin with it costs about as much as four.
    pub fn cost(problem: &Problem, geometry: &Geometry, lanes: usize) -> usize {
        let runs = Runs::new(problem, geometry, lanes);
        geometry.windows() * problem.filters * (runs.filter_vectors() + 4)
    }

    pub fn new(
        problem: &Problem,
        geometry: &Geometry,
        lanes: usize,
        weight: &[f32],
        wanted: Wanted,
    ) -> Self {
        let runs = Runs::new(problem, geometry, lanes);
        let filter_len = runs.filter_vectors() * lanes;
        let places = runs.places(problem, lanes);
        let weight_len = (problem.filters * filter_len).next_multiple_of(PIECE);
        let mut filters = Vec::new();
        if wanted.input {
            filters = aligned(weight_len);
            let values: &mut [f32] = bytemuck::cast_slice_mut(&mut filters);
            let weights = weight.chunks_exact(problem.filter_len());
            for (values, weights) in values.chunks_exact_mut(filter_len).zip(weights) {
                for (&place, &weight) in places.iter().zip(weights) {
                    values[place] = weight;
                }
            }
        }
        Self { wanted, runs, places, filters, filter_len, weight_len }
    }

    /// Values of an image, channels last, and as many more as its last run may reach past it.
    fn image_len(&self, problem: &Problem, geometry: &Geometry) -> usize {
        (geometry.padded[0] * geometry.padded[1] + problem.kernel[1]) * problem.channels + PIECE
    }

    /// Sizes of the pieces of memory that [`run`](Self::run) takes.
    pub fn scratch(&self, problem: &Problem, geometry: &Geometry) -> [usize; 4] {
        let image = self.image_len(problem, geometry);
        let windows = geometry.windows() * problem.filters.next_multiple_of(PIECE);
        let pairs = geometry.windows().max(problem.filters);
        [image, windows, windows, 2 * pairs]
    }

    /// Adds an image's part of the gradients of filters and bias, and stores that of the image.
    #[inline(always)]
    pub fn run<S: Lanes>(&self, simd: S, mut image: Image<'_>, mut scratch: Pieces<'_>) {
        // One gradient after the other: each has its own image, and both do not fit the nearest cache.
        if self.wanted.filters {
            self.add_weight_gradient(simd, &mut image, scratch.again());
        }
        if self.wanted.input {
            let (problem, geometry) = (image.problem, image.geometry);
            let gradient = scratch.take(self.image_len(problem, geometry));
            fill(gradient, 0.0);
            self.add_input_gradient(simd, &image, gradient, scratch);
            image.store(simd, gradient, problem.channels);
        }
    }

    #[inline(always)]
    fn add_weight_gradient<S: Lanes>(
        &self,
        simd: S,
        image: &mut Image<'_>,
        mut scratch: Pieces<'_>,
    ) {
        let (problem, geometry) = (image.problem, image.geometry);
        let channels = problem.channels;
        let mut pixels = image.planes;
        if channels > 1 {
            let room = scratch.take(self.image_len(problem, geometry));
            let plane = geometry.padded[0] * geometry.padded[1];
            transpose(simd, [channels, plane], pixels, plane, room, channels);
            pixels = room;
        }
        let weight: &mut [S::f32s] = bytemuck::cast_slice_mut(image.weight);
        let weight = weight.chunks_exact_mut(self.runs.filter_vectors());
        let filters = weight.zip(&mut *image.bias);
        if let Pool::GlobalMax = problem.pool {
            let events = image.winners.iter().zip(image.windows);
            for ((weight, bias), (&winner, &gradient)) in filters.zip(events) {
                if winner != NO_WINNER {
                    let start = start(problem, geometry, winner as usize) as u32;
                    let events = [Event { start, gradient }];
                    self.runs.add_weight_gradient(simd, &events, pixels, weight);
                    *bias += gradient;
                }
            }
            return;
        }
        let windows = geometry.windows();
        let starts = scratch.take(image.windows.len());
        let passed = scratch.take(image.windows.len());
        find::<S>(
            simd,
            geometry,
            channels,
            image.gates,
            bytemuck::cast_slice(image.windows),
            bytemuck::cast_slice_mut(starts),
            bytemuck::cast_slice_mut(passed),
        );
        let room: &mut [Event] = bytemuck::cast_slice_mut(scratch.take(2 * windows));
        let stride = image.windows.len() / windows;
        for (filter, (weight, bias)) in filters.enumerate().take(problem.filters) {
            let events = collect(bytemuck::cast_slice(starts), passed, filter, stride, room);
            self.runs.add_weight_gradient(simd, events, pixels, weight);
            for event in events {
                *bias += event.gradient;
            }
        }
    }

    #[inline(always)]
    fn add_input_gradient<S: Lanes>(
        &self,
        simd: S,
        image: &Image<'_>,
        gradient: &mut [f32],
        mut scratch: Pieces<'_>,
    ) {
        let (problem, geometry) = (image.problem, image.geometry);
        let filters: &[S::f32s] = bytemuck::cast_slice(&self.filters);
        if let Pool::GlobalMax = problem.pool {
            let events = image.winners.iter().zip(image.windows).enumerate();
            for (filter, (&winner, &value)) in events {
                if winner != NO_WINNER {
                    let start = start(problem, geometry, winner as usize);
                    let sender = Sender::new(filter, value);
                    self.runs.add_input_gradient(simd, start, &[sender], filters, gradient);
                }
            }
            return;
        }
        let senders: &mut [Sender] = bytemuck::cast_slice_mut(scratch.take(2 * problem.filters));
        let vectors = problem.filters.div_ceil(S::LANES);
        let [columns, width] = [geometry.positions[1], geometry.window.size[1]];
        let windows = image.gates.chunks_exact(geometry.area() * vectors);
        for (window, gates) in windows.enumerate() {
            let values = &image.windows[window * vectors * S::LANES..][..vectors * S::LANES];
            let corner = geometry.corner(window);
            for (offset, gates) in gates.chunks_exact(vectors).enumerate() {
                let mut count = 0;
                for (v, &gate) in gates.iter().enumerate() {
                    let mut open = gate;
                    while open != 0 {
                        let filter = v * S::LANES + open.trailing_zeros() as usize;
                        senders[count] = Sender::new(filter, values[filter]);
                        count += 1;
                        open &= open - 1;
                    }
                }
                if count > 0 {
                    let position = corner + offset / width * columns + offset % width;
                    let start = start(problem, geometry, position);
                    let senders = &senders[..count];
                    self.runs.add_input_gradient(simd, start, senders, filters, gradient);
                }
            }
        }
    }

    /// The filters' gradient `[filters, channels, height, width]`.
    pub fn unpack(&self, sums: &[f32], weight: &mut [f32]) {
        let filters = weight.chunks_exact_mut(self.places.len());
        for (filter, sums) in filters.zip(sums.chunks_exact(self.filter_len)) {
            for (weight, &place) in filter.iter_mut().zip(&self.places) {
                *weight = sums[place];
            }
        }
    }
}

/// Where the pixels under a filter at a position start, channels last.
#[inline(always)]
fn start(problem: &Problem, geometry: &Geometry, position: usize) -> usize {
    let columns = geometry.positions[1];
    (position / columns * geometry.padded[1] + position % columns) * problem.channels
}
