//! Windows of some planes, as many at a time as a vector has lanes.

use std::ops::Range;

use super::reduce::{Gradients, Reduce, Windows};
use crate::cpu::{
    buffer::Buffer,
    simd::{Kernel, Lanes},
    taps::Taps,
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

/// The most lanes of a vector.
const MOST_LANES: usize = 16;

/// Which windows are in the lanes of a vector.
#[derive(Clone, Copy)]
struct Group {
    planes: [usize; MOST_LANES],
    windows: [usize; MOST_LANES],
    /// Lanes in use; the others have the last one's window.
    len: usize,
}

impl Group {
    /// Returns the windows of some planes from one on.
    #[inline(always)]
    fn new(planes: &Range<usize>, windows: usize, first: usize, lanes: usize) -> Self {
        let len = (planes.len() * windows - first).min(lanes);
        let mut group = Self { planes: [0; MOST_LANES], windows: [0; MOST_LANES], len };
        let (mut plane, mut window) = (planes.start + first / windows, first % windows);
        for lane in 0..lanes {
            (group.planes[lane], group.windows[lane]) = (plane, window);
            if lane + 1 < len {
                window += 1;
                if window == windows {
                    (plane, window) = (plane + 1, 0);
                }
            }
        }
        group
    }

    /// Returns the first window, if each lane has the next one of the same plane.
    #[inline(always)]
    fn side_by_side(&self, lanes: usize) -> Option<usize> {
        let first = self.windows[0];
        (self.len == lanes && self.planes[0] == self.planes[lanes - 1]).then_some(first)
    }
}

/// Memory for the windows of a group.
struct Memory<S: Lanes> {
    /// A vector for each tap.
    values: Buffer<S::f32s>,
    /// A vector for each parameter.
    parameters: Buffer<S::f32s>,
}

impl<R: Reduce> Source<'_, R> {
    fn area(&self) -> usize {
        self.taps.image[0] * self.taps.image[1]
    }

    fn memory<S: Lanes>(&self) -> Memory<S> {
        Memory { values: Buffer::new(self.taps.count), parameters: Buffer::new(self.of_window) }
    }

    /// Returns where the parameters of a plane start.
    #[inline(always)]
    fn parameters_of(&self, plane: usize) -> usize {
        let channels = self.parameters.len() / self.of_window.max(1);
        if channels > 1 { plane % channels * self.of_window } else { 0 }
    }

    /// Reads the windows of a group.
    #[inline(always)]
    fn read<'m, S: Lanes>(&self, simd: S, group: &Group, memory: &'m mut Memory<S>) -> Windows<'m, S> {
        match group.side_by_side(S::LANES) {
            Some(first) => self.read_row::<S>(group.planes[0], first, &mut memory.values),
            None => self.read_each::<S>(group, &mut memory.values),
        }
        let parameters: &mut [f32] = bytemuck::cast_slice_mut(&mut memory.parameters);
        let mut count = simd.splat_f32s(0.0);
        let counts: &mut [f32] = bytemuck::cast_slice_mut(std::slice::from_mut(&mut count));
        for lane in 0..S::LANES {
            counts[lane] = self.taps.inside[group.windows[lane]];
            for i in 0..self.of_window {
                parameters[i * S::LANES + lane] = self.parameters[self.parameters_of(group.planes[lane]) + i];
            }
        }
        Windows { values: &memory.values, count, parameters: &memory.parameters }
    }

    /// Reads the taps of windows that follow each other in a plane.
    #[inline(always)]
    fn read_row<S: Lanes>(&self, plane: usize, first: usize, values: &mut [S::f32s]) {
        let to: &mut [f32] = bytemuck::cast_slice_mut(values);
        let plane = &self.input[plane * self.area()..][..self.area()];
        for tap in 0..self.taps.count {
            let places = &self.taps.places[tap * self.taps.windows() + first..][..S::LANES];
            let to = &mut to[tap * S::LANES..][..S::LANES];
            for lane in 0..S::LANES {
                let place = places[lane] as usize;
                to[lane] = if place < plane.len() { plane[place] } else { R::OUTSIDE };
            }
        }
    }

    /// Reads the taps of windows that lie anywhere.
    #[inline(always)]
    fn read_each<S: Lanes>(&self, group: &Group, values: &mut [S::f32s]) {
        let to: &mut [f32] = bytemuck::cast_slice_mut(values);
        let (area, windows) = (self.area(), self.taps.windows());
        for lane in 0..S::LANES {
            let plane = &self.input[group.planes[lane] * area..][..area];
            for tap in 0..self.taps.count {
                let place = self.taps.places[tap * windows + group.windows[lane]] as usize;
                to[tap * S::LANES + lane] = if place < area { plane[place] } else { R::OUTSIDE };
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
        let mut memory = source.memory::<S>();
        for first in (0..output.len()).step_by(S::LANES) {
            let group = Group::new(&planes, source.taps.windows(), first, S::LANES);
            let reduced = source.reduce.forward(simd, source.read(simd, &group, &mut memory));
            let reduced: &[f32] = bytemuck::cast_slice(std::slice::from_ref(&reduced));
            let output = &mut output[first..][..group.len];
            for lane in 0..group.len {
                output[lane] = reduced[lane];
            }
        }
    }
}

/// Computes the gradients of some planes.
pub(super) struct Backward<'a, R> {
    pub source: Source<'a, R>,
    pub planes: Range<usize>,
    /// Of these planes; empty if the reduction doesn't need it.
    pub output: &'a [f32],
    /// Of these planes.
    pub gradient: &'a [f32],
    /// Of these planes; zeros.
    pub of_input: &'a mut [f32],
    /// Of all parameters; zeros.
    pub of_parameters: &'a mut [f32],
}

