//! What the methods of the backward pass have in common.

use std::mem::MaybeUninit;

use super::{of_maps::OfMaps, problem::Geometry, saved::Saved};
use crate::cpu::{simd::Lanes, transpose::transpose};

/// Which gradients are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The gradient of the input.
    pub input: bool,
    /// Those of the filters and the bias, which come together.
    pub filters: bool,
}

impl Wanted {
    /// Returns how many of the two are.
    pub(super) fn count(self) -> f32 {
        [self.input, self.filters].into_iter().filter(|wanted| *wanted).count() as f32
    }
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
    /// Of a reduction: as the parameters.
    pub parameters: Option<Vec<f32>>,
}

/// The gradient of the output.
#[derive(Clone, Copy)]
pub(super) enum OfOutput<'a> {
    /// `[image, filter, window]`
    Planes(&'a [f32]),
    /// Of what maps are reduced to; their positions are the windows.
    Reduced(&'a OfMaps<'a>),
}

/// What the gradients of a batch are computed from, beside the weights.
pub(super) struct Passed<'a> {
    pub geometry: &'a Geometry,
    pub input: &'a [f32],
    /// What the forward pass saved.
    pub saved: &'a Saved,
    /// Gradient of the output.
    pub gradient: OfOutput<'a>,
    /// Chunks that the batch is split into. Each sums its gradient of the filters, then these are added in order: the
    /// result does not depend on the number of threads.
    pub chunks: usize,
}

/// A way to compute the gradients, image by image.
pub(super) trait Method: Sync {
    /// Returns the number of values of the filters' gradient as it is summed, a multiple of a cache line.
    fn weight_len(&self) -> usize;

    /// Returns how many values it may read past an image's end.
    fn slack(&self) -> usize {
        0
    }

    /// Adds an image's part of the gradients of filters and bias, and stores that of the image.
    fn add<S: Lanes>(&self, simd: S, image: Image<'_>);

    /// Writes the filters' gradient as weights `[filters, channels, height, width]`.
    fn unpack<S: Lanes>(&self, simd: S, sums: &[f32], weight: &mut [f32]);
}

/// One image, and where its gradients go.
pub(super) struct Image<'a> {
    pub geometry: &'a Geometry,
    /// The image within its padding; what follows it is arbitrary.
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
        let problem = &self.geometry.problem;
        let ([height, width], [above, left]) = (problem.image, problem.padding);
        // Without padding, all rows are one.
        let (rows, len) = if [above, left] == [0, 0] { (1, height * width) } else { (height, width) };
        for row in 0..rows {
            let start = (row + above) * self.geometry.padded[1] + left;
            let gradient = &gradient[start * stride..];
            let target = &mut self.input_gradient[row * width..];
            transpose(simd, [len, problem.channels], gradient, stride, target, height * width);
        }
    }
}
