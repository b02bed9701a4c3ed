//! The fused block against the same block composed of Burn's operations: forward and every gradient.
#![cfg(any(feature = "flex", feature = "ndarray"))]

use burn::module::Param;
use burn::nn::{BatchNormConfig, PaddingConfig2d};
use burn::tensor::{Tensor, TensorData, backend::AutodiffBackend};
use burn_pooling::pooling::{Activation, ConvPool2d, ConvPool2dConfig, Pool2dConfig};
use proptest::prelude::*;

/// A block and what goes through it.
#[derive(Clone, Debug)]
struct Case {
    batch: usize,
    channels: usize,
    image: [usize; 2],
    config: ConvPool2dConfig,
    seed: u64,
}

/// Multiples of 1/64 in -1..1: sums of their products are exact, so both ways see the same ties.
fn numbers<B: AutodiffBackend, const D: usize>(shape: [usize; D], seed: u64) -> Tensor<B, D> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 57) as f32 / 64.0 - 1.0
    };
    let values: Vec<f32> = (0..shape.iter().product()).map(|_| next()).collect();
    Tensor::from_data(TensorData::new(values, shape), &Default::default())
}

fn values<B: AutodiffBackend, const D: usize>(tensor: Tensor<B, D>) -> Vec<f32> {
    tensor.into_data().to_vec().unwrap()
}

impl Case {
    fn block<B: AutodiffBackend>(&self, fused: bool) -> ConvPool2d<B> {
        let device = Default::default();
        let mut block = self.config.init::<B>(self.channels, &device);
        let shape = block.conv.weight.dims();
        block.conv.weight = Param::from_tensor(numbers(shape, self.seed));
        block.conv.bias = Some(Param::from_tensor(numbers([shape[0]], self.seed + 1)));
        block.fused = fused;
        block.exact = true; // ties stay ties
        block
    }

    fn input<B: AutodiffBackend>(&self) -> Tensor<B, 4> {
        let [height, width] = self.image;
        numbers([self.batch, self.channels, height, width], self.seed + 2)
    }

    /// The number of values in a mean: gradients that are multiples of it stay exact when divided by it, so that sums
    /// that nearly cancel agree as well.
    fn averaged(&self) -> f32 {
        let area = |[height, width]: [usize; 2]| (height * width) as f32;
        match self.config.pool {
            Some(Pool2dConfig::Average { kernel_size, .. }) => area(kernel_size),
            Some(Pool2dConfig::GlobalAverage) => area(self.config.with_pool(None).output_size(self.image).unwrap()),
            _ => 1.0,
        }
    }

    /// The output and the gradients of input, weight and bias.
    fn run<B: AutodiffBackend>(&self, fused: bool) -> [Vec<f32>; 4] {
        let block = self.block::<B>(fused);
        let input = self.input::<B>().require_grad();
        assert_eq!(block.is_fused_for(&input), fused, "{self:?}");
        let output = block.forward(input.clone());
        let towards = numbers(output.dims(), self.seed + 3) * self.averaged();
        let gradients = (output.clone() * towards).sum().backward();
        let weight = block.conv.weight.val().grad(&gradients).unwrap();
        let bias = block.conv.bias.as_ref().unwrap().val();
        let bias = bias.grad(&gradients).unwrap();
        [
            values(output),
            input.grad(&gradients).unwrap().into_data().to_vec().unwrap(),
            weight.into_data().to_vec().unwrap(),
            bias.into_data().to_vec().unwrap(),
        ]
    }

    fn agrees<B: AutodiffBackend>(&self) {
        let names = ["output", "input", "weight", "bias"];
        let [found, expected] = [true, false].map(|fused| self.run::<B>(fused));
        for (name, (found, expected)) in names.into_iter().zip(found.iter().zip(&expected)) {
            close(found, expected, &format!("{name}: {self:?}"));
        }
    }
}

