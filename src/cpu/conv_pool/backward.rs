//! The backward pass: gradients of the input, the filters and the bias.

use std::sync::atomic::{AtomicBool, Ordering};
use std::{borrow::Cow, mem::MaybeUninit, ops::Range};

use super::{
    algorithm::BackwardMethod,
    by_definition::Definition,
    by_event::ByEvent,
    by_position::ByPosition,
    gradients::{Gradients, Image, Method, OfOutput, Passed, Wanted},
    of_maps::OfMaps,
    padding::Padding,
    problem::{Inputs, Pool, Problem},
    saved::Saved,
    spread::of_windows,
    winograd::{self, Four, Two},
};
use crate::cpu::{
    buffer::{Buffer, LINE_LEN},
    parallel::{Workers, chunks, image_of, image_of_mut, split_mut},
    simd::{Kernel, Lanes},
};

/// Chunks that a batch is split into.
const CHUNKS: usize = 16;

/// Returns the gradients, from the output `[batch, filters, height, width]`, which only a reduction needs, and its
/// gradient.
pub fn backward(
    problem: &Problem, inputs: Inputs<'_>, saved: &Saved, output: &[f32], gradient: &[f32], wanted: Wanted,
) -> Gradients {
    let Pool::Reduced(reduction) = problem.pool else {
        return backward_of(problem, inputs, saved, OfOutput::Planes(gradient), wanted);
    };
    let maps = OfMaps::new(problem, reduction, inputs.parameters, saved, [output, gradient]);
    let gradients = backward_of(&problem.unpooled(), inputs, saved, OfOutput::Reduced(&maps), wanted);
    Gradients { parameters: Some(maps.of_parameters()), ..gradients }
}

fn backward_of(
    problem: &Problem, inputs: Inputs<'_>, saved: &Saved, gradient: OfOutput<'_>, wanted: Wanted,
) -> Gradients {
    let Inputs { input, weight, bias, .. } = inputs;
    let finite = if saved.finite { backward_finite(problem, input, weight, saved, gradient, wanted) } else { None };
    // The methods skip what is times zero.
    finite.unwrap_or_else(|| {
        let planes = match gradient {
            OfOutput::Planes(planes) => Cow::Borrowed(planes),
            OfOutput::Reduced(maps) => Cow::Owned(maps.planes()),
        };
        Definition::new(problem, weight, bias, saved.level.is_fused()).gradients(input, &planes, wanted)
    })
}

/// Returns the gradients of finite numbers; `None` if one of the output's gradient is not.
fn backward_finite(
    problem: &Problem, input: &[f32], weight: &[f32], saved: &Saved, gradient: OfOutput<'_>, wanted: Wanted,
) -> Option<Gradients> {
    let lanes = saved.level.lanes();
    let geometry = &problem.geometry();
    let passed = &Passed { geometry, input, saved, gradient, chunks: CHUNKS };
    let by_tiles = match BackwardMethod::of(geometry, saved.level, wanted) {
        BackwardMethod::Winograd2 => winograd::gradients(Two, passed, weight, wanted),
        BackwardMethod::Winograd4 => winograd::gradients(Four, passed, weight, wanted),
        BackwardMethod::ByEvent | BackwardMethod::ByPosition => None,
    };
    if by_tiles.is_some() {
        return by_tiles;
    }
    let finite = AtomicBool::new(true);
    if BackwardMethod::direct(geometry, saved.level, wanted) == BackwardMethod::ByEvent {
        let method = &ByEvent::new(geometry, lanes, weight, wanted);
        Batch { passed, method, finite }.gradients(wanted)
    } else {
        let method = &ByPosition::new(geometry, lanes, weight, wanted);
        Batch { passed, method, finite }.gradients(wanted)
    }
}

/// A batch, and how its gradients are computed.
struct Batch<'a, M> {
    passed: &'a Passed<'a>,
    method: &'a M,
    /// Set to false where the output's gradient is not.
    finite: AtomicBool,
}

