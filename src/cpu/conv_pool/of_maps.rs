//! From the gradient of what maps are reduced to, to that of their positions.

use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};

use super::{problem::Problem, saved::Saved};
use crate::cpu::{
    buffer::Buffer,
    parallel::{Workers, image_of},
    reduce::{Maps, Parameters, Reduced, Reduction, gradient_of_maps},
    simd::{Kernel, Lanes},
};

/// What the gradient of the positions is computed from.
#[derive(Debug)]
pub(super) struct OfMaps<'a> {
    problem: &'a Problem,
    reduction: Reduction,
    parameters: &'a [f32],
    saved: &'a Saved,
    /// `[image, filter]`
    output: &'a [f32],
    /// Gradient of the output, `[image, filter]`.
    gradient: &'a [f32],
    /// `[image, parameter]`: bits of the gradient, which the thread writes that works on the image.
    of_parameters: Vec<AtomicU32>,
}

impl<'a> OfMaps<'a> {
    /// Creates it for a parameter of each filter, or one of all, or none.
    pub fn new(
        problem: &'a Problem, reduction: Reduction, parameters: &'a [f32], saved: &'a Saved,
        [output, gradient]: [&'a [f32]; 2],
    ) -> Self {
        let of_parameters = (0..problem.batch * parameters.len()).map(|_| AtomicU32::new(0)).collect();
        Self { problem, reduction, parameters, saved, output, gradient, of_parameters }
    }

    /// Writes the gradient of an image's positions, `[position, vector of filters]`, absent filters as zeros, and keeps that
    /// of the parameters.
    #[inline(always)]
    pub fn write<S: Lanes>(&self, simd: S, image: usize, to: &mut [f32]) {
        let &Self { problem: &Problem { batch, filters, .. }, reduction, parameters, saved, .. } = self;
        let vectors = filters.div_ceil(S::LANES);
        let maps: &[S::f32s] = bytemuck::cast_slice(image_of(&saved.maps, image, batch));
        let to: &mut [S::f32s] = bytemuck::cast_slice_mut(to);
        let [output, gradient] = [self.output, self.gradient].map(|values| image_of(values, image, batch));
        let positions = maps.len() / vectors;
        let mut of_map = Buffer::<S::f32s>::new(positions);
        image_of(&self.of_parameters, image, batch).iter().for_each(|part| part.store(0, Ordering::Relaxed));
        for v in 0..vectors {
            let here = v * S::LANES..filters.min((v + 1) * S::LANES);
            let values = &maps[v * positions..][..positions];
            let maps = Maps { reduction, values, parameter: Parameters { all: parameters }.of_vector(simd, v) };
            let [output, gradient] = [output, gradient].map(|values| some_lanes(simd, &values[here.clone()]));
            let of_parameter = gradient_of_maps(simd, maps, Reduced { output, gradient }, &mut of_map);
            let present = if here.len() == S::LANES { u16::MAX } else { (1 << here.len()) - 1 };
            for position in 0..positions {
                to[position * vectors + v] = simd.keep(present, of_map[position]);
            }
            self.add(image, here, bytemuck::cast_slice(&[of_parameter]));
        }
    }

    /// Adds the gradient of the parameters of some filters to that of an image.
    #[inline(always)]
    fn add(&self, image: usize, filters: Range<usize>, lanes: &[f32]) {
        let to = image_of(&self.of_parameters, image, self.problem.batch);
        for (lane, filter) in filters.enumerate().take(if to.is_empty() { 0 } else { lanes.len() }) {
            let to = &to[filter.min(to.len() - 1)];
            let sum = f32::from_bits(to.load(Ordering::Relaxed)) + lanes[lane];
            to.store(sum.to_bits(), Ordering::Relaxed);
        }
    }

    /// Returns the gradient of the parameters, once those of all images are written.
    pub fn of_parameters(&self) -> Vec<f32> {
        let mut total = vec![0.0; self.parameters.len()];
        for of_image in self.of_parameters.chunks_exact(total.len().max(1)) {
            let parts = of_image.iter().map(|part| f32::from_bits(part.load(Ordering::Relaxed)));
            total.iter_mut().zip(parts).for_each(|(total, part)| *total += part);
        }
        total
    }

    /// Returns the gradient of the positions, `[image, filter, position]`.
    pub fn planes(&self) -> Vec<f32> {
        let problem = self.problem.unpooled();
        let mut planes = vec![0.0; problem.batch * problem.output_len()];
        let images = planes.chunks_exact_mut(problem.output_len()).enumerate();
        let images = images.map(|(image, planes)| Planes { maps: self, image, planes });
        Workers::All.each(images.collect(), |image| self.saved.level.run(image));
        planes
    }
}

/// One image, and where the gradient of its positions goes.
struct Planes<'a> {
    maps: &'a OfMaps<'a>,
    image: usize,
    planes: &'a mut [f32],
}

impl Kernel for Planes<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Lanes>(self, simd: S) {
        let filters = self.maps.problem.filters;
        let (positions, stride) = (self.planes.len() / filters, filters.next_multiple_of(S::LANES));
        let mut lanes = Buffer::<f32>::new(positions * stride);
        self.maps.write(simd, self.image, &mut lanes);
        for i in 0..self.planes.len() {
            self.planes[i] = lanes[i % positions * stride + i / positions];
        }
    }
}

/// Returns a vector that starts with these values, and goes on with zeros.
#[inline(always)]
fn some_lanes<S: Lanes>(simd: S, values: &[f32]) -> S::f32s {
    let mut vector = simd.splat_f32s(0.0);
    let lanes: &mut [f32] = bytemuck::cast_slice_mut(std::slice::from_mut(&mut vector));
    for lane in 0..values.len() {
        lanes[lane] = values[lane];
    }
    vector
}
