//! Every pooling layer against PyTorch, timm, kornia and formulas: `tests/reference/pooling.py` made the numbers.

#![cfg(feature = "flex")]

#[path = "common/reference.rs"]
mod reference;

use burn::module::Param;
use burn::tensor::Tensor;
use burn::tensor::backend::AutodiffBackend;
use burn_autodiff::Autodiff;
use burn_pooling::pooling::*;
use reference::{Case, Cases};

impl Case<'_> {
    fn window(&self) -> PoolWindow {
        if !self.option("output_size").is_null() {
            return PoolWindow::Adaptive { output_size: self.pair("output_size", 1) };
        }
        if self.option("kernel_size").is_null() {
            return PoolWindow::Global;
        }
        PoolWindow::sliding(self.pair("kernel_size", 1))
            .with_stride(self.pair("stride", 1))
            .with_padding(self.pair("padding", 0))
            .with_dilation(self.pair("dilation", 1))
            .with_ceil_mode(self.option("ceil_mode").as_bool().unwrap_or(false))
    }

    /// Checks output and gradient of the input, of the map as it lies in memory and of one whose axes were swapped.
    fn check<B: AutodiffBackend>(&self, layer: impl Fn(Tensor<B, 4>) -> Tensor<B, 4>) {
        self.check_with::<B, 1>(None, |input, _| layer(input));
    }

    /// Checks the gradient of a parameter too.
    fn check_with<B: AutodiffBackend, const D: usize>(
        &self, parameter: Option<&str>, layer: impl Fn(Tensor<B, 4>, Option<Tensor<B, D>>) -> Tensor<B, 4>,
    ) {
        for swapped in [false, true] {
            let given = parameter.map(|name| self.parameter::<B, D>(name).require_grad());
            let mut input = self.map::<B>("input");
            if swapped {
                input = Tensor::from_data(input.swap_dims(2, 3).into_data(), &Default::default());
            }
            let input = input.require_grad();
            let output = layer(if swapped { input.clone().swap_dims(2, 3) } else { input.clone() }, given.clone());
            self.compare("output", output.clone());
            let gradients = (output.clone() * self.map::<B>("towards").reshape(output.dims())).sum().backward();
            let of_input = input.grad(&gradients).expect("a gradient of the input");
            self.compare("input_gradient", if swapped { of_input.swap_dims(2, 3) } else { of_input });
            if let (Some(name), Some(given)) = (parameter, given) {
                self.compare(&format!("{name}_gradient"), given.grad(&gradients).expect("a gradient of the parameter"));
            }
        }
    }
}

/// In `f32`, where a layer is one operation, and in `f64`, where it is composed of Burn's; those lose NaN, do not take minus
/// infinity as PyTorch does, and have no gradient of an empty batch.
fn check_all(layers: &[&str], f32: impl Fn(Case<'_>), f64: impl Fn(Case<'_>)) {
    let cases = Cases::new();
    for case in cases.of(|layer| layers.contains(&layer)) {
        f32(case);
        if !["nan", "minus_infinity", "empty"].iter().any(|start| case.name.starts_with(start)) {
            f64(case);
        }
    }
}

/// Runs a check in `f64`, which only NdArray has.
macro_rules! double {
    ($check:ident, $case:expr) => {{
        #[cfg(feature = "ndarray")]
        $check::<Autodiff<burn_ndarray::NdArray<f64>>>($case);
        #[cfg(not(feature = "ndarray"))]
        let _ = $case;
    }};
}

/// Runs one check on both backends.
macro_rules! on_both {
    ($layers:expr, $check:ident) => {
        check_all(&$layers, $check::<Autodiff<burn_flex::Flex>>, |case| double!($check, case))
    };
}

#[test]
fn maxima() {
    fn check<B: AutodiffBackend>(case: Case<'_>) {
        let output_size = case.pair("output_size", 1);
        case.check::<B>(|input| AdaptiveMaxPool2d::new(output_size).forward(input));
        // Of equal values the first counts.
        if case.name.starts_with("nan") {
            return;
        }
        case.check::<B>(|input| TopKPool2d::new(case.window(), 1).forward(input));
    }
    on_both!(["AdaptiveMaxPool1d", "AdaptiveMaxPool2d", "GlobalMaxPool2d"], check);
}

