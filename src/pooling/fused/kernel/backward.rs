//! The backward pass: gradients of the input, the filters and the bias.

use super::{
    dense::{self, Rows, Transposed, pack_transposed},
    forward::Saved,
    gated::{self, Gated},
    global::NO_WINNER,
    layout::{planes_len, planes_of, transpose},
    parallel,
    problem::{Geometry, Pool, Problem},
    scratch::{Line, PIECE, Pieces, aligned, with_scratch},
    simd::{Kernel, Lanes},
    sparse::{self, Event, Runs},
};

/// Pieces that a batch is cut into. Each sums its gradient of the filters, then these are added in
/// order: the result does not depend on the number of threads.
const PIECES: usize = 16;

/// Positions whose gradient is worked on at a time when only the filters' is wanted, in values.
const BLOCK: usize = 4096;

/// Which gradients are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The gradient of the input.
    pub input: bool,
    /// Those of the filters and the bias, which come together.
    pub filters: bool,
}

/// The gradients that were wanted.
#[derive(Clone, Debug, Default)]
pub struct Gradients {
    /// `[batch, channels, height, width]`
    pub input: Option<Vec<f32>>,
    /// `[filters, channels, height, width]`
    pub weight: Option<Vec<f32>>,
    /// `[filters]`
    pub bias: Option<Vec<f32>>,
}

/// The gradients, from that of the output `[batch, filters, height, width]`.
pub fn backward(
    problem: &Problem,
    input: &[f32],
    weight: &[f32],
    saved: &Saved,
    gradient: &[f32],
    wanted: Wanted,
) -> Gradients {
    let level = saved.level;
    let geometry = problem.geometry();
    let plan = Plan::new(problem, &geometry, level.lanes(), wanted);
    let filters = if wanted.input {
        plan.pack(problem, weight)
    } else {
        Vec::new()
    };
    let taps = dense_taps(problem, &geometry);

    let mut input_gradient = Vec::with_capacity(input.len()); if wanted.input { unsafe { input_gradient.set_len(input.len()) } };
    let mut sums = aligned(PIECES * plan.sums);
    let mut input_rest = input_gradient.as_mut_slice();
    let mut sums_rest: &mut [f32] = bytemuck::cast_slice_mut(&mut sums);
    let gates = saved.gates.len() / problem.batch.max(1);
    let winners = saved.winners.len() / problem.batch.max(1);
    let pieces = parallel::pieces(problem.batch, PIECES).map(|images| {
        let cut = |len: usize| images.start * len..images.end * len;
        Piece {
            problem,
            geometry: &geometry,
            plan: &plan,
            filters: &filters,
            taps: &taps,
            input: &input[cut(problem.image_len())],
            gradient: &gradient[cut(problem.output_len())],
            gates: &saved.gates[cut(gates)],
            winners: &saved.winners[cut(winners)],
            input_gradient: parallel::cut(
                &mut input_rest,
                if wanted.input {
                    images.len() * problem.image_len()
                } else {
                    0
                },
            ),
            sums: parallel::cut(&mut sums_rest, plan.sums),
        }
    });
    parallel::for_each(pieces.collect(), |piece| {
        with_scratch(plan.scratch, |scratch| level.run((piece, scratch)))
    });

    let mut gradients = Gradients {
        input: wanted.input.then_some(input_gradient),
        ..Gradients::default()
    };
    if wanted.filters {
        let sums: &[f32] = bytemuck::cast_slice(&sums);
        let sums = level.run(Total {
            sums,
            len: plan.sums,
        });
        let sums: &[f32] = bytemuck::cast_slice(&sums);
        gradients.weight = Some(level.run(Unpack {
            plan: &plan,
            problem,
            sums,
        }));
        gradients.bias = Some(sums[plan.bias..][..problem.filters].to_vec());
    }
    gradients
}

