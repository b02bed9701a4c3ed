//! The four networks and the layers that they are made of: shapes, sizes, values, and what is refused.

#![cfg(feature = "flex")]

use burn::module::Module;
use burn::tensor::{Tensor, TensorData};
use burn_flex::Flex;
use burn_pooling::model::{ImageError, MAX_STAGES, ModelError, PoolingCnnConfig, Variant};
use burn_pooling::pooling::{
    Activation, BlurPool2d, ConvPool2dConfig, GlobalAvgPool2d, GlobalMaxPool2d, Pool2dConfig, WindowError,
};
use burn_pooling::training::glorot_uniform;
use proptest::prelude::*;

/// Values in -1..1, from splitmix64.
fn values<const D: usize>(shape: [usize; D]) -> Tensor<Flex, D> {
    let mut state = 0u64;
    let mut next = || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    let values: Vec<f32> = (0..shape.iter().product()).map(|_| next()).collect();
    Tensor::from_data(TensorData::new(values, shape), &Default::default())
}

#[test]
fn the_defaults_have_the_size_that_keras_counts() {
    // Parameters as Keras counts them: tests/golden/keras.
    for (variant, parameters) in Variant::ALL.into_iter().zip([113_386, 113_386, 5_834, 5_834]) {
        let model = PoolingCnnConfig::new(variant).init::<Flex>(&Default::default()).unwrap();
        assert_eq!(model.num_params(), parameters, "{variant}");
    }
}

#[test]
fn probabilities_are_the_softmax_of_the_logits() {
    let device = Default::default();
    let model = PoolingCnnConfig::new(Variant::Average).init::<Flex>(&device).unwrap();
    let images = values([3, 1, 28, 28]).abs();
    let logits = model.forward(images.clone()).into_data().to_vec::<f32>().unwrap();
    let probabilities = model.probabilities(images).into_data().to_vec::<f32>().unwrap();
    for (logits, probabilities) in logits.chunks(10).zip(probabilities.chunks(10)) {
        let sum: f32 = logits.iter().map(|logit| logit.exp()).sum();
        for (logit, probability) in logits.iter().zip(probabilities) {
            assert!((logit.exp() / sum - probability).abs() < 1e-6);
        }
    }
}

#[test]
fn initial_weights_are_glorot_uniform_and_biases_zero() {
    let device = Default::default();
    let fresh = PoolingCnnConfig::new(Variant::Max).init::<Flex>(&device).unwrap();
    for model in [fresh.clone(), glorot_uniform(fresh, 7)] {
        let stage2 = model.stage2.unwrap();
        for (weights, fans) in [
            (model.stage1.conv.weight.to_data(), 9 + 9 * 32),
            (stage2.conv.weight.to_data(), 9 * 32 + 9 * 32),
            (model.hidden.weight.to_data(), 800 + 128),
            (model.output.weight.to_data(), 128 + 10),
        ] {
            let bound = (6.0 / fans as f32).sqrt();
            let weights = weights.to_vec::<f32>().unwrap();
            let largest = weights.iter().copied().map(f32::abs).fold(0.0, f32::max);
            assert!(largest <= bound && largest > 0.95 * bound, "{largest} within {bound}");
            let mean = weights.iter().sum::<f32>() / weights.len() as f32;
            let deviation = bound / (3.0 * weights.len() as f32).sqrt(); // of the mean
            assert!(mean.abs() < 5.0 * deviation, "mean {mean}");
        }
        for bias in [model.stage1.conv.bias, stage2.conv.bias, model.hidden.bias, model.output.bias] {
            assert!(bias.unwrap().to_data().to_vec::<f32>().unwrap().iter().all(|&value| value == 0.0));
        }
    }
}

