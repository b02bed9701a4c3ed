//! The operation by its definition, for a batch in which a number is NaN or infinite.
//!
//! Every product counts, also those with zero: an infinite number times the gradient of a position that nothing reaches
//! is NaN. Plain loops: such a network has diverged, and all that matters is that its gradients say so.

use std::ops::Range;

use super::{
    convolution::filter_taps,
    gradients::{Gradients, Wanted},
    problem::{Geometry, Pool, Problem, Window},
};
use crate::cpu::{
    parallel::{Workers, chunks, split_mut},
    transpose::Place,
};

/// Chunks that a batch is split into, whose sums are added in order.
const CHUNKS: usize = 16;

/// The operation with its filters.
pub(super) struct Definition<'a> {
    problem: &'a Problem,
    geometry: Geometry,
    weight: &'a [f32],
    bias: &'a [f32],
    /// Whether products are added with one rounding, as the kernels of the forward pass do.
    fused: bool,
    /// Where the pixels under a filter are, from its upper left corner, in the order of its weights.
    taps: Vec<usize>,
    /// Distance between neighbouring positions, in pixels.
    stride: [usize; 2],
    /// Positions of the convolution down and across: also those that no window reads.
    positions: [usize; 2],
    /// The pooling window over these positions.
    window: Window,
}

/// Sums over some images.
struct Sums {
    weight: Vec<f64>,
    bias: Vec<f64>,
}

impl<'a> Definition<'a> {
    pub fn new(problem: &'a Problem, weight: &'a [f32], bias: &'a [f32], fused: bool) -> Self {
        let geometry = problem.geometry();
        let (stride, window) = match problem.pool {
            Pool::None { stride, .. } => (stride, Window { size: [1, 1], stride: [1, 1] }),
            _ => ([1, 1], geometry.window),
        };
        let positions = [0, 1].map(|i| (problem.convolved(i) - 1) / stride[i] + 1);
        let taps = filter_taps(problem.channels, problem.kernel, geometry.padded);
        Self { problem, geometry, weight, bias, fused, taps, stride, positions, window }
    }

    /// Writes the output of one image, without pooling.
    pub fn write_unpooled<P: Place>(&self, image: &[f32], output: &mut [P]) {
        let padded = self.pad(image);
        for (filter, output) in output.chunks_exact_mut(self.geometry.windows()).enumerate() {
            // Not `max`, which would lose a NaN.
            let activations = self.sums(&padded, filter).into_iter().map(|sum| if sum < 0.0 { 0.0 } else { sum });
            output.iter_mut().zip(activations).for_each(|(to, activation)| *to = P::of(activation));
        }
    }

    /// Returns the gradients of a batch, from that of the output.
    pub fn gradients(&self, input: &[f32], gradient: &[f32], wanted: Wanted) -> Gradients {
        let (problem, output_len) = (self.problem, self.problem.output_len());
        let mut of_input = vec![0.0; input.len()];
        let chunks = chunks(problem.batch, CHUNKS);
        let mut sums: Vec<_> = chunks.iter().map(|_| self.no_sums()).collect();
        let targets = split_mut(&mut of_input, &chunks).zip(&mut sums);
        Workers::All.each(chunks.iter().zip(targets).collect(), |(images, (of_input, sums))| {
            let pairs = of_input.chunks_exact_mut(problem.image_len()).zip(Range::clone(images));
            for (of_image, image) in pairs {
                let pixels = &input[image * problem.image_len()..][..problem.image_len()];
                self.add_image(pixels, &gradient[image * output_len..][..output_len], of_image, sums);
            }
        });
        let mut total = self.no_sums();
        for sums in &sums {
            total.weight.iter_mut().zip(&sums.weight).for_each(|(total, sum)| *total += sum);
            total.bias.iter_mut().zip(&sums.bias).for_each(|(total, sum)| *total += sum);
        }
        let rounded = |sums: Vec<f64>| sums.into_iter().map(|sum| sum as f32).collect();
        Gradients {
            input: wanted.input.then_some(of_input),
            weight: wanted.filters.then(|| rounded(total.weight)),
            bias: wanted.filters.then(|| rounded(total.bias)),
            parameters: None,
        }
    }

    fn no_sums(&self) -> Sums {
        Sums { weight: vec![0.0; self.weight.len()], bias: vec![0.0; self.bias.len()] }
    }

