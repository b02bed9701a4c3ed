//! The window that a convolution or a pool slides over its input.

use burn_ir::{ModuleOperationIr as Op, OperationIr, TensorIr};
use serde::Serialize;

/// The kernel of a convolution or a pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Window {
    /// The kernel size along each spatial dimension.
    pub size: Vec<usize>,
    /// The stride.
    pub stride: Vec<usize>,
    /// The dilation.
    pub dilation: Vec<usize>,
}

impl Window {
    /// Returns the operation's window; `None` for an operation that slides none.
    pub(super) fn of(operation: &OperationIr) -> Option<Self> {
        let OperationIr::Module(operation) = operation else {
            return None;
        };
        let conv = |weight: &TensorIr, stride, dilation| pool(&weight.shape[2..], stride, dilation);
        Some(match operation {
            Op::Conv1d(op) => conv(&op.weight, &op.options.stride, &op.options.dilation),
            Op::Conv2d(op) => conv(&op.weight, &op.options.stride, &op.options.dilation),
            Op::Conv3d(op) => conv(&op.weight, &op.options.stride, &op.options.dilation),
            Op::DeformableConv2d(op) => conv(&op.weight, &op.options.stride, &op.options.dilation),
            Op::ConvTranspose1d(op) => conv(&op.weight, &op.options.stride, &op.options.dilation),
            Op::ConvTranspose2d(op) => conv(&op.weight, &op.options.stride, &op.options.dilation),
            Op::ConvTranspose3d(op) => conv(&op.weight, &op.options.stride, &op.options.dilation),
            Op::MaxPool1d(op) => pool(&[op.kernel_size], &[op.stride], &[op.dilation]),
            Op::MaxPool1dWithIndices(op) => pool(&[op.kernel_size], &[op.stride], &[op.dilation]),
            Op::MaxPool2d(op) => pool(&op.kernel_size, &op.stride, &op.dilation),
            Op::MaxPool2dWithIndices(op) => pool(&op.kernel_size, &op.stride, &op.dilation),
            Op::AvgPool1d(op) => pool(&[op.kernel_size], &[op.stride], &[1]),
            Op::AvgPool2d(op) => pool(&op.kernel_size, &op.stride, &[1, 1]),
            _ => return None,
        })
    }
}

fn pool(size: &[usize], stride: &[usize], dilation: &[usize]) -> Window {
    Window { size: size.to_vec(), stride: stride.to_vec(), dilation: dilation.to_vec() }
}
