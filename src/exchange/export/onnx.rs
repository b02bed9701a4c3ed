//! ONNX.

use onnx_rs::ast::{
    Attribute, AttributeType, DataType, Dimension, Graph, Model, Node, OpType, OperatorSetId, StringStringEntry,
    TensorProto, TensorShape, TensorShapeDimension, TensorTypeProto, TypeProto, TypeValue, ValueInfo,
};

use super::Export;
use crate::exchange::error::ExchangeError;
use crate::exchange::layout::Layout;
use crate::exchange::operations::{EPSILON, Operation, OperationKind, Pooling, blur_filters};
use crate::pooling::Activation;

/// The oldest set of operators in which all of these are defined as they are used here.
const OPERATOR_SET: i64 = 9;
/// The oldest version of the format in which weights need not be inputs as well.
const FORMAT_VERSION: i64 = 4;

const INPUT: &str = "images";
const OUTPUT: &str = "logits";

impl Export {
    /// Returns the network as an ONNX model of operator set 9, from `images` to `logits`, or to `probabilities` with a
    /// softmax.
    ///
    /// # Shapes
    /// - `images`: `[batch, channels, height, width]`; the batch size is free, with global pooling height and width too
    /// - `logits` or `probabilities`: `[batch, classes]`
    ///
    /// # Errors
    /// As [`safetensors`](Self::safetensors).
    pub fn onnx(&self, softmax: bool) -> Result<Vec<u8>, ExchangeError> {
        let mut steps = Steps::default();
        for operation in &self.operations {
            self.add(&mut steps, operation)?;
        }
        steps.name_last(OUTPUT);
        if softmax {
            steps.push("probabilities", OpType::Softmax, Vec::new(), vec![int("axis", 1)]);
        }
        Ok(self.encode(&steps))
    }

    /// Adds the nodes of an operation, with its weights.
    fn add(&self, steps: &mut Steps, operation: &Operation) -> Result<(), ExchangeError> {
        let path = operation.path.as_str();
        let mut weights = Vec::new();
        for weight in operation.weights() {
            let values = self.weights.get(&weight, Layout::Burn)?;
            weights.push(steps.weight(weight.name.clone(), &weight.shape(Layout::Burn), values));
        }
        match operation.kind {
            OperationKind::Convolution { kernel_size, stride, padding: [rows, columns], .. } => {
                let pads = ints("pads", &[rows, columns, rows, columns]);
                let attributes = vec![ints("kernel_shape", &kernel_size), ints("strides", &stride), pads];
                steps.push(path, OpType::Conv, weights, attributes);
            }
            OperationKind::Normalisation { .. } => {
                steps.push(path, OpType::BatchNormalization, weights, vec![float("epsilon", EPSILON)]);
            }
            OperationKind::Activation(activation) => steps.activation(path, activation),
            OperationKind::Pooling { channels, pool } => steps.pooling(path, channels, pool),
            OperationKind::Flatten => steps.push(path, OpType::Flatten, Vec::new(), vec![int("axis", 1)]),
            OperationKind::Linear { .. } => steps.push(path, OpType::Gemm, weights, Vec::new()),
        }
        Ok(())
    }

    fn encode(&self, steps: &Steps) -> Vec<u8> {
        let metadata = self.about.metadata(&self.config);
        let entry = |(key, value)| StringStringEntry { key, value };
        let [height, width] = self.config.image_size.map(|size| size as i64);
        let size = match self.config.is_global() {
            true => [Dimension::Param("height"), Dimension::Param("width")],
            false => [Dimension::Value(height), Dimension::Value(width)],
        };
        let (batch, classes) = (Dimension::Param("batch"), Dimension::Value(self.config.classes as i64));
        let [rows, columns] = size;
        let images = vec![batch.clone(), Dimension::Value(self.config.channels as i64), rows, columns];
        let graph = Graph {
            name: &self.config.name,
            node: steps.nodes.iter().map(|step| step.node()).collect(),
            initializer: steps.weights.iter().map(Initializer::tensor).collect(),
            input: vec![value(INPUT, images)],
            output: vec![value(steps.last(), vec![batch, classes])],
            ..Default::default()
        };
        onnx_rs::encode(&Model {
            ir_version: FORMAT_VERSION,
            opset_import: vec![OperatorSetId { domain: "", version: OPERATOR_SET }],
            producer_name: env!("CARGO_PKG_NAME"),
            producer_version: env!("CARGO_PKG_VERSION"),
            doc_string: metadata.preparation(),
            graph: Some(graph),
            metadata_props: metadata.entries().into_iter().map(entry).collect(),
            ..Default::default()
        })
    }
}

/// A node; its output is called as it is, but for the logits.
struct Step {
    name: String,
    output: String,
    operator: OpType<'static>,
    inputs: Vec<String>,
    attributes: Vec<Attribute<'static>>,
}

impl Step {
    fn node(&self) -> Node<'_> {
        Node {
            name: &self.name,
            op_type: self.operator.clone(),
            input: self.inputs.iter().map(String::as_str).collect(),
            output: vec![&self.output],
            attribute: self.attributes.clone(),
            ..Default::default()
        }
    }
}

