//! Attention, spatial pyramid, max pooling with indices and unpooling against PyTorch and timm, and what they refuse.

#![cfg(feature = "flex")]

#[path = "common/reference.rs"]
mod reference;

use burn::module::{Param, ParamId};
use burn::nn::Linear;
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{Distribution, Int, Tensor, TensorData};
use burn_autodiff::Autodiff;
use burn_flex::Flex;
use burn_pooling::pooling::*;
use reference::{Case, Cases};

fn each_case(wanted: impl Fn(&str) -> bool, work: impl FnMut(Case<'_>)) {
    Cases::new().of(wanted).into_iter().for_each(work);
}

impl Case<'_> {
    fn has(&self, part: &str) -> bool {
        self.has_part(part)
    }

    fn maps<B: Backend>(&self, part: &str) -> Tensor<B, 4> {
        let data = self.data(part);
        let shape = four(&data);
        Tensor::from_data(TensorData { shape: shape.into(), ..data }.convert::<B::FloatElem>(), &Default::default())
    }

    fn number(&self, option: &str) -> usize {
        self.option(option).as_u64().unwrap() as usize
    }

    fn window(&self) -> PoolWindow {
        PoolWindow::sliding(self.pair("kernel_size", 1))
            .with_stride(self.pair("stride", 1))
            .with_padding(self.pair("padding", 0))
            .with_dilation(self.pair("dilation", 1))
            .with_ceil_mode(self.option("ceil_mode").as_bool().unwrap_or(false))
    }

    fn close(&self, part: &str, found: TensorData) {
        // The gradient of the bias of keys is 0 but for rounding.
        let key = part.starts_with("k.bias") || part.starts_with("k_proj.bias");
        close(&format!("{}, {part}", self.name), found, self.data(part), if key { 0.1 } else { 1e-3 });
    }

    /// Checks output and gradients of the input; returns the gradients.
    fn check<B: AutodiffBackend, const D: usize>(&self, layer: impl Fn(Tensor<B, 4>) -> Tensor<B, D>) -> B::Gradients {
        let input = self.maps::<B>("input").require_grad();
        let output = layer(input.clone());
        self.close("output", output.clone().into_data());
        let gradients = (output.clone() * self.maps::<B>("towards").reshape(output.dims())).sum().backward();
        self.close("input_gradient", input.grad(&gradients).unwrap().into_data());
        gradients
    }
}

fn four(data: &TensorData) -> [usize; 4] {
    match data.shape[..] {
        [a, b] => [a, b, 1, 1],
        [a, b, c] => [a, b, 1, c],
        [a, b, c, d] => [a, b, c, d],
        _ => panic!(),
    }
}

#[track_caller]
fn close(what: &str, found: TensorData, expected: TensorData, floor: f64) {
    let (found, expected): (Vec<f64>, Vec<f64>) = (found.iter::<f64>().collect(), expected.iter::<f64>().collect());
    assert_eq!(found.len(), expected.len(), "{what}");
    let scale = expected.iter().filter(|x| x.is_finite()).fold(floor, |m, x| m.max(x.abs()));
    for (i, (f, e)) in found.iter().zip(&expected).enumerate() {
        let same = f == e || f.is_nan() && e.is_nan() || (f - e).abs() <= 1e-5 * scale;
        assert!(same, "{what} at {i}: expected {e}, found {f}");
    }
}

/// Names of the parameters, of the query, the key and the value.
fn attention_names(case: &Case<'_>) -> ([&'static str; 3], &'static str, &'static str) {
    match case.layer() {
        "attention, CLIP" => (["q_proj", "k_proj", "v_proj"], "c_proj", "positional_embedding"),
        _ => (["q", "k", "v"], "proj", "pos_embed"),
    }
}

