//! A network's weights by their paths in the module, in Burn's layouts.

use std::collections::BTreeMap;

use burn::tensor::{DType, TensorData, backend::Backend};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use super::error::ExchangeError;
use super::layout::{Layout, Weight};
use crate::model::PoolingCnn;
use crate::run::{read_weights, save_weights};

/// The values of every weight.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Weights(pub BTreeMap<String, Vec<f32>>);

impl Weights {
    /// Returns the weights of a network, rounded to `f32`.
    pub fn of<B: Backend>(model: &PoolingCnn<B>) -> Result<Self, ExchangeError> {
        let tensors = tensors_of(&save_weights(model))?;
        Ok(Self(tensors.into_iter().map(|tensor| (tensor.name, tensor.values)).collect()))
    }

    /// Returns a network with these weights in the place of its own.
    pub fn put_into<B: Backend>(&self, model: PoolingCnn<B>, all: &[Weight]) -> Result<PoolingCnn<B>, ExchangeError> {
        let entries = all.iter().filter_map(|weight| {
            let values = self.0.get(&weight.name)?;
            Some((weight.name.clone(), weight.shape(Layout::Burn), values.clone()))
        });
        Ok(read_weights(model, &safetensors(entries.collect(), &[], None)?)?)
    }

    /// Returns the values of a weight in another layout.
    pub fn get(&self, weight: &Weight, layout: Layout) -> Result<Vec<f32>, ExchangeError> {
        let values = self.0.get(&weight.name).filter(|values| values.len() == weight.count());
        match values {
            Some(values) => Ok(weight.rearranged(values, Layout::Burn, layout)),
            None => Err(ExchangeError::Structure {
                expected: format!("a network with {} weights called {}", weight.count(), weight.name),
                found: "another one".to_owned(),
                remedy: "export a network with the configuration that it was created from",
            }),
        }
    }
}

/// A tensor of a file.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct NamedTensor {
    pub name: String,
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

impl NamedTensor {
    /// Returns its name and shape, for people.
    pub fn described(&self) -> String {
        format!("{} {:?}", self.name, self.shape)
    }
}

/// Reads the tensors of numbers with a fraction from a safetensors file, in its order; others, such as counters, are left
/// out.
pub(super) fn tensors_of(bytes: &[u8]) -> Result<Vec<NamedTensor>, ExchangeError> {
    let content = |found: String| ExchangeError::Content { expected: "a safetensors file", found };
    let file = SafeTensors::deserialize(bytes).map_err(|error| content(error.to_string()))?;
    let mut tensors = Vec::new();
    for (name, tensor) in file.tensors() {
        let dtype = match tensor.dtype() {
            Dtype::F64 => DType::F64,
            Dtype::F32 => DType::F32,
            Dtype::F16 => DType::F16,
            Dtype::BF16 => DType::BF16,
            _ => continue,
        };
        let shape = tensor.shape().to_vec();
        let values = numbers(tensor.data().to_vec(), shape.clone(), dtype);
        let values = values.map_err(|error| content(format!("{name}: {error}")))?;
        tensors.push(NamedTensor { name, shape, values });
    }
    Ok(tensors)
}

/// Reads numbers with a fraction, rounded to `f32`, from their bytes.
pub(super) fn numbers(bytes: Vec<u8>, shape: Vec<usize>, dtype: DType) -> Result<Vec<f32>, String> {
    let data = TensorData::from_bytes_vec(bytes, shape, dtype).convert::<f32>();
    data.to_vec().map_err(|error| format!("{error:?}"))
}

/// Writes tensors of `f32` and of whole numbers, with one entry of metadata, as a safetensors file.
pub(super) fn safetensors(
    tensors: Vec<(String, Vec<usize>, Vec<f32>)>, counters: &[String], metadata: Option<(&str, String)>,
) -> Result<Vec<u8>, ExchangeError> {
    let unwritable = |error: safetensors::SafeTensorError| ExchangeError::Unwritable(error.to_string());
    let bytes: Vec<Vec<u8>> =
        tensors.iter().map(|(.., values)| values.iter().flat_map(|value| value.to_le_bytes()).collect()).collect();
    let zero = 0_i64.to_le_bytes();
    let mut views = Vec::new();
    for ((name, shape, _), bytes) in tensors.iter().zip(&bytes) {
        views.push((name.as_str(), TensorView::new(Dtype::F32, shape.clone(), bytes).map_err(unwritable)?));
    }
    for name in counters {
        views.push((name, TensorView::new(Dtype::I64, Vec::new(), &zero).map_err(unwritable)?));
    }
    // One entry: several would be written in an order of chance.
    let metadata = metadata.map(|(key, value)| [(key.to_owned(), value)].into());
    safetensors::serialize(views, metadata).map_err(unwritable)
}
