//! The multiply-adds of an operation.
//!
//! Counted are the operations whose cost is a sum of products: convolutions (also transposed and
//! deformable), linear layers, matrix products and attention, with their backward passes.
//! A multiplication with the addition that follows counts as one, everything else as nothing.

use burn_ir::{FloatOperationIr, IntOperationIr, ModuleOperationIr, OperationIr, TensorIr};

fn elements(tensor: &TensorIr) -> u64 {
    tensor.shape.iter().map(|&size| size as u64).product()
}

/// Returns the elements in one entry of the first dimension: for a convolution's weight
/// `[out, in / groups, kernel...]` the products in one output element.
fn per_first(tensor: &TensorIr) -> u64 {
    tensor.shape.iter().skip(1).map(|&size| size as u64).product()
}

fn last(tensor: &TensorIr) -> u64 {
    tensor.shape.iter().last().map_or(1, |&size| size as u64)
}

/// Returns how many multiplications, each with its addition, the operation needs.
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
