//! One recorded operation, in the form that the rest of the summary reads.

use burn_ir::{FloatOperationIr, OperationIr, TensorIr};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::layer_scope::LayerRun;

/// Returns the size of a tensor's values.
pub(super) fn bytes(tensor: &TensorIr) -> usize {
    tensor.shape.num_elements() * tensor.dtype.size()
}

#[derive(Clone, Debug)]
pub(super) struct Operation {
    /// The operation's name in `burn_ir`: `Conv2d`, `Reshape`, `MaskFill`.
    pub name: String,
    pub inputs: Vec<TensorIr>,
    pub outputs: Vec<TensorIr>,
    /// What else defines it: axes, strides, scalars.
    pub attributes: Vec<(String, Value)>,
    /// As they are: in 64 bits, the product of two tensors' elements may wrap around.
    pub multiply_adds: u128,
    pub kernel: Option<Kernel>,
    /// Whether it is no operation but the release of a tensor.
    pub is_drop: bool,
    /// The layer that it is a part of, where that said so.
    pub layer: Option<LayerRun>,
}

impl Operation {
    pub fn new(ir: &OperationIr) -> Self {
        let (name, attributes) = match ir {
            OperationIr::Custom(custom) => (custom.id.clone(), Vec::new()),
            OperationIr::Drop(_) => ("Drop".to_owned(), Vec::new()),
            ir => name_and_attributes(String::new(), serde_json::to_value(ir).unwrap_or_default()),
        };
        let inputs: Vec<_> = ir.inputs().cloned().collect();
        let outputs: Vec<_> = ir.outputs().cloned().collect();
        let multiply_adds = outputs.first().map_or(0, |out| multiply_adds(&name, &inputs, out));
        let (kernel, is_drop) = (Kernel::of(&name, &inputs, &attributes), matches!(ir, OperationIr::Drop(_)));
        Self { name, inputs, outputs, attributes, multiply_adds, kernel, is_drop, layer: None }
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

    /// Returns whether it writes its input into a tensor with more positions.
    pub fn is_padding(&self) -> bool {
        let [base, value] = self.inputs.as_slice() else { return false };
        self.name == "SliceAssign" && base.shape.len() == value.shape.len() && base.shape != value.shape
    }

    /// Returns whether every output element depends on the input elements at its own place alone.
    pub fn is_elementwise(&self) -> bool {
        #[rustfmt::skip]
        const MIXING: [&str; 16] = [
            "SwapDims", "Permute", "Flip", "Gather", "GatherNd", "Scatter", "ScatterNd", "Select", "SelectAssign",
            "CumSum", "CumProd", "CumMin", "CumMax", "Cross", "Embedding", "GridSample2d",
        ];
        let keeps_shape = |out: &TensorIr| self.inputs.iter().any(|input| input.shape == out.shape);
        let computes_alone = self.kernel.is_none() && self.multiply_adds == 0;
        computes_alone && self.outputs.iter().all(keeps_shape) && !MIXING.contains(&self.name.as_str())
    }

    /// Returns the dimension that it reduces to size 1, if it reduces one.
    pub fn reduced_axis(&self) -> Option<usize> {
        let named = self.name.ends_with("Dim") || self.name.ends_with("DimWithIndices");
        let axis = self.number("axis").or_else(|| self.number("dim"))?;
        let (input, output) = (&self.inputs.first()?.shape, &self.outputs.first()?.shape);
        let reduces = named && self.name != "RepeatDim" && input.len() == output.len() && output.get(axis) == Some(&1);
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
        Value::Object(fields) => (name, fields.into_iter().filter(|(_, field)| !holds_tensors(field)).collect()),
        _ => (name, Vec::new()),
    }
}

/// Returns whether it maps a variant's name to what it holds; variants are named in upper case, fields in lower.
fn is_variant(fields: &Map<String, Value>) -> bool {
    fields.len() == 1 && fields.keys().all(|key| key.starts_with(|first: char| first.is_ascii_uppercase()))
}

fn holds_tensors(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.contains_key("status") || fields.values().any(holds_tensors),
        Value::Array(items) => items.iter().any(holds_tensors),
        _ => false,
    }
}

