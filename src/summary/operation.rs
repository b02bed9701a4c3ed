//! One recorded operation, in the form that the rest of the summary reads.

use burn::tensor::DType;
use burn_ir::{OperationIr, TensorId, TensorIr, TensorStatus};
use serde_json::Value;

use super::cost;

/// A tensor as an operation saw it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TensorView {
    pub id: TensorId,
    pub shape: Vec<usize>,
    pub dtype: DType,
    /// Whether nothing else holds it any more when the operation has run.
    pub consumed: bool,
}

impl TensorView {
    fn new(tensor: &TensorIr) -> Self {
        Self {
            id: tensor.id,
            shape: tensor.shape.to_vec(),
            dtype: tensor.dtype,
            consumed: tensor.status == TensorStatus::ReadWrite,
        }
    }

    pub fn elements(&self) -> usize {
        self.shape.iter().product()
    }

    pub fn bytes(&self) -> usize {
        self.elements() * self.dtype.size()
    }
}

/// The window that an operation slides over its input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sliding {
    pub size: Vec<usize>,
    pub stride: Vec<usize>,
    pub dilation: Vec<usize>,
    /// Whether the window is put down on the output, as transposed convolutions do.
    pub transposed: bool,
}

/// What was recorded at one moment.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    /// The operation's name in `burn_ir`: `Conv2d`, `Reshape`, `MaskFill`.
    pub name: String,
    pub inputs: Vec<TensorView>,
    pub outputs: Vec<TensorView>,
    /// What else defines it: axes, strides, scalars.
    pub attributes: Vec<(String, Value)>,
    pub multiply_adds: u64,
    pub sliding: Option<Sliding>,
    /// A tensor's end, not an operation.
    pub is_drop: bool,
}

impl Operation {
    pub fn new(ir: &OperationIr) -> Self {
        let (name, attributes) = name_and_attributes(ir);
        Self {
            name,
            inputs: ir.inputs().map(TensorView::new).collect(),
            outputs: ir.outputs().map(TensorView::new).collect(),
            attributes,
            multiply_adds: cost::multiply_adds(ir),
            sliding: cost::sliding(ir),
            is_drop: matches!(ir, OperationIr::Drop(_)),
        }
    }

    /// An attribute that counts something: an axis, a size.
    pub fn number(&self, attribute: &str) -> Option<usize> {
        let (_, value) = self.attributes.iter().find(|(name, _)| name == attribute)?;
        usize::try_from(value.as_u64()?).ok()
    }

    /// Whether it only shows its input's elements in another shape or order.
    pub fn is_view(&self) -> bool {
        matches!(self.name.as_str(), "Reshape" | "SwapDims" | "Permute" | "Expand" | "ToDevice")
    }

    /// Whether every output element depends on the input elements at its own place alone.
    pub fn is_elementwise(&self) -> bool {
        self.sliding.is_none()
            && self.multiply_adds == 0
            && self
                .outputs
                .iter()
                .all(|output| self.inputs.iter().any(|input| input.shape == output.shape))
            && !matches!(
                self.name.as_str(),
                "SwapDims"
                    | "Permute"
                    | "Flip"
                    | "Gather"
                    | "Scatter"
                    | "SelectAssign"
                    | "Select"
                    | "CumSum"
                    | "CumProd"
                    | "CumMin"
                    | "CumMax"
                    | "Sort"
                    | "Embedding"
            )
    }

    /// Whether it reduces one dimension of its input to size 1.
    pub fn reduced_axis(&self) -> Option<usize> {
        if !(self.name.ends_with("Dim") || self.name.ends_with("DimWithIndices")) {
            return None;
        }
        let axis = self.number("axis").or_else(|| self.number("dim"))?;
        let (input, output) = (self.inputs.first()?, self.outputs.first()?);
        let reduces = input.shape.len() == output.shape.len()
            && *output.shape.get(axis)? == 1
            && self.name != "RepeatDim";
        reduces.then_some(axis)
    }
}

/// Burn's representation serialises as nested maps with the operation's name as the last key:
/// the one form in which all of its 200 kinds, and those of later versions, look alike.
fn name_and_attributes(ir: &OperationIr) -> (String, Vec<(String, Value)>) {
    if let OperationIr::Custom(custom) = ir {
        return (custom.id.clone(), Vec::new());
    }
    let mut value = serde_json::to_value(ir).unwrap_or(Value::Null);
    let mut name = String::new();
    loop {
        match value {
            Value::Object(fields) if is_variant(&fields) => {
                let Some((key, inner)) = fields.into_iter().next() else {
                    break;
                };
                name = key;
                value = inner;
            }
            // A data type stands before the operation it belongs to.
            Value::Array(mut items) => match items.pop() {
                Some(last) => value = last,
                None => break,
            },
            Value::Object(fields) => {
                let attributes =
                    fields.into_iter().filter(|(_, field)| !holds_tensors(field)).collect();
                return (name, attributes);
            }
            _ => break,
        }
    }
    (name, Vec::new())
}

/// A map from a variant's name to what it holds; variants are named in upper case, fields in lower.
fn is_variant(fields: &serde_json::Map<String, Value>) -> bool {
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
