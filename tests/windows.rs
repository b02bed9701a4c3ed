//! Inputs that a layer does not take: the same error from every layer, on every backend.

#![cfg(any(feature = "flex", feature = "ndarray"))]

use std::panic::{AssertUnwindSafe, catch_unwind};

use burn::tensor::{Tensor, backend::Backend};
use burn_pooling::pooling::{
    BlurPool2d, ConvPool2d, ConvPool2dConfig, GlobalAvgPool2d, GlobalMaxPool2d, MaxBlurPool2d, Pool2dConfig,
    WindowError,
};

const TWO: [usize; 2] = [2, 2];

fn pools() -> [Pool2dConfig; 5] {
    [
        Pool2dConfig::Max { kernel_size: TWO, stride: TWO },
        Pool2dConfig::Average { kernel_size: TWO, stride: TWO },
        Pool2dConfig::BlurredMax,
        Pool2dConfig::GlobalMax,
        Pool2dConfig::GlobalAverage,
    ]
}

fn maps<B: Backend>(size: [usize; 4]) -> Tensor<B, 4> {
    Tensor::ones(size, &Default::default())
}

/// What a panic says.
fn message<T>(work: impl FnOnce() -> T) -> String {
    let panic = catch_unwind(AssertUnwindSafe(work)).err().expect("a panic");
    panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(|text| text.to_string()))
        .unwrap()
}

/// Every way to run the block ends in the same error.
fn block_fails<B: Backend>(mut block: ConvPool2d<B>, input: [usize; 4], error: &WindowError) {
    for fused in [true, false] {
        block.fused = fused;
        assert_eq!(block.try_forward(maps(input)).unwrap_err(), *error, "fused {fused}");
        assert_eq!(message(|| block.forward(maps(input))), error.to_string());
        assert_eq!(message(|| block.forward_composed(maps(input))), error.to_string());
        assert!(!block.is_fused_for(&maps(input)));
    }
}

fn a_window_that_does_not_fit<B: Backend>() {
    for pool in pools() {
        let windows =
            matches!(pool, Pool2dConfig::Max { .. } | Pool2dConfig::Average { .. } | Pool2dConfig::BlurredMax);
        let [too_small, empty] = [[1, 1], [0, 3]];
        if windows {
            let error = WindowError::TooLarge { what: "pooling kernel", kernel_size: TWO, input: too_small };
            assert_eq!(pool.init(1, &Default::default()).try_forward(maps::<B>([1, 1, 1, 1])).unwrap_err(), error);
            assert_eq!(
                message(|| pool.init(1, &Default::default()).forward(maps::<B>([1, 1, 1, 1]))),
                error.to_string()
            );
            assert_eq!(pool.output_size(too_small), Err(error.clone()));
            let block = ConvPool2dConfig::new(2, [3, 3]).with_pool(Some(pool)).init::<B>(1, &Default::default());
            assert_eq!(message(|| block.pooled(maps([1, 2, 1, 1]))), error.to_string());
            block_fails(block, [1, 1, 3, 3], &error);
        }
        let error = pool.init(1, &Default::default()).try_forward(maps::<B>([1, 1, empty[0], empty[1]])).unwrap_err();
        assert!(matches!(error, WindowError::Zero { what: "feature map", size } if size == empty), "{pool:?}: {error}");
        assert_eq!(pool.output_size(empty), Err(error));
    }
}

fn the_layers_alone<B: Backend>() {
    let empty = || maps::<B>([2, 1, 3, 0]);
    let error = WindowError::Zero { what: "feature map", size: [3, 0] };
    assert_eq!(GlobalMaxPool2d::new().try_forward(empty()).unwrap_err(), error);
    assert_eq!(GlobalAvgPool2d::new().try_forward(empty()).unwrap_err(), error);
    assert_eq!(BlurPool2d::new().try_forward(empty()).unwrap_err(), error);
    assert_eq!(MaxBlurPool2d::new().try_forward(empty()).unwrap_err(), error);
    assert_eq!(message(|| GlobalMaxPool2d::new().forward(empty())), error.to_string());
    assert_eq!(message(|| GlobalAvgPool2d::new().forward(empty())), error.to_string());
    assert_eq!(message(|| BlurPool2d::new().forward(empty())), error.to_string());
    assert_eq!(message(|| MaxBlurPool2d::new().forward(empty())), error.to_string());
}