/// How the gradients are computed, and the memory that this takes.
struct Plan {
    wanted: Wanted,
    lanes: usize,
    /// Vectors that hold the filters.
    vectors: usize,
    /// Vectors that hold the channels.
    channel_vectors: usize,
    /// By events, in these runs; else by positions.
    runs: Option<Runs>,
    /// By events, where the weights of a filter `[channels, height, width]` lie in its runs.
    places: Vec<usize>,
    /// Rows of positions worked on at a time.
    rows: usize,
    /// Values of a piece's sums: the filters', then from `bias` on the bias'.
    sums: usize,
    bias: usize,
    scratch: usize,
}

impl Plan {
    fn new(problem: &Problem, geometry: &Geometry, lanes: usize, wanted: Wanted) -> Plan {
        let vectors = problem.filters.div_ceil(lanes);
        let channel_vectors = problem.channels.div_ceil(lanes);
        let [rows, columns] = geometry.positions;
        let positions = rows * columns;
        let runs = Runs::new(problem, geometry, lanes);
        // Multiply-adds of both ways; an event costs about as much again as its arithmetic.
        let events = geometry.windows() * problem.filters * (runs.filter_vectors() + 4);
        let by_events = match problem.pool {
            Pool::GlobalMax => true,
            Pool::Max(_) => events < positions * problem.filter_len() * vectors,
            Pool::Average(_) | Pool::GlobalAverage => false,
        };
        let runs = by_events.then_some(runs);
        let rows = if wanted.input {
            rows
        } else {
            (BLOCK / (columns * vectors * lanes)).clamp(1, rows)
        };
        let bias = match runs {
            Some(runs) => problem.filters * runs.filter_vectors() * lanes,
            None => vectors * lanes * problem.filter_len(),
        };
        let windows = geometry.windows() * vectors * lanes;
        let image = geometry.padded[0] * geometry.padded[1];
        let slack = problem.kernel[1] * problem.channels + 2 * PIECE;
        let scratch = [
            planes_len(problem, geometry) + slack,
            windows,
            // By events: starts, gradients, events; the image and its gradient, channels last.
            if by_events {
                2 * windows + 2 * geometry.windows() * problem.filters + problem.filters + PIECE
            } else {
                0
            },
            if by_events {
                2 * (image * problem.channels + slack)
            } else {
                0
            },
            // By positions: their gradient, twice; the image's gradient.
            if by_events {
                0
            } else {
                2 * rows * columns * vectors * lanes
            },
            if by_events {
                0
            } else {
                image * channel_vectors * lanes
            },
            channel_vectors * lanes,
        ];
        Plan {
            wanted,
            lanes,
            vectors,
            channel_vectors,
            places: runs.map_or(Vec::new(), |runs| runs.places(problem, lanes)),
            runs,
            rows,
            sums: (bias + vectors * lanes).next_multiple_of(PIECE),
            bias,
            scratch: scratch.map(|len| len + 4 * PIECE).iter().sum(),
        }
    }

    /// The filters as the input gradient reads them.
    fn pack(&self, problem: &Problem, weight: &[f32]) -> Vec<Line> {
        let Some(runs) = self.runs else {
            let len = problem.kernel[1] * problem.kernel[0] * problem.filters;
            let mut packed = aligned(len * self.channel_vectors * self.lanes);
            pack_transposed(
                weight,
                [problem.filters, problem.channels],
                problem.kernel,
                self.lanes,
                bytemuck::cast_slice_mut(&mut packed),
            );
            return packed;
        };
        let len = runs.filter_vectors() * self.lanes;
        let mut packed = aligned(problem.filters * len);
        let filters = bytemuck::cast_slice_mut::<_, f32>(&mut packed).chunks_exact_mut(len);
        for (filter, weight) in filters.zip(weight.chunks_exact(problem.filter_len())) {
            for (&place, &weight) in self.places.iter().zip(weight) {
                filter[place] = weight;
            }
        }
        packed
    }
}

/// Where the gradients lie, `[filter, row, column]`, that a column of a filter meets, row by row.
fn dense_taps(problem: &Problem, geometry: &Geometry) -> Vec<usize> {
    let [rows, columns] = geometry.positions;
    let tap = |i: usize| i % problem.filters * rows * columns + i / problem.filters * columns;
    (0..problem.kernel[0] * problem.filters).map(tap).collect()
}