#[test]
fn a_window_that_does_not_fit_is_an_error_that_says_where() {
    let init = |config: PoolingCnnConfig| config.init::<Flex>(&Default::default()).map(|_| ());
    let error = init(PoolingCnnConfig::new(Variant::Max).with_image_size([7, 28])).unwrap_err();
    // 7 rows: the first convolution leaves 5, the pool 2: too few for a 3x3 kernel.
    assert!(matches!(error, ModelError::Window { stage: 2, source: WindowError::TooLarge { .. }, .. }), "{error}");
    assert!(error.to_string().contains("3x3 convolution kernel does not fit an input of 2x13"), "{error}");

    let stages =
        |stage: ConvPool2dConfig, count| init(PoolingCnnConfig::new(Variant::Max).with_stages(vec![stage; count]));
    let conv = ConvPool2dConfig::new(32, [3, 3]);
    let error = stages(conv.max_pool(30), 2).unwrap_err();
    assert!(matches!(error, ModelError::Window { stage: 1, .. }), "{error}");
    let average = Pool2dConfig::Average { kernel_size: [2, 2], stride: [2, 0] };
    let error = stages(conv.with_pool(Some(average)), 2).unwrap_err();
    assert!(matches!(error, ModelError::Window { source: WindowError::Zero { .. }, .. }), "{error}");
    let error = init(PoolingCnnConfig::new(Variant::GlobalMax).with_image_size([2, 2])).unwrap_err();
    assert!(matches!(error, ModelError::Window { .. }), "{error}");
    let error = init(PoolingCnnConfig::new(Variant::Max).with_filters(0)).unwrap_err();
    assert_eq!(error, ModelError::Zero("the number of filters"));
    assert!(stages(conv, MAX_STAGES).is_ok());
    for found in [0, MAX_STAGES + 1] {
        let error = stages(conv, found).unwrap_err();
        assert!(matches!(error, ModelError::Stages { .. }), "{error}");
    }
}

#[test]
fn parameters_are_counted_as_the_built_network_counts_them() {
    let conv = ConvPool2dConfig::new(5, [3, 2]);
    for stages in [
        vec![conv.max_pool(2), conv.global_average_pool()],
        vec![conv.with_batch_norm(true).with_padding([1, 2]), conv.blurred_max_pool()],
        vec![conv; MAX_STAGES],
    ] {
        let config = PoolingCnnConfig::new(Variant::Max).with_stages(stages).with_channels(3).with_classes(7);
        let model = config.init::<Flex>(&Default::default()).unwrap();
        assert_eq!(config.parameters(), Ok(model.num_params() as u64));
    }
}

#[test]
fn a_network_of_absurd_size_is_refused_before_memory_is_taken() {
    let network = || PoolingCnnConfig::new(Variant::Max);
    let conv = ConvPool2dConfig::new(1, [1, 1]);
    let stage = |stage: ConvPool2dConfig| network().with_stages(vec![stage.global_max_pool()]);
    for many in [1 << 32, 10_usize.pow(12), usize::MAX / 32, usize::MAX] {
        for config in [
            network().with_channels(many),
            network().with_filters(many),
            network().with_hidden_units(many),
            network().with_classes(many),
            network().with_image_size([many, 28]),
            network().with_image_size([many, many]),
            PoolingCnnConfig::new(Variant::GlobalMax).with_image_size([28, many]),
            stage(conv.with_padding([0, many])),
            stage(conv.with_padding([many, many])),
            stage(ConvPool2dConfig::new(many, [1, 1])),
        ] {
            let refused = config.init::<Flex>(&Default::default()).map(|_| ()).unwrap_err();
            assert!(matches!(refused, ModelError::TooLarge { .. }), "{refused}");
            assert_eq!(config.parameters(), Err(refused.clone()));
            assert_eq!(config.features(), Err(refused));
        }
        let kernel = stage(ConvPool2dConfig::new(1, [many, many]));
        assert!(kernel.init::<Flex>(&Default::default()).is_err() && kernel.seen().is_err());
    }
    let text = network().with_hidden_units(1 << 30).features().unwrap_err().to_string();
    assert!(text.contains("weights of at most 17179869184 bytes in f32, found 3483218515368"), "{text}");
}

