//! Weights in the safetensors format, named by their paths in the module.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Tensor, TensorData};
use safetensors::{Dtype, SafeTensorError, SafeTensors, tensor::TensorView};

/// Bytes that are not the weights of a network.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// No safetensors file, or one that was cut.
    #[error("expected a whole safetensors file, found something else: {0}")]
    Format(#[from] SafeTensorError),
    /// A tensor of the network is not in the file.
    #[error("expected a tensor {0}, found none")]
    Missing(String),
    /// The file has tensors that the network has not.
    #[error("expected only the network's tensors, found also {0}")]
    LeftOver(String),
    /// A tensor has another shape, or other numbers than `f32`.
    #[error("expected {name} as f32 {expected:?}, found {dtype:?} {found:?}")]
    Layout {
        /// The tensor.
        name: String,
        /// The shape in the network.
        expected: Vec<usize>,
        /// The type of the numbers in the file.
        dtype: Dtype,
        /// The shape in the file.
        found: Vec<usize>,
    },
    /// A weight is infinite or not a number.
    #[error("expected finite numbers in {0}, found an infinite one or NaN")]
    NotFinite(String),
}

/// Replaces every parameter of `module` by the tensor of its name; running statistics count as parameters.
pub(super) fn load_weights<M: Module>(module: M, bytes: &[u8]) -> Result<M, WeightsError> {
    let tensors = SafeTensors::deserialize(bytes)?.tensors().into_iter().collect();
    let mut loader = Loader { tensors, path: Vec::new(), result: Ok(()) };
    let module = module.map(&mut loader);
    loader.result?;
    match loader.tensors.is_empty() {
        true => Ok(module),
        false => Err(WeightsError::LeftOver(loader.tensors.into_keys().collect::<Vec<_>>().join(", "))),
    }
}

struct Loader<'a> {
    /// The tensors that no parameter has taken yet.
    tensors: BTreeMap<String, TensorView<'a>>,
    /// The names of the modules around the parameter, its own the last.
    path: Vec<String>,
    /// The first error: a mapper cannot return one.
    result: Result<(), WeightsError>,
}

impl ModuleMapper for Loader<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if self.result.is_err() {
            return param;
        }
        match self.take(&param.lazy_shape()) {
            Ok(data) => Param::from_data(data, &param.lazy_device()),
            Err(error) => {
                self.result = Err(error);
                param
            }
        }
    }
}

impl Loader<'_> {
    /// Takes the tensor of the current path, if it is as the module has it.
    fn take(&mut self, shape: &[usize]) -> Result<TensorData, WeightsError> {
        let name = self.path.join(".");
        let Some(tensor) = self.tensors.remove(&name) else {
            return Err(WeightsError::Missing(name));
        };
        if tensor.shape() != shape || tensor.dtype() != Dtype::F32 {
            let (expected, dtype, found) = (shape.to_vec(), tensor.dtype(), tensor.shape().to_vec());
            return Err(WeightsError::Layout { name, expected, dtype, found });
        }
        let values = tensor.data().as_chunks::<4>().0.iter().map(|&bytes| f32::from_le_bytes(bytes));
        let values: Vec<f32> = values.collect();
        match values.iter().all(|value| value.is_finite()) {
            true => Ok(TensorData::new(values, shape)),
            false => Err(WeightsError::NotFinite(name)),
        }
    }
}