/// The sum of all pieces' sums, in order.
struct Total<'a> {
    sums: &'a [f32],
    len: usize,
}

impl Kernel for Total<'_> {
    type Output = Vec<Line>;

    #[inline(always)]
    fn run<S: Lanes>(self, _: S) -> Vec<Line> {
        let mut total = aligned(self.len);
        let values: &mut [f32] = bytemuck::cast_slice_mut(&mut total);
        for piece in self.sums.chunks_exact(self.len) {
            for (total, value) in values.iter_mut().zip(piece) {
                *total += value;
            }
        }
        total
    }
}

/// The sums as weights `[filters, channels, height, width]`.
struct Unpack<'a> {
    plan: &'a Plan,
    problem: &'a Problem,
    sums: &'a [f32],
}

impl Kernel for Unpack<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn run<S: Lanes>(self, simd: S) -> Vec<f32> {
        let Unpack {
            plan,
            problem,
            sums,
        } = self;
        let taps = problem.filter_len();
        let mut weight = vec![0.0; problem.filters * taps];
        let filters = weight.chunks_exact_mut(taps);
        if let Some(runs) = plan.runs {
            let sums = sums.chunks_exact(runs.filter_vectors() * S::LANES);
            for (filter, sums) in filters.zip(sums) {
                for (&place, weight) in plan.places.iter().zip(filter) {
                    *weight = sums[place];
                }
            }
            return weight;
        }
        for first in (0..problem.filters).step_by(2 * S::LANES) {
            let filters = (problem.filters - first).min(2 * S::LANES);
            transpose(
                simd,
                [taps, filters],
                &sums[first * taps..],
                filters.next_multiple_of(S::LANES),
                &mut weight[first * taps..],
                taps,
            );
        }
        weight
    }
}

/// Some images of the batch.
struct Piece<'a> {
    problem: &'a Problem,
    geometry: &'a Geometry,
    plan: &'a Plan,
    filters: &'a [Line],
    taps: &'a [usize],
    input: &'a [f32],
    gradient: &'a [f32],
    gates: &'a [u16],
    winners: &'a [u32],
    input_gradient: &'a mut [f32],
    sums: &'a mut [f32],
}

impl Kernel for (Piece<'_>, Pieces<'_>) {
    type Output = ();

    #[inline(always)]
    fn run<S: Lanes>(self, simd: S) {
        let (mut piece, mut scratch) = self;
        let Piece {
            problem,
            geometry,
            plan,
            ..
        } = piece;
        let room = scratch.take(planes_len(problem, geometry));
        let windows = scratch.take(geometry.windows() * plan.vectors * S::LANES);
        windows.fill(0.0);
        let scale = match problem.pool {
            Pool::Average(_) | Pool::GlobalAverage => 1.0 / geometry.area() as f32,
            Pool::Max(_) | Pool::GlobalMax => 1.0,
        };
        let images = piece.input.len() / problem.image_len();
        for image in 0..images {
            let slack = plan.runs.is_some() && problem.channels == 1;
            let planes = part(piece.input, image, images);
            let planes = planes_of(problem, geometry, planes, room, slack);
            let gradient = part(piece.gradient, image, images);
            let stride = plan.vectors * S::LANES;
            transpose(
                simd,
                [problem.filters, geometry.windows()],
                gradient,
                geometry.windows(),
                windows,
                stride,
            );
            if scale != 1.0 {
                windows.iter_mut().for_each(|value| *value *= scale);
            }
            let scratch = scratch.again();
            match plan.runs {
                Some(runs) => piece.by_events(simd, runs, image, images, planes, windows, scratch),
                None => piece.by_positions(simd, image, images, planes, windows, scratch),
            }
        }
    }
}

/// The part of one image, of what belongs to all.
fn part<T>(all: &[T], image: usize, images: usize) -> &[T] {
    let len = all.len() / images;
    &all[image * len..][..len]
}