/// The fused operation holds an image and no map: 13 gigabytes of pixels are many, but no slip.
#[test]
fn global_pooling_takes_images_whose_maps_would_be_absurd() {
    let config = PoolingCnnConfig::new(Variant::GlobalMax).with_image_size([57_000, 57_000]);
    assert_eq!(config.parameters(), Ok(5_834));
}

#[test]
fn the_smallest_image_of_a_long_kernel_is_found_at_once() {
    let pool = Pool2dConfig::Max { kernel_size: [1, 100_000_000], stride: [1, 100_000_000] };
    let config = PoolingCnnConfig::new(Variant::Max)
        .with_stages(vec![ConvPool2dConfig::new(1, [1, 1]).with_pool(Some(pool))])
        .with_image_size([1, 1_000_000_000]);
    let start = std::time::Instant::now();
    let model = config.init::<Flex>(&Default::default()).unwrap();
    assert_eq!(model.smallest_image, [1, 100_000_000]);
    assert!(start.elapsed() < std::time::Duration::from_secs(1));
}

/// A `config.json` of the first version, whose filters and windows are not the defaults.
#[test]
fn configurations_of_the_first_version_describe_the_same_network() {
    let read = |variant: &str| -> PoolingCnnConfig {
        let text = format!(
            r#"{{"variant":"{variant}","channels":3,"image_size":[28,30],"filters":8,"hidden_units":16,"classes":5,
                "pool_window":[3,2],"pool_stride":[2,1]}}"#
        );
        serde_json::from_str(&text).unwrap()
    };
    let (kernel_size, stride) = ([3, 2], [2, 1]);
    for (variant, pool, count) in [
        (Variant::Max, Pool2dConfig::Max { kernel_size, stride }, 2),
        (Variant::Average, Pool2dConfig::Average { kernel_size, stride }, 2),
        (Variant::GlobalMax, Pool2dConfig::GlobalMax, 1),
        (Variant::GlobalAverage, Pool2dConfig::GlobalAverage, 1),
    ] {
        let stage = ConvPool2dConfig::new(8, [3, 3]).with_pool(Some(pool));
        let expected = PoolingCnnConfig::new(variant)
            .with_stages(vec![stage; count])
            .with_channels(3)
            .with_image_size([28, 30])
            .with_hidden_units(16)
            .with_classes(5);
        assert_eq!(read(variant.name()), expected);
        let text = serde_json::to_string(&expected).unwrap();
        assert_eq!(serde_json::from_str::<PoolingCnnConfig>(&text).unwrap(), expected);
    }
    let error = serde_json::from_str::<PoolingCnnConfig>(
        r#"{"channels":1,"image_size":[28,28],"hidden_units":16,"classes":5}"#,
    );
    assert!(error.unwrap_err().to_string().contains("expected `name` and `stages`"));
}

/// Expected values by hand: 28x28 leaves 26, of which five windows of 5 see 25; then 3, of which one window of 2 sees
/// the first two, which saw windows 1 to 4, which saw rows 1 to 20, of which a kernel sees two more.
#[test]
fn what_a_stride_leaves_out_is_not_seen() {
    let conv = ConvPool2dConfig::new(32, [3, 3]);
    let network = |stages: Vec<ConvPool2dConfig>| PoolingCnnConfig::new(Variant::Max).with_stages(stages);
    assert_eq!(network(vec![conv.max_pool(5), conv.max_pool(2)]).seen(), Ok([22, 22]));
    let seen = |network: PoolingCnnConfig| network.with_image_size([36, 29]).seen().unwrap();
    assert_eq!(seen(PoolingCnnConfig::new(Variant::Max)), [34, 26]);
    assert_eq!(seen(network(vec![conv.with_stride([2, 2]); 2])), [35, 27]);
    assert_eq!(seen(network(vec![conv.blurred_max_pool(); 2])), [36, 29]);
    assert_eq!(seen(network(vec![conv; 2])), [36, 29]);
    assert_eq!(seen(PoolingCnnConfig::new(Variant::GlobalMax)), [36, 29]);
}

