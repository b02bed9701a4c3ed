//! Outputs and all gradients of the layers on numbers that are hard (NaN, infinities, ties, views, empty batches)
//! against PyTorch in float64: `tests/reference/numerics.py` made the numbers.
//!
//! Layers that can be one operation run both ways. A value is right if it is NaN or infinite where PyTorch's is, and
//! otherwise near.

#![cfg(any(feature = "flex", feature = "ndarray"))]

use std::sync::LazyLock;

use burn::module::Param;
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{Shape, Tensor, TensorData};
use burn_autodiff::Autodiff;
use burn_pooling::model::Linear;
use burn_pooling::pooling::{Activation, ConvPool2dConfig, Pool2dConfig};
use serde::Deserialize;

const TOLERANCE: f32 = 2e-6;

#[derive(Deserialize)]
struct Case {
    name: String,
    layer: Layer,
    layout: Layout,
    #[serde(default)]
    padding: [usize; 2],
    #[serde(default)]
    stride: [usize; 2],
    #[serde(default)]
    pool: Option<serde_json::Value>,
    input: Values,
    weight: Option<Values>,
    bias: Option<Values>,
    gradient: Values,
    output: Values,
    of_input: Values,
    of_weight: Option<Values>,
    of_bias: Option<Values>,
}

#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Layer {
    Conv,
    Pool,
    Linear,
    Relu,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Layout {
    Contiguous,
    Transposed,
    Sliced,
    Expanded,
}

/// A shape and values, "nan", "inf" and "-inf" among them.
#[derive(Deserialize)]
struct Values(Vec<usize>, Vec<serde_json::Value>);

impl Values {
    fn numbers(&self) -> Vec<f32> {
        let number = |value: &serde_json::Value| match value {
            serde_json::Value::String(name) => name.parse().unwrap(),
            value => value.as_f64().unwrap() as f32,
        };
        self.1.iter().map(number).collect()
    }

    fn tensor<B: Backend, const D: usize>(&self) -> Tensor<B, D> {
        Tensor::from_data(TensorData::new(self.numbers(), Shape::from(self.0.clone())), &Default::default())
    }
}

static CASES: LazyLock<Vec<Case>> =
    LazyLock::new(|| serde_json::from_str(include_str!("reference/numerics.json")).unwrap());

/// Lays a tensor out so that its values lie in another order, among others, or once for all images.
fn laid_out<B: Backend>(tensor: Tensor<B, 4>, layout: Layout) -> Tensor<B, 4> {
    let [batch, channels, height, width] = tensor.dims();
    match layout {
        Layout::Contiguous => tensor,
        Layout::Transposed => {
            let values: TensorData = tensor.swap_dims(2, 3).into_data();
            Tensor::from_data(values, &Default::default()).swap_dims(2, 3)
        }
        Layout::Sliced => {
            let larger = Tensor::full([batch + 1, channels, height + 1, width + 2], 9.0, &Default::default());
            let place = [1..batch + 1, 0..channels, 1..height + 1, 1..width + 1];
            larger.slice_assign(place.clone(), tensor).slice(place)
        }
        Layout::Expanded => tensor.narrow(0, 0, 1).expand([batch, channels, height, width]),
    }
}

impl Case {
    fn pool(&self) -> Option<Pool2dConfig> {
        let pool = self.pool.as_ref()?.as_array()?;
        let pair = |i: usize| serde_json::from_value(pool[i].clone()).unwrap();
        Some(match pool[0].as_str()? {
            "max" => Pool2dConfig::Max { kernel_size: pair(1), stride: pair(2) },
            "average" => Pool2dConfig::Average { kernel_size: pair(1), stride: pair(2) },
            "global_max" => Pool2dConfig::GlobalMax,
            "global_average" => Pool2dConfig::GlobalAverage,
            "blurred_max" => Pool2dConfig::BlurredMax,
            name => panic!("no pooling {name}"),
        })
    }

    /// Output and gradients of input, weight and bias, as far as the layer has them.
    fn run<B: AutodiffBackend>(&self, fused: bool) -> Vec<Vec<f32>> {
        match self.layer {
            Layer::Conv => self.run_conv::<B>(fused),
            Layer::Linear => self.run_linear::<B>(fused),
            Layer::Pool => {
                let pool = self.pool();
                self.run_alone::<B>(|input| {
                    pool.map_or(input.clone(), |pool| pool.init(1, &input.device()).forward(input))
                })
            }
            Layer::Relu => self.run_alone::<B>(|input| Activation::Relu.forward(input)),
        }
    }

    fn run_conv<B: AutodiffBackend>(&self, fused: bool) -> Vec<Vec<f32>> {
        let weight: Tensor<B, 4> = self.weight.as_ref().unwrap().tensor();
        let [filters, channels, height, width] = weight.dims();
        let config = ConvPool2dConfig::new(filters, [height, width]).with_stride(self.stride);
        let config = config.with_padding(self.padding).with_pool(self.pool());
        let mut block = config.init::<B>(channels, &Default::default());
        block.fused = fused;
        block.conv.weight = Param::from_tensor(weight);
        block.conv.bias = Some(Param::from_tensor(self.bias.as_ref().unwrap().tensor()));
        let input = laid_out(self.input.tensor(), self.layout).require_grad();
        assert_eq!(block.is_fused_for(&input), fused, "{}", self.name);
        let (weight, bias) = (block.conv.weight.val(), block.conv.bias.as_ref().unwrap().val());
        self.outcome(block.forward(input.clone()), input, Some((weight, bias)))
    }