impl Piece<'_> {
    #[inline(always)]
    fn by_positions<S: Lanes>(
        &mut self,
        simd: S,
        image: usize,
        images: usize,
        planes: &[f32],
        windows: &[f32],
        mut scratch: Pieces<'_>,
    ) {
        let Piece {
            problem,
            geometry,
            plan,
            ..
        } = *self;
        let [rows, columns] = geometry.positions;
        let gates = part(self.gates, image, images);
        let positions = scratch.vectors::<S>(plan.rows * columns * plan.vectors);
        let (weight, bias) = self.sums.split_at_mut(plan.bias);
        let weight: &mut [S::f32s] = bytemuck::cast_slice_mut(weight);
        let bias: &mut [S::f32s] = bytemuck::cast_slice_mut(&mut bias[..plan.vectors * S::LANES]);
        let windows: &[S::f32s] = bytemuck::cast_slice(windows);
        if !plan.wanted.input && gated::applies(problem, geometry) {
            let gated = Gated::<S> {
                plane: planes,
                gates,
                gradient: windows,
                geometry,
            };
            return gated.add_weight_gradient(simd, weight, bias);
        }
        for first in (0..rows).step_by(plan.rows) {
            let count = plan.rows.min(rows - first);
            let positions = &mut positions[..count * columns * plan.vectors];
            dense::spread(simd, geometry, first, gates, windows, positions);
            if plan.wanted.filters {
                let rows = Rows::<S> {
                    planes: &planes[first * geometry.padded[1]..],
                    padded: geometry.padded,
                    columns,
                    vectors: plan.vectors,
                    gradient: positions,
                };
                rows.add_weight_gradient(simd, problem.channels, problem.kernel, weight, bias);
            }
        }
        if plan.wanted.input {
            let planar = scratch.take(problem.filters * rows * columns);
            let padded = geometry.padded[0] * geometry.padded[1];
            let gradient = scratch.vectors::<S>(padded * plan.channel_vectors);
            let zeros = scratch.vectors::<S>(plan.channel_vectors);
            zeros.fill(simd.splat_f32s(0.0));
            let transposed = Transposed {
                weights: bytemuck::cast_slice(self.filters),
                taps: self.taps,
                zeros,
            };
            dense::input_gradient(
                simd,
                geometry,
                problem.kernel,
                problem.filters,
                positions,
                &transposed,
                planar,
                gradient,
            );
            let gradient = bytemuck::cast_slice(gradient);
            self.store(simd, image, gradient, plan.channel_vectors * S::LANES);
        }
    }

    #[inline(always)]
    fn by_events<S: Lanes>(
        &mut self,
        simd: S,
        runs: Runs,
        image: usize,
        images: usize,
        planes: &[f32],
        windows: &[f32],
        mut scratch: Pieces<'_>,
    ) {
        let Piece {
            problem,
            geometry,
            plan,
            ..
        } = *self;
        let channels = problem.channels;
        let padded = geometry.padded[0] * geometry.padded[1];
        let slack = problem.kernel[1] * channels + 2 * S::LANES;
        let pixels: &[f32] = if channels == 1 {
            planes
        } else {
            let pixels = scratch.take(padded * channels + slack);
            transpose(simd, [channels, padded], planes, padded, pixels, channels);
            pixels
        };
        let gradient = scratch.take(if plan.wanted.input {
            padded * channels + slack
        } else {
            0
        });
        gradient.fill(0.0);
        let starts: &mut [u32] = bytemuck::cast_slice_mut(scratch.take(windows.len()));
        let passed = scratch.take(windows.len());
        if let Pool::GlobalMax = problem.pool {
            let columns = geometry.positions[1];
            let winners = part(self.winners, image, images).iter().zip(windows);
            for (filter, (&winner, &gradient)) in winners.enumerate() {
                let winner_or_first = if winner == NO_WINNER {
                    0
                } else {
                    winner as usize
                };
                let [row, column] = [winner_or_first / columns, winner_or_first % columns];
                starts[filter] = ((row * geometry.padded[1] + column) * channels) as u32;
                passed[filter] = if winner == NO_WINNER { 0.0 } else { gradient };
            }
        } else {
            let gates = part(self.gates, image, images);
            sparse::find::<S>(
                simd,
                geometry,
                channels,
                gates,
                bytemuck::cast_slice(windows),
                bytemuck::cast_slice_mut(starts),
                bytemuck::cast_slice_mut(passed),
            );
        }
        let windows = geometry.windows();
        let room: &mut [[u32; 2]] =
            bytemuck::cast_slice_mut(scratch.take(2 * windows * problem.filters));
        let events: &mut [Event] = bytemuck::cast_slice_mut(room);
        let counts: &mut [u32] = bytemuck::cast_slice_mut(scratch.take(problem.filters));
        let stride_f = plan.vectors * S::LANES;
        let stride = stride_f;
        for (filter, events) in events.chunks_exact_mut(windows).enumerate() {
            counts[filter] = sparse::collect(starts, passed, filter, stride, events) as u32;
        }
        let events = events.chunks_exact(windows).zip(&*counts);
        let events = events.map(|(events, &count)| &events[..count as usize]);
        let len = runs.filter_vectors();
        // One gradient after the other: each has its own image, and both do not fit the nearest cache.
        if plan.wanted.filters {
            let (weight, bias) = self.sums.split_at_mut(plan.bias);
            let weight: &mut [S::f32s] = bytemuck::cast_slice_mut(weight);
            let sums = weight.chunks_exact_mut(len).zip(bias);
            for (events, (weight, bias)) in events.clone().zip(sums) {
                runs.add_weight_gradient(simd, events, pixels, weight);
                for event in events {
                    *bias += event.gradient;
                }
            }
        }
        if plan.wanted.input {
            let filters: &[S::f32s] = bytemuck::cast_slice(self.filters);
            let gates = part(self.gates, image, images);
            let width = geometry.window.size[1];
            let across = geometry.pooled[1];
            let stride = geometry.window.stride;
            let mut senders = [(0u32, 0.0f32); 256];
            for (window, gates) in gates.chunks_exact(geometry.area() * plan.vectors).enumerate() {
                let (y, x) = (window / across * stride[0], window % across * stride[1]);
                for (offset, gates) in gates.chunks_exact(plan.vectors).enumerate() {
                    let mut count = 0;
                    for (v, &gate) in gates.iter().enumerate() {
                        let mut gate = gate;
                        while gate != 0 {
                            let filter = v * S::LANES + gate.trailing_zeros() as usize;
                            senders[count & 255] = (filter as u32, passed[window * stride_f + filter]);
                            count += 1;
                            gate &= gate - 1;
                        }
                    }
                    if count > 0 {
                        let start = ((y + offset / width) * geometry.padded[1] + x + offset % width) * channels;
                        runs.add_input_gradient(simd, start, &senders[..count], filters, gradient);
                    }
                }
            }
        }
        if plan.wanted.input {
            self.store(simd, image, gradient, channels);
        }
    }

    /// Stores an image's gradient, without its padding, from `[row, column, stride]`.
    #[inline(always)]
    fn store<S: Lanes>(&mut self, simd: S, image: usize, gradient: &[f32], stride: usize) {
        let Problem {
            channels,
            image: [height, width],
            padding: [above, left],
            ..
        } = *self.problem;
        let target = &mut self.input_gradient[image * self.problem.image_len()..];
        if [above, left] == [0, 0] {
            let len = height * width;
            return transpose(simd, [len, channels], gradient, stride, target, len);
        }
        for row in 0..height {
            let start = (row + above) * self.geometry.padded[1] + left;
            let gradient = &gradient[start * stride..];
            let target = &mut target[row * width..];
            transpose(
                simd,
                [width, channels],
                gradient,
                stride,
                target,
                height * width,
            );
        }
    }
}