/// The maps of every stage lead to the features, and these to the logits, whatever the stages are.
#[test]
fn the_stages_outputs_lead_to_the_features_and_the_logits() {
    let conv = ConvPool2dConfig::new(8, [3, 3]);
    let device = Default::default();
    for stages in [
        vec![conv.max_pool(2), conv.global_average_pool()],
        vec![conv.with_stride([2, 2]), conv],
        vec![conv.blurred_max_pool(), conv.with_batch_norm(true).max_pool(2)],
        vec![conv, conv.average_pool(2), conv.with_activation(Activation::Gelu), conv],
    ] {
        let count = stages.len();
        let config = PoolingCnnConfig::new(Variant::Max).with_stages(stages);
        let model = glorot_uniform(config.init::<Flex>(&device).unwrap(), 5);
        let images = values([3, 1, 28, 28]).abs();
        let outputs = model.stage_outputs(images.clone());
        assert_eq!(outputs.len(), count);
        assert_eq!(outputs[0].activation.dims()[..2], [3, 8]);

        let features = model.features(images.clone());
        assert_eq!(features.dims(), [3, config.features().unwrap()]);
        close(outputs[count - 1].pooled.clone().flatten(1, 3), features.clone());
        close(model.output.forward(model.hidden.forward(features)), model.forward(images));
    }
}

fn close(found: Tensor<Flex, 2>, expected: Tensor<Flex, 2>) {
    assert_eq!(found.dims(), expected.dims());
    let error: f32 = (found - expected).abs().max().into_scalar();
    assert!(error < 1e-5, "{error}");
}

/// Expected values by hand: a constant map stays constant away from the zeros around it, also a negative one.
#[test]
fn the_blur_keeps_a_constant_and_halves_the_size() {
    for constant in [1.0f32, -2.0] {
        let maps = Tensor::<Flex, 4>::ones([2, 3, 5, 5], &Default::default()) * constant;
        let blurred = BlurPool2d::new().forward(maps);
        assert_eq!(blurred.dims(), [2, 3, 3, 3]);
        let found = blurred.into_data().to_vec::<f32>().unwrap();
        let expected = [0.5625, 0.75, 0.5625, 0.75, 1.0, 0.75, 0.5625, 0.75, 0.5625];
        assert_eq!(found[..9], expected.map(|value| value * constant));
    }
}

#[test]
fn images_that_forward_would_panic_on_are_refused_with_what_is_expected() {
    let device = Default::default();
    let model = |variant| PoolingCnnConfig::new(variant).init::<Flex>(&device).unwrap();
    for variant in Variant::ALL {
        let model = model(variant);
        assert_eq!(model.check_images([5, 1, 28, 28]), Ok(()));
        let channels = ImageError::Channels { expected: 1, found: 3 };
        assert_eq!(model.check_images([5, 3, 28, 28]), Err(channels));
    }
    let (max, global) = (model(Variant::Max), model(Variant::GlobalMax));
    for found in [[32, 28], [28, 14]] {
        let size = ImageError::Size { expected: [28, 28], found };
        assert_eq!(max.check_images([1, 1, found[0], found[1]]), Err(size));
    }
    assert_eq!(global.check_images([1, 1, 3, 40]), Ok(()));
    let error = global.check_images([1, 1, 2, 40]).unwrap_err();
    assert!(error.to_string().contains("images of at least 3x3, found 2x40"), "{error}");

    // 8 rows: the first convolution leaves 6, the pool 3, which is the second kernel.
    let conv = ConvPool2dConfig::new(4, [3, 3]);
    let config = PoolingCnnConfig::new(Variant::Max).with_stages([conv.max_pool(2), conv.global_max_pool()]);
    let two = config.init::<Flex>(&device).unwrap();
    assert_eq!(two.check_images([1, 1, 8, 9]), Ok(()));
    two.forward(Tensor::zeros([1, 1, 8, 9], &device));
    let error = ImageError::TooSmall { least: [8, 8], found: [7, 9] };
    assert_eq!(two.check_images([1, 1, 7, 9]), Err(error));
}

