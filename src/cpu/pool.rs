//! Pooling by itself: the maximum or the mean of each window.
//!
//! Burn's max pooling on the CPU backends loses a NaN, and its means add one value after the other, which loses digits
//! over large windows.

use burn::tensor::{Shape, Tensor, backend::Backend};
use rayon::prelude::*;

use super::bridge::{Operation, apply};

/// What a window is reduced to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
    /// The largest value; the first of equals gets the gradient, and the last NaN, as in PyTorch's `max_pool2d`.
    Max,
    /// The mean.
    Mean,
}

/// Pooling without padding; `[height, width]` each.
#[derive(Clone, Copy, Debug)]
struct Pooling {
    reduction: Reduction,
    /// Batch and channels.
    planes: [usize; 2],
    image: [usize; 2],
    size: [usize; 2],
    stride: [usize; 2],
}

/// Returns the reduced windows, as many as fit; `None` where the backend has no such operation.
///
/// # Shapes
/// - input: `[batch, channels, height, width]`
/// - output: `[batch, channels, pooled height, pooled width]`
pub fn pool<B: Backend>(
    reduction: Reduction, input: &Tensor<B, 4>, size: [usize; 2], stride: [usize; 2],
) -> Option<Tensor<B, 4>> {
    let [batch, channels, height, width] = input.dims();
    let (planes, image) = ([batch, channels], [height, width]);
    let fits = (0..2).all(|i| stride[i] > 0 && (1..=image[i]).contains(&size[i]));
    // Winners are saved in 32 bits.
    let addressable = height.checked_mul(width).is_some_and(|area| u32::try_from(area).is_ok());
    let operation = Pooling { reduction, planes, image, size, stride };
    if fits && addressable { apply(&operation, [input.clone().into_primitive().tensor()]) } else { None }
}

impl Pooling {
    fn pooled(&self) -> [usize; 2] {
        [0, 1].map(|i| (self.image[i] - self.size[i]) / self.stride[i] + 1)
    }

    fn area(&self) -> usize {
        self.size[0] * self.size[1]
    }

    /// Returns the output, plane by plane; with room for them, also the winners of the maxima.
    fn run(&self, input: &[f32], winners: &mut [u32]) -> Vec<f32> {
        let [height, width] = self.pooled();
        let mut output = vec![0.0; self.planes[0] * self.planes[1] * height * width];
        let planes = input.par_chunks_exact(self.image[0] * self.image[1]);
        let outputs = output.par_chunks_exact_mut(height * width);
        if winners.is_empty() {
            outputs.zip(planes).for_each(|(output, plane)| self.plane(plane, |at, (value, _)| output[at] = value));
        } else {
            let winners = winners.par_chunks_exact_mut(height * width);
            outputs.zip(winners).zip(planes).for_each(|((output, winners), plane)| {
                self.plane(plane, |at, (value, winner)| (output[at], winners[at]) = (value, winner as u32));
            });
        }
        output
    }

    /// Reduces the windows of a plane, in order.
    fn plane(&self, plane: &[f32], mut write: impl FnMut(usize, (f32, usize))) {
        for at in 0..self.pooled().iter().product() {
            write(
                at,
                match self.reduction {
                    Reduction::Max => self.largest(plane, self.corner(at)),
                    Reduction::Mean => (self.mean(plane, self.corner(at)), 0),
                },
            );
        }
    }

    /// Returns where a window starts.
    fn corner(&self, window: usize) -> usize {
        let across = self.pooled()[1];
        window / across * self.stride[0] * self.image[1] + window % across * self.stride[1]
    }

    /// Returns where the rows of a window start.
    fn rows(&self, corner: usize) -> impl Iterator<Item = usize> {
        let width = self.image[1];
        (0..self.size[0]).map(move |row| corner + row * width)
    }

    /// Returns the largest value of a window, and its place.
    fn largest(&self, plane: &[f32], corner: usize) -> (f32, usize) {
        let (mut best, mut place) = (plane[corner], corner);
        for start in self.rows(corner) {
            for (column, &value) in plane[start..][..self.size[1]].iter().enumerate() {
                if value > best || value.is_nan() {
                    (best, place) = (value, start + column);
                }
            }
        }
        (best, place)
    }

    fn mean(&self, plane: &[f32], corner: usize) -> f32 {
        let sum: f64 = self.rows(corner).map(|start| sum(&plane[start..][..self.size[1]])).sum();
        (sum / self.area() as f64) as f32
    }
}

/// Returns the sum, with digits to spare.
fn sum(values: &[f32]) -> f64 {
    // Eight sums: one would wait for each addition.
    let (blocks, rest) = values.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for block in blocks {
        for i in 0..8 {
            sums[i] += f64::from(block[i]);
        }
    }
    sums.iter().sum::<f64>() + rest.iter().copied().map(f64::from).sum::<f64>()
}

impl Operation<1> for Pooling {
    /// For maxima, the place of each window's in its plane.
    type Saved = Vec<u32>;

    fn needs_output(&self) -> bool {
        false
    }

    fn output_shape(&self) -> Shape {
        let ([batch, channels], [height, width]) = (self.planes, self.pooled());
        [batch, channels, height, width].into()
    }

    fn name(&self) -> String {
        format!("{:?} pooling {}x{}", self.reduction, self.size[0], self.size[1]).to_lowercase()
    }

    fn multiply_adds(&self) -> usize {
        0
    }

    fn infer(&self, [input]: [&[f32]; 1]) -> Vec<f32> {
        self.run(input, &mut [])
    }

    fn forward(&self, [input]: [&[f32]; 1]) -> (Vec<f32>, Vec<u32>) {
        let windows = match self.reduction {
            Reduction::Max => self.output_shape().num_elements(),
            Reduction::Mean => 0,
        };
        let mut winners = vec![0; windows];
        (self.run(input, &mut winners), winners)
    }

    fn backward(
        &self, winners: &Vec<u32>, [input]: [&[f32]; 1], _: &[f32], gradient: &[f32], _: [bool; 1],
    ) -> [Option<Vec<f32>>; 1] {
        let [height, width] = self.pooled();
        let share = 1.0 / self.area() as f32;
        let mut found = vec![0.0; input.len()];
        let planes = found.par_chunks_exact_mut(self.image[0] * self.image[1]).enumerate();
        planes.for_each(|(number, plane)| {
            let gradient = &gradient[number * height * width..][..height * width];
            if let Reduction::Max = self.reduction {
                let winners = &winners[number * height * width..][..height * width];
                winners.iter().zip(gradient).for_each(|(&winner, gradient)| plane[winner as usize] += gradient);
                return;
            }
            for (window, gradient) in gradient.iter().enumerate() {
                for start in self.rows(self.corner(window)) {
                    plane[start..][..self.size[1]].iter_mut().for_each(|value| *value += gradient * share);
                }
            }
        });
        [Some(found)]
    }
}
