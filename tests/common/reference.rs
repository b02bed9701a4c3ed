//! The cases of `tests/reference/pooling.safetensors`, which `pooling.py` beside it made.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::collections::BTreeMap;

use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use safetensors::SafeTensors;
use serde_json::Value;

/// Of the largest value of a tensor.
const TOLERANCE: f64 = 1e-5;

/// All cases, by name.
pub struct Cases {
    tensors: SafeTensors<'static>,
    about: BTreeMap<String, Value>,
}

impl Cases {
    pub fn new() -> Self {
        let bytes = include_bytes!("../reference/pooling.safetensors");
        let (_, metadata) = SafeTensors::read_metadata(bytes).unwrap();
        let about = metadata.metadata().as_ref().unwrap().iter().filter(|(name, _)| *name != "versions");
        let about = about.map(|(name, text)| (name.clone(), serde_json::from_str(text).unwrap())).collect();
        Self { tensors: SafeTensors::deserialize(bytes).unwrap(), about }
    }

    /// The cases of layers whose name is wanted; at least one.
    pub fn of(&self, wanted: impl Fn(&str) -> bool) -> Vec<Case<'_>> {
        let cases = self.about.iter().map(|(name, about)| Case { name, about, tensors: &self.tensors });
        let found: Vec<_> = cases.filter(|case| wanted(case.layer())).collect();
        assert!(!found.is_empty());
        found
    }
}

#[derive(Clone, Copy)]
pub struct Case<'a> {
    pub name: &'a str,
    about: &'a Value,
    tensors: &'a SafeTensors<'static>,
}

impl Case<'_> {
    pub fn layer(&self) -> &str {
        self.about["layer"].as_str().unwrap()
    }

    pub fn option(&self, name: &str) -> &Value {
        &self.about["options"][name]
    }

    /// An option's numbers, `[height, width]`; along a sequence there is one.
    pub fn pair(&self, name: &str, default: usize) -> [usize; 2] {
        let number = |value: &Value| value.as_u64().unwrap() as usize;
        match self.option(name) {
            Value::Null => [default, default],
            Value::Array(pair) if pair.len() == 2 => [number(&pair[0]), number(&pair[1])],
            Value::Array(one) => [default, number(&one[0])],
            one if self.is_sequence() => [default, number(one)],
            one => [number(one); 2],
        }
    }

    pub fn is_sequence(&self) -> bool {
        self.data("input").shape.len() == 3
    }

    pub fn has_part(&self, part: &str) -> bool {
        self.tensors.tensor(&format!("{}.{part}", self.name)).is_ok()
    }

    pub fn data(&self, part: &str) -> TensorData {
        let view = self.tensors.tensor(&format!("{}.{part}", self.name)).unwrap();
        let shape = view.shape().to_vec();
        let bytes = view.data().as_chunks::<4>().0.iter();
        match view.dtype() {
            safetensors::Dtype::I32 => {
                TensorData::new(bytes.map(|&bytes| i32::from_le_bytes(bytes)).collect::<Vec<_>>(), shape)
            }
            _ => TensorData::new(bytes.map(|&bytes| f32::from_le_bytes(bytes)).collect::<Vec<_>>(), shape),
        }
    }

    /// Maps; a sequence as maps of height 1.
    pub fn map<B: Backend>(&self, part: &str) -> Tensor<B, 4> {
        let mut data = self.data(part).convert::<B::FloatElem>();
        if data.shape.len() == 3 {
            data.shape.insert(2, 1);
        }
        Tensor::from_data(data, &Default::default())
    }

    pub fn parameter<B: Backend, const D: usize>(&self, part: &str) -> Tensor<B, D> {
        Tensor::from_data(self.data(part).convert::<B::FloatElem>(), &Default::default())
    }

    /// Checks what was found next to a part, NaN and infinity included.
    pub fn compare<B: Backend, const D: usize>(&self, part: &str, found: Tensor<B, D>) {
        let found: Vec<f64> = found.into_data().iter().collect();
        let expected: Vec<f64> = self.data(part).iter().collect();
        assert_eq!(found.len(), expected.len(), "{}: {part}", self.name);
        let scale = expected.iter().filter(|x| x.is_finite()).fold(1e-3_f64, |largest, x| largest.max(x.abs()));
        for (i, (found, expected)) in found.iter().zip(&expected).enumerate() {
            let same = found == expected || found.is_nan() && expected.is_nan();
            let close = (found - expected).abs() <= TOLERANCE * scale;
            assert!(same || close, "{}, {part} {i}: expected {expected}, found {found}", self.name);
        }
    }
}