#[test]
fn means() {
    fn check<B: AutodiffBackend>(case: Case<'_>) {
        case.check::<B>(|input| AdaptiveAvgPool2d::new(case.pair("output_size", 1)).forward(input));
    }
    on_both!(["AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "GlobalAvgPool2d"], check);
}

#[test]
fn concatenated() {
    fn max_first<B: AutodiffBackend>(case: Case<'_>) {
        case.check::<B>(|input| ConcatPool2d::new(case.window(), ConcatOrder::MaxFirst).forward(input));
    }
    fn average_first<B: AutodiffBackend>(case: Case<'_>) {
        case.check::<B>(|input| ConcatPool2d::new(case.window(), ConcatOrder::AverageFirst).forward(input));
    }
    on_both!(["concatenated, max then average"], max_first);
    on_both!(["concatenated, average then max"], average_first);
}

#[test]
fn half_the_sum() {
    fn check<B: AutodiffBackend>(case: Case<'_>) {
        case.check::<B>(|input| AvgMaxPool2d::new(case.window()).forward(input));
    }
    on_both!(["half the sum of average and max"], check);
}

#[test]
fn mixed() {
    fn check<B: AutodiffBackend>(case: Case<'_>) {
        // The share as a sigmoid of the parameter is no option of the layer.
        if case.option("sigmoid") == true {
            return;
        }
        case.check_with::<B, 1>(Some("mix"), |input, share| {
            MixedPool2d { window: case.window(), share: Param::from_tensor(share.unwrap()) }.forward(input)
        });
    }
    on_both!(["mixed"], check);
}

#[test]
fn gated() {
    fn check<B: AutodiffBackend>(case: Case<'_>) {
        case.check_with::<B, 3>(Some("gate"), |input, weight| {
            let weight = Param::from_tensor(weight.unwrap());
            GatedPool2d { stride: case.pair("stride", 1), weight }.forward(input)
        });
    }
    on_both!(["gated"], check);
}

#[test]
fn powers() {
    fn check<B: AutodiffBackend>(case: Case<'_>) {
        let p = case.option("norm_type").as_f64().map_or(f32::INFINITY, |p| p as f32);
        // There PyTorch takes no absolute values.
        let positive = case.data("input").iter::<f32>().all(|x| x > 0.0);
        if !positive && p % 2.0 == 1.0 && case.layer() != "LPPool2d of absolute values" {
            return;
        }
        case.check::<B>(|input| LpPool2d::new(case.window(), p).forward(input));
    }
    on_both!(["LPPool1d", "LPPool2d", "LPPool2d of absolute values"], check);
}

#[test]
fn generalized_mean() {
    fn check<B: AutodiffBackend>(case: Case<'_>) {
        let epsilon = case.option("eps").as_f64().unwrap() as f32;
        case.check_with::<B, 1>(Some("p"), |input, power| {
            let power = Param::from_tensor(power.unwrap());
            GemPool2d { window: case.window(), epsilon, power }.forward(input)
        });
    }
    on_both!(["generalised mean"], check);
}

#[test]
fn log_sum_exp() {
    fn check<B: AutodiffBackend>(case: Case<'_>) {
        // PyTorch multiplies 0 by infinity there.
        let parameter = if case.name.starts_with("minus_infinity") { None } else { Some("r") };
        case.check_with::<B, 1>(parameter, |input, sharpness| {
            let sharpness = Param::from_tensor(sharpness.unwrap_or_else(|| case.parameter("r")));
            LogSumExpPool2d { window: case.window(), sharpness }.forward(input)
        });
    }
    on_both!(["log-sum-exp"], check);
}

#[test]
fn soft() {
    fn check<B: AutodiffBackend>(case: Case<'_>) {
        case.check::<B>(|input| SoftPool2d::new(case.window()).forward(input));
    }
    on_both!(["SoftPool"], check);
}

#[test]
fn largest() {
    fn check<B: AutodiffBackend>(case: Case<'_>) {
        let count = case.option("k").as_u64().unwrap() as usize;
        if case.name.starts_with("nan") {
            return;
        }
        case.check::<B>(|input| TopKPool2d::new(PoolWindow::Global, count).forward(input));
    }
    check_all(&["mean of the k largest"], check::<Autodiff<burn_flex::Flex>>, |case| {
        // Burn's sorting leaves open which of equal values come first.
        if !case.name.contains("ties") {
            double!(check, case);
        }
    });
}
