//! The forward pass over a batch.

use std::mem::MaybeUninit;

use super::{
    convolution::{Convolution, filter_taps},
    global::NO_WINNER,
    image::{self, Image},
    layout::{magnitude, pack_filters, pad, planes_len, planes_of},
    parallel::{cut, for_each, part_mut, pieces},
    problem::{Geometry, Pool, Problem},
    scratch::{Line, Pieces, with_scratch},
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
}

/// The output `[batch, filters, height, width]` and what the backward pass needs.
pub fn forward(
    level: Level,
    problem: &Problem,
    input: &[f32],
    weight: &[f32],
    bias: Option<&[f32]>,
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
    };
    let output = run(problem, input, weight, bias, &mut saved);
    (output, saved)
}

/// The output `[batch, filters, height, width]`.
pub fn infer(
    level: Level,
    problem: &Problem,
    input: &[f32],
    weight: &[f32],
    bias: Option<&[f32]>,
) -> Vec<f32> {
    let mut nothing = Saved { level, gates: Vec::new(), winners: Vec::new() };
    run(problem, input, weight, bias, &mut nothing)
}

/// The output; fills what there is room for in `saved`.
fn run(
    problem: &Problem,
    input: &[f32],
    weight: &[f32],
    bias: Option<&[f32]>,
    saved: &mut Saved,
) -> Vec<f32> {
    let level = saved.level;
    let geometry = problem.geometry();
    let bias = match bias {
        Some(bias) => bias,
        None => &vec![0.0; problem.filters],
    };
    let filters = level.run(Pack { problem, geometry: &geometry, weight, bias });
    let [sums, pooled] = image::scratch(problem, &geometry, level.lanes());
    let scratch = [planes_len(problem, &geometry), sums, pooled];

    let len = problem.batch * problem.output_len();
    let mut output = Vec::with_capacity(len);
    let mut outputs = &mut output.spare_capacity_mut()[..len];
    let [gates, winners] =
        [saved.gates.len(), saved.winners.len()].map(|len| len / problem.batch.max(1));
    let (mut gates_rest, mut winners_rest) = (&mut saved.gates[..], &mut saved.winners[..]);
    // Every image by itself, so its result does not depend on how the batch is cut.
    let pieces = pieces(problem.batch, rayon::current_num_threads() * 8).map(|images| Piece {
        problem,
        geometry: &geometry,
        weight,
        bias,
        filters: &filters,
        images: images.len(),
        input: &input[images.start * problem.image_len()..images.end * problem.image_len()],
        output: cut(&mut outputs, images.len() * problem.output_len()),
        gates: cut(&mut gates_rest, images.len() * gates),
        winners: cut(&mut winners_rest, images.len() * winners),
    });
    for_each(pieces.collect(), |piece| {
        with_scratch(&scratch, |scratch| level.run((piece, scratch)))
    });
    // SAFETY: the pieces cover the batch, and each has written the outputs of all its images.
    unsafe { output.set_len(len) };
    output
}

/// Filters and bias as the kernels read them.
struct Filters {
    filters: Vec<Line>,
    bias: Vec<Line>,
    taps: Vec<usize>,
    /// No sum over an image of ones is larger.
    magnitude: f32,
}

struct Pack<'a> {
    problem: &'a Problem,
    geometry: &'a Geometry,
    weight: &'a [f32],
    bias: &'a [f32],
}

impl Kernel for Pack<'_> {
    type Output = Filters;

    #[inline(always)]
    fn run<S: Lanes>(self, simd: S) -> Filters {
        let problem = self.problem;
        let taps = problem.filter_len() as f32;
        Filters {
            filters: pack_filters(simd, problem, self.weight),
            bias: pad::<S>(self.bias),
            taps: filter_taps(problem.channels, problem.kernel, self.geometry.padded),
            magnitude: taps * magnitude(self.weight) + magnitude(self.bias),
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
    images: usize,
    input: &'a [f32],
    output: &'a mut [MaybeUninit<f32>],
    gates: &'a mut [u16],
    winners: &'a mut [u32],
}

impl Kernel for (Piece<'_>, Pieces<'_>) {
    type Output = ();

    #[inline(always)]
    fn run<S: Lanes>(self, simd: S) {
        let (piece, mut scratch) = self;
        let (problem, geometry) = (piece.problem, piece.geometry);
        let room = scratch.take(planes_len(problem, geometry));
        let vectors = problem.filters.div_ceil(S::LANES);
        let convolution = Convolution {
            taps: &piece.filters.taps,
            filters: bytemuck::cast_slice(&piece.filters.filters),
            start: &bytemuck::cast_slice(&piece.filters.bias)[..vectors],
        };
        let maximum = matches!(problem.pool, Pool::Max(_) | Pool::GlobalMax);
        let slack = !piece.winners.is_empty();
        let images = piece.input.chunks_exact(problem.image_len());
        for (i, input) in images.enumerate() {
            // Only maxima have to know beforehand whether there can be a NaN among the sums: false where
            // one could overflow, and where a number is NaN already.
            let largest = if maximum { magnitude(input) } else { 0.0 };
            let image = Image {
                geometry,
                convolution: &convolution,
                planes: planes_of(problem, geometry, input, room, slack),
                finite: (largest + 1.0) * piece.filters.magnitude < f32::MAX / 4.0,
            };
            let output = part_mut(piece.output, i, piece.images);
            let gates = part_mut(piece.gates, i, piece.images);
            let scratch = scratch.again();
            match problem.pool {
                Pool::Max(_) => image.windows(simd, true, output, gates, scratch),
                Pool::Average(_) => image.windows(simd, false, output, gates, scratch),
                Pool::GlobalAverage => image.mean(simd, output, gates, scratch),
                Pool::GlobalMax => {
                    let winners = part_mut(piece.winners, i, piece.images);
                    let filters = (piece.weight, piece.bias);
                    image.largest(simd, filters, output, winners, scratch);
                }
            }
        }
    }
}