fn empty_strides_and_kernels<B: Backend>() {
    let stride = WindowError::Zero { what: "stride", size: [0, 1] };
    for pool in [
        Pool2dConfig::Max { kernel_size: TWO, stride: [0, 1] },
        Pool2dConfig::Average { kernel_size: TWO, stride: [0, 1] },
    ] {
        assert_eq!(pool.output_size([4, 4]), Err(stride.clone()));
        assert_eq!(pool.init(1, &Default::default()).try_forward(maps::<B>([1, 1, 4, 4])).unwrap_err(), stride);
    }
    let block = ConvPool2dConfig::new(2, TWO).with_stride([0, 1]).init::<B>(1, &Default::default());
    block_fails(block, [1, 1, 4, 4], &stride);
    let kernel = WindowError::Zero { what: "pooling kernel", size: [2, 0] };
    for pool in [
        Pool2dConfig::Max { kernel_size: [2, 0], stride: TWO },
        Pool2dConfig::Average { kernel_size: [2, 0], stride: TWO },
    ] {
        assert_eq!(pool.init(1, &Default::default()).try_forward(maps::<B>([1, 1, 4, 4])).unwrap_err(), kernel);
    }
}

fn convolutions<B: Backend>() {
    let device = Default::default();
    let block = |padding| ConvPool2dConfig::new(2, [3, 3]).with_padding(padding).init::<B>(3, &device);
    let error = WindowError::TooLarge { what: "convolution kernel", kernel_size: [3, 3], input: [2, 4] };
    assert_eq!(message(|| block([0, 0]).activations(maps([1, 3, 2, 4]))), error.to_string());
    block_fails(block([0, 0]), [1, 3, 2, 4], &error);
    let error = WindowError::Channels { expected: 3, found: 1 };
    assert_eq!(message(|| block([0, 0]).activations(maps([1, 1, 8, 8]))), error.to_string());
    block_fails(block([0, 0]), [1, 1, 8, 8], &error);
    // An image of no pixels inside its padding.
    for pool in pools() {
        let config = ConvPool2dConfig::new(2, [1, 1]).with_padding([2, 2]).with_pool(Some(pool));
        let error = WindowError::Zero { what: "feature map", size: [0, 5] };
        assert_eq!(config.output_size([0, 5]), Err(error.clone()));
        block_fails(config.init::<B>(3, &device), [1, 3, 0, 5], &error);
    }
}

#[test]
fn absurd_sizes_are_an_error() {
    let most = usize::MAX;
    let config = ConvPool2dConfig::new(2, [3, 3]);
    let error = config.with_padding([most, 0]).output_size([4, 4]).unwrap_err();
    assert_eq!(error, WindowError::Overflow { input: [4, 4], padding: [most, 0] });
    assert!(error.to_string().contains("use a smaller padding"));
    assert!(config.with_padding([1, most / 2]).output_size([4, 4]).is_err());
    assert_eq!(config.with_padding([1, most / 2 - 2]).output_size([4, 5]), Ok([4, most - 2]));
    assert!(config.output_size([most, most]).is_ok());
    assert!(ConvPool2dConfig::new(2, [most, 3]).output_size([4, 4]).is_err());
    let strided = Pool2dConfig::Max { kernel_size: [1, 1], stride: [most, most] };
    assert_eq!(strided.output_size([most, 9]), Ok([1, 1]));
}

macro_rules! on {
    ($name:ident: $backend:ty) => {
        mod $name {
            use super::*;

            #[test]
            fn a_window_that_does_not_fit_is_one_error_everywhere() {
                a_window_that_does_not_fit::<$backend>();
            }

            #[test]
            fn layers_alone_take_no_empty_map() {
                the_layers_alone::<$backend>();
            }

            #[test]
            fn empty_strides_and_kernels_are_errors() {
                empty_strides_and_kernels::<$backend>();
            }

            #[test]
            fn convolutions_say_what_does_not_fit() {
                convolutions::<$backend>();
            }
        }
    };
}

#[cfg(feature = "flex")]
on!(flex: burn_flex::Flex);
#[cfg(feature = "ndarray")]
on!(ndarray: burn_ndarray::NdArray);
