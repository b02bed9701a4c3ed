//! Windows of some planes, as many planes at a time as a vector has lanes.

use std::ops::Range;

use bytemuck::Pod;

use super::reduce::{Gradients, Reduce, Windows};
use crate::cpu::{
    buffer::Buffer,
    simd::{Kernel, Lanes, call, fill},
    table::Table,
    transpose::transpose,
};

/// What windows are reduced from.
#[derive(Clone, Copy)]
pub(super) struct Source<'a, R> {
    pub reduce: R,
    pub table: &'a Table,
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

    /// Reads the values of some planes, and after them what is outside.
    #[inline(always)]
    fn load_values<S: Lanes>(&self, simd: S, planes: Range<usize>, to: &mut [S::f32s]) {
        let area = self.table.area;
        let values = &self.input[planes.start * area..planes.end * area];
        call(simd, Load { values, count: planes.len(), to: &mut to[..area] });
        to[area] = simd.splat_f32s(R::OUTSIDE);
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

    /// Copies the values of a window, tap by tap.
    #[inline(always)]
    fn gather<S: Lanes>(&self, values: &[S::f32s], window: usize, to: &mut [S::f32s]) {
        let places = self.table.places(window);
        let to = &mut to[..places.len()];
        for tap in 0..places.len() {
            to[tap] = values[places[tap] as usize];
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
        let table = source.table;
        let mut values = Buffer::<S::f32s>::new(table.area + 1);
        let mut window_values = Buffer::<S::f32s>::new(table.taps);
        let mut parameters = Buffer::<S::f32s>::new(source.of_window);
        let mut reduced = Buffer::<S::f32s>::new(table.windows);
        for first in planes.clone().step_by(S::LANES) {
            let group = first..(first + S::LANES).min(planes.end);
            source.load_values(simd, group.clone(), &mut values);
            source.load_parameters::<S>(group.clone(), &mut parameters);
            for window in 0..table.windows {
                let count = simd.splat_f32s(table.inside[window]);
                let of_window = if table.is_whole {
                    &values[..table.area]
                } else {
                    source.gather::<S>(&values, window, &mut window_values);
                    &window_values[..]
                };
                let windows = Windows { values: of_window, count, parameters: &parameters };
                reduced[window] = source.reduce.forward(simd, windows);
            }
            let output = &mut output[(first - planes.start) * table.windows..][..group.len() * table.windows];
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
        let (table, zero) = (source.table, simd.splat_f32s(0.0));
        let [mut values, mut of_values] = [(); 2].map(|()| Buffer::<S::f32s>::new(table.area + 1));
        let [mut window_values, mut of_window_values] = [(); 2].map(|()| Buffer::<S::f32s>::new(table.taps));
        let [mut parameters, mut of_window_parameters] = [(); 2].map(|()| Buffer::<S::f32s>::new(source.of_window));
        let mut of_group = Buffer::<S::f32s>::new(source.of_window);
        let [mut reduced, mut of_reduced] = [(); 2].map(|()| Buffer::<S::f32s>::new(table.windows));
        fill(&mut reduced, zero);
        for first in planes.clone().step_by(S::LANES) {
            let group = first..(first + S::LANES).min(planes.end);
            source.load_values(simd, group.clone(), &mut values);
            source.load_parameters::<S>(group.clone(), &mut parameters);
            let windows = group.start * table.windows..group.end * table.windows;
            call(simd, Load { values: &gradient[windows.clone()], count: group.len(), to: &mut of_reduced[..] });
            if !output.is_empty() {
                call(simd, Load { values: &output[windows], count: group.len(), to: &mut reduced[..] });
            }
            fill(&mut of_values, zero);
            fill(&mut of_group, zero);
            for window in 0..table.windows {
                source.gather::<S>(&values, window, &mut window_values);
                let count = simd.splat_f32s(table.inside[window]);
                let windows = Windows { values: &window_values, count, parameters: &parameters };
                let to = Gradients { values: &mut of_window_values, parameters: &mut of_window_parameters };
                source.reduce.backward(simd, windows, reduced[window], of_reduced[window], to);
                let places = table.places(window);
                for tap in 0..places.len() {
                    let of_value = &mut of_values[places[tap] as usize];
                    *of_value = simd.add_f32s(*of_value, of_window_values[tap]);
                }
                for i in 0..source.of_window {
                    of_group[i] = simd.add_f32s(of_group[i], of_window_parameters[i]);
                }
            }
            let of_planes = &mut of_input[(first - planes.start) * table.area..][..group.len() * table.area];
            call(simd, Store { from: &of_values[..table.area], count: group.len(), values: of_planes });
            let of_group: &[f32] = bytemuck::cast_slice(&of_group);
            for lane in 0..group.len() {
                let start = source.parameters_of(first + lane);
                for i in 0..source.of_window {
                    of_parameters[start + i] += of_group[i * S::LANES + lane];
                }
            }
        }
    }
}
