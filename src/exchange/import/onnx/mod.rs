//! ONNX models.

mod constant;
mod node;

use std::collections::HashMap;
use std::path::Path;

use onnx_rs::ast::{Graph, Node, OpType};

use constant::constant;
use node::{attribute, padding, pair, sliding, transposed};

use super::chain::{Chain, unsupported};
use super::file::Import;
use super::layer::{Layer, LayerKind};
use crate::contain::contain;
use crate::exchange::error::ExchangeError;
use crate::exchange::layout::Layout;
use crate::exchange::operations::blur_filters;
use crate::exchange::weights::NamedTensor;
use crate::pooling::{Activation, Pool2dConfig};

impl Import {
    /// Reads an ONNX model whose operations follow each other: those that PyTorch's and this crate's exporters write for
    /// convolution, batch normalisation, activation, pooling and linear layers. Weights in a file of their own are read
    /// from `folder`.
    ///
    /// # Errors
    /// [`ExchangeError`] if it is none, or holds other operations.
    pub fn onnx(bytes: &[u8], folder: Option<&Path>) -> Result<Self, ExchangeError> {
        let parsed = contain(|| onnx_rs::parse(bytes).map_err(content));
        let model = parsed.map_err(|panic| content(panic.message))??;
        let graph = model.graph.as_ref().ok_or_else(|| content("no graph"))?;
        let mut reader = Reader::of(graph, folder)?;
        let mut nodes = Vec::new();
        for node in &graph.node {
            if !reader.is_constant(node)? {
                nodes.push(node);
            }
        }
        for (index, node) in nodes.iter().enumerate() {
            reader.add(node, &nodes[index + 1..])?;
        }
        reader.finish_product("output", None)?;
        reader.chain.finish(Layout::Burn)
    }
}

fn content(found: impl std::fmt::Display) -> ExchangeError {
    ExchangeError::Content { expected: "an ONNX model", found: found.to_string() }
}

/// A graph's nodes, as they are read one after the other.
struct Reader<'a> {
    constants: HashMap<&'a str, NamedTensor>,
    /// The name of the value that the next node takes.
    last: &'a str,
    chain: Chain,
    /// A product whose bias may follow.
    product: Option<NamedTensor>,
    /// What is left of an activation that is written as several nodes.
    to_skip: usize,
}

impl<'a> Reader<'a> {
    fn of(graph: &'a Graph<'a>, folder: Option<&Path>) -> Result<Self, ExchangeError> {
        let mut constants = HashMap::new();
        for tensor in &graph.initializer {
            if let Some(constant) = constant(tensor.name(), tensor, folder)? {
                constants.insert(tensor.name(), constant);
            }
        }
        let inputs: Vec<&str> = graph.non_init_inputs().iter().map(|input| input.name).collect();
        let [last] = inputs[..] else {
            return Err(content(format!("{} inputs: {}", inputs.len(), inputs.join(", "))));
        };
        Ok(Self { constants, last, chain: Chain::default(), product: None, to_skip: 0 })
    }

    /// Whether a node is a constant, or another name of one; if so, it is kept.
    fn is_constant(&mut self, node: &'a Node<'a>) -> Result<bool, ExchangeError> {
        let output = node.output.first().copied().unwrap_or_default();
        let found = match node.op_type {
            OpType::Constant => match attribute(node, "value").and_then(|value| value.t.as_ref()) {
                Some(tensor) => constant(output, tensor, None)?,
                None => return Ok(true),
            },
            OpType::Identity => match self.constant(node, 0) {
                None => return Ok(false),
                found => found,
            },
            _ => return Ok(false),
        };
        self.constants.extend(found.map(|value| (output, value)));
        Ok(true)
    }