impl<R: Reduce> Kernel for Backward<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Lanes>(self, simd: S) {
        let Self { source, planes, output, gradient, of_input, of_parameters } = self;
        let [mut memory, mut of_memory] = [source.memory::<S>(), source.memory::<S>()];
        for first in (0..gradient.len()).step_by(S::LANES) {
            let group = Group::new(&planes, source.taps.windows(), first, S::LANES);
            let reduced =
                if output.is_empty() { simd.splat_f32s(0.0) } else { lanes_of(simd, &output[first..], &group) };
            let of_reduced = lanes_of(simd, &gradient[first..], &group);
            let windows = source.read(simd, &group, &mut memory);
            let to = Gradients { values: &mut of_memory.values, parameters: &mut of_memory.parameters };
            source.reduce.backward(simd, windows, reduced, of_reduced, to);
            source.add::<S>(&planes, &group, &of_memory, of_input, of_parameters);
        }
    }
}

/// Returns a vector of the first values, 0 in the lanes without a window.
#[inline(always)]
fn lanes_of<S: Lanes>(simd: S, values: &[f32], group: &Group) -> S::f32s {
    let mut vector = simd.splat_f32s(0.0);
    let lanes: &mut [f32] = bytemuck::cast_slice_mut(std::slice::from_mut(&mut vector));
    for lane in 0..group.len {
        lanes[lane] = values[lane];
    }
    vector
}

impl<R: Reduce> Source<'_, R> {
    /// Adds the gradients of a group.
    #[inline(always)]
    fn add<S: Lanes>(
        &self, planes: &Range<usize>, group: &Group, from: &Memory<S>, of_input: &mut [f32], of_parameters: &mut [f32],
    ) {
        let of_values: &[f32] = bytemuck::cast_slice(&from.values);
        let of_window: &[f32] = bytemuck::cast_slice(&from.parameters);
        let (area, windows) = (self.area(), self.taps.windows());
        for lane in 0..group.len {
            let of_plane = &mut of_input[(group.planes[lane] - planes.start) * area..][..area];
            for tap in 0..self.taps.count {
                let place = self.taps.places[tap * windows + group.windows[lane]] as usize;
                if place < area {
                    of_plane[place] += of_values[tap * S::LANES + lane];
                }
            }
            for i in 0..self.of_window {
                of_parameters[self.parameters_of(group.planes[lane]) + i] += of_window[i * S::LANES + lane];
            }
        }
    }
}
