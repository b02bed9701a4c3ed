//! Pooling by itself: what each window of an image is reduced to.
//!
//! As many planes as a vector has lanes are laid side by side, and the same window of each is reduced together; so the
//! arithmetic of a reduction is written once, for one window, and is fast for windows of every size and shape.
//!
//! # Numbers
//! - Of equal maxima the first in row-major order gets the gradient; NaN is larger than every number, and of several the
//!   last gets it, as PyTorch's `max_pool2d` has it.
//! - Sums add what rounding takes from them.
//! - Exponentials and powers are taken of differences from, or quotients by, the value that makes them largest, so that
//!   none overflows.
//! - The number of threads does not change a bit.

/// Calls with the reduction as a type.
macro_rules! with_reduce {
    ($reduction:expr, $reduce:ident => $work:expr) => {
        match $reduction {
            Reduction::Max => with_reduce!(Max, $reduce, $work),
            Reduction::Largest(count) => with_reduce!(Largest(count), $reduce, $work),
            Reduction::Mean => with_reduce!(Mean, $reduce, $work),
            Reduction::Mixed => with_reduce!(Mixed, $reduce, $work),
            Reduction::Gated => with_reduce!(Gated, $reduce, $work),
            Reduction::Expected => with_reduce!(Expected, $reduce, $work),
            Reduction::LogSumExp => with_reduce!(LogSumExp, $reduce, $work),
            Reduction::Softmax => with_reduce!(Softmax, $reduce, $work),
            Reduction::PowerMean { least } => with_reduce!(PowerMean { least }, $reduce, $work),
            Reduction::Norm { p } => with_reduce!(Norm { p }, $reduce, $work),
        }
    };
    ($value:expr, $reduce:ident, $work:expr) => {{
        let $reduce = $value;
        $work
    }};
}

mod exponentials;
mod extremes;
mod maps;
mod math;
mod means;
mod powers;
#[allow(clippy::module_inception, reason = "the trait of a reduction")]
mod reduce;
mod reduction;
mod windows;

use std::ops::Range;

use burn::tensor::{Shape, Tensor, backend::Backend};

pub(super) use self::maps::{Maps, Parameters, Reduced, gradient_of_maps, reduce_maps};
pub use self::reduction::Reduction;
use self::{
    exponentials::{LogSumExp, Softmax},
    extremes::{Largest, Max},
    means::{Expected, Gated, Mean, Mixed},
    powers::{Norm, PowerMean},
    reduce::Reduce,
    windows::{Backward, Forward, Source},
};
use super::{
    bridge::{Operation, apply},
    parallel::{Workers, chunks, split_mut},
    simd::Level,
    taps::Taps,
};

/// Chunks of planes; each sums the gradient of the parameters, then these are added in order.
const CHUNKS: usize = 64;
/// The most lanes of a vector.
const MOST_LANES: usize = 16;

/// A pooling of `[batch, channels]` images.
#[derive(Clone, Debug)]
struct Pooling {
    reduction: Reduction,
    planes: [usize; 2],
    taps: Taps,
    /// Parameters of a window.
    parameters: usize,
}

/// Returns the reduced windows; `None` where the backend has no such operation.
///
/// # Shapes
/// - input: `[batch, channels, height, width]`
/// - parameters: `[channels, parameters of a window]` or `[1, parameters of a window]`
/// - output: `[batch, channels, pooled height, pooled width]`
pub fn pool<B: Backend>(
    reduction: Reduction, taps: Taps, input: Tensor<B, 4>, parameters: Option<Tensor<B, 2>>,
) -> Option<Tensor<B, 4>> {
    let [batch, channels, height, width] = input.dims();
    if taps.image != [height, width] {
        return None;
    }
    let operation = |parameters| Pooling { reduction, planes: [batch, channels], taps, parameters };
    let input = input.into_primitive().tensor();
    match parameters {
        None => apply(&operation(0), [input]),
        Some(parameters) if ![1, channels].contains(&parameters.dims()[0]) => None,
        Some(parameters) => apply(&operation(parameters.dims()[1]), [input, parameters.into_primitive().tensor()]),
    }
}

