//! What the processor and its memory can do at most, measured.
//!
//! ```
//! use burn_pooling::limits::Limits;
//!
//! if let Some(limits) = Limits::measure(1) {
//!     println!("{:.1} billion multiply-adds a second", limits.multiply_adds / 1e9);
//! }
//! ```

use serde::Serialize;

use crate::cpu::limits;

/// What some threads can do at once.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Limits {
    /// Multiply-adds a second in `f32`, on registers alone, with the vector instructions in use.
    pub multiply_adds: f64,
    /// Bytes a second from and to memory, two thirds of them read.
    pub bytes: f64,
}

impl Limits {
    /// Measures them on so many threads: the best of many short runs, which take about two seconds. `None` where no CPU
    /// backend is compiled in, and in a browser.
    pub fn measure(threads: usize) -> Option<Self> {
        let [multiply_adds, bytes] = limits::measure(threads)?;
        Some(Self { multiply_adds, bytes })
    }
}