/// Relative to the largest value of the tensor.
fn close(found: &[f32], expected: &[f32], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let scale = expected.iter().fold(1e-20f32, |max, x| max.max(x.abs()));
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let error = (found - expected).abs() / scale;
        assert!(error < 1e-5, "{found} for {expected} at {i}, of {what}");
    }
}

fn cases() -> impl Strategy<Value = Case> {
    let window = || ((1usize..4, 1usize..4), (1usize..4, 1usize..4));
    let pool = prop_oneof![
        window().prop_map(|(kernel_size, stride)| Pool2dConfig::Max {
            kernel_size: kernel_size.into(),
            stride: stride.into()
        }),
        window().prop_map(|(kernel_size, stride)| Pool2dConfig::Average {
            kernel_size: kernel_size.into(),
            stride: stride.into()
        }),
        Just(MAX),
        Just(Pool2dConfig::Average { kernel_size: [2, 2], stride: [2, 2] }),
        Just(Pool2dConfig::GlobalMax),
        Just(Pool2dConfig::GlobalAverage),
        Just(Pool2dConfig::BlurredMax),
    ];
    // A stride belongs to a pooling or, without one, to the convolution.
    let strides_and_pool = prop_oneof![
        8 => pool.prop_map(|pool| ([1, 1], Some(pool))),
        2 => [1usize..4, 1..4].prop_map(|stride| (stride, None)),
    ];
    let sides = || (1usize..6, 1usize..6);
    let channels = (prop_oneof![1usize..6, Just(32)], prop_oneof![1usize..12, Just(32)]);
    ((1usize..6, 3usize..16, 3usize..30), channels, sides(), (0usize..3, 0usize..3), strides_and_pool, 0u64..1000)
        .prop_map(|((batch, height, width), (channels, filters), kernel, padding, (stride, pool), seed)| Case {
            batch,
            channels,
            image: [height, width],
            config: ConvPool2dConfig::new(filters, kernel.into())
                .with_stride(stride)
                .with_padding(padding.into())
                .with_pool(pool),
            seed,
        })
        .prop_filter("an image that kernel and window fit", |case| case.config.output_size(case.image).is_ok())
}

macro_rules! on_backend {
    ($name:ident, $backend:ty, $feature:literal) => {
        #[cfg(feature = $feature)]
        mod $name {
            use super::*;
            use burn_autodiff::Autodiff;
            use burn_autodiff::checkpoint::strategy::BalancedCheckpointing;

            type Plain = Autodiff<$backend>;
            type Balanced = Autodiff<$backend, BalancedCheckpointing>;

            proptest! {
                #![proptest_config(ProptestConfig::with_cases(100))]

                #[test]
                fn agrees_with_the_composed_block(case in cases()) {
                    case.agrees::<Plain>();
                }

                #[test]
                fn agrees_when_checkpointing(case in cases()) {
                    case.agrees::<Balanced>();
                }
            }

            #[test]
            fn recomputed_inputs_are_right() {
                super::recomputed_inputs_are_right::<Balanced>();
            }

            #[test]
            fn weights_used_twice_get_the_sum_of_both_gradients() {
                super::weights_used_twice_get_the_sum_of_both_gradients::<Plain>();
            }

            #[test]
            fn only_what_asks_gets_a_gradient() {
                super::only_what_asks_gets_a_gradient::<Plain>();
            }

            #[test]
            fn views_are_read_in_their_own_order() {
                super::views_are_read_in_their_own_order::<Plain>();
            }

            #[test]
            fn the_backend_alone_gives_the_same() {
                super::the_backend_alone_gives_the_same::<Plain>();
            }

            #[test]
            fn fewer_multiplications_agree_unless_they_are_to_be_exact() {
                super::fewer_multiplications_agree_unless_they_are_to_be_exact::<Plain>();
            }

            #[test]
            fn what_it_cannot_fuse_is_composed() {
                super::what_it_cannot_fuse_is_composed::<Plain>();
            }

            #[test]
            fn nan_in_nan_out() {
                super::nan_in_nan_out::<Plain>();
            }
        }
    };
}

