//! The four networks and the layers that they are made of: shapes, sizes, values, and what is refused.

#![cfg(feature = "flex")]

use burn::module::Module;
use burn::tensor::{Distribution, Tensor, TensorData};
use burn_flex::Flex;
use burn_pooling::model::{ImageError, ModelError, PoolingCnnConfig, Variant};
use burn_pooling::pooling::{
    ConvPool2dConfig, GlobalAvgPool2d, GlobalMaxPool2d, Pool2dConfig, WindowError,
};
use burn_pooling::training::glorot_uniform;
use proptest::prelude::*;

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
    let images = Tensor::random([3, 1, 28, 28], Distribution::Uniform(0.0, 1.0), &device);
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
        for bias in [model.stage1.conv.bias, stage2.conv.bias, model.hidden.bias, model.output.bias]
        {
            assert!(
                bias.unwrap().to_data().to_vec::<f32>().unwrap().iter().all(|&value| value == 0.0)
            );
        }
    }
}

#[test]
fn a_window_that_does_not_fit_is_an_error_that_says_where() {
    let init = |config: PoolingCnnConfig| config.init::<Flex>(&Default::default()).map(|_| ());
    let error = init(PoolingCnnConfig::new(Variant::Max).with_image_size([7, 28])).unwrap_err();
    // 7 rows: the first convolution leaves 5, the pool 2: too few for a 3x3 kernel.
    assert!(
        matches!(error, ModelError::Window { stage: 2, source: WindowError::TooLarge { .. }, .. }),
        "{error}"
    );
    assert!(error.to_string().contains("3x3 kernel does not fit 2x13"), "{error}");

    let error = init(PoolingCnnConfig::new(Variant::Max).with_pool_window([30, 30])).unwrap_err();
    assert!(matches!(error, ModelError::Window { stage: 1, .. }), "{error}");
    let error = init(PoolingCnnConfig::new(Variant::Average).with_pool_stride([2, 0])).unwrap_err();
    assert!(
        matches!(error, ModelError::Window { source: WindowError::Zero { .. }, .. }),
        "{error}"
    );
    let error =
        init(PoolingCnnConfig::new(Variant::GlobalMax).with_image_size([2, 2])).unwrap_err();
    assert!(matches!(error, ModelError::Window { .. }), "{error}");
    let error = init(PoolingCnnConfig::new(Variant::Max).with_filters(0)).unwrap_err();
    assert_eq!(error, ModelError::Zero("the number of filters"));
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
    assert!(error.to_string().contains("images of 3x3 and more, found 2x40"), "{error}");
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
        kind in 0..4,
    ) {
        let pool = match kind {
            0 => Pool2dConfig::Max { window, stride },
            1 => Pool2dConfig::Average { window, stride },
            2 => Pool2dConfig::GlobalMax,
            _ => Pool2dConfig::GlobalAverage,
        };
        let config = ConvPool2dConfig::new([2, 3], kernel, pool).with_padding(padding);
        let fits = |size: usize, side: usize| kind > 1 || window[side] <= size;
        let convolved = [0, 1].map(|side| (image[side] + 2 * padding[side] + 1).saturating_sub(kernel[side]));
        let expected = convolved.iter().enumerate().all(|(side, &size)| size > 0 && fits(size, side));
        let size = config.output_size(image);
        prop_assert_eq!(size.is_ok(), expected);
        if let Ok([height, width]) = size {
            let device = Default::default();
            let block = config.init::<Flex>(&device);
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
