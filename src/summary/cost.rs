//! What an operation costs: multiply-adds, and the window it slides.
//!
//! Counted are the operations whose cost is a sum of products: convolutions (also transposed and
//! deformable), linear layers, matrix products and attention, with their backward passes.
//! One multiplication with the addition that follows is one. Everything else counts as nothing.

use burn_ir::{FloatOperationIr, IntOperationIr, ModuleOperationIr, OperationIr, TensorIr};

use super::operation::Sliding;

fn elements(tensor: &TensorIr) -> u64 {
    tensor.shape.iter().map(|&size| size as u64).product()
}

/// Elements of a tensor from dimension 1 on: for a convolution's weight
/// `[out, in / groups, kernel...]` the products in one output element.
fn per_first(tensor: &TensorIr) -> u64 {
    tensor.shape.iter().skip(1).map(|&size| size as u64).product()
}

fn last(tensor: &TensorIr) -> u64 {
    tensor.shape.iter().last().map_or(1, |&size| size as u64)
}

/// Multiplications, each with its addition, that the operation needs.
pub(super) fn multiply_adds(operation: &OperationIr) -> u64 {
    match operation {
        OperationIr::Float(_, FloatOperationIr::Matmul(op)) => elements(&op.out) * last(&op.lhs),
        OperationIr::Int(IntOperationIr::Matmul(op)) => elements(&op.out) * last(&op.lhs),
        OperationIr::Module(operation) => of_module(operation),
        _ => 0,
    }
}

fn of_module(operation: &ModuleOperationIr) -> u64 {
    use ModuleOperationIr as Op;
    match operation {
        Op::Linear(op) => elements(&op.out) * last(&op.x),
        Op::LinearXBackward(op) => elements(&op.out) * last(&op.output_grad),
        Op::LinearWeightBackward(op) => elements(&op.output_grad) * last(&op.x),

        Op::Conv1d(op) => elements(&op.out) * per_first(&op.weight),
        Op::Conv2d(op) => elements(&op.out) * per_first(&op.weight),
        Op::Conv3d(op) => elements(&op.out) * per_first(&op.weight),
        Op::DeformableConv2d(op) => elements(&op.out) * per_first(&op.weight),

        Op::Conv1dXBackward(op) => elements(&op.output_grad) * per_first(&op.weight),
        Op::Conv2dXBackward(op) => elements(&op.output_grad) * per_first(&op.weight),
        Op::Conv3dXBackward(op) => elements(&op.output_grad) * per_first(&op.weight),
        Op::Conv1dWeightBackward(op) => elements(&op.output_grad) * per_first(&op.weight),
        Op::Conv2dWeightBackward(op) => elements(&op.output_grad) * per_first(&op.weight),
        Op::Conv3dWeightBackward(op) => elements(&op.output_grad) * per_first(&op.weight),
        // One pass for the input, one for the weight.
        Op::DeformableConv2dBackward(op) => 2 * elements(&op.out_grad) * per_first(&op.weight),

        // The weight is [in, out / groups, kernel...]: every input element meets all of its row.
        Op::ConvTranspose1d(op) => elements(&op.x) * per_first(&op.weight),
        Op::ConvTranspose2d(op) => elements(&op.x) * per_first(&op.weight),
        Op::ConvTranspose3d(op) => elements(&op.x) * per_first(&op.weight),

        // Scores from query and key, then the weighted sum of the values.
        Op::Attention(op) => {
            let keys = op.key.shape.iter().rev().nth(1).map_or(1, |&size| size as u64);
            elements(&op.query) * keys + elements(&op.out) * keys
        }
        _ => 0,
    }
}

/// The window that the operation slides over its input, if it slides one.
pub(super) fn sliding(operation: &OperationIr) -> Option<Sliding> {
    use ModuleOperationIr as Op;
    let OperationIr::Module(operation) = operation else {
        return None;
    };
    match operation {
        Op::Conv1d(op) => convolution(&op.weight, &op.options.stride, &op.options.dilation, false),
        Op::Conv2d(op) => convolution(&op.weight, &op.options.stride, &op.options.dilation, false),
        Op::Conv3d(op) => convolution(&op.weight, &op.options.stride, &op.options.dilation, false),
        Op::DeformableConv2d(op) => {
            convolution(&op.weight, &op.options.stride, &op.options.dilation, false)
        }
        Op::ConvTranspose1d(op) => {
            convolution(&op.weight, &op.options.stride, &op.options.dilation, true)
        }
        Op::ConvTranspose2d(op) => {
            convolution(&op.weight, &op.options.stride, &op.options.dilation, true)
        }
        Op::ConvTranspose3d(op) => {
            convolution(&op.weight, &op.options.stride, &op.options.dilation, true)
        }
        Op::MaxPool1d(op) => pool(&[op.kernel_size], &[op.stride], &[op.dilation]),
        Op::MaxPool1dWithIndices(op) => pool(&[op.kernel_size], &[op.stride], &[op.dilation]),
        Op::MaxPool2d(op) => pool(&op.kernel_size, &op.stride, &op.dilation),
        Op::MaxPool2dWithIndices(op) => pool(&op.kernel_size, &op.stride, &op.dilation),
        Op::AvgPool1d(op) => pool(&[op.kernel_size], &[op.stride], &[1]),
        Op::AvgPool2d(op) => pool(&op.kernel_size, &op.stride, &[1, 1]),
        _ => None,
    }
}

fn convolution(
    weight: &TensorIr,
    stride: &[usize],
    dilation: &[usize],
    transposed: bool,
) -> Option<Sliding> {
    Some(Sliding {
        size: weight.shape.iter().skip(2).copied().collect(),
        stride: stride.to_vec(),
        dilation: dilation.to_vec(),
        transposed,
    })
}

fn pool(size: &[usize], stride: &[usize], dilation: &[usize]) -> Option<Sliding> {
    Some(Sliding {
        size: size.to_vec(),
        stride: stride.to_vec(),
        dilation: dilation.to_vec(),
        transposed: false,
    })
}
