//! What a node's attributes and a graph's constants say.

use onnx_rs::ast::{Attribute, Node};

use crate::exchange::error::ExchangeError;
use crate::exchange::import::chain::unsupported;
use crate::exchange::weights::NamedTensor;
use crate::pooling::Pool2dConfig;

pub(super) fn attribute<'b>(node: &'b Node<'_>, name: &str) -> Option<&'b Attribute<'b>> {
    node.attribute.iter().find(|attribute| attribute.name == name)
}

/// Reads an attribute of two numbers.
pub(super) fn pair(node: &Node<'_>, name: &str) -> Result<Option<[usize; 2]>, ExchangeError> {
    let Some(attribute) = attribute(node, name) else { return Ok(None) };
    let pair = attribute.ints.iter().map(|&number| usize::try_from(number).ok()).collect::<Option<Vec<_>>>();
    match pair.as_deref() {
        Some(&[first, second]) => Ok(Some([first, second])),
        _ => Err(unsupported(node.op_type.as_str(), format!("{name} {:?}", attribute.ints))),
    }
}

/// Reads the padding, which must be the same on opposite sides.
pub(super) fn padding(node: &Node<'_>, weight: &NamedTensor) -> Result<[usize; 2], ExchangeError> {
    let automatic = attribute(node, "auto_pad").map_or(&b"NOTSET"[..], |attribute| attribute.s);
    let pads = attribute(node, "pads").map_or(&[0; 4][..], |attribute| &attribute.ints);
    let even = |size: usize| size % 2 == 1;
    match (automatic, pads, &weight.shape[..]) {
        (b"NOTSET" | b"", &[top, left, bottom, right], _)
            if top == bottom && left == right && top >= 0 && left >= 0 =>
        {
            Ok([top as usize, left as usize])
        }
        (b"VALID", ..) => Ok([0, 0]),
        (b"SAME_UPPER" | b"SAME_LOWER", _, &[_, _, height, width])
            if even(height) && even(width) && pair(node, "strides")?.is_none_or(|stride| stride == [1, 1]) =>
        {
            Ok([height / 2, width / 2])
        }
        _ => Err(unsupported(node.op_type.as_str(), format!("padding {pads:?}"))),
    }
}

pub(super) fn sliding(
    node: &Node<'_>, pool: fn([usize; 2], [usize; 2]) -> Pool2dConfig,
) -> Result<Pool2dConfig, ExchangeError> {
    let operator = node.op_type.as_str();
    let size = pair(node, "kernel_shape")?.ok_or_else(|| unsupported(operator, "no kernel_shape"))?;
    let stride = pair(node, "strides")?.unwrap_or([1, 1]);
    let is_padded = attribute(node, "pads").is_some_and(|attribute| attribute.ints.iter().any(|&zeros| zeros != 0));
    let is_same = attribute(node, "auto_pad").is_some_and(|attribute| attribute.s.starts_with(b"SAME"));
    let is_dilated = pair(node, "dilations")?.is_some_and(|dilation| dilation != [1, 1]);
    let is_ceiled = attribute(node, "ceil_mode").is_some_and(|attribute| attribute.i != 0);
    match is_padded || is_same || is_dilated || is_ceiled {
        true => Err(unsupported(operator, "padding, dilation or ceil_mode")),
        false => Ok(pool(size, stride)),
    }
}

pub(super) fn transposed(tensor: NamedTensor) -> Result<NamedTensor, ExchangeError> {
    let [rows, columns] = tensor.shape[..] else {
        return Err(unsupported("Gemm", format!("a matrix of shape {:?}", tensor.shape)));
    };
    let values = (0..columns).flat_map(|column| (0..rows).map(move |row| (row, column)));
    let values = values.map(|(row, column)| tensor.values[row * columns + column]).collect();
    Ok(NamedTensor { shape: vec![columns, rows], values, ..tensor })
}
