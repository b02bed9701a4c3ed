//! What every pooling layer has to do, whatever the numbers.

#![cfg(feature = "flex")]

use burn::module::Module;
use burn::tensor::{Distribution, Tensor, TensorData};
use burn_autodiff::Autodiff;
use burn_flex::Flex;
use burn_pooling::pooling::*;
use proptest::prelude::*;

/// A layer by its function: what it makes of maps.
type Layer = Box<dyn Fn(Tensor<Flex, 4>) -> Tensor<Flex, 4>>;

/// The layers that reduce windows to values between the smallest and the largest, by name; of positive values.
fn layers(window: PoolWindow) -> Vec<(&'static str, Layer)> {
    fn layer<P: Pooling<Flex> + 'static>(pool: P) -> Layer {
        Box::new(move |input| pool.pool(input).unwrap())
    }
    let device = Default::default();
    let mut layers = vec![
        ("soft", layer(SoftPool2d::new(window))),
        ("stochastic", layer(StochasticPool2d::new(window))),
        ("average and max", layer(AvgMaxPool2d::new(window))),
        ("largest", layer(TopKPool2d::new(window, 1))),
        ("mixed", layer(MixedPool2dConfig::new(window).with_share(0.3).init::<Flex>(&device))),
        ("mean", layer(MixedPool2dConfig::new(window).with_share(0.0).init::<Flex>(&device))),
    ];
    for power in [1.0, 3.0, 40.0] {
        layers
            .push(("power", layer(GemPool2dConfig::new().with_window(window).with_power(power).init::<Flex>(&device))));
    }
    for sharpness in [-3.0, 0.0, 1e-3, 1.0, 30.0] {
        let config = LogSumExpPool2dConfig::new().with_window(window).with_sharpness(sharpness);
        layers.push(("log-sum-exp", layer(config.init::<Flex>(&device))));
    }
    layers
}

/// Layers whose output never falls when a value rises.
const MONOTONE: [&str; 6] = ["average and max", "largest", "mixed", "mean", "power", "log-sum-exp"];

fn windows() -> impl Strategy<Value = PoolWindow> {
    let sliding = (1..4usize, 1..4usize, 1..4usize, 1..4usize, any::<bool>()).prop_map(|(a, b, c, d, ceil_mode)| {
        PoolWindow::sliding([a, b]).with_stride([c, d]).with_padding([a / 2, b / 2]).with_ceil_mode(ceil_mode)
    });
    let adaptive = (1..5usize, 1..5usize).prop_map(|(a, b)| PoolWindow::Adaptive { output_size: [a, b] });
    prop_oneof![Just(PoolWindow::Global), adaptive, sliding]
}

/// Positive values, among them equal ones.
fn maps() -> impl Strategy<Value = TensorData> {
    (1..4usize, 1..30usize, 3..9usize, 3..9usize).prop_flat_map(|(batch, channels, height, width)| {
        let values =
            prop::collection::vec((1..400u32).prop_map(|i| i as f32 * 0.01), batch * channels * height * width);
        values.prop_map(move |values| TensorData::new(values, [batch, channels, height, width]))
    })
}

fn tensor(data: TensorData) -> Tensor<Flex, 4> {
    Tensor::from_data(data, &Default::default())
}

fn values(tensor: Tensor<Flex, 4>) -> Vec<f32> {
    tensor.into_data().to_vec().unwrap()
}

