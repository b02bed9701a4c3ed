//! The forward pass: convolution, bias, ReLU and pooling of an image while it is in the cache.

use super::{
    convolution::{Convolution, Epilogue, filter_taps},
    global::{Largest, NO_WINNER, Sum, first_equal},
    layout::{magnitude, pack_filters, pad, planes_len, planes_of, transpose},
    parallel,
    problem::{Geometry, Pool, Problem},
    scratch::{Line, PIECE, Pieces, with_scratch},
    simd::{Kernel, Lanes, Level},
    window::{Windows, max_two_by_two},
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
}

/// The output `[batch, filters, height, width]` and what the backward pass needs.
pub fn forward(
    level: Level,
    problem: &Problem,
    input: &[f32],
    weight: &[f32],
    bias: Option<&[f32]>,
) -> (Vec<f32>, Saved) {
    run(level, problem, input, weight, bias, true)
}

/// The output `[batch, filters, height, width]`.
pub fn infer(
    level: Level,
    problem: &Problem,
    input: &[f32],
    weight: &[f32],
    bias: Option<&[f32]>,
) -> Vec<f32> {
    run(level, problem, input, weight, bias, false).0
}

fn run(
    level: Level,
    problem: &Problem,
    input: &[f32],
    weight: &[f32],
    bias: Option<&[f32]>,
    save: bool,
) -> (Vec<f32>, Saved) {
    let geometry = problem.geometry();
    let vectors = problem.filters.div_ceil(level.lanes());
    let (gates, winners) = match problem.pool {
        _ if !save => (0, 0),
        Pool::GlobalMax => (0, problem.filters),
        _ => (geometry.windows() * geometry.area() * vectors, 0),
    };
    let mut output = Vec::with_capacity(problem.batch * problem.output_len()); unsafe { output.set_len(problem.batch * problem.output_len()) };
    let mut saved = Saved {
        level,
        gates: vec![0; problem.batch * gates],
        winners: vec![NO_WINNER; problem.batch * winners],
    };
    let zeros;
    let bias = match bias {
        Some(bias) => bias,
        None => {
            zeros = vec![0.0; problem.filters];
            &zeros
        }
    };
    let filters = level.run(Pack {
        problem,
        weight,
        bias,
    });

    // Every image by itself, so its result does not depend on how the batch is cut.
    let pieces = parallel::pieces(problem.batch, rayon::current_num_threads() * 4);
    let mut outputs = output.as_mut_slice();
    let mut gate_rest = saved.gates.as_mut_slice();
    let mut winner_rest = saved.winners.as_mut_slice();
    let pieces = pieces.map(|images| Piece {
        problem,
        geometry: &geometry,
        weight,
        bias,
        filters: &filters,
        input: &input[images.start * problem.image_len()..images.end * problem.image_len()],
        output: parallel::cut(&mut outputs, images.len() * problem.output_len()),
        gates: parallel::cut(&mut gate_rest, images.len() * gates),
        winners: parallel::cut(&mut winner_rest, images.len() * winners),
    });
    let scratch = scratch_len(problem, &geometry, level.lanes());
    parallel::for_each(pieces.collect(), |piece| {
        with_scratch(scratch, |scratch| level.run((piece, scratch)))
    });
    (output, saved)
}

/// Filters and bias in vectors, and the largest sum that an image of ones could give.
struct Filters {
    filters: Vec<Line>,
    bias: Vec<Line>,
    taps: Vec<usize>,
    magnitude: f32,
}

struct Pack<'a> {
    problem: &'a Problem,
    weight: &'a [f32],
    bias: &'a [f32],
}

impl Kernel for Pack<'_> {
    type Output = Filters;

    #[inline(always)]
    fn run<S: Lanes>(self, simd: S) -> Filters {
        let Pack {
            problem,
            weight,
            bias,
        } = self;
        Filters {
            filters: pack_filters(simd, problem, weight),
            bias: pad::<S>(bias),
            taps: filter_taps(problem.channels, problem.kernel, problem.geometry().padded),
            magnitude: problem.filter_len() as f32 * magnitude(weight) + magnitude(bias),
        }
    }
}

/// Some images of the batch.
struct Piece<'a> {
    problem: &'a Problem,
    geometry: &'a Geometry,
    weight: &'a [f32],
    bias: &'a [f32],
    filters: &'a Filters,
    input: &'a [f32],
    output: &'a mut [f32],
    gates: &'a mut [u16],
    winners: &'a mut [u32],
}

