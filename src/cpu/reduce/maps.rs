//! Whole maps that lie side by side in the lanes already.

use bytemuck::Pod;

use super::{
    Reduction,
    exponentials::{LogSumExp, Softmax},
    extremes::{Largest, Max},
    means::{Expected, Gated, Mean, Mixed},
    powers::{Norm, PowerMean},
    reduce::{Gradients, Reduce, Windows},
};
use crate::cpu::simd::{Kernel, Lanes, call};

/// The parameter of each map, a vector of them at a time.
#[derive(Clone, Copy)]
pub(in crate::cpu) struct Parameters<'a> {
    /// That of each map, or one for all, or none.
    pub all: &'a [f32],
}

impl Parameters<'_> {
    /// Returns those of the maps of a vector; arbitrary values for maps that are absent.
    #[inline(always)]
    pub fn of_vector<S: Lanes>(&self, simd: S, vector: usize) -> S::f32s {
        let mut values = simd.splat_f32s(self.all.first().copied().unwrap_or_default());
        if self.all.len() > 1 {
            let lanes: &mut [f32] = bytemuck::cast_slice_mut(std::slice::from_mut(&mut values));
            let here = &self.all[vector * S::LANES..];
            for lane in 0..here.len().min(S::LANES) {
                lanes[lane] = here[lane];
            }
        }
        values
    }
}

/// Maps, and the parameter of each.
#[derive(Clone, Copy)]
pub(in crate::cpu) struct Maps<'a, V> {
    pub reduction: Reduction,
    /// Position by position; at least one.
    pub values: &'a [V],
    pub parameter: V,
}

/// What maps were reduced to, and its gradient.
#[derive(Clone, Copy)]
pub(in crate::cpu) struct Reduced<V> {
    pub output: V,
    pub gradient: V,
}

/// Returns what the maps are reduced to.
#[inline(always)]
pub(in crate::cpu) fn reduce_maps<S: Lanes>(simd: S, maps: Maps<'_, S::f32s>) -> S::f32s {
    call(simd, Forward(maps))
}

/// Writes the gradient of the maps' values, and returns that of the parameters.
#[inline(always)]
pub(in crate::cpu) fn gradient_of_maps<S: Lanes>(
    simd: S, maps: Maps<'_, S::f32s>, reduced: Reduced<S::f32s>, of_values: &mut [S::f32s],
) -> S::f32s {
    call(simd, Backward { maps, reduced, of_values })
}

struct Forward<'a, V>(Maps<'a, V>);

impl<V: Pod> Kernel for Forward<'_, V> {
    type Output = V;

    #[inline(always)]
    fn run<S: Lanes>(self, simd: S) -> V {
        let Maps { reduction, values, parameter } = self.0;
        let values: &[S::f32s] = bytemuck::cast_slice(values);
        let parameter: S::f32s = bytemuck::cast(parameter);
        let windows = Windows { values, taps: values.len() as f32, parameters: &[parameter] };
        bytemuck::cast(with_reduce!(reduction, reduce => reduce.forward(simd, windows)))
    }
}

struct Backward<'a, V> {
    maps: Maps<'a, V>,
    reduced: Reduced<V>,
    of_values: &'a mut [V],
}

impl<V: Pod> Kernel for Backward<'_, V> {
    type Output = V;

    #[inline(always)]
    fn run<S: Lanes>(self, simd: S) -> V {
        let Self { maps: Maps { reduction, values, parameter }, reduced, of_values } = self;
        let values: &[S::f32s] = bytemuck::cast_slice(values);
        let [parameter, output, gradient]: [S::f32s; 3] =
            [parameter, reduced.output, reduced.gradient].map(bytemuck::cast);
        let windows = Windows { values, taps: values.len() as f32, parameters: &[parameter] };
        let mut of_parameter = simd.splat_f32s(0.0);
        let to = Gradients {
            values: bytemuck::cast_slice_mut(of_values),
            parameters: std::slice::from_mut(&mut of_parameter),
        };
        with_reduce!(reduction, reduce => reduce.backward(simd, windows, output, gradient, to));
        bytemuck::cast(of_parameter)
    }
}