on_backend!(flex, burn_flex::Flex, "flex");
on_backend!(ndarray, burn_ndarray::NdArray, "ndarray");

fn case(pool: Pool2dConfig) -> Case {
    Case {
        batch: 3,
        channels: 2,
        image: [12, 11],
        config: ConvPool2dConfig::new(16, [3, 3]).with_pool(Some(pool)),
        seed: 5,
    }
}

const MAX: Pool2dConfig = Pool2dConfig::Max { kernel_size: [2, 2], stride: [2, 2] };

/// Under balanced checkpointing the input is computed again in the backward pass.
fn recomputed_inputs_are_right<B: AutodiffBackend>() {
    let case = case(MAX);
    let gradient = |fused| {
        let block = case.block::<B>(fused);
        let input = case.input::<B>().require_grad();
        let output = block.forward(input.clone() * 0.5 + 0.25);
        let gradients = output.sum().backward();
        let weight = block.conv.weight.val().grad(&gradients).unwrap();
        [weight.into_data().to_vec().unwrap(), input.grad(&gradients).unwrap().into_data().to_vec().unwrap()]
    };
    let [found, expected]: [[Vec<f32>; 2]; 2] = [true, false].map(gradient);
    close(&found[0], &expected[0], "weight");
    close(&found[1], &expected[1], "input");
}

fn weights_used_twice_get_the_sum_of_both_gradients<B: AutodiffBackend>() {
    let case = case(Pool2dConfig::GlobalAverage);
    let gradient = |fused| {
        let block = case.block::<B>(fused);
        let twice = block.forward(case.input()) + block.forward(case.input() * 2.0);
        let gradients = twice.sum().backward();
        let weight = block.conv.weight.val().grad(&gradients).unwrap();
        weight.into_data().to_vec().unwrap()
    };
    let [found, expected]: [Vec<f32>; 2] = [true, false].map(gradient);
    close(&found, &expected, "weight");
}

fn only_what_asks_gets_a_gradient<B: AutodiffBackend>() {
    let case = case(MAX);
    let mut block = case.block::<B>(true);
    let input = case.input::<B>();
    let gradients = block.forward(input.clone()).sum().backward();
    assert!(input.grad(&gradients).is_none());
    assert!(block.conv.weight.val().grad(&gradients).is_some());

    block.conv.weight = block.conv.weight.set_require_grad(false);
    let input = case.input::<B>().require_grad();
    let gradients = block.forward(input.clone()).sum().backward();
    assert!(input.grad(&gradients).is_some());
    assert!(block.conv.weight.val().grad(&gradients).is_none());
    assert!(block.conv.bias.as_ref().unwrap().val().grad(&gradients).is_some());
}

fn views_are_read_in_their_own_order<B: AutodiffBackend>() {
    let case = case(MAX);
    let [fused, composed] = [true, false].map(|fused| case.block::<B>(fused));
    // Transposed, then cut out of a larger one.
    let input = numbers::<B, 4>([5, 2, 14, 13], 9).swap_dims(2, 3);
    let input = input.slice([1..4, 0..2, 1..13, 2..13]);
    let found = values(fused.forward(input.clone()));
    close(&found, &values(composed.forward(input)), "output");
}

fn the_backend_alone_gives_the_same<B: AutodiffBackend>() {
    use burn::module::AutodiffModule;
    for pool in [MAX, Pool2dConfig::GlobalMax, Pool2dConfig::GlobalAverage] {
        let case = case(pool);
        let block = case.block::<B>(true);
        let tracked = values(block.forward(case.input()));
        let alone = block.valid().forward(case.input::<B>().inner());
        assert_eq!(tracked, alone.into_data().to_vec::<f32>().unwrap());
    }
}