fn attention_of<B: Backend>(case: &Case<'_>) -> AttentionPool2d<B> {
    let (parts, projection, position) = attention_names(case);
    let param = |tensor: Tensor<B, 2>| Param::from_tensor(tensor);
    let linear =
        |weight: Tensor<B, 2>, bias| Linear { weight: param(weight.transpose()), bias: Some(Param::from_tensor(bias)) };
    let [query, key, value] = [0, 1, 2].map(|i| {
        if case.has("qkv.weight") {
            let (weight, bias): (Tensor<B, 2>, Tensor<B, 1>) =
                (case.parameter("qkv.weight"), case.parameter("qkv.bias"));
            let rows = weight.dims()[0] / 3;
            return linear(weight.narrow(0, i * rows, rows), bias.narrow(0, i * rows, rows));
        }
        linear(case.parameter(&format!("{}.weight", parts[i])), case.parameter(&format!("{}.bias", parts[i])))
    });
    let projection = case.has(&format!("{projection}.weight")).then(|| {
        linear(case.parameter(&format!("{projection}.weight")), case.parameter(&format!("{projection}.bias")))
    });
    let [_, _, height, width] = four(&case.data("input"));
    AttentionPool2d {
        query,
        key,
        value,
        projection,
        position: param(case.parameter(position)),
        token: case.has("cls_token").then(|| param(case.parameter("cls_token"))),
        heads: case.number("num_heads"),
        size: [height, width],
    }
}

fn check_attention<B: AutodiffBackend>() {
    let mut count = 0;
    each_case(
        |layer| layer.starts_with("attention"),
        |case| {
            count += 1;
            let layer = attention_of::<B>(&case);
            let gradients = case.check::<B, 2>(|input| layer.forward(input));
            let plain = attention_of::<B::InnerBackend>(&case);
            case.close("output", plain.forward(case.maps("input")).into_data());
            let (parts, projection, position) = attention_names(&case);
            let weight = |linear: &Linear<B>| linear.weight.val().grad(&gradients).unwrap().transpose();
            let bias = |linear: &Linear<B>| linear.bias.as_ref().unwrap().val().grad(&gradients).unwrap();
            let linears = [&layer.query, &layer.key, &layer.value];
            if case.has("qkv.weight") {
                case.close("qkv.weight_gradient", Tensor::cat(linears.map(weight).to_vec(), 0).into_data());
                case.close("qkv.bias_gradient", Tensor::cat(linears.map(bias).to_vec(), 0).into_data());
            } else {
                for (part, linear) in parts.iter().zip(linears) {
                    case.close(&format!("{part}.weight_gradient"), weight(linear).into_data());
                    case.close(&format!("{part}.bias_gradient"), bias(linear).into_data());
                }
            }
            if let Some(linear) = &layer.projection {
                case.close(&format!("{projection}.weight_gradient"), weight(linear).into_data());
                case.close(&format!("{projection}.bias_gradient"), bias(linear).into_data());
            }
            case.close(&format!("{position}_gradient"), layer.position.val().grad(&gradients).unwrap().into_data());
            if let Some(token) = &layer.token {
                case.close("cls_token_gradient", token.val().grad(&gradients).unwrap().into_data());
            }
        },
    );
    assert_eq!(count, 9);
}

fn check_pyramid<B: AutodiffBackend>() {
    let mut count = 0;
    each_case(
        |layer| layer == "spatial pyramid",
        |case| {
            count += 1;
            let levels: Vec<usize> =
                case.option("levels").as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as usize).collect();
            let config = SpatialPyramidPool2dConfig::new(levels.clone());
            case.check::<B, 2>(|input| config.init().forward(input));
            case.close("output", config.init().forward(case.maps::<B::InnerBackend>("input")).into_data());
            // Of means, against Burn's own adaptive pooling.
            let input = case.maps::<B>("input").require_grad();
            let means = config.with_kind(PyramidKind::Mean).init().forward(input.clone());
            let own = case.maps::<B>("input").require_grad();
            let level = |&n: &usize| burn::tensor::module::adaptive_avg_pool2d(own.clone(), [n, n]).flatten::<2>(1, 3);
            let expected = Tensor::cat(levels.iter().map(level).collect(), 1);
            close("means", means.clone().into_data(), expected.clone().into_data(), 1e-3);
            let towards = case.maps::<B>("towards").reshape(means.dims());
            let found = input.grad(&(means * towards.clone()).sum().backward()).unwrap();
            let expected = own.grad(&(expected * towards).sum().backward()).unwrap();
            close("gradient of means", found.into_data(), expected.into_data(), 1e-3);
        },
    );
    assert_eq!(count, 4);
}

