//! The constants of a graph, in the model's file or in another beside it.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Component, Path};

use burn::tensor::DType;
use onnx_rs::ast::{DataLocation, DataType, TensorProto};

use crate::exchange::error::ExchangeError;
use crate::exchange::weights::{NamedTensor, numbers};

/// Returns a constant, rounded to `f32`; `None` if it is not of numbers. Values outside of the model are read from `folder`.
pub(super) fn constant(
    name: &str, tensor: &TensorProto<'_>, folder: Option<&Path>,
) -> Result<Option<NamedTensor>, ExchangeError> {
    let shape: Option<Vec<usize>> = tensor.dims().iter().map(|&size| usize::try_from(size).ok()).collect();
    let count = |shape: &[usize]| shape.iter().try_fold(1_usize, |count, &size| count.checked_mul(size));
    let Some(shape) = shape else { return Ok(None) };
    let Some(count) = count(&shape) else { return Ok(None) };
    let raw = match tensor.data_location() {
        DataLocation::External => Some(external(name, tensor, folder)?),
        DataLocation::Default => tensor.as_raw().map(<[u8]>::to_vec),
    };
    let values = match (raw, dtype(tensor.data_type())) {
        (Some(bytes), Some((dtype, size))) if count.checked_mul(size) == Some(bytes.len()) => {
            numbers(bytes, shape.clone(), dtype).ok()
        }
        (Some(_), _) => None,
        (None, _) => typed(tensor),
    };
    let values = values.filter(|values| count > 0 && values.len() == count);
    Ok(values.map(|values| NamedTensor { name: name.to_owned(), shape, values }))
}

fn dtype(data_type: DataType) -> Option<(DType, usize)> {
    Some(match data_type {
        DataType::Float => (DType::F32, 4),
        DataType::Double => (DType::F64, 8),
        DataType::Float16 => (DType::F16, 2),
        DataType::Bfloat16 => (DType::BF16, 2),
        DataType::Int64 => (DType::I64, 8),
        _ => return None,
    })
}

/// Values in a field of their type.
fn typed(tensor: &TensorProto<'_>) -> Option<Vec<f32>> {
    let whole = || Some(tensor.as_i64()?.iter().map(|&value| value as f32).collect());
    let double = || Some(tensor.as_f64()?.iter().map(|&value| value as f32).collect());
    tensor.as_f32().map(|values| values.to_vec()).or_else(double).or_else(whole)
}

/// Reads the values that lie in a file beside the model.
fn external(name: &str, tensor: &TensorProto<'_>, folder: Option<&Path>) -> Result<Vec<u8>, ExchangeError> {
    let entry = |key: &str| tensor.external_data().iter().find(|entry| entry.key == key).map(|entry| entry.value);
    let file = entry("location").unwrap_or_default();
    let error = |what: &str| ExchangeError::Content {
        expected: "an ONNX model with its weights, or with the file of its weights beside it",
        found: format!("{name} in the file {file:?}, {what}"),
    };
    let mut parts = Path::new(file).components();
    let is_name = matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None));
    let folder = folder.filter(|_| is_name).ok_or_else(|| error("which is not looked for"))?;
    let number = |key: &str| entry(key).map_or(Ok(0), |text| text.parse::<u64>().map_err(|_| error("at no number")));
    let (offset, len) = (number("offset")?, number("length")?);
    let mut bytes = Vec::new();
    let read = File::open(folder.join(file)).and_then(|mut file| {
        file.seek(SeekFrom::Start(offset))?;
        file.take(if len == 0 { u64::MAX } else { len }).read_to_end(&mut bytes)
    });
    read.map_err(|source| error(&format!("which cannot be read: {source}")))?;
    Ok(bytes)
}