#[test]
fn names_and_synonyms_are_understood() {
    for (name, variant) in [
        ("max", Variant::Max),
        ("average", Variant::Average),
        ("avg", Variant::Average),
        ("gmp", Variant::GlobalMax),
        ("global-max", Variant::GlobalMax),
        ("gap", Variant::GlobalAverage),
        ("global-average", Variant::GlobalAverage),
    ] {
        assert_eq!(name.parse(), Ok(variant));
    }
    assert!("maximum".parse::<Variant>().is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// `output_size` tells what `forward` gives, or that it would fail.
    #[test]
    fn sizes_are_told_beforehand(
        image in [1usize..12, 1..12],
        kernel in [1usize..4, 1..4],
        window in [1usize..5, 1..5],
        stride in [1usize..4, 1..4],
        padding in [0usize..3, 0..3],
        conv_stride in [1usize..3, 1..3],
        kind in 0..6,
    ) {
        let pool = match kind {
            0 => Some(Pool2dConfig::Max { kernel_size: window, stride }),
            1 => Some(Pool2dConfig::Average { kernel_size: window, stride }),
            2 => Some(Pool2dConfig::BlurredMax),
            3 => Some(Pool2dConfig::GlobalMax),
            4 => Some(Pool2dConfig::GlobalAverage),
            _ => None,
        };
        let config = ConvPool2dConfig::new(3, kernel)
            .with_stride(conv_stride)
            .with_padding(padding)
            .with_pool(pool);
        let fits = |size: usize, side: usize| match kind {
            0 | 1 => window[side] <= size,
            2 => size >= 2,
            _ => true,
        };
        let convolved = [0, 1].map(|side| {
            (image[side] + 2 * padding[side] + conv_stride[side]).saturating_sub(kernel[side]) / conv_stride[side]
        });
        let expected = convolved.iter().enumerate().all(|(side, &size)| size > 0 && fits(size, side));
        let size = config.output_size(image);
        prop_assert_eq!(size.is_ok(), expected);
        if let Ok([height, width]) = size {
            let device = Default::default();
            let block = config.init::<Flex>(2, &device);
            let output = block.forward(Tensor::zeros([2, 2, image[0], image[1]], &device));
            prop_assert_eq!(output.dims(), [2, 3, height, width]);
        }
    }

    /// Global pooling equals the maximum and the mean that the standard library computes.
    #[test]
    fn global_pooling_is_the_maximum_and_the_mean(
        (shape, values) in [1usize..4, 1..4, 1..7, 1..7].prop_flat_map(|shape| {
            let count = shape.iter().product::<usize>();
            (Just(shape), prop::collection::vec(-100f32..100.0, count))
        }),
    ) {
        let device = Default::default();
        let input = Tensor::<Flex, 4>::from_data(TensorData::new(values.clone(), shape), &device);
        let maxima = GlobalMaxPool2d::new().forward(input.clone()).into_data();
        let means = GlobalAvgPool2d::new().forward(input).into_data();
        prop_assert_eq!(&maxima.shape[..], &shape[..2]);
        let found = maxima.iter::<f32>().zip(means.iter::<f32>());
        for (channel, (maximum, mean)) in values.chunks(shape[2] * shape[3]).zip(found) {
            prop_assert_eq!(maximum, channel.iter().copied().fold(f32::NEG_INFINITY, f32::max));
            let exact = channel.iter().map(|&value| f64::from(value)).sum::<f64>() / channel.len() as f64;
            prop_assert!((f64::from(mean) - exact).abs() < 1e-4);
        }
    }

    /// The global variants take any image of at least 3x3.
    #[test]
    fn global_variants_take_any_size(height in 3usize..40, width in 3usize..40, global_max: bool) {
        let device = Default::default();
        let variant = if global_max { Variant::GlobalMax } else { Variant::GlobalAverage };
        let model = PoolingCnnConfig::new(variant).init::<Flex>(&device).unwrap();
        prop_assert_eq!(model.forward(Tensor::zeros([1, 1, height, width], &device)).dims(), [1, 10]);
    }
}