fn check_indexed<B: AutodiffBackend>() {
    let mut count = 0;
    each_case(
        |layer| layer.starts_with("MaxPool"),
        |case| {
            if case.data("input").shape.contains(&0) {
                return;
            }
            count += 1;
            let layer = IndexedMaxPool2d::new(case.window());
            case.check::<B, 4>(|input| layer.forward(input).0);
            let (_, indices) = layer.forward(case.maps::<B::InnerBackend>("input"));
            if case.has("indices") {
                let (found, expected) = (indices.into_data(), case.data("indices"));
                assert!(found.iter::<i64>().eq(expected.iter::<i64>()), "{}: {found} {expected}", case.name);
            }
        },
    );
    assert_eq!(count, 20);
}

fn check_unpool<B: AutodiffBackend>() {
    let mut count = 0;
    each_case(
        |layer| layer.starts_with("MaxUnpool"),
        |case| {
            count += 1;
            let data = case.data("indices");
            let shape = four(&data);
            let data = TensorData { shape: shape.into(), ..data };
            let indices = Tensor::<B, 4, Int>::from_data(data.convert::<i64>(), &Default::default());
            let size = (!case.option("output_size").is_null()).then(|| case.pair("output_size", 1));
            case.check::<B, 4>(|input| MaxUnpool2d::new(case.window()).forward(input, indices.clone(), size));
        },
    );
    assert_eq!(count, 8);
}

/// There and back, with every kind of window.
fn check_there_and_back<B: AutodiffBackend>() {
    let device = Default::default();
    let map = Tensor::<B, 4>::random([2, 3, 7, 5], Distribution::Default, &device);
    let ceil = PoolWindow::sliding([2, 2]).with_ceil_mode(true);
    let dilated = PoolWindow::sliding([3, 2]).with_dilation([2, 2]).with_stride([1, 1]);
    for window in [PoolWindow::Global, PoolWindow::Adaptive { output_size: [3, 3] }, ceil, dilated] {
        let (values, indices) = IndexedMaxPool2d::new(window).forward(map.clone());
        let values = values.detach().require_grad();
        let back = MaxUnpool2d::new(window).forward(values.clone(), indices.clone(), Some([7, 5]));
        let (again, places) = IndexedMaxPool2d::new(window).forward(back.clone());
        close("values", again.into_data(), values.clone().into_data(), 1e-3);
        assert_eq!(places.into_data(), indices.into_data());
        let chosen = back.clone().not_equal_elem(0.0);
        close("map", back.clone().into_data(), map.clone().mask_fill(chosen.bool_not(), 0.0).into_data(), 1e-3);
        let gradient = values.grad(&(back * 3.0).sum().backward()).unwrap();
        assert!(gradient.into_data().iter::<f64>().all(|x| x == 3.0)); // whole, to each window
    }
}

