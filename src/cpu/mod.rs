//! The CPU engine: what the layers compute on backends whose tensors lie in the memory of the host.
//!
//! It knows tensors as slices, and no network. Where neither of these backends is compiled in, each of its operations
//! returns `None`, and the layers compose Burn's.

// Kernels loop over constant ranges: indices that are constants keep small arrays in registers, and calls into
// iterators may end up in another codegen unit, without the level's instructions.
#![allow(clippy::needless_range_loop, clippy::manual_memcpy)]

pub(crate) mod adam;
pub(crate) mod bridge;
pub(crate) mod taps;
pub(crate) mod threads;

#[cfg(any(feature = "flex", feature = "ndarray"))]
mod buffer;
#[cfg(any(feature = "flex", feature = "ndarray"))]
pub(crate) mod conv_pool;
#[cfg(all(any(feature = "flex", feature = "ndarray"), not(target_family = "wasm")))] // it starts threads
pub(crate) mod limits;
#[cfg(any(feature = "flex", feature = "ndarray"))]
pub(crate) mod linear;
#[cfg(any(feature = "flex", feature = "ndarray"))]
mod matrix;
#[cfg(any(feature = "flex", feature = "ndarray"))]
mod parallel;
#[cfg(any(feature = "flex", feature = "ndarray"))]
pub(crate) mod reduce;
#[cfg(any(feature = "flex", feature = "ndarray"))]
pub(crate) mod relu;
#[cfg(any(feature = "flex", feature = "ndarray"))]
pub(crate) mod simd;
#[cfg(any(feature = "flex", feature = "ndarray"))]
mod transpose;

#[cfg(not(any(feature = "flex", feature = "ndarray")))]
pub(crate) mod conv_pool {
    #[allow(dead_code, reason = "only the kernels need all of it")]
    mod problem;

    use burn::tensor::{Tensor, backend::Backend};
    pub use problem::{Algorithm, Pool, Problem, Window};

    pub fn conv_pool<B: Backend>(
        _: &Problem, _: Tensor<B, 4>, _: Tensor<B, 4>, _: Option<Tensor<B, 1>>, _: Option<Tensor<B, 2>>,
    ) -> Option<Tensor<B, 4>> {
        None
    }
}

#[cfg(not(all(any(feature = "flex", feature = "ndarray"), not(target_family = "wasm"))))]
pub(crate) mod limits {
    pub fn measure(_: usize) -> Option<[f64; 2]> {
        None
    }
}

#[cfg(not(any(feature = "flex", feature = "ndarray")))]
pub(crate) mod linear {
    use burn::tensor::{Tensor, backend::Backend};

    pub fn linear<B: Backend>(_: Tensor<B, 2>, _: Tensor<B, 2>, _: Tensor<B, 1>, _: bool) -> Option<Tensor<B, 2>> {
        None
    }
}

#[cfg(not(any(feature = "flex", feature = "ndarray")))]
pub(crate) mod reduce {
    #[allow(dead_code, reason = "only the kernels read it")]
    mod reduction;

    use burn::tensor::{Tensor, backend::Backend};
    pub use reduction::Reduction;

    use super::taps::Taps;

    pub fn pool<B: Backend>(_: Reduction, _: Taps, _: Tensor<B, 4>, _: Option<Tensor<B, 2>>) -> Option<Tensor<B, 4>> {
        None
    }
}

#[cfg(not(any(feature = "flex", feature = "ndarray")))]
pub(crate) mod relu {
    use burn::tensor::{Tensor, backend::Backend};

    pub fn relu<B: Backend, const D: usize>(_: &Tensor<B, D>) -> Option<Tensor<B, D>> {
        None
    }
}