impl Pooling {
    fn planes(&self) -> usize {
        self.planes[0] * self.planes[1]
    }

    /// Returns the planes in chunks, all but the last of which fill the lanes of their vectors.
    fn chunks(&self) -> Vec<Range<usize>> {
        let groups = chunks(self.planes().div_ceil(MOST_LANES), CHUNKS);
        let planes = |groups: Range<usize>| groups.start * MOST_LANES..(groups.end * MOST_LANES).min(self.planes());
        groups.into_iter().map(planes).collect()
    }

    fn forward_of<R: Reduce>(&self, reduce: R, input: &[f32], parameters: &[f32]) -> Vec<f32> {
        let source = Source { reduce, taps: &self.taps, input, parameters, of_window: self.parameters };
        let mut output = vec![0.0; self.planes() * self.taps.windows()];
        let chunks = self.chunks();
        let work = chunks.iter().cloned().zip(split_mut(&mut output, &chunks));
        let work = work.map(|(planes, output)| Forward { source, planes, output });
        Workers::All.each(work.collect(), |chunk| Level::current().run(chunk));
        output
    }

    /// Returns the gradients of the input and of the parameters.
    fn backward_of<R: Reduce>(
        &self, reduce: R, input: &[f32], parameters: &[f32], output: &[f32], gradient: &[f32],
    ) -> [Vec<f32>; 2] {
        let source = Source { reduce, taps: &self.taps, input, parameters, of_window: self.parameters };
        let mut of_input = vec![0.0; input.len()];
        let chunks = self.chunks();
        let mut of_parameters = vec![vec![0.0; parameters.len()]; chunks.len()];
        let targets = split_mut(&mut of_input, &chunks).zip(&mut of_parameters);
        let work = chunks.iter().cloned().zip(targets).map(|(planes, (of_input, of_parameters))| Backward {
            source,
            planes,
            output,
            gradient,
            of_input,
            of_parameters,
        });
        Workers::All.each(work.collect(), |chunk| Level::current().run(chunk));
        let mut total = vec![0.0; parameters.len()];
        for of_parameters in of_parameters {
            total.iter_mut().zip(of_parameters).for_each(|(total, part)| *total += part);
        }
        [of_input, total]
    }
}

impl<const N: usize> Operation<N> for Pooling {
    type Saved = ();

    fn needs_output(&self) -> bool {
        use Reduction::*;

        matches!(self.reduction, Expected | PowerMean { .. } | Norm { .. })
    }

    fn output_shape(&self) -> Shape {
        let ([batch, channels], [height, width]) = (self.planes, self.taps.outputs());
        [batch, channels, height, width].into()
    }

    fn name(&self) -> String {
        let ([height, width], [rows, columns]) = (self.taps.image, self.taps.outputs());
        format!("{:?} pooling {height}x{width} to {rows}x{columns}", self.reduction).to_lowercase()
    }

    fn multiply_adds(&self) -> usize {
        0
    }

    fn infer(&self, inputs: [&[f32]; N]) -> Vec<f32> {
        let parameters = inputs.get(1).copied().unwrap_or_default();
        with_reduce!(self.reduction, reduce => self.forward_of(reduce, inputs[0], parameters))
    }

    fn forward(&self, inputs: [&[f32]; N]) -> (Vec<f32>, ()) {
        (Operation::<N>::infer(self, inputs), ())
    }

    fn backward(
        &self, (): &(), inputs: [&[f32]; N], output: &[f32], gradient: &[f32], _: [bool; N],
    ) -> [Option<Vec<f32>>; N] {
        let parameters = inputs.get(1).copied().unwrap_or_default();
        let gradients = with_reduce!(
            self.reduction, reduce => self.backward_of(reduce, inputs[0], parameters, output, gradient)
        );
        let mut gradients = gradients.into_iter();
        std::array::from_fn(|_| gradients.next())
    }
}