/// A view with swapped axes gives the same as a copy, forwards and backwards.
fn check_views<B: AutodiffBackend>() {
    let device = Default::default();
    let swapped = Tensor::<B, 4>::random([2, 5, 6, 4], Distribution::Default, &device);
    let view = || swapped.clone().swap_dims(1, 3); // [2, 4, 6, 5]
    let copy = || Tensor::<B, 4>::from_data(view().into_data(), &device);
    let attention =
        AttentionPool2dConfig::new(4, [3, 4], 2).with_output(Some(3)).with_class_token(true).init::<B>(&device);
    let pyramid = SpatialPyramidPool2dConfig::new(vec![2, 1]).init();
    let indexed = IndexedMaxPool2d::new(PoolWindow::sliding([3, 3]).with_stride([1, 1]));
    let unpool = MaxUnpool2d::new(PoolWindow::sliding([1, 1]));
    let indices = Tensor::<B, 1, Int>::arange(0..30, &device).reshape([1, 1, 6, 5]).expand([2, 4, 6, 5]);
    let layers: [&dyn Fn(Tensor<B, 4>) -> Tensor<B, 1>; 4] = [
        &|x| attention.forward(x).reshape([-1]),
        &|x| pyramid.forward(x).reshape([-1]),
        &|x| indexed.forward(x).0.swap_dims(2, 3).reshape([-1]),
        &|x| unpool.forward(x, indices.clone(), None).swap_dims(2, 3).reshape([-1]),
    ];
    for (i, layer) in layers.iter().enumerate() {
        let of = |leaf: Tensor<B, 4>, input: Tensor<B, 4>| {
            let output = layer(input);
            let weights = Tensor::<B, 1, Int>::arange(0..output.dims()[0] as i64, &device).float();
            let gradients = (output.clone() * weights).sum().backward();
            (output, leaf.grad(&gradients).unwrap())
        };
        let (leaf, other) = (swapped.clone().require_grad(), copy().require_grad());
        let (found, found_gradient) = of(leaf.clone(), leaf.swap_dims(1, 3));
        let (expected, expected_gradient) = of(other.clone(), other);
        close(&format!("view {i}"), found.into_data(), expected.into_data(), 1e-3);
        close(&format!("view {i}"), found_gradient.swap_dims(1, 3).into_data(), expected_gradient.into_data(), 1e-3);
    }
}

fn check_empty<B: AutodiffBackend>() {
    let device = Default::default();
    let empty = || Tensor::<B, 4>::zeros([0, 4, 6, 5], &device).require_grad();
    let window = PoolWindow::sliding([2, 2]);
    for token in [false, true] {
        let attention = AttentionPool2dConfig::new(4, [6, 5], 2).with_output(Some(3)).with_class_token(token);
        let input = empty();
        let output = attention.init::<B>(&device).forward(input.clone());
        assert_eq!(output.dims(), [0, 3]);
        output.sum().backward();
    }
    for kind in [PyramidKind::Maximum, PyramidKind::Mean] {
        let pyramid = SpatialPyramidPool2dConfig::new(vec![2, 1]).with_kind(kind).init().forward(empty());
        assert_eq!(pyramid.dims(), [0, 20]);
        pyramid.sum().backward();
    }
    let (values, indices) = IndexedMaxPool2d::new(window).forward(empty());
    assert_eq!((values.dims(), indices.dims()), ([0, 4, 3, 2], [0, 4, 3, 2]));
    values.clone().sum().backward();
    assert_eq!(MaxUnpool2d::new(window).forward(values, indices, Some([6, 5])).dims(), [0, 4, 6, 5]);
    let (values, indices) = IndexedMaxPool2d::new(window).forward(Tensor::<B, 4>::zeros([2, 0, 6, 5], &device));
    assert_eq!(MaxUnpool2d::new(window).forward(values, indices, None).dims(), [2, 0, 6, 4]);
}

/// PyTorch's `interpolate(mode="bicubic", align_corners=False)` of the squares 0 to 25 on 3x2 positions.
#[rustfmt::skip]
fn resampled() -> [([usize; 2], Vec<f64>); 3] {
    [
        ([4, 5], vec![
            -0.3657054603099823, -0.2286522537469864, 0.0693359375, 0.3673243820667267, 0.504377007484436,
            0.8963501453399658, 1.4960047006607056, 2.7998046875, 4.103606224060059, 4.7032575607299805,
            8.005061149597168, 9.32790470123291, 12.2041015625, 15.080303192138672, 16.40313720703125,
            15.837430953979492, 17.622875213623047, 21.5048828125, 25.38689613342285, 27.172327041625977,
        ]),
        ([2, 2], vec![0.484375, 2.25, 13.421875, 21.65625]),
        ([5, 1], vec![-0.07599955797195435, 1.8199994564056396, 6.5, 15.500001907348633, 21.84400749206543]),
    ]
}