fn close(found: &[f32], expected: &[f32], tolerance: f32) -> bool {
    let near = |(found, expected): (&f32, &f32)| (found - expected).abs() <= tolerance * expected.abs().max(1.0);
    found.len() == expected.len() && found.iter().zip(expected).all(near)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Between the smallest and the largest value of the map, and of the size that the window says.
    #[test]
    fn outputs_lie_between_the_values(data in maps(), window in windows()) {
        let input = tensor(data);
        let [batch, channels, height, width] = input.dims();
        let [rows, columns] = window.output_size([height, width]).unwrap();
        let (low, high) = (input.clone().min().into_scalar(), input.clone().max().into_scalar());
        for (name, layer) in layers(window) {
            let output = layer(input.clone());
            prop_assert_eq!(output.dims(), [batch, channels, rows, columns], "{}", name);
            for value in values(output) {
                prop_assert!((low - 1e-5..=high + 1e-5).contains(&value), "{}: {} of {} to {}", name, value, low, high);
            }
        }
    }

    /// A global pooling knows no places.
    #[test]
    fn global_pooling_is_invariant_to_the_order(data in maps(), turn in 1..50usize) {
        let input = tensor(data);
        let [batch, channels, height, width] = input.dims();
        let turn = turn % (height * width);
        let flat: Tensor<Flex, 3> = input.clone().flatten(2, 3);
        let parts = vec![flat.clone().slice([0..batch, 0..channels, turn..height * width]),
            flat.slice([0..batch, 0..channels, 0..turn])];
        let parts = if turn == 0 { vec![parts[0].clone()] } else { parts };
        let turned = Tensor::cat(parts, 2).reshape([batch, channels, height, width]);
        for (name, layer) in layers(PoolWindow::Global) {
            let (found, expected) = (values(layer(turned.clone())), values(layer(input.clone())));
            prop_assert!(close(&found, &expected, 1e-5), "{}: {:?} {:?}", name, found, expected);
        }
    }

    /// A map shifted by the stride gives the outputs shifted by one.
    #[test]
    fn sliding_windows_are_equivariant_to_shifts_by_the_stride(data in maps(), size in 1..3usize, stride in 1..3usize) {
        let input = tensor(data);
        let [batch, channels, height, width] = input.dims();
        prop_assume!(height >= size + stride);
        let window = PoolWindow::sliding([size, 2]).with_stride([stride, 1]);
        let shifted = input.clone().slice([0..batch, 0..channels, stride..height, 0..width]);
        for (name, layer) in layers(window) {
            let whole = layer(input.clone());
            let [.., rows, columns] = whole.dims();
            let expected = whole.slice([0..batch, 0..channels, 1..rows, 0..columns]);
            prop_assert_eq!(values(layer(shifted.clone())), values(expected), "{}", name);
        }
    }

    /// No output falls when values rise.
    #[test]
    fn outputs_rise_with_the_values(data in maps(), window in windows(), place in 0..1000usize, by in 0.1..3.0f32) {
        let input = tensor(data.clone());
        let mut raised: Vec<f32> = data.to_vec().unwrap();
        let place = place % raised.len();
        raised[place] += by;
        let raised = tensor(TensorData::new(raised, data.shape));
        for (name, layer) in layers(window).into_iter().filter(|(name, _)| MONOTONE.contains(name)) {
            for (after, before) in values(layer(raised.clone())).iter().zip(values(layer(input.clone()))) {
                prop_assert!(*after >= before - 1e-5 * before, "{}: {} after {}", name, after, before);
            }
        }
    }

    /// Large powers and sharpnesses end at the maximum; 1 and 0 at the mean, as does the mean of all values.
    #[test]
    fn limits(data in maps(), window in windows()) {
        let device = Default::default();
        let input = tensor(data);
        let largest = values(TopKPool2d::new(window, 1).forward(input.clone()));
        let mean = values(MixedPool2dConfig::new(window).with_share(0.0).init(&device).forward(input.clone()));
        let power = |p| values(GemPool2dConfig::new().with_window(window).with_power(p).init(&device).forward(input.clone()));
        let sharpness = |r| {
            let config = LogSumExpPool2dConfig::new().with_window(window).with_sharpness(r);
            values(config.init(&device).forward(input.clone()))
        };
        prop_assert!(close(&power(1.0), &mean, 1e-5));
        prop_assert!(close(&power(2e3), &largest, 3e-3)); // 81 values: the root of 1/81
        prop_assert!(close(&sharpness(0.0), &mean, 1e-5));
        prop_assert!(close(&sharpness(1e-6), &mean, 1e-4));
        prop_assert!(close(&sharpness(2e3), &largest, 3e-3));
        prop_assert!(close(&values(LpPool2d::new(window, f32::INFINITY).forward(input.clone())), &largest, 0.0));
        let [.., height, width] = input.dims();
        let all = TopKPool2d::new(PoolWindow::Global, height * width).forward(input.clone());
        prop_assert!(close(&values(all), &values(AdaptiveAvgPool2d::new([1, 1]).forward(input)), 1e-5));
    }

    /// The number of threads changes no bit, of outputs and gradients.
    #[test]
    fn threads_change_nothing(data in maps(), window in windows()) {
        let run = |threads: usize| {
            rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| {
                let device = Default::default();
                let input = Tensor::<Autodiff<Flex>, 4>::from_data(data.clone(), &device).require_grad();
                let layer = GemPool2dConfig::new().with_window(window).init::<Autodiff<Flex>>(&device);
                let output = layer.forward(input.clone());
                let gradients = output.clone().sum().backward();
                let of_power = layer.power.val().grad(&gradients).unwrap().into_data();
                [output.into_data(), input.grad(&gradients).unwrap().into_data(), of_power]
            })
        };
        prop_assert_eq!(run(1), run(3));
    }
}

