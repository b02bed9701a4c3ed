//! The kernels, on plain slices: they know nothing of Burn.

// Small arrays stay in registers if they are read by constant indices, which is what loops over
// constant ranges become.
#![allow(clippy::needless_range_loop)]

mod backward;
mod convolution;
mod dense;
mod forward;
mod gated;
mod global;
mod layout;
mod parallel;
mod problem;
mod scratch;
mod simd;
mod sparse;
#[cfg(test)]
mod tests;
mod window;

pub use backward::{Wanted, backward};
pub use forward::{Saved, forward, infer};
pub use problem::{Pool, Problem, Window};
pub use simd::{LEVEL_VARIABLE, Level};
pub fn transpose_for_bench(level: Level, size: [usize; 2], source: &[f32], target: &mut [f32]) {
    struct T<'a>([usize; 2], &'a [f32], &'a mut [f32]);
    impl simd::Kernel for T<'_> {
        type Output = ();
        #[inline(always)]
        fn run<S: simd::Lanes>(self, simd: S) {
            layout::transpose(simd, self.0, self.1, self.0[1], self.2, self.0[0])
        }
    }
    level.run(T(size, source, target))
}
