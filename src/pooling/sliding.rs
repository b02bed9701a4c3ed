//! Burn's max and average pooling layers: their windows, and operations that give NaN where there is one.

use burn::nn::PaddingConfig2d;
use burn::nn::pool::{AvgPool2d, MaxPool2d};
use burn::tensor::{Tensor, backend::Backend};

use super::pool_window::PoolWindow;
use super::reduce::on_cpu;
use super::window::{LayerWindow, Window};
use crate::cpu::reduce::Reduction;

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
    let largest = plain(is_plain_max(pool), Reduction::Max, pool.kernel_size, pool.stride, &input);
    largest.unwrap_or_else(|| pool.forward(input))
}

pub(super) fn average_pool<B: Backend>(pool: &AvgPool2d, input: Tensor<B, 4>) -> Tensor<B, 4> {
    let mean = plain(is_plain_average(pool), Reduction::Mean, pool.kernel_size, pool.stride, &input);
    mean.unwrap_or_else(|| pool.forward(input))
}

fn plain<B: Backend>(
    is_plain: bool, reduction: Reduction, kernel_size: [usize; 2], stride: [usize; 2], input: &Tensor<B, 4>,
) -> Option<Tensor<B, 4>> {
    let window = PoolWindow::sliding(kernel_size).with_stride(stride);
    if is_plain { on_cpu(&window, reduction, input, None).ok().flatten() } else { None }
}
