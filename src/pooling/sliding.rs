//! Burn's max and average pooling layers: their windows, and operations that give NaN where there is one.

use burn::nn::PaddingConfig2d;
use burn::nn::pool::{AvgPool2d, MaxPool2d};
use burn::tensor::{DType, Tensor, backend::Backend};

use super::window::{LayerWindow, Window};
use crate::cpu::pool::{Reduction, pool};

/// Returns whether it has neither padding nor dilation, and no window reaches past the end.
pub(super) fn is_plain_max(pool: &MaxPool2d) -> bool {
    pool.padding == PaddingConfig2d::Valid && pool.dilation == [1, 1] && !pool.ceil_mode
}

/// Returns whether it has no padding, and no window reaches past the end.
pub(super) fn is_plain_average(pool: &AvgPool2d) -> bool {
    pool.padding == PaddingConfig2d::Valid && !pool.ceil_mode
}

pub(super) fn max_window(pool: &MaxPool2d) -> LayerWindow<'_> {
    let &MaxPool2d { kernel_size, stride, dilation, ceil_mode, ref padding } = pool;
    let window = Window { what: "pooling kernel", kernel_size, stride, padding: [0, 0] };
    LayerWindow { window, padding, dilation, ceil_mode }
}

pub(super) fn average_window(pool: &AvgPool2d) -> LayerWindow<'_> {
    let &AvgPool2d { kernel_size, stride, ceil_mode, ref padding, .. } = pool;
    let window = Window { what: "pooling kernel", kernel_size, stride, padding: [0, 0] };
    LayerWindow { window, padding, dilation: [1, 1], ceil_mode }
}

/// Pools by an operation that keeps NaN, or else by Burn's.
pub(super) fn max_pool<B: Backend>(pool: &MaxPool2d, input: Tensor<B, 4>) -> Tensor<B, 4> {
    let largest = if is_plain_max(pool) { largest(&input, pool.kernel_size, pool.stride) } else { None };
    largest.unwrap_or_else(|| pool.forward(input))
}

pub(super) fn average_pool<B: Backend>(layer: &AvgPool2d, input: Tensor<B, 4>) -> Tensor<B, 4> {
    let plain = is_plain_average(layer);
    let mean = if plain { pool(Reduction::Mean, &input, layer.kernel_size, layer.stride) } else { None };
    mean.unwrap_or_else(|| layer.forward(input))
}

/// Returns the largest value of each window, NaN if it holds one; `None` where the backend has no such operation.
pub(super) fn largest<B: Backend>(input: &Tensor<B, 4>, size: [usize; 2], stride: [usize; 2]) -> Option<Tensor<B, 4>> {
    let narrow = match input.dtype() {
        DType::F16 | DType::BF16 => input.dtype(),
        _ => return pool(Reduction::Max, input, size, stride),
    };
    // Every such number is one of `f32` too.
    Some(pool(Reduction::Max, &input.clone().cast(DType::F32), size, stride)?.cast(narrow))
}
