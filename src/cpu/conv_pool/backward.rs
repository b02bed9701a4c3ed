//! The backward pass: gradients of the input, the filters and the bias.

use std::mem::MaybeUninit;

use super::{
    by_events::ByEvents,
    by_positions::ByPositions,
    forward::Saved,
    layout::{planes_len, planes_of, transpose},
    parallel::{cut, for_each, part, pieces},
    problem::{Geometry, Pool, Problem},
    scratch::{Line, PIECE, Pieces, aligned, with_scratch},
    simd::{Kernel, Lanes, fill},
};

/// Pieces that a batch is cut into. Each sums its gradient of the filters, then these are added in
/// order: the result does not depend on the number of threads.
const PIECES: usize = 16;

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
    let lanes = level.lanes();
    let geometry = problem.geometry();
    let way = Way::new(problem, &geometry, lanes, weight, wanted);
    let windows = geometry.windows() * problem.filters.next_multiple_of(lanes);
    let mut scratch = vec![planes_len(problem, &geometry), windows];
    match &way {
        Way::Events(way) => scratch.extend(way.scratch(problem, &geometry)),
        Way::Positions(way) => scratch.extend(way.scratch(problem, &geometry, lanes)),
    }
    let sums_len = way.weight_len() + problem.filters.next_multiple_of(PIECE);

    let input_len = if wanted.input { input.len() } else { 0 };
    let mut input_gradient = Vec::with_capacity(input_len);
    let total = with_scratch(&[PIECES * sums_len], |mut sums| {
        let sums = sums.take(PIECES * sums_len);
        let mut sums_rest = &mut *sums;
        let mut input_rest = &mut input_gradient.spare_capacity_mut()[..input_len];
        let pieces = pieces(problem.batch, PIECES);
        let count = pieces.len();
        let pieces = pieces.map(|images| {
            let of = |all: usize| {
                let each = all / problem.batch;
                images.start * each..images.end * each
            };
            Piece {
                problem,
                geometry: &geometry,
                way: &way,
                images: images.len(),
                input: &input[of(input.len())],
                gradient: &gradient[of(gradient.len())],
                gates: &saved.gates[of(saved.gates.len())],
                winners: &saved.winners[of(saved.winners.len())],
                input_gradient: cut(&mut input_rest, of(input_len).len()),
                sums: cut(&mut sums_rest, sums_len),
            }
        });
        for_each(pieces.collect(), |piece| {
            with_scratch(&scratch, |scratch| level.run((piece, scratch)))
        });
        level.run(Total { sums: &sums[..count * sums_len], len: sums_len })
    });
    // SAFETY: the pieces cover the batch, and each has stored the gradient of all its images.
    unsafe { input_gradient.set_len(input_len) };

    let mut gradients =
        Gradients { input: wanted.input.then_some(input_gradient), ..Gradients::default() };
    if wanted.filters {
        let (weight, bias) = bytemuck::cast_slice(&total).split_at(way.weight_len());
        gradients.weight = Some(level.run(Unpack { way: &way, problem, sums: weight }));
        gradients.bias = Some(bias[..problem.filters].to_vec());
    }
    gradients
}

/// How the gradients are computed.
enum Way {
    Events(ByEvents),
    Positions(ByPositions),
}

impl Way {
    fn new(
        problem: &Problem,
        geometry: &Geometry,
        lanes: usize,
        weight: &[f32],
        wanted: Wanted,
    ) -> Way {
        let by_events = match problem.pool {
            Pool::GlobalMax => true,
            Pool::Max(_) => {
                ByEvents::cost(problem, geometry, lanes)
                    < ByPositions::cost(problem, geometry, lanes)
            }
            Pool::Average(_) | Pool::GlobalAverage => false,
        };
        match by_events {
            true => Way::Events(ByEvents::new(problem, geometry, lanes, weight, wanted)),
            false => Way::Positions(ByPositions::new(problem, geometry, lanes, weight, wanted)),
        }
    }

    /// Values of the filters' gradient as it is summed, a multiple of [`PIECE`]; the bias' follows.
    fn weight_len(&self) -> usize {
        match self {
            Way::Events(way) => way.weight_len,
            Way::Positions(way) => way.weight_len,
        }
    }
}

