//! Windows of some planes, as many planes at a time as a vector has lanes.

use std::ops::Range;

use bytemuck::Pod;

use super::reduce::{Gradients, Reduce, Windows};
use crate::cpu::{
    buffer::Buffer,
    simd::{Kernel, Lanes, call, fill},
    taps::{Span, Taps},
    transpose::transpose,
};

/// What windows are reduced from.
#[derive(Clone, Copy)]
pub(super) struct Source<'a, R> {
    pub reduce: R,
    pub taps: &'a Taps,
    /// `[plane, height, width]`
    pub input: &'a [f32],
    /// `[channel, parameter of a window]`, or those of all channels.
    pub parameters: &'a [f32],
    /// Parameters of a window.
    pub of_window: usize,
}

/// Reads a vector for each value of a plane, with `count` planes in the lanes; 0 in the others.
struct Load<'a, V> {
    values: &'a [f32],
    count: usize,
    to: &'a mut [V],
}

impl<V: Pod> Kernel for Load<'_, V> {
    type Output = ();

    #[inline(always)]
    fn run<S: Lanes>(self, simd: S) {
        let Self { values, count, to } = self;
        let (each, to): (_, &mut [f32]) = (values.len() / count, bytemuck::cast_slice_mut(to));
        if count < S::LANES {
            fill(to, 0.0);
        }
        transpose(simd, [count, each], values, each, to, S::LANES);
    }
}

/// Writes what [`Load`] reads.
struct Store<'a, V> {
    from: &'a [V],
    count: usize,
    values: &'a mut [f32],
}

impl<V: Pod> Kernel for Store<'_, V> {
    type Output = ();

    #[inline(always)]
    fn run<S: Lanes>(self, simd: S) {
        let Self { from, count, values } = self;
        let (each, from): (_, &[f32]) = (values.len() / count, bytemuck::cast_slice(from));
        transpose(simd, [each, count], from, S::LANES, values, each);
    }
}

impl<R: Reduce> Source<'_, R> {
    /// Returns where the parameters of a plane start.
    #[inline(always)]
    fn parameters_of(&self, plane: usize) -> usize {
        if self.parameters.len() > self.of_window {
            plane % (self.parameters.len() / self.of_window) * self.of_window
        } else {
            0
        }
    }

    /// Reads the values of some planes.
    #[inline(always)]
    fn load_values<S: Lanes>(&self, simd: S, planes: Range<usize>, to: &mut [S::f32s]) {
        let area = self.taps.area();
        let values = &self.input[planes.start * area..planes.end * area];
        call(simd, Load { values, count: planes.len(), to });
    }

    /// Reads the parameters of some planes.
    #[inline(always)]
    fn load_parameters<S: Lanes>(&self, planes: Range<usize>, to: &mut [S::f32s]) {
        let to: &mut [f32] = bytemuck::cast_slice_mut(to);
        for i in 0..self.of_window {
            for lane in 0..S::LANES {
                let plane = (planes.start + lane).min(planes.end - 1);
                to[i * S::LANES + lane] = self.parameters[self.parameters_of(plane) + i];
            }
        }
    }

    /// Copies the values of a window, and returns them.
    #[inline(always)]
    fn gather<'t, S: Lanes>(
        &self, values: &[S::f32s], [rows, columns]: [Span; 2], to: &'t mut [S::f32s],
    ) -> &'t [S::f32s] {
        let to = &mut to[..rows.len * columns.len];
        for y in 0..rows.len {
            let start = (rows.first + y * rows.step) * self.taps.image[1] + columns.first;
            let to = &mut to[y * columns.len..][..columns.len];
            for x in 0..to.len() {
                to[x] = values[start + x * columns.step];
            }
        }
        to
    }

    /// Adds the gradients of a window's values.
    #[inline(always)]
    fn scatter<S: Lanes>(&self, simd: S, from: &[S::f32s], [rows, columns]: [Span; 2], of_values: &mut [S::f32s]) {
        for y in 0..rows.len {
            let start = (rows.first + y * rows.step) * self.taps.image[1] + columns.first;
            let from = &from[y * columns.len..][..columns.len];
            for x in 0..from.len() {
                let of_value = &mut of_values[start + x * columns.step];
                *of_value = simd.add_f32s(*of_value, from[x]);
            }
        }
    }
}

/// Reduces the windows of some planes.
pub(super) struct Forward<'a, R> {
    pub source: Source<'a, R>,
    pub planes: Range<usize>,
    pub output: &'a mut [f32],
}