/// Returns the multiply-adds of operations of one pass, whose total was found to fit.
pub(super) fn total_multiply_adds<'a>(operations: impl Iterator<Item = &'a Operation>) -> u64 {
    operations.map(|operation| operation.multiply_adds).sum::<u128>() as u64
}

/// Returns whether an operation can have multiply-adds.
pub(super) fn multiplies(operation: &OperationIr) -> bool {
    matches!(operation, OperationIr::Module(_) | OperationIr::Float(_, FloatOperationIr::Matmul(_)))
}

fn elements(shape: &[usize]) -> u128 {
    shape.iter().map(|&size| size as u128).product()
}

/// Returns how many multiplications, each with its addition, the operation needs. Whatever is no sum of
/// products counts as nothing.
fn multiply_adds(name: &str, inputs: &[TensorIr], out: &TensorIr) -> u128 {
    let all = |tensor: &TensorIr| elements(&tensor.shape);
    // For a convolution's weight `[out, in / groups, kernel...]` the products in one output element.
    let per_first = |tensor: &TensorIr| elements(tensor.shape.get(1..).unwrap_or_default());
    let last = |tensor: &TensorIr| tensor.shape.last().map_or(1, |&size| size as u128);
    // `Conv1d`, `Conv2d` and `Conv3d` alike.
    let name = name.replace(|letter: char| letter.is_ascii_digit(), "");
    match (name.as_str(), inputs) {
        ("Matmul" | "Linear", [input, ..]) => all(out) * last(input),
        ("LinearXBackward", [_, gradient]) => all(out) * last(gradient),
        ("LinearWeightBackward", [input, gradient]) => all(gradient) * last(input),
        ("Convd", [_, weight, ..]) | ("DeformableConvd", [_, _, weight, ..]) => all(out) * per_first(weight),
        ("ConvdXBackward" | "ConvdWeightBackward", [_, weight, gradient]) => all(gradient) * per_first(weight),
        // One pass for the input, one for the weight.
        ("DeformableConvdBackward", [_, _, weight, gradient, ..]) => 2 * all(gradient) * per_first(weight),
        // The weight is [in, out / groups, kernel...]: every input element meets all of its row.
        ("ConvTransposed", [input, weight, ..]) => all(input) * per_first(weight),
        // Scores from query and key, then the weighted sum of the values.
        ("Attention", [query, key, ..]) => {
            let keys = key.shape.iter().rev().nth(1).map_or(1, |&size| size as u128);
            (all(query) + all(out)) * keys
        }
        _ => 0,
    }
}

/// The kernel of a convolution or a pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Kernel {
    /// The kernel size along each spatial dimension.
    pub size: Vec<usize>,
    /// The stride.
    pub stride: Vec<usize>,
    /// The dilation.
    pub dilation: Vec<usize>,
}

impl Kernel {
    /// Returns the kernel of a layer that said what it is.
    pub(crate) fn of_layer(layer: &LayerRun) -> Option<Self> {
        let [size, stride, dilation] = layer.kernel?.map(Vec::from);
        Some(Self { size, stride, dilation })
    }

    /// Returns the operation's kernel; `None` for an operation that slides none.
    fn of(name: &str, inputs: &[TensorIr], attributes: &[(String, Value)]) -> Option<Self> {
        let value = |name: &str| attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value);
        let sizes = |value: &Value| -> Option<Vec<usize>> {
            let sizes = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
            sizes.iter().map(|size| Some(size.as_u64()? as usize)).collect()
        };
        // A convolution's options stand together, and its kernel is its weight's.
        let option = |name: &str| value(name).or_else(|| value("options")?.get(name)).and_then(sizes);
        let weight = inputs.get(if name == "DeformableConv2d" { 2 } else { 1 });
        let stride = option("stride")?;
        let size = option("kernel_size").or_else(|| Some(weight?.shape.get(2..)?.to_vec()))?;
        let dilation = option("dilation").unwrap_or_else(|| vec![1; size.len()]);
        Some(Self { size, stride, dilation })
    }
}