/// As many planes as fill vectors and chunks of work, each with its own parameters: what one plane gives, it gives beside
/// others.
#[test]
fn planes_do_not_meet() {
    let device = Default::default();
    let [batch, channels] = [9, 137];
    let input = Tensor::<Flex, 4>::random([batch, channels, 5, 6], Distribution::Uniform(-1.0, 3.0), &device);
    let own = |channels: usize| Tensor::<Flex, 1>::random([channels], Distribution::Uniform(0.3, 3.0), &device);
    let (shares, weight) = (own(channels), own(channels * 4).reshape([channels, 2, 2]));
    for window in [PoolWindow::Global, PoolWindow::sliding([3, 3]).with_stride([2, 1]).with_padding([1, 1])] {
        let check = |name: &str, layer: &dyn Fn(Tensor<Autodiff<Flex>, 4>, Parameters) -> Tensor<Autodiff<Flex>, 4>| {
            let of = |range: std::ops::Range<usize>| {
                let input = Tensor::<Autodiff<Flex>, 4>::from_inner(input.clone().narrow(1, range.start, range.len()));
                let shares = Tensor::from_inner(shares.clone().narrow(0, range.start, range.len())).require_grad();
                let weight = Tensor::from_inner(weight.clone().narrow(0, range.start, range.len())).require_grad();
                let input = input.require_grad();
                let output = layer(input.clone(), (shares.clone(), weight.clone()));
                let gradients = output.clone().powi_scalar(2).sum().backward();
                let of_shares = shares.grad(&gradients).map(|gradient| gradient.into_data());
                let of_weight = weight.grad(&gradients).map(|gradient| gradient.into_data());
                (output.inner(), input.grad(&gradients).unwrap(), of_shares, of_weight)
            };
            let (output, of_input, of_shares, of_weight) = of(0..channels);
            for channel in [0, 15, 16, 100, 136] {
                let alone = of(channel..channel + 1);
                assert_eq!(values(output.clone().narrow(1, channel, 1)), values(alone.0), "{name}");
                assert_eq!(values(of_input.clone().narrow(1, channel, 1)), values(alone.1), "{name}");
                let near = |all: &Option<TensorData>, alone: Option<TensorData>| {
                    let Some((all, alone)) = all.as_ref().zip(alone) else { return };
                    let alone: Vec<f32> = alone.to_vec().unwrap();
                    let all = &all.as_slice::<f32>().unwrap()[channel * alone.len()..][..alone.len()];
                    assert!(close(all, &alone, 1e-4), "{name}: {all:?} {alone:?}");
                };
                near(&of_shares, alone.2);
                near(&of_weight, alone.3);
            }
        };
        let param = |tensor: Tensor<Autodiff<Flex>, 1>| burn::module::Param::from_tensor(tensor);
        check("soft", &|input, _| SoftPool2d::new(window).forward(input));
        check("lp", &|input, _| LpPool2d::new(window, 2.5).forward(input));
        check("largest", &|input, _| TopKPool2d::new(window, 3).forward(input));
        check("average and max", &|input, _| AvgMaxPool2d::new(window).forward(input));
        check("mixed", &|input, (share, _)| MixedPool2d { window, share: param(share) }.forward(input));
        check("log-sum-exp", &|input, (sharpness, _)| {
            LogSumExpPool2d { window, sharpness: param(sharpness) }.forward(input)
        });
        check("power", &|input, (power, _)| GemPool2d { window, epsilon: 1e-6, power: param(power) }.forward(input));
        check("gated", &|input, (_, weight)| {
            GatedPool2d { stride: [2, 2], weight: burn::module::Param::from_tensor(weight) }.forward(input)
        });
    }
}