impl<R: Reduce> Kernel for Forward<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Lanes>(self, simd: S) {
        let Self { source, planes, output } = self;
        let taps = source.taps;
        let ([down, across], windows, [_, most]) = (&taps.axes, taps.windows(), taps.values());
        let mut values = Buffer::<S::f32s>::new(taps.area());
        let mut of_window = Buffer::<S::f32s>::new(most);
        let mut parameters = Buffer::<S::f32s>::new(source.of_window);
        let mut reduced = Buffer::<S::f32s>::new(windows);
        for first in planes.clone().step_by(S::LANES) {
            let group = first..(first + S::LANES).min(planes.end);
            source.load_values(simd, group.clone(), &mut values);
            source.load_parameters::<S>(group.clone(), &mut parameters);
            for window in 0..windows {
                let spans = [down.spans[window / across.spans.len()], across.spans[window % across.spans.len()]];
                let values = match taps.is_whole() {
                    true => &values[..],
                    false => source.gather::<S>(&values, spans, &mut of_window),
                };
                let window_values = Windows { values, taps: taps.count(), parameters: &parameters };
                reduced[window] = source.reduce.forward(simd, window_values);
            }
            let output = &mut output[(first - planes.start) * windows..][..group.len() * windows];
            call(simd, Store { from: &reduced[..], count: group.len(), values: output });
        }
    }
}

/// Computes the gradients of some planes.
pub(super) struct Backward<'a, R> {
    pub source: Source<'a, R>,
    pub planes: Range<usize>,
    /// `[plane, window]`; empty if the reduction doesn't need it.
    pub output: &'a [f32],
    /// `[plane, window]`
    pub gradient: &'a [f32],
    /// Of these planes.
    pub of_input: &'a mut [f32],
    /// Of all parameters; zeros.
    pub of_parameters: &'a mut [f32],
}

impl<R: Reduce> Kernel for Backward<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Lanes>(self, simd: S) {
        let Self { source, planes, output, gradient, of_input, of_parameters } = self;
        let (taps, zero) = (source.taps, simd.splat_f32s(0.0));
        let ([down, across], windows, [_, most], area) = (&taps.axes, taps.windows(), taps.values(), taps.area());
        let [mut values, mut of_values] = [(); 2].map(|()| Buffer::<S::f32s>::new(area));
        let [mut of_window, mut of_window_values] = [(); 2].map(|()| Buffer::<S::f32s>::new(most));
        let [mut parameters, mut of_each, mut of_all] = [(); 3].map(|()| Buffer::<S::f32s>::new(source.of_window));
        let [mut reduced, mut of_reduced] = [(); 2].map(|()| Buffer::<S::f32s>::new(windows));
        fill(&mut reduced, zero);
        for first in planes.clone().step_by(S::LANES) {
            let group = first..(first + S::LANES).min(planes.end);
            let (count, places) = (group.len(), group.start * windows..group.end * windows);
            source.load_values(simd, group.clone(), &mut values);
            source.load_parameters::<S>(group.clone(), &mut parameters);
            call(simd, Load { values: &gradient[places.clone()], count, to: &mut of_reduced[..] });
            if !output.is_empty() {
                call(simd, Load { values: &output[places], count, to: &mut reduced[..] });
            }
            fill(&mut of_values, zero);
            fill(&mut of_all, zero);
            for window in 0..windows {
                let spans = [down.spans[window / across.spans.len()], across.spans[window % across.spans.len()]];
                let values = source.gather::<S>(&values, spans, &mut of_window);
                let of_window_values = &mut of_window_values[..values.len()];
                let window_values = Windows { values, taps: taps.count(), parameters: &parameters };
                let to = Gradients { values: of_window_values, parameters: &mut of_each };
                source.reduce.backward(simd, window_values, reduced[window], of_reduced[window], to);
                source.scatter(simd, of_window_values, spans, &mut of_values);
                for i in 0..source.of_window {
                    of_all[i] = simd.add_f32s(of_all[i], of_each[i]);
                }
            }
            let of_planes = &mut of_input[(first - planes.start) * area..][..count * area];
            call(simd, Store { from: &of_values[..], count, values: of_planes });
            let of_all: &[f32] = bytemuck::cast_slice(&of_all);
            for lane in 0..count {
                let start = source.parameters_of(first + lane);
                for i in 0..source.of_window {
                    of_parameters[start + i] += of_all[i * S::LANES + lane];
                }
            }
        }
    }
}
