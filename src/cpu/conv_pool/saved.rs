//! What the forward pass leaves for the backward pass.

use crate::cpu::simd::Level;

/// What the backward pass needs to know of the forward pass, beside its input.
#[derive(Clone, Debug)]
pub struct Saved {
    pub(super) level: Level,
    /// `[image, window, position in the window, vector of filters]`, a bit for each filter: whether
    /// the window's gradient reaches the position.
    pub(super) gates: Vec<u16>,
    /// `[image, filter]`, for a global maximum: its position, if it is active.
    pub(super) winners: Vec<u32>,
    /// `[image, vector of filters, position]`, for a reduction: the activations.
    pub(super) maps: Vec<f32>,
    /// The largest magnitude of the input, NaN if it holds one.
    pub(super) largest: f32,
    /// Whether no sum could overflow or be NaN; gates and winners are right only then.
    pub(super) finite: bool,
}