/// A block for which Winograd's algorithm is by far the fastest, on numbers of which no two sums are equal.
fn fewer_multiplications_agree_unless_they_are_to_be_exact<B: AutodiffBackend>() {
    let config = ConvPool2dConfig::new(64, [3, 3]).with_padding([1, 1]).average_pool(2);
    let case = Case { batch: 4, channels: 64, image: [16, 16], config, seed: 3 };
    let input = case.input::<B>() + numbers([4, 64, 16, 16], 8) / 64.0;
    let output = |fused, exact| {
        let mut block = case.block::<B>(fused);
        let weight = (block.conv.weight.val() + numbers([64, 64, 3, 3], 9) / 64.0).detach();
        block.conv.weight = Param::from_tensor(weight);
        block.exact = exact;
        values(block.forward(input.clone()))
    };
    let [fast, exact, composed] =
        [(true, false), (true, true), (false, false)].map(|(fused, exact)| output(fused, exact));
    close(&exact, &composed, "exact output");
    close(&fast, &composed, "output");
    let all_exact = std::env::var("BURN_POOLING_EXACT").is_ok_and(|value| value == "1");
    assert_eq!(fast == exact, all_exact);
}

fn what_it_cannot_fuse_is_composed<B: AutodiffBackend>() {
    let mut case = case(MAX);
    case.channels = 4;
    type Change<B> = fn(&mut ConvPool2d<B>);
    let changes: [(Change<B>, bool); 6] = [
        (|block| block.conv.stride = [2, 1], false),
        (|block| block.conv.dilation = [2, 2], false),
        (|block| block.conv.padding = PaddingConfig2d::Explicit(0, 1, 2, 1), false),
        (|block| block.activation = Activation::Identity, false),
        (|block| block.norm = Some(BatchNormConfig::new(16).init(&Default::default())), false),
        (|block| block.conv.bias = None, true),
    ];
    for (change, is_fused) in changes {
        let [mut fused, mut composed] = [true, false].map(|fused| case.block::<B>(fused));
        change(&mut fused);
        change(&mut composed);
        assert_eq!(fused.is_fused_for(&case.input()), is_fused);
        assert!(!composed.is_fused_for(&case.input()));
        let found = values(fused.forward(case.input()));
        close(&found, &values(composed.forward_composed(case.input())), "output");
    }
}

fn nan_in_nan_out<B: AutodiffBackend>() {
    for pool in [MAX, Pool2dConfig::GlobalMax, Pool2dConfig::GlobalAverage] {
        let case = case(pool);
        let block = case.block::<B>(true);
        let image = case.input::<B>();
        let mut spoilt = values(image.clone());
        spoilt[2 * 12 * 11 + 60] = f32::NAN;
        let spoilt = Tensor::from_data(TensorData::new(spoilt, image.dims()), &Default::default());
        let output = block.forward(spoilt);
        let [_, filters, height, width] = output.dims();
        let output = values(output);
        let images: Vec<_> = output.chunks(filters * height * width).collect();
        let spoilt = |image: &[f32]| image.iter().filter(|x| x.is_nan()).count();
        assert_eq!([spoilt(images[0]), spoilt(images[2])], [0, 0]);
        assert!(spoilt(images[1]) >= filters, "{pool:?}");
    }
}

/// Without gradients and in other types of numbers, Burn's own operations do the work.
#[cfg(feature = "flex")]
#[test]
fn other_types_of_numbers_are_composed() {
    use burn::tensor::DType;
    type B = burn_autodiff::Autodiff<burn_flex::Flex>;
    let case = case(MAX);
    let mut block = case.block::<B>(true);
    block.conv.weight = block.conv.weight.map(|weight| weight.cast(DType::F64));
    block.conv.bias = block.conv.bias.map(|bias| bias.map(|bias| bias.cast(DType::F64)));
    assert!(!block.is_fused_for(&case.input::<B>().cast(DType::F64)));
    let output = block.forward(case.input::<B>().cast(DType::F64));
    assert_eq!(output.dtype(), DType::F64);
    let output = output.cast(DType::F32);
    close(&values(output), &case.run::<B>(true)[0], "output");
}
