//! Convolution, bias, ReLU and pooling as one operation, on the CPU backends.
//!
//! Composed of Burn's operations, each of the four steps writes its whole result to memory and reads
//! it back. Here an image stays in the cache from its pixels to its pooled values, only these are
//! stored, and beside them a few bits a window that say where the gradient will go.
//!
//! The backend is recognised by its type: [`forward`] takes a tensor of any backend, and returns
//! nothing where there is no fused operation for it.
//!
//! # Numbers
//! - Sums are taken in another order than Burn's, so results differ by rounding.
//! - Of equal maxima the first in row-major order gets the gradient. The maximum is taken before the
//!   ReLU, so a window without a positive value sends its gradient nowhere.
//! - NaN comes out of a maximum or a mean as NaN. (Burn's ReLU on Flex turns it into zero.)
//! - The number of threads does not change a bit; the level of vector instructions does, see
//!   [`LEVEL_VARIABLE`].

mod backend;
mod operation;

use burn::tensor::{Tensor, backend::Backend};

pub(crate) use backend::CpuBackend;
use backend::Fused;

pub(super) use crate::cpu::conv_pool::{Pool, Problem, Window};
use crate::host::same;

pub use crate::cpu::conv_pool::LEVEL_VARIABLE;

/// What goes in: the image, the filters and their bias.
#[derive(Clone)]
pub(super) struct Inputs<B: Backend> {
    /// `[batch, channels, height, width]`
    pub input: Tensor<B, 4>,
    /// `[filters, channels, height, width]`
    pub weight: Tensor<B, 4>,
    /// `[filters]`
    pub bias: Option<Tensor<B, 1>>,
}

/// The output `[batch, filters, height, width]`, if there is a fused operation for the backend and the
/// type of its numbers.
pub(super) fn forward<B: Backend>(inputs: &Inputs<B>, problem: Problem) -> Option<Tensor<B, 4>> {
    if !problem.is_valid() {
        return None;
    }
    let attempts = [
        #[cfg(feature = "flex")]
        backend::flex::attempts::<B>(),
        #[cfg(feature = "ndarray")]
        backend::ndarray::attempts::<B>(),
    ];
    attempts.into_iter().flatten().find_map(|attempt| attempt(inputs, &problem))
}

/// Tries one backend.
type Attempt<B> = fn(&Inputs<B>, &Problem) -> Option<Tensor<B, 4>>;

/// The output, if `B` is `A`.
fn attempt<B: Backend, A: Fused>(inputs: &Inputs<B>, problem: &Problem) -> Option<Tensor<B, 4>> {
    let inputs: Inputs<A> = Inputs {
        input: same(inputs.input.clone())?,
        weight: same(inputs.weight.clone())?,
        bias: match &inputs.bias {
            Some(bias) => Some(same(bias.clone())?),
            None => None,
        },
    };
    same(A::conv_pool(inputs, problem)?)
}