impl<M: Method> Batch<'_, M> {
    /// Returns the gradients, if that of the output is finite.
    fn gradients(&self, wanted: Wanted) -> Option<Gradients> {
        let (problem, level) = (&self.passed.geometry.problem, self.passed.saved.level);
        let input_len = if wanted.input { self.passed.input.len() } else { 0 };
        let mut input = Vec::with_capacity(input_len);
        let chunks = chunks(problem.batch, self.passed.chunks);
        let sums_len = self.method.weight_len() + problem.filters.next_multiple_of(LINE_LEN);
        let mut sums = Buffer::new(chunks.len() * sums_len);
        let inputs = split_mut(&mut input.spare_capacity_mut()[..input_len], &chunks);
        let targets = inputs.zip(sums.chunks_exact_mut(sums_len));
        let chunks = chunks.iter().cloned().zip(targets).map(|(images, (input_gradient, sums))| Chunk {
            batch: self,
            images,
            input_gradient,
            sums,
        });
        Workers::All.each(chunks.collect(), |chunk| level.run(chunk));
        // SAFETY: the chunks cover the batch, and each has stored the gradient of all its images.
        unsafe { input.set_len(input_len) };
        if !self.finite.load(Ordering::Relaxed) {
            return None;
        }

        let mut gradients = Gradients { input: wanted.input.then_some(input), ..Gradients::default() };
        if wanted.filters {
            let (weight, bias) = level.run(Total { method: self.method, problem, sums: &sums });
            (gradients.weight, gradients.bias) = (Some(weight), Some(bias));
        }
        Some(gradients)
    }
}

/// Some images of the batch.
struct Chunk<'a, M> {
    batch: &'a Batch<'a, M>,
    images: Range<usize>,
    input_gradient: &'a mut [MaybeUninit<f32>],
    sums: &'a mut [f32],
}

impl<M: Method> Kernel for Chunk<'_, M> {
    type Output = ();

    #[inline(always)]
    fn run<S: Lanes>(self, simd: S) {
        let &Batch { passed, method, ref finite } = self.batch;
        let Passed { geometry, input, saved, .. } = *passed;
        let problem = &geometry.problem;
        let mut padding = Padding::new(geometry, method.slack());
        let stride = geometry.vectors(S::LANES) * S::LANES;
        let mut windows = Buffer::zeros(geometry.windows() * stride);
        let windows: &mut [f32] = &mut windows;
        for sum in &mut *self.sums {
            *sum = 0.0;
        }
        let (weight, bias) = self.sums.split_at_mut(method.weight_len());
        let count = self.images.len();
        for i in 0..count {
            let (image, batch) = (self.images.start + i, problem.batch);
            if !of_windows(simd, passed, image, windows).is_finite() {
                finite.store(false, Ordering::Relaxed);
            }
            let image = Image {
                geometry,
                planes: padding.pad(&input[image * problem.image_len()..]),
                windows,
                gates: image_of(&saved.gates, image, batch),
                winners: image_of(&saved.winners, image, batch),
                weight,
                bias,
                input_gradient: image_of_mut(self.input_gradient, i, count),
            };
            method.add(simd, image);
        }
    }
}

/// The sum of all chunks' sums, in order, as weights and bias.
struct Total<'a, M> {
    method: &'a M,
    problem: &'a Problem,
    sums: &'a [f32],
}

impl<M: Method> Kernel for Total<'_, M> {
    type Output = (Vec<f32>, Vec<f32>);

    #[inline(always)]
    fn run<S: Lanes>(self, simd: S) -> Self::Output {
        let (weight_len, filters) = (self.method.weight_len(), self.problem.filters);
        let mut total = Buffer::zeros(weight_len + filters.next_multiple_of(LINE_LEN));
        let total: &mut [f32] = &mut total;
        for sums in self.sums.chunks_exact(total.len()) {
            let sums = &sums[..total.len()]; // no bounds to check inside of the loop
            for (i, total) in total.iter_mut().enumerate() {
                *total += sums[i];
            }
        }
        let mut weight = vec![0.0; filters * self.problem.filter_len()];
        self.method.unpack(simd, total, &mut weight);
        (weight, total[weight_len..][..filters].to_vec())
    }
}