struct Initializer {
    name: String,
    shape: Vec<i64>,
    values: Vec<f32>,
}

impl Initializer {
    fn tensor(&self) -> TensorProto<'_> {
        TensorProto::from_f32(&self.name, self.shape.clone(), self.values.clone())
    }
}

/// Nodes one behind the other, and what they need.
#[derive(Default)]
struct Steps {
    nodes: Vec<Step>,
    weights: Vec<Initializer>,
}

impl Steps {
    /// The name of the last output so far.
    fn last(&self) -> &str {
        self.nodes.last().map_or(INPUT, |step| &step.output)
    }

    fn name_last(&mut self, output: &str) {
        if let Some(step) = self.nodes.last_mut() {
            output.clone_into(&mut step.output);
        }
    }

    fn weight(&mut self, name: String, shape: &[usize], values: Vec<f32>) -> String {
        let shape = shape.iter().map(|&size| size as i64).collect();
        self.weights.push(Initializer { name: name.clone(), shape, values });
        name
    }

    /// Adds a node that takes the last output, and more inputs behind it.
    fn push(&mut self, name: &str, operator: OpType<'static>, more: Vec<String>, attributes: Vec<Attribute<'static>>) {
        let inputs = [vec![self.last().to_owned()], more].concat();
        let (name, output) = (name.to_owned(), name.to_owned());
        self.nodes.push(Step { name, output, operator, inputs, attributes });
    }

    fn activation(&mut self, path: &str, activation: Activation) {
        let operator = match activation {
            Activation::Relu => OpType::Relu,
            Activation::Tanh => OpType::Tanh,
            Activation::Sigmoid => OpType::Sigmoid,
            Activation::Identity => return,
            Activation::Gelu => return self.gelu(path),
        };
        self.push(path, operator, Vec::new(), Vec::new());
    }

    /// `x (1 + erf(x / sqrt 2)) / 2`: an operator of its own came with operator set 20.
    fn gelu(&mut self, path: &str) {
        let input = self.last().to_owned();
        let part = |part: &str| format!("{path}.{part}");
        let mut number = |part: &str, value| self.weight(format!("{path}.{part}"), &[], vec![value]);
        let (root, one, half) = (number("root_half", 0.5_f32.sqrt()), number("one", 1.0), number("half", 0.5));
        self.push(&part("scaled"), OpType::Mul, vec![root], Vec::new());
        self.push(&part("erf"), OpType::Erf, Vec::new(), Vec::new());
        self.push(&part("sum"), OpType::Add, vec![one], Vec::new());
        self.push(&part("product"), OpType::Mul, vec![input], Vec::new());
        self.push(path, OpType::Mul, vec![half], Vec::new());
    }

    fn pooling(&mut self, path: &str, channels: usize, pool: Pooling) {
        let window =
            |kernel: [usize; 2], stride: [usize; 2]| vec![ints("kernel_shape", &kernel), ints("strides", &stride)];
        match pool {
            Pooling::Max { kernel_size, stride } => {
                self.push(path, OpType::MaxPool, Vec::new(), window(kernel_size, stride));
            }
            Pooling::Average { kernel_size, stride } => {
                self.push(path, OpType::AveragePool, Vec::new(), window(kernel_size, stride));
            }
            Pooling::GlobalMax => self.push(path, OpType::GlobalMaxPool, Vec::new(), Vec::new()),
            Pooling::GlobalAverage => self.push(path, OpType::GlobalAveragePool, Vec::new(), Vec::new()),
            Pooling::BlurredMax => {
                self.push(&format!("{path}.pool"), OpType::MaxPool, Vec::new(), window([2, 2], [1, 1]));
                let filter = self.weight(
                    format!("{path}.blur.weight"),
                    &[channels, 1, 3, 3],
                    blur_filters(channels, Layout::Burn),
                );
                let attributes = [window([3, 3], [2, 2]), vec![ints("pads", &[1; 4]), int("group", channels as i64)]];
                self.push(path, OpType::Conv, vec![filter], attributes.concat());
            }
        }
    }
}

fn ints(name: &'static str, values: &[usize]) -> Attribute<'static> {
    let ints = values.iter().map(|&value| value as i64).collect();
    Attribute { name, r#type: AttributeType::Ints, ints, ..Default::default() }
}

fn int(name: &'static str, i: i64) -> Attribute<'static> {
    Attribute { name, r#type: AttributeType::Int, i, ..Default::default() }
}

fn float(name: &'static str, f: f32) -> Attribute<'static> {
    Attribute { name, r#type: AttributeType::Float, f, ..Default::default() }
}

fn value<'a>(name: &'a str, dimensions: Vec<Dimension<'a>>) -> ValueInfo<'a> {
    let dim = dimensions.into_iter().map(|value| TensorShapeDimension { value, denotation: "" }).collect();
    let tensor = TensorTypeProto { elem_type: DataType::Float, shape: Some(TensorShape { dim }) };
    let r#type = Some(TypeProto { value: Some(TypeValue::Tensor(tensor)), denotation: "" });
    ValueInfo { name, r#type, ..Default::default() }
}