    fn add(&mut self, node: &'a Node<'a>, next: &[&Node<'a>]) -> Result<(), ExchangeError> {
        let output = node.output.first().copied().unwrap_or_default();
        if !node.input.contains(&self.last) {
            // Such as the shapes that a reshaping computes.
            let is_shape = matches!(
                node.op_type,
                OpType::Shape | OpType::Gather | OpType::Concat | OpType::Unsqueeze | OpType::Slice | OpType::Cast
            );
            return if is_shape {
                Ok(())
            } else {
                Err(unsupported(node.op_type.as_str(), "it does not follow the others"))
            };
        }
        if node.op_type == OpType::Shape {
            return Ok(());
        }
        if self.to_skip > 0 {
            self.to_skip -= 1;
        } else if self.is_gelu(node, next) {
            self.to_skip = 4;
            self.chain.activation(Activation::Gelu)?;
        } else {
            self.operation(node)?;
        }
        self.last = output;
        Ok(())
    }

    fn operation(&mut self, node: &Node<'a>) -> Result<(), ExchangeError> {
        let operator = node.op_type.as_str();
        if self.product.is_some() && node.op_type != OpType::Add {
            self.finish_product(node.name, None)?;
        }
        match node.op_type {
            OpType::Conv => self.convolution(node),
            OpType::BatchNormalization => {
                let epsilon = attribute(node, "epsilon").map_or(1e-5, |attribute| attribute.f);
                let vectors = [1, 2, 3, 4].map(|place| self.constant(node, place));
                let [Some(scale), Some(shift), Some(mean), Some(variance)] = vectors else {
                    return Err(unsupported(operator, "statistics that are no constants"));
                };
                let kind = LayerKind::Normalisation { vectors: [scale, shift, mean, variance], epsilon };
                self.chain.normalisation(Layer { path: node.name.to_owned(), kind })
            }
            OpType::Relu => self.chain.activation(Activation::Relu),
            OpType::Tanh => self.chain.activation(Activation::Tanh),
            OpType::Sigmoid => self.chain.activation(Activation::Sigmoid),
            OpType::Gelu => match attribute(node, "approximate").map_or(&b"none"[..], |attribute| attribute.s) {
                b"none" => self.chain.activation(Activation::Gelu),
                _ => Err(unsupported(operator, "an approximation")),
            },
            OpType::MaxPool => {
                self.chain.pooling(sliding(node, |kernel_size, stride| Pool2dConfig::Max { kernel_size, stride })?)
            }
            OpType::AveragePool => {
                self.chain.pooling(sliding(node, |kernel_size, stride| Pool2dConfig::Average { kernel_size, stride })?)
            }
            OpType::GlobalMaxPool => self.chain.pooling(Pool2dConfig::GlobalMax),
            OpType::GlobalAveragePool => self.chain.pooling(Pool2dConfig::GlobalAverage),
            OpType::ReduceMax => self.reduced(node, Pool2dConfig::GlobalMax),
            OpType::ReduceMean => self.reduced(node, Pool2dConfig::GlobalAverage),
            OpType::Flatten | OpType::Reshape | OpType::Squeeze => {
                self.chain.flatten();
                Ok(())
            }
            OpType::Gemm => self.linear(node),
            OpType::MatMul => {
                self.product = Some(self.constant(node, 1).ok_or_else(|| unsupported(operator, "no constant matrix"))?);
                Ok(())
            }
            OpType::Add => match [0, 1].into_iter().find_map(|place| self.constant(node, place)) {
                Some(bias) if self.product.is_some() => self.finish_product(node.name, Some(bias)),
                _ => Err(unsupported(operator, "a sum that is no bias")),
            },
            OpType::Softmax | OpType::LogSoftmax => {
                self.chain.softmax();
                Ok(())
            }
            // They do nothing after training.
            OpType::Dropout | OpType::Identity => Ok(()),
            _ => Err(unsupported(operator, "an operator that these networks do not have")),
        }
    }

    fn constant(&self, node: &Node<'_>, place: usize) -> Option<NamedTensor> {
        self.constants.get(node.input.get(place)?).cloned()
    }

    fn convolution(&mut self, node: &Node<'_>) -> Result<(), ExchangeError> {
        let weight = self.constant(node, 1).ok_or_else(|| unsupported("Conv", "no constant weight"))?;
        let (stride, padding) = (pair(node, "strides")?.unwrap_or([1, 1]), padding(node, &weight)?);
        let groups = attribute(node, "group").map_or(1, |attribute| attribute.i);
        if pair(node, "dilations")?.is_some_and(|dilation| dilation != [1, 1]) {
            return Err(unsupported("Conv", "dilation"));
        }
        if groups != 1 {
            let channels = weight.shape.first().copied().unwrap_or_default();
            let is_blur = weight.shape == [channels, 1, 3, 3] && weight.values == blur_filters(channels, Layout::Burn);
            return match is_blur && (stride, padding) == ([2, 2], [1, 1]) {
                true => self.chain.blur(),
                false => Err(unsupported("Conv", format!("{groups} groups"))),
            };
        }
        let kind = LayerKind::Convolution { weight, bias: self.constant(node, 2) };
        self.chain.convolution(Layer { path: node.name.to_owned(), kind }, stride, padding)
    }

    /// A reduction over height and width is a global pooling.
    fn reduced(&mut self, node: &Node<'_>, pool: Pool2dConfig) -> Result<(), ExchangeError> {
        let axes = attribute(node, "axes").map(|attribute| attribute.ints.clone());
        let axes = axes.or_else(|| Some(self.constant(node, 1)?.values.iter().map(|&axis| axis as i64).collect()));
        let mut axes = axes.unwrap_or_default();
        axes.iter_mut().for_each(|axis| *axis = if *axis < 0 { *axis + 4 } else { *axis });
        axes.sort_unstable();
        match axes == [2, 3] {
            true => self.chain.pooling(pool),
            false => Err(unsupported(node.op_type.as_str(), format!("axes {axes:?}"))),
        }
    }

    fn linear(&mut self, node: &Node<'_>) -> Result<(), ExchangeError> {
        let weight = self.constant(node, 1).ok_or_else(|| unsupported("Gemm", "no constant matrix"))?;
        let flag = |name| attribute(node, name).map_or(0, |attribute| attribute.i) != 0;
        let factor = |name| attribute(node, name).map_or(1.0, |attribute| attribute.f);
        if flag("transA") || factor("alpha") != 1.0 || factor("beta") != 1.0 {
            return Err(unsupported("Gemm", "transA, alpha or beta"));
        }
        let weight = if flag("transB") { transposed(weight)? } else { weight };
        let kind = LayerKind::Linear { weight, bias: self.constant(node, 2) };
        self.chain.linear(Layer { path: node.name.to_owned(), kind })
    }

    fn finish_product(&mut self, path: &str, bias: Option<NamedTensor>) -> Result<(), ExchangeError> {
        let Some(weight) = self.product.take() else { return Ok(()) };
        self.chain.linear(Layer { path: path.to_owned(), kind: LayerKind::Linear { weight, bias } })
    }

    /// Whether five nodes from this one on are `x / 2 (1 + erf(x / sqrt 2))`: before operator set 20, GELU has no operator
    /// of its own.
    fn is_gelu(&self, node: &Node<'_>, next: &[&Node<'_>]) -> bool {
        // The constant among a node's two inputs, if it is one number.
        let number = |node: &Node<'_>| {
            let constant = [0, 1].into_iter().find_map(|place| self.constant(node, place))?;
            <[f32; 1]>::try_from(constant.values).ok().map(|[number]| number)
        };
        let is = |node: &Node<'_>, op_type: OpType<'_>, expected: f32| {
            node.op_type == op_type && number(node).is_some_and(|found| (found - expected).abs() < 1e-4)
        };
        let root = 2_f32.sqrt();
        let is_scale = is(node, OpType::Div, root) || is(node, OpType::Mul, root.recip());
        let is_half = |half: &Node<'_>, product: &Node<'_>| {
            is(half, OpType::Mul, 0.5) && product.op_type == OpType::Mul && number(product).is_none()
        };
        is_scale
            && matches!(next, [erf, add, first, second, ..]
                if erf.op_type == OpType::Erf && is(add, OpType::Add, 1.0)
                    && (is_half(first, second) || is_half(second, first)))
    }
}
