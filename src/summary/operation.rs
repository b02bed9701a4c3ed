//! One recorded operation, in the form that the rest of the summary reads.

use burn_ir::{OperationIr, TensorIr};
use serde_json::{Map, Value};

use super::cost::multiply_adds;
use super::window::Window;

/// Returns the size of a tensor's values.
pub(super) fn bytes(tensor: &TensorIr) -> usize {
    tensor.shape.num_elements() * tensor.dtype.size()
}

/// A recorded operation.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    /// The operation's name in `burn_ir`: `Conv2d`, `Reshape`, `MaskFill`.
    pub name: String,
    pub inputs: Vec<TensorIr>,
    pub outputs: Vec<TensorIr>,
    /// What else defines it: axes, strides, scalars.
    pub attributes: Vec<(String, Value)>,
    pub multiply_adds: u64,
    pub window: Option<Window>,
    /// Whether it is no operation but the release of a tensor.
    pub is_drop: bool,
}

impl Operation {
    pub fn new(ir: &OperationIr) -> Self {
        let (name, attributes) = match ir {
            OperationIr::Custom(custom) => (custom.id.clone(), Vec::new()),
            ir => name_and_attributes(String::new(), serde_json::to_value(ir).unwrap_or_default()),
        };
        Self {
            name,
            inputs: ir.inputs().cloned().collect(),
            outputs: ir.outputs().cloned().collect(),
            attributes,
            multiply_adds: multiply_adds(ir),
            window: Window::of(ir),
            is_drop: matches!(ir, OperationIr::Drop(_)),
        }
    }

    /// Returns the inputs, then the outputs.
    pub fn tensors(&self) -> impl Iterator<Item = &TensorIr> {
        self.inputs.iter().chain(&self.outputs)
    }

    /// Returns an attribute that counts something: an axis, a size.
    pub fn number(&self, attribute: &str) -> Option<usize> {
        let (_, value) = self.attributes.iter().find(|(name, _)| name == attribute)?;
        usize::try_from(value.as_u64()?).ok()
    }

    /// Returns whether it only shows its input's elements in another shape or order.
    pub fn is_view(&self) -> bool {
        matches!(self.name.as_str(), "Reshape" | "SwapDims" | "Permute" | "Expand" | "ToDevice")
    }

    /// Returns whether every output element depends on the input elements at its own place alone.
    pub fn is_elementwise(&self) -> bool {
        match self.name.as_str() {
            "SwapDims" | "Permute" | "Flip" | "Gather" | "Scatter" | "Select" | "SelectAssign"
            | "CumSum" | "CumProd" | "CumMin" | "CumMax" | "Sort" | "Embedding" => false,
            _ => {
                let keeps_shape =
                    |output: &TensorIr| self.inputs.iter().any(|input| input.shape == output.shape);
                self.window.is_none()
                    && self.multiply_adds == 0
                    && self.outputs.iter().all(keeps_shape)
            }
        }
    }

    /// Returns the dimension that it reduces to size 1, if it reduces one.
    pub fn reduced_axis(&self) -> Option<usize> {
        let named = self.name.ends_with("Dim") || self.name.ends_with("DimWithIndices");
        let axis = self.number("axis").or_else(|| self.number("dim"))?;
        let (input, output) = (&self.inputs.first()?.shape, &self.outputs.first()?.shape);
        let reduces = named
            && self.name != "RepeatDim"
            && input.len() == output.len()
            && output.get(axis) == Some(&1);
        reduces.then_some(axis)
    }
}

/// Burn's representation serialises as nested maps with the operation's name as the last key:
/// the one form in which all of its 200 kinds, and those of later versions, look alike.
fn name_and_attributes(name: String, value: Value) -> (String, Vec<(String, Value)>) {
    match value {
        // A data type stands before the operation it belongs to.
        Value::Array(mut items) => name_and_attributes(name, items.pop().unwrap_or_default()),
        Value::Object(fields) if is_variant(&fields) => {
            let (variant, inner) = fields.into_iter().next().unwrap_or_default();
            name_and_attributes(variant, inner)
        }
        Value::Object(fields) => {
            (name, fields.into_iter().filter(|(_, field)| !holds_tensors(field)).collect())
        }
        _ => (name, Vec::new()),
    }
}

/// Returns whether it maps a variant's name to what it holds; variants are named in upper case,
/// fields in lower.
fn is_variant(fields: &Map<String, Value>) -> bool {
    fields.len() == 1
        && fields.keys().all(|key| key.starts_with(|first: char| first.is_ascii_uppercase()))
}

fn holds_tensors(value: &Value) -> bool {
    match value {
        Value::Object(fields) => {
            fields.contains_key("status") || fields.values().any(holds_tensors)
        }
        Value::Array(items) => items.iter().any(holds_tensors),
        _ => false,
    }
}