type Parameters = (Tensor<Autodiff<Flex>, 1>, Tensor<Autodiff<Flex>, 3>);

/// NaN in a window gives NaN, wherever it is; an infinite value what the formula gives.
#[test]
fn what_is_no_number() {
    let device = Default::default();
    let pooled = |layer: &Layer, row: &[f32]| {
        let row = TensorData::new(row.to_vec(), [1, 1, 1, row.len()]);
        layer(Tensor::from_data(row, &device)).into_scalar()
    };
    let mut all = layers(PoolWindow::Global);
    for p in [1.0, 2.0, 2.5, 3.0, 30.0] {
        let lp = LpPool2d::new(PoolWindow::Global, p);
        all.push(("lp", Box::new(move |input| lp.forward(input))));
    }
    for (name, layer) in &all {
        for row in [[f32::NAN, 1.0, 2.0], [1.0, f32::NAN, 2.0], [1.0, 2.0, f32::NAN]] {
            assert!(pooled(layer, &row).is_nan(), "{name} of {row:?}");
        }
    }
    for (name, layer) in all.iter().filter(|(name, _)| ["average and max", "lp", "mixed"].contains(name)) {
        assert_eq!(pooled(layer, &[f32::INFINITY, 1.0]), f32::INFINITY, "{name}");
    }
    let average = AdaptiveAvgPool2d::new([1, 1]);
    let average: Layer = Box::new(move |input| average.forward(input));
    assert_eq!(pooled(&average, &[3e38, 3e38, 3e38]), 3e38);
    let both = AvgMaxPool2d::new(PoolWindow::Global);
    let both: Layer = Box::new(move |input| both.forward(input));
    assert_eq!(pooled(&both, &[f32::NEG_INFINITY, 1.0]), f32::NEG_INFINITY);
    let flat = LogSumExpPool2dConfig::new().with_sharpness(0.0).init::<Flex>(&device);
    let flat: Layer = Box::new(move |input| flat.forward(input));
    assert_eq!(pooled(&flat, &[1e10, 0.0]), 5e9);
}

/// Sums of a million values keep their digits.
#[test]
fn large_windows_are_exact() {
    let device = Default::default();
    let maps = Tensor::<Flex, 4>::full([1, 1, 1024, 1024], 1.7, &device);
    for (name, layer) in layers(PoolWindow::Global).into_iter().filter(|(name, _)| *name != "largest") {
        let pooled = layer(maps.clone()).into_scalar();
        assert!((pooled / 1.7 - 1.0).abs() < 5e-7, "{name}: {pooled}");
    }
    let norm = LpPool2d::new(PoolWindow::Global, 2.0).forward(maps).into_scalar();
    assert!((norm / (1.7 * 1024.0) - 1.0).abs() < 5e-7, "{norm}");
}