fn check_resampled<B: AutodiffBackend>() {
    let device = Default::default();
    let param = |values: &[f64]| {
        let data = TensorData::new(values.iter().map(|x| x / 25.0).collect(), [values.len(), 1]);
        Param::initialized(
            ParamId::new(),
            Tensor::<B, 2>::from_data(data.convert::<B::FloatElem>(), &device).require_grad(),
        )
    };
    let positions = [7.0, 0.0, 1.0, 4.0, 9.0, 16.0, 25.0];
    let mut layer = AttentionPool2dConfig::new(1, [3, 2], 1).init::<B>(&device);
    // Draws the weights: a clone of a layer before its first use draws its own.
    layer.forward(Tensor::zeros([1, 1, 3, 2], &device));
    for (size, expected) in resampled() {
        let map = Tensor::random([2, 1, size[0], size[1]], Distribution::Default, &device);
        // A leaf of its own for each backward pass: in Burn 0.21, passes of other threads may forget a used one.
        layer.position = param(&positions);
        let mut other = layer.clone();
        other.size = size;
        other.position = param(&[&[7.0], &expected[..]].concat());
        let output = layer.forward(map.clone());
        close("resampled", output.clone().into_data(), other.forward(map.clone()).into_data(), 1e-3);
        let gradient =
            layer.position.val().grad(&output.sum().backward()).unwrap().into_data().iter::<f64>().collect::<Vec<_>>();
        // Against differences, which are rough in f32.
        for i in 0..7 {
            let at = |step: f64| {
                let (mut layer, mut positions) = (layer.clone(), positions);
                positions[i] += step;
                layer.position = param(&positions);
                layer.forward(map.clone()).sum().into_data().iter::<f64>().next().unwrap()
            };
            let step = 0.25;
            let slope = (at(step) - at(-step)) / (2.0 * step) * 25.0;
            assert!((slope - gradient[i]).abs() < 3e-3, "{size:?} {i}: {slope} {}", gradient[i]);
        }
    }
}

macro_rules! on_backends {
    ($($name:ident: $check:ident),*) => {$(
        mod $name {
            #[test]
            fn flex() {
                super::$check::<super::Autodiff<super::Flex>>();
            }

            #[cfg(feature = "ndarray")]
            #[test]
            fn ndarray() {
                super::$check::<super::Autodiff<burn_ndarray::NdArray>>();
            }

            #[cfg(feature = "ndarray")]
            #[test]
            fn ndarray_f64() {
                super::$check::<super::Autodiff<burn_ndarray::NdArray<f64>>>();
            }
        }
    )*};
}

on_backends!(
    attention: check_attention, pyramid: check_pyramid, indexed_max: check_indexed, unpool: check_unpool,
    there_and_back: check_there_and_back, views: check_views, resampled_positions: check_resampled,
    empty_batch: check_empty
);

#[track_caller]
fn refused<T>(result: Result<T, WindowError>, expected: &str) {
    assert_eq!(result.err().map(|error| error.to_string()).as_deref(), Some(expected));
}

#[test]
fn attention_refuses() {
    let device = Default::default();
    let zeros = |shape: [usize; 4]| Tensor::<Flex, 4>::zeros(shape, &device);
    let mut layer = AttentionPool2dConfig::new(4, [3, 2], 2).init::<Flex>(&device);
    refused(
        layer.try_forward(zeros([1, 3, 3, 2])),
        "expected an input of 4 channels, found 3; give it images of as many channels or create the layer for 3",
    );
    refused(layer.try_forward(zeros([1, 4, 0, 2])), "expected a feature map of at least 1x1, found 0x2");
    layer.heads = 3;
    let heads = "expected heads that share an embedding of 4 evenly, found 3; use a number of heads that divides 4, or \
                 another size of the embedding";
    refused(layer.try_forward(zeros([1, 4, 3, 2])), heads);
    layer.heads = 0;
    refused(layer.try_forward(zeros([1, 4, 3, 2])), &heads.replace("found 3", "found 0"));
    (layer.heads, layer.size) = (2, [3, 3]);
    refused(
        layer.try_forward(zeros([1, 4, 3, 2])),
        "expected the positions of a 3x3 map and one before them, found 7; give the layer the size that its positions \
         belong to",
    );
}