/// Values of scratch memory that a piece needs.
fn scratch_len(problem: &Problem, geometry: &Geometry, lanes: usize) -> usize {
    let vectors = problem.filters.div_ceil(lanes);
    let sums = geometry.window.size[0] * geometry.positions[1] * vectors;
    let pooled = geometry.windows() * vectors;
    let planes = planes_len(problem, geometry);
    [planes, sums * lanes, pooled * lanes, 2 * vectors * lanes]
        .map(|len| len + PIECE)
        .iter()
        .sum()
}

impl Kernel for (Piece<'_>, Pieces<'_>) {
    type Output = ();

    #[inline(always)]
    fn run<S: Lanes>(self, simd: S) {
        let (piece, mut scratch) = self;
        let Piece {
            problem, geometry, ..
        } = piece;
        let room = scratch.take(planes_len(problem, geometry));
        let vectors = problem.filters.div_ceil(S::LANES);
        let convolution = Convolution {
            taps: &piece.filters.taps,
            filters: bytemuck::cast_slice(&piece.filters.filters),
            start: &bytemuck::cast_slice(&piece.filters.bias)[..vectors],
        };
        let images = piece.input.chunks_exact(problem.image_len());
        let outputs = piece.output.chunks_exact_mut(problem.output_len());
        let gates = piece.gates.len() / outputs.len();
        let winners = piece.winners.len() / outputs.len();
        let mean = matches!(problem.pool, Pool::Average(_) | Pool::GlobalAverage);
        for (i, (image, output)) in images.zip(outputs).enumerate() {
            let winners_wanted = winners > 0;
            // Whether no sum can overflow: false too where a number is NaN. Means do not ask.
            let largest = if mean { 0.0 } else { magnitude(image) };
            let image = Image {
                geometry,
                convolution: &convolution,
                planes: planes_of(problem, geometry, image, room, winners_wanted),
                finite: (largest + 1.0) * piece.filters.magnitude < f32::MAX / 4.0,
            };
            let gates = &mut piece.gates[i * gates..][..gates];
            let winners = &mut piece.winners[i * winners..][..winners];
            let scratch = scratch.again();
            match problem.pool {
                Pool::Max(_) => image.windows(simd, true, output, gates, scratch),
                Pool::Average(_) => image.windows(simd, false, output, gates, scratch),
                Pool::GlobalAverage => image.mean(simd, output, gates, scratch),
                Pool::GlobalMax => {
                    let tiles = if image.finite {
                        image.largest::<false>(simd, output, scratch)
                    } else {
                        image.largest::<true>(simd, output, scratch)
                    };
                    image.winners(simd, tiles, output, piece.weight, piece.bias, winners);
                }
            }
        }
    }
}

/// One image, and the filters that are laid on it.
struct Image<'a, S: Lanes> {
    geometry: &'a Geometry,
    convolution: &'a Convolution<'a, S>,
    planes: &'a [f32],
    /// Whether no sum can overflow or be NaN.
    finite: bool,
}

/// Keeps a row of sums.
struct Store<'a, S: Lanes> {
    sums: &'a mut [S::f32s],
    vectors: usize,
}

impl<S: Lanes> Epilogue<S> for Store<'_, S> {
    #[inline(always)]
    fn tile<const P: usize, const V: usize>(
        &mut self,
        _: S,
        column: usize,
        vector: usize,
        sums: &[[S::f32s; V]; P],
    ) {
        let row = &mut self.sums[column * self.vectors + vector..];
        for p in 0..P {
            row[p * self.vectors..][..V].copy_from_slice(&sums[p]);
        }
    }
}