/// A sequence is a map of height 1.
#[test]
fn sequences() {
    let device = Default::default();
    let sequence = Tensor::<Flex, 3>::from_floats([[[1.0, 5.0, 2.0, 4.0, 3.0]]], &device);
    let pool = Pool1d::new(TopKPool2d::new(PoolWindow::sliding([1, 3]).with_stride([1, 2]), 2));
    assert_eq!(pool.forward(sequence.clone()).into_data().to_vec::<f32>().unwrap(), [3.5, 3.5]);
    let learned = Pool1d::new(LogSumExpPool2dConfig::new().init::<Flex>(&device));
    assert_eq!(learned.num_params(), 1);
    assert_eq!(learned.forward(sequence).dims(), [1, 1, 1]);
}

/// What is drawn comes up in proportion to the values, never from padding, and on average gives what inference gives.
#[test]
fn stochastic_pooling_draws_in_proportion() {
    let device = Default::default();
    <Flex as burn::tensor::backend::Backend>::seed(&device, 5);
    let map = Tensor::<Flex, 4>::from_floats([[[[0.0, 1.0, -2.0, 3.0, 0.0]]]], &device);
    let draws = 20_000;
    let pool = StochasticPool2d::new(
        PoolWindow::sliding([1, 5]).with_padding([0, 2]).with_stride([1, 9]).with_ceil_mode(false),
    );
    let drawn = pool.draw(map.clone().repeat_dim(0, draws)).unwrap().into_data().to_vec::<f32>().unwrap();
    // The first window reads two values of padding, 0, 1 and -2.
    assert!(drawn.iter().all(|value| *value == 1.0));
    let pool = StochasticPool2d::new(PoolWindow::Global);
    let drawn = pool.draw(map.clone().repeat_dim(0, draws)).unwrap().into_data().to_vec::<f32>().unwrap();
    assert!(drawn.iter().all(|value| [1.0, 3.0].contains(value)));
    let mean = drawn.iter().sum::<f32>() / draws as f32;
    let expected = pool.forward(map).into_scalar(); // (1 + 9) / 4
    assert_eq!(expected, 2.5);
    // Five standard errors: each draw deviates by the root of 3/4.
    assert!((mean - expected).abs() < 5.0 * (0.75_f32 / draws as f32).sqrt(), "{mean}");
    let zeros = Tensor::<Flex, 4>::zeros([1, 1, 2, 2], &device);
    assert_eq!(pool.draw(zeros.clone()).unwrap().into_scalar(), 0.0);
    assert_eq!(pool.forward(zeros).into_scalar(), 0.0);
}

/// While gradients are computed, the gradient goes to what was drawn.
#[test]
fn stochastic_pooling_draws_while_training() {
    let device = Default::default();
    let map = Tensor::<Autodiff<Flex>, 4>::from_floats([[[[1.0, 2.0, 3.0, 2.0]]]], &device).require_grad();
    let output = StochasticPool2d::new(PoolWindow::Global).forward(map.clone());
    let gradients = output.clone().sum().backward();
    let of_map = map.grad(&gradients).unwrap().into_data().to_vec::<f32>().unwrap();
    assert_eq!(of_map.iter().sum::<f32>(), 1.0);
    let drawn = of_map.iter().position(|gradient| *gradient == 1.0).unwrap();
    assert_eq!(output.into_scalar(), [1.0, 2.0, 3.0, 2.0][drawn]);
}