    /// Adds an image's part of the gradients of filters and bias, and writes that of the image.
    fn add_image(&self, image: &[f32], gradient: &[f32], of_image: &mut [f32], sums: &mut Sums) {
        let padded = self.pad(image);
        let mut of_padded = vec![0.0; padded.len()];
        let windows = self.geometry.windows();
        for (filter, gradient) in gradient.chunks_exact(windows).enumerate() {
            let of_positions = self.spread(&self.sums(&padded, filter), gradient);
            let taps = self.filter(filter);
            let weight = &self.weight[filter * self.taps.len()..][taps.clone()];
            let of_weight = &mut sums.weight[filter * self.taps.len()..][taps.clone()];
            for (position, &gradient) in of_positions.iter().enumerate() {
                let corner = self.corner(position);
                sums.bias[filter] += gradient;
                for ((tap, weight), of_weight) in self.taps[taps.clone()].iter().zip(weight).zip(&mut *of_weight) {
                    *of_weight += gradient * f64::from(padded[corner + tap]);
                    of_padded[corner + tap] += gradient * f64::from(*weight);
                }
            }
        }
        let rows = of_image.chunks_exact_mut(self.problem.image[1]).zip(self.rows());
        rows.for_each(|(row, start)| row.iter_mut().zip(&of_padded[start..]).for_each(|(to, from)| *to = *from as f32));
    }

    /// Returns the sums of a filter, bit by bit those of the kernels.
    fn sums(&self, padded: &[f32], filter: usize) -> Vec<f32> {
        let taps = self.filter(filter);
        let weight = &self.weight[filter * self.taps.len()..][taps.clone()];
        let sum = |position: usize| {
            let pixels = &padded[self.corner(position)..];
            self.taps[taps.clone()].iter().zip(weight).fold(self.bias[filter], |sum, (&tap, &weight)| {
                match self.fused {
                    true => pixels[tap].mul_add(weight, sum),
                    false => pixels[tap] * weight + sum,
                }
            })
        };
        (0..self.positions[0] * self.positions[1]).map(sum).collect()
    }

    /// Returns the gradient of the sums, from that of the windows.
    fn spread(&self, sums: &[f32], gradient: &[f32]) -> Vec<f64> {
        let mut of_positions = vec![0.0; sums.len()];
        for (window, &gradient) in gradient.iter().enumerate() {
            let gradient = f64::from(gradient);
            if self.is_mean() {
                let share = gradient / self.geometry.area() as f64;
                self.places(window).for_each(|position| of_positions[position] += share);
            } else {
                let winner = self.places(window).reduce(|a, b| if beats(sums[b], sums[a]) { b } else { a });
                winner.into_iter().for_each(|position| of_positions[position] += gradient);
            }
        }
        let blocked = of_positions.iter_mut().zip(sums).filter(|(_, sum)| **sum <= 0.0);
        blocked.for_each(|(gradient, _)| *gradient = 0.0);
        of_positions
    }

    /// Returns the weights of a filter that count.
    fn filter(&self, filter: usize) -> Range<usize> {
        let area = self.problem.kernel[0] * self.problem.kernel[1];
        match self.problem.pool {
            Pool::None { depthwise: true, .. } => filter * area..(filter + 1) * area,
            _ => 0..self.taps.len(),
        }
    }

    fn is_mean(&self) -> bool {
        matches!(self.problem.pool, Pool::Average(_) | Pool::GlobalAverage)
    }

    /// Returns the positions in a window, in row-major order.
    fn places(&self, window: usize) -> impl Iterator<Item = usize> {
        let (across, columns, Window { size, stride }) = (self.geometry.pooled[1], self.positions[1], self.window);
        let corner = window / across * stride[0] * columns + window % across * stride[1];
        (0..size[0]).flat_map(move |row| (0..size[1]).map(move |column| corner + row * columns + column))
    }

    /// Returns the place in the padded plane under a filter's corner.
    fn corner(&self, position: usize) -> usize {
        let [row, column] = [position / self.positions[1], position % self.positions[1]];
        row * self.stride[0] * self.geometry.padded[1] + column * self.stride[1]
    }

    /// Returns where the rows of an image start within its padding.
    fn rows(&self) -> impl Iterator<Item = usize> {
        let ([height, _], [above, left]) = (self.problem.image, self.problem.padding);
        let [padded_height, padded_width] = self.geometry.padded;
        (0..self.problem.channels * height).map(move |row| {
            let (channel, row) = (row / height, row % height);
            (channel * padded_height + above + row) * padded_width + left
        })
    }

    /// Returns an image within its padding.
    fn pad(&self, image: &[f32]) -> Vec<f32> {
        let mut padded = vec![0.0; self.geometry.padded_len()];
        let width = self.problem.image[1];
        image.chunks_exact(width).zip(self.rows()).for_each(|(row, at)| padded[at..][..width].copy_from_slice(row));
        padded
    }
}

/// Whether a value is the larger or NaN: the first of equals wins, and the last NaN.
fn beats(value: f32, best: f32) -> bool {
    value > best || value.is_nan()
}