    fn run_linear<B: AutodiffBackend>(&self, fused: bool) -> Vec<Vec<f32>> {
        let weight: Tensor<B, 2> = self.weight.as_ref().unwrap().tensor();
        let [inputs, outputs] = weight.dims();
        let mut layer = Linear::<B>::new(inputs, outputs, Activation::Relu, &Default::default());
        layer.fused = fused;
        layer.weight = Param::from_tensor(weight);
        layer.bias = Some(Param::from_tensor(self.bias.as_ref().unwrap().tensor()));
        let input = self.input.tensor().require_grad();
        let parameters = Some((layer.weight.val(), layer.bias.as_ref().unwrap().val()));
        self.outcome(layer.forward(input.clone()), input, parameters)
    }

    fn run_alone<B: AutodiffBackend>(&self, layer: impl Fn(Tensor<B, 4>) -> Tensor<B, 4>) -> Vec<Vec<f32>> {
        let input = laid_out(self.input.tensor(), self.layout).require_grad();
        self.outcome::<B, 4>(layer(input.clone()), input, None)
    }

    fn outcome<B: AutodiffBackend, const D: usize>(
        &self, output: Tensor<B, D>, input: Tensor<B, D>, parameters: Option<(Tensor<B, D>, Tensor<B, 1>)>,
    ) -> Vec<Vec<f32>> {
        assert_eq!(output.dims().to_vec(), self.output.0, "{}", self.name);
        // Times a constant, so that this is the gradient of the output.
        let gradients = (output.clone() * self.gradient.tensor()).sum().backward();
        let mut found = vec![output.into_data().to_vec().unwrap()];
        found.push(
            input
                .grad(&gradients)
                .unwrap_or_else(|| panic!("{}: no gradient", self.name))
                .into_data()
                .to_vec()
                .unwrap(),
        );
        if let Some((weight, bias)) = parameters {
            found.push(weight.grad(&gradients).unwrap().into_data().to_vec().unwrap());
            found.push(bias.grad(&gradients).unwrap().into_data().to_vec().unwrap());
        }
        found
    }

    /// Whether Burn's convolution differs from PyTorch's: it skips the zeros of the padding, and with them the NaN that
    /// an infinite weight or gradient times zero is.
    fn is_skipped_by_burn(&self) -> bool {
        let factors = self.weight.iter().chain([&self.gradient]);
        self.padding != [0, 0] && !factors.flat_map(Values::numbers).all(f32::is_finite)
    }

    /// What differs from PyTorch.
    fn differences<B: AutodiffBackend>(&self, fused: bool) -> Vec<String> {
        let found = self.run::<B>(fused);
        let all = [Some(&self.output), Some(&self.of_input), self.of_weight.as_ref(), self.of_bias.as_ref()];
        let names = ["output", "gradient of input", "gradient of weight", "gradient of bias"];
        let expected = all.into_iter().flatten().map(Values::numbers);
        let pairs = names.into_iter().zip(found).zip(expected).filter(|((_, found), expected)| !near(found, expected));
        let way = if fused { "fused" } else { "composed" };
        let differs = |((name, found), expected)| {
            format!("{}, {way}: {name}\n    found    {found:?}\n    expected {expected:?}", self.name)
        };
        pairs.map(differs).collect()
    }
}

/// Whether the same values are NaN or infinite, and the others near.
fn near(found: &[f32], expected: &[f32]) -> bool {
    let finite = expected.iter().filter(|value| value.is_finite());
    let tolerance = TOLERANCE * finite.fold(1.0f32, |largest, value| largest.max(value.abs()));
    let same = |(found, expected): (&f32, &f32)| {
        found == expected || found.is_nan() && expected.is_nan() || (found - expected).abs() <= tolerance
    };
    found.len() == expected.len() && found.iter().zip(expected).all(same)
}

fn all_agree<B: AutodiffBackend>(layers: &[Layer], ways: &[bool]) {
    let cases = || CASES.iter().filter(|case| layers.contains(&case.layer));
    assert!(cases().count() > 5);
    let comparable = |case: &&Case, fused: bool| fused || !case.is_skipped_by_burn();
    let differences: Vec<_> = ways
        .iter()
        .flat_map(|&fused| cases().filter(move |case| comparable(case, fused)).map(move |case| (case, fused)))
        .flat_map(|(case, fused)| case.differences::<B>(fused))
        .collect();
    let shown = differences.iter().take(30).cloned().collect::<Vec<_>>().join("\n");
    assert!(differences.is_empty(), "{} differ from PyTorch:\n{shown}", differences.len());
}

macro_rules! on {
    ($name:ident: $backend:ty) => {
        mod $name {
            use super::*;

            type B = Autodiff<$backend>;

            #[test]
            fn fused_blocks_give_what_pytorch_does_also_where_numbers_are_not_finite() {
                all_agree::<B>(&[Layer::Conv], &[true]);
            }

            #[test]
            fn composed_blocks_give_what_pytorch_does_also_where_numbers_are_not_finite() {
                all_agree::<B>(&[Layer::Conv], &[false]);
            }

            #[test]
            fn pools_alone_keep_nan_and_send_the_gradient_where_pytorch_does() {
                all_agree::<B>(&[Layer::Pool], &[false]);
            }

            #[test]
            fn linear_layers_keep_nan_and_infinities() {
                all_agree::<B>(&[Layer::Linear], &[true, false]);
            }

            #[test]
            fn relu_keeps_nan_and_its_gradient() {
                all_agree::<B>(&[Layer::Relu], &[false]);
            }
        }
    };
}

#[cfg(feature = "flex")]
on!(flex: burn_flex::Flex);
#[cfg(feature = "ndarray")]
on!(ndarray: burn_ndarray::NdArray);