/// What a layer does not take, and what its error says.
#[test]
fn errors() {
    let device = Default::default();
    let maps = || Tensor::<Flex, 4>::ones([1, 3, 4, 5], &device);
    let error = |result: Result<Tensor<Flex, 4>, WindowError>| result.unwrap_err().to_string();
    let soft = |window| error(SoftPool2d::new(window).try_forward(maps()));
    assert_eq!(
        soft(PoolWindow::sliding([5, 2])),
        "a 5x2 pooling kernel does not fit an input of 4x5: expected an input at least as large; use a smaller pooling \
         kernel or a larger image"
    );
    assert_eq!(
        soft(PoolWindow::sliding([2, 2]).with_padding([2, 0])),
        "expected a padding of at most half of the pooling kernel, found 2x0 with a kernel of 2x2; use a smaller padding"
    );
    assert_eq!(soft(PoolWindow::sliding([0, 2])), "expected a pooling kernel of at least 1x1, found 0x2");
    assert_eq!(soft(PoolWindow::sliding([2, 2]).with_stride([1, 0])), "expected a stride of at least 1x1, found 1x0");
    assert_eq!(
        soft(PoolWindow::sliding([2, 2]).with_dilation([0, 1])),
        "expected a dilation of at least 1x1, found 0x1"
    );
    assert_eq!(soft(PoolWindow::Adaptive { output_size: [0, 1] }), "expected a pooled map of at least 1x1, found 0x1");
    assert_eq!(
        error(TopKPool2d::new(PoolWindow::sliding([2, 2]), 5).try_forward(maps())),
        "expected 1 to 4 of the largest values, as many as the smallest window holds, found 5; use fewer or larger windows"
    );
    assert_eq!(
        error(LpPool2d::new(PoolWindow::Global, 0.5).try_forward(maps())),
        "expected a power of at least 1, found 0.5"
    );
    assert_eq!(
        error(GemPool2dConfig::new().with_channels(Some(2)).init(&device).try_forward(maps())),
        "expected an input of 2 channels, found 3; give it images of as many channels or create the layer for 3"
    );
    let many = "expected at most 16777216 rows and columns of windows, found more over an input of 4x5; use a larger stride or \
                fewer windows";
    assert_eq!(soft(PoolWindow::Adaptive { output_size: [usize::MAX, 1] }), many);
    assert!(PoolWindow::sliding([1, 1]).output_size([1 << 40, 1]).is_err());
    let between = PoolWindow::sliding([1, 2]).with_dilation([1, 6]).with_padding([0, 1]).with_stride([1, 1]);
    assert_eq!(
        soft(between),
        "expected windows that read at least one value each, found one that reads none; use a smaller dilation"
    );
    assert_eq!(
        error(GemPool2dConfig::new().with_epsilon(0.0).init(&device).try_forward(maps())),
        "expected an epsilon above 0, found 0"
    );
    let two_rows = Pool1d::new(AdaptiveAvgPool2d::new([2, 3]));
    assert_eq!(
        two_rows.try_forward(Tensor::<Flex, 3>::ones([1, 1, 6], &device)).unwrap_err().to_string(),
        "expected windows over sequences, of height 1, found pooled maps of height 2; give the layer windows of one row"
    );
    let empty = Tensor::<Flex, 4>::zeros([1, 1, 0, 3], &device);
    assert_eq!(
        error(SoftPool2d::new(PoolWindow::Global).try_forward(empty)),
        "expected a feature map of at least 1x1, found 0x3"
    );
}

/// `f16` and `bf16` are summed in `f32`: a mean of many is the number next to it.
#[test]
fn narrow_numbers_are_summed_in_f32() {
    use burn::tensor::FloatDType;

    let device = Default::default();
    for (float, tolerance) in [(FloatDType::F16, 1e-3), (FloatDType::BF16, 8e-3)] {
        let maps = Tensor::<Flex, 4>::full([1, 1, 90, 90], 1.7, &device).cast(float);
        let exact = maps.clone().cast(FloatDType::F32).max().into_scalar();
        for (name, layer) in layers(PoolWindow::Global) {
            let pooled = layer(maps.clone());
            assert_eq!(pooled.dtype(), float.into(), "{name}");
            let found = pooled.cast(FloatDType::F32).into_scalar();
            assert!((found / exact - 1.0).abs() <= tolerance, "{name}: {found} for {exact}");
        }
    }
}