/// One image, and where its gradients go.
pub(super) struct Image<'a> {
    pub problem: &'a Problem,
    pub geometry: &'a Geometry,
    /// The image within its padding.
    pub planes: &'a [f32],
    /// Gradient of the windows, `[window, vector of filters]`, absent filters as zeros.
    pub windows: &'a [f32],
    /// As the forward pass saved them.
    pub gates: &'a [u16],
    /// As the forward pass saved them.
    pub winners: &'a [u32],
    /// The filters' gradient so far.
    pub weight: &'a mut [f32],
    /// The bias' gradient so far.
    pub bias: &'a mut [f32],
    /// Room for the input's gradient, `[channels, height, width]`.
    pub input_gradient: &'a mut [MaybeUninit<f32>],
}

impl Image<'_> {
    /// Stores the input's gradient, without its padding, from `[row, column, stride]`.
    #[inline(always)]
    pub fn store<S: Lanes>(&mut self, simd: S, gradient: &[f32], stride: usize) {
        let Problem { channels, image: [height, width], padding: [above, left], .. } =
            *self.problem;
        let plane = height * width;
        if [above, left] == [0, 0] {
            let target = &mut *self.input_gradient;
            return transpose(simd, [plane, channels], gradient, stride, target, plane);
        }
        for row in 0..height {
            let start = (row + above) * self.geometry.padded[1] + left;
            let gradient = &gradient[start * stride..];
            let target = &mut self.input_gradient[row * width..];
            transpose(simd, [width, channels], gradient, stride, target, plane);
        }
    }
}

/// Some images of the batch.
struct Piece<'a> {
    problem: &'a Problem,
    geometry: &'a Geometry,
    way: &'a Way,
    images: usize,
    input: &'a [f32],
    gradient: &'a [f32],
    gates: &'a [u16],
    winners: &'a [u32],
    input_gradient: &'a mut [MaybeUninit<f32>],
    sums: &'a mut [f32],
}

impl Kernel for (Piece<'_>, Pieces<'_>) {
    type Output = ();

    #[inline(always)]
    fn run<S: Lanes>(self, simd: S) {
        let (piece, mut scratch) = self;
        let Piece { problem, geometry, .. } = piece;
        let room = scratch.take(planes_len(problem, geometry));
        let stride = problem.filters.next_multiple_of(S::LANES);
        let windows = scratch.take(geometry.windows() * stride);
        fill(windows, 0.0);
        fill(piece.sums, 0.0);
        let (weight, bias) = piece.sums.split_at_mut(piece.way.weight_len());
        let mut input_gradients = piece.input_gradient;
        let input_len = input_gradients.len() / piece.images;
        let scale = match problem.pool {
            Pool::Average(_) | Pool::GlobalAverage => 1.0 / geometry.area() as f32,
            Pool::Max(_) | Pool::GlobalMax => 1.0,
        };
        for i in 0..piece.images {
            let gradient = part(piece.gradient, i, piece.images);
            let size = [problem.filters, geometry.windows()];
            transpose(simd, size, gradient, size[1], windows, stride);
            if scale != 1.0 {
                windows.iter_mut().for_each(|value| *value *= scale);
            }
            let image = part(piece.input, i, piece.images);
            let slack = matches!(piece.way, Way::Events(_)) && problem.channels == 1;
            let image = Image {
                problem,
                geometry,
                planes: planes_of(problem, geometry, image, room, slack),
                windows,
                gates: part(piece.gates, i, piece.images),
                winners: part(piece.winners, i, piece.images),
                weight,
                bias,
                input_gradient: cut(&mut input_gradients, input_len),
            };
            match piece.way {
                Way::Events(way) => way.run(simd, image, scratch.again()),
                Way::Positions(way) => way.run(simd, image, scratch.again()),
            }
        }
    }
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
            for (i, total) in values.iter_mut().enumerate() {
                *total += piece[i];
            }
        }
        total
    }
}

/// The sums as weights `[filters, channels, height, width]`.
struct Unpack<'a> {
    way: &'a Way,
    problem: &'a Problem,
    sums: &'a [f32],
}

impl Kernel for Unpack<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn run<S: Lanes>(self, simd: S) -> Vec<f32> {
        let mut weight = vec![0.0; self.problem.filters * self.problem.filter_len()];
        match self.way {
            Way::Events(way) => way.unpack(self.sums, &mut weight),
            Way::Positions(way) => way.unpack(simd, self.problem, self.sums, &mut weight),
        }
        weight
    }
}
