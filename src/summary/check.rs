//! Shapes that do not fit together, where Burn leaves it to the backend to notice.

use burn_ir::{ModuleOperationIr, OperationIr};

/// What does not fit, if the operation's operands do not. Burn itself checks convolutions and
/// matrix products, but not linear layers.
pub(super) fn misfit(operation: &OperationIr) -> Option<String> {
    let OperationIr::Module(ModuleOperationIr::Linear(linear)) = operation else {
        return None;
    };
    let (input, weight) = (linear.x.shape.to_vec(), linear.weight.shape.to_vec());
    let (found, expected) = (input.last()?, weight.first()?);
    (found != expected).then(|| {
        format!("a linear layer expected {expected} features, found {found} in an input of shape {input:?}")
    })
}