#[test]
fn pyramid_refuses() {
    let zeros = |height| Tensor::<Flex, 4>::zeros([1, 2, height, 3], &Default::default());
    let pool = |levels: &[usize]| SpatialPyramidPool2dConfig::new(levels.to_vec()).init();
    let none = "expected at least one level of the pyramid, found none; give it some, such as 1, 2 and 4";
    refused(pool(&[]).try_forward(zeros(2)), none);
    refused(pool(&[1, 0]).try_forward(zeros(2)), "expected a pooled map of at least 1x1, found 0x0");
    refused(pool(&[1]).try_forward(zeros(0)), "expected a feature map of at least 1x1, found 0x3");
}

#[test]
fn unpool_refuses() {
    let device = Default::default();
    let values = || Tensor::<Flex, 4>::zeros([1, 1, 1, 2], &device);
    let indices = |a: i32, b: i32| Tensor::<Flex, 4, Int>::from_ints([[[[a, b]]]], &device);
    let unpool = MaxUnpool2d::new(PoolWindow::sliding([1, 2]));
    assert!(unpool.try_forward(values(), indices(0, 3), None).is_ok());
    for (a, b, found) in [(0, 4, 4), (-1, 2, -1)] {
        refused(
            unpool.try_forward(values(), indices(a, b), None),
            &format!(
                "expected indices from 0 on, below 1x4, the size of the map, found {found}; give the size of the map that \
                 was pooled"
            ),
        );
    }
    refused(
        unpool.try_forward(values(), indices(0, 3).repeat_dim(0, 2), None),
        "expected an index for each value, [1, 1, 1, 2], found indices of [2, 1, 1, 2]; give both as they were pooled",
    );
    for (size, found) in [([1, 6], "1x3"), ([2, 4], "2x2")] {
        refused(
            unpool.try_forward(values(), indices(0, 3), Some(size)),
            &format!(
                "expected {found} values, as the windows of a {}x{} map give them, found 1x2; give the size of the map \
                 that was pooled",
                size[0], size[1]
            ),
        );
    }
    refused(
        MaxUnpool2d::new(PoolWindow::Adaptive { output_size: [1, 2] }).try_forward(values(), indices(0, 3), None),
        "expected the size of the map that was pooled, found none; give it, or use sliding windows",
    );
}

/// A dilated window between the values of the map, as PyTorch has it too.
#[test]
fn window_without_values() {
    let map = Tensor::<Flex, 4>::ones([1, 1, 1, 2], &Default::default());
    let window = PoolWindow::sliding([1, 2]).with_dilation([1, 3]).with_padding([0, 1]).with_stride([1, 1]);
    let (values, indices) = IndexedMaxPool2d::new(window).forward(map);
    assert_eq!(values.clone().into_data().to_vec::<f32>().unwrap(), [f32::NEG_INFINITY]);
    assert_eq!(indices.clone().into_data().iter::<i64>().collect::<Vec<_>>(), [2]);
    let error = MaxUnpool2d::new(window).try_forward(values, indices, Some([1, 2])).unwrap_err();
    assert_eq!(error, WindowError::Index { index: 2, size: [1, 2] });
}

#[test]
fn narrow_numbers() {
    use burn::tensor::DType;
    let device = Default::default();
    for dtype in [DType::F16, DType::BF16] {
        let map = Tensor::<Autodiff<Flex>, 4>::random([1, 4, 6, 5], Distribution::Default, &device).cast(dtype);
        let window = PoolWindow::sliding([2, 2]);
        let (values, indices) = IndexedMaxPool2d::new(window).forward(map.clone());
        let (expected, places) = IndexedMaxPool2d::new(window).forward(map.clone().cast(DType::F32));
        assert_eq!(values.dtype(), dtype);
        assert_eq!(indices.clone().into_data(), places.into_data());
        close("narrow", values.clone().into_data(), expected.into_data(), 1e-3);
        assert_eq!(MaxUnpool2d::new(window).forward(values, indices, Some([6, 5])).dtype(), dtype);
        assert_eq!(SpatialPyramidPool2dConfig::new(vec![2]).init().forward(map).dtype(), dtype);
    }
}