impl<S: Lanes> Image<'_, S> {
    /// Sums of a row of positions.
    #[inline(always)]
    fn row(&self, simd: S, row: usize, epilogue: &mut impl Epilogue<S>) {
        let image = &self.planes[row * self.geometry.padded[1]..];
        let columns = self.geometry.positions[1];
        self.convolution.row(simd, image, columns, epilogue);
    }

    #[inline(always)]
    fn windows(
        &self,
        simd: S,
        max: bool,
        output: &mut [f32],
        gates: &mut [u16],
        mut scratch: Pieces<'_>,
    ) {
        let Geometry {
            window,
            pooled: [down, across],
            positions: [_, columns],
            ..
        } = *self.geometry;
        let vectors = self.convolution.start.len();
        let row_len = columns * vectors;
        let sums = scratch.vectors::<S>(window.size[0] * row_len);
        let pooled = scratch.vectors::<S>(down * across * vectors);
        let gates_len = gates.len() / down;
        let mut next = 0;
        for (i, pooled) in pooled.chunks_exact_mut(across * vectors).enumerate() {
            let windows = Windows {
                size: window.size,
                stride: window.stride[1],
                vectors,
                row_len,
                first_row: i * window.stride[0],
            };
            // Rows that windows share are still there.
            let end = windows.first_row + window.size[0];
            for row in next.max(windows.first_row)..end {
                let sums = &mut sums[windows.place(row)..][..row_len];
                self.row(simd, row, &mut Store { sums, vectors });
            }
            next = end;
            let gates = &mut gates[i * gates_len..][..gates_len];
            if !max {
                windows.average(simd, sums, pooled, gates);
            } else if self.finite && window.size == [2, 2] && window.stride[1] == 2 {
                let top = &sums[windows.place(windows.first_row)..][..row_len];
                let bottom = &sums[windows.place(windows.first_row + 1)..][..row_len];
                max_two_by_two(simd, vectors, [top, bottom], pooled, gates);
            } else {
                windows.max(simd, sums, pooled, gates);
            }
        }
        let [count, filters] = [down * across, output.len() / (down * across)];
        let pooled = bytemuck::cast_slice(pooled);
        transpose(
            simd,
            [count, filters],
            pooled,
            vectors * S::LANES,
            output,
            count,
        );
    }

    /// The mean of each filter over the image.
    #[inline(always)]
    fn mean(&self, simd: S, output: &mut [f32], gates: &mut [u16], mut scratch: Pieces<'_>) {
        let [rows, columns] = self.geometry.positions;
        let sums = scratch.vectors::<S>(self.convolution.start.len());
        sums.fill(simd.splat_f32s(0.0));
        let gates_len = gates.len() / rows;
        for row in 0..rows {
            let gates = &mut gates[row * gates_len..][..gates_len];
            self.row(simd, row, &mut Sum { sums, gates });
        }
        let scale = 1.0 / (rows * columns) as f32;
        let sums: &[f32] = bytemuck::cast_slice(sums);
        for (output, sum) in output.iter_mut().zip(sums) {
            *output = sum * scale;
        }
    }

    /// The maximum of each filter over the image. Returns the first positions of the tiles that
    /// they were found in.
    #[inline(always)]
    fn largest<'s, const ANY: bool>(
        &self,
        simd: S,
        output: &mut [f32],
        mut scratch: Pieces<'s>,
    ) -> &'s [u32] {
        let [rows, columns] = self.geometry.positions;
        let vectors = self.convolution.start.len();
        let best = scratch.vectors::<S>(vectors);
        best.fill(simd.splat_f32s(f32::NEG_INFINITY));
        let tile: &mut [S::u32s] = bytemuck::cast_slice_mut(scratch.vectors::<S>(vectors));
        tile.fill(simd.splat_u32s(0));
        for row in 0..rows {
            let mut largest = Largest::<S, ANY> {
                best,
                tile,
                row: row * columns,
            };
            self.row(simd, row, &mut largest);
        }
        let best: &[f32] = bytemuck::cast_slice(best);
        for (output, &best) in output.iter_mut().zip(best) {
            *output = if best < 0.0 { 0.0 } else { best };
        }
        bytemuck::cast_slice(tile)
    }

    /// The exact positions of the active maxima.
    #[inline(always)]
    fn winners(
        &self,
        simd: S,
        tiles: &[u32],
        output: &[f32],
        weight: &[f32],
        bias: &[f32],
        winners: &mut [u32],
    ) {
        let [columns, width] = [self.geometry.positions[1], self.geometry.padded[1]];
        let filters = weight.chunks_exact(weight.len() / bias.len()).zip(bias);
        for (f, (winner, (filter, &bias))) in winners.iter_mut().zip(filters).enumerate() {
            if output[f] > 0.0 {
                let tile = tiles[f] as usize;
                let image = &self.planes[tile / columns * width + tile % columns..];
                let convolution = self.convolution;
                let offset = first_equal(simd, convolution, image, filter, bias, output[f]);
                *winner = (tile + offset) as u32;
            }
        }
    }
}
