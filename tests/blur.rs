//! The blurs against antialiased-cnns, kornia and timm: `tests/reference/pooling.py` made the numbers.

#![cfg(feature = "flex")]

#[path = "common/reference.rs"]
mod reference;

use burn::module::Module;
use burn::record::{FullPrecisionSettings, NamedMpkBytesRecorder, Recorder};
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{DType, Distribution, Tensor, TensorData, activation, module::conv2d, ops::ConvOptions};
use burn_autodiff::Autodiff;
use burn_flex::Flex;
use burn_pooling::pooling::*;
use proptest::prelude::*;
use reference::{Case, Cases};

impl Case<'_> {
    fn number(&self, names: [&str; 2]) -> usize {
        names.iter().find_map(|name| self.option(name).as_u64()).unwrap() as usize
    }

    fn blur(&self) -> BlurPool2dConfig {
        let is_row = self.is_sequence();
        let sides = |size: usize| [if is_row { 1 } else { size }, size];
        let size = self.option("filt_size").as_u64().map(|size| size as usize);
        let size = size.unwrap_or_else(|| self.number(["filter_size", "kernel_size"]));
        let padding = match self.option("padding").as_str().or(self.option("pad_mode").as_str()) {
            Some("reflect") => BlurPadding::Reflect,
            Some("replicate") => BlurPadding::Replicate,
            Some("zero" | "constant") | None => BlurPadding::Zero, // kornia has no other
            other => panic!("{other:?}"),
        };
        let config = BlurPool2dConfig::new().with_filter_size(sides(size)).with_padding(padding);
        config.with_stride(sides(self.number(["stride", "stride"])))
    }

    /// timm pads otherwise: its numbers are those of antialiased-cnns for odd filters at stride 1 or 2 only.
    fn is_ours(&self) -> bool {
        let config = self.blur();
        !self.name.starts_with("timm") || config.filter_size[0] % 2 == 1 && config.stride[0] <= 2
    }

    fn forward<B: Backend>(&self, input: Tensor<B, 4>) -> Tensor<B, 4> {
        let blur = self.blur();
        match self.layer() {
            "blur" | "blur, zero padding" | "blur, symmetric padding" => blur.init().forward(input),
            "max, blur" | "max, blur, zero padding" => {
                let kernel_size = [self.number(["max_kernel_size", "max_pool_size"]); 2];
                let config = MaxBlurPool2dConfig::new().with_kernel_size(kernel_size).with_blur(blur);
                let [_, _, height, width] = input.dims();
                let output = config.init().forward(input);
                let [_, _, rows, columns] = output.dims();
                assert_eq!(config.output_size([height, width]), Ok([rows, columns]), "{}", self.name);
                output
            }
            "average, blur" => {
                let kernel_size = [self.number(["average_kernel_size"; 2]); 2];
                blur.init().forward(
                    Pool2dConfig::Average { kernel_size, stride: [1, 1] }.init(1, &input.device()).forward(input),
                )
            }
            other => panic!("{other}"),
        }
    }

    /// Checks output and gradient.
    fn check<B: AutodiffBackend>(&self) {
        let input = self.map::<B>("input").require_grad();
        let output = self.forward(input.clone());
        self.compare("output", output.clone());
        let gradients = (output * self.map::<B>("towards")).sum().backward();
        self.compare("input_gradient", input.grad(&gradients).unwrap());
    }
}

fn check_all<B: AutodiffBackend>() {
    let cases = Cases::new();
    let (ours, others): (Vec<_>, Vec<_>) =
        cases.of(|layer| layer.contains("blur")).into_iter().partition(Case::is_ours);
    assert_eq!([ours.len(), others.len()], [45, 4]);
    ours.iter().for_each(Case::check::<B>);
}

#[test]
fn the_references_on_flex() {
    check_all::<Autodiff<Flex>>();
}

#[cfg(feature = "ndarray")]
#[test]
fn the_references_in_double_precision() {
    check_all::<Autodiff<burn_ndarray::NdArray<f64>>>();
}

fn relative(name: &str, found: TensorData, expected: TensorData) -> f64 {
    assert_eq!(found.shape, expected.shape, "{name}");
    let pairs = || found.iter::<f64>().zip(expected.iter::<f64>());
    let largest = pairs().fold(0.0, |largest: f64, (_, expected)| largest.max(expected.abs()));
    pairs().fold(0.0, |error: f64, (found, expected)| error.max((found - expected).abs())) / largest
}

fn random(shape: [usize; 4]) -> Tensor<Flex, 4> {
    Tensor::random(shape, Distribution::Normal(0.0, 1.0), &Default::default())
}

fn bits<B: Backend>(tensor: Tensor<B, 4>) -> Vec<u32> {
    tensor.into_data().iter::<f32>().map(f32::to_bits).collect()
}

/// What stored models were trained with.
fn as_it_was<B: Backend>(maps: Tensor<B, 4>) -> Tensor<B, 4> {
    let channels = maps.dims()[1];
    let filter = [[[[0.0625, 0.125, 0.0625], [0.125, 0.25, 0.125], [0.0625, 0.125, 0.0625]]]];
    let filter = Tensor::from_floats(filter, &maps.device()).repeat_dim(0, channels);
    conv2d(maps, filter, None, ConvOptions::new([2, 2], [1, 1], [1, 1], channels))
}

#[test]
fn the_default_is_what_it_was_to_the_bit() {
    for shape in [[2, 3, 9, 12], [1, 5, 1, 1], [3, 1, 2, 7]] {
        let maps = random(shape);
        assert_eq!(bits(BlurPool2d::default().forward(maps.clone())), bits(as_it_was(maps.clone())));
        let gradient = |blur: fn(Tensor<Autodiff<Flex>, 4>) -> Tensor<Autodiff<Flex>, 4>| {
            let maps = Tensor::from_inner(maps.clone()).require_grad();
            bits(maps.grad(&blur(maps.clone()).powi_scalar(2).sum().backward()).unwrap())
        };
        assert_eq!(gradient(|maps| BlurPool2d::new().forward(maps)), gradient(as_it_was));
    }
    let maps = random([2, 3, 9, 12]);
    let largest =
        Pool2dConfig::Max { kernel_size: [2, 2], stride: [1, 1] }.init(1, &maps.device()).forward(maps.clone());
    assert_eq!(bits(MaxBlurPool2d::new().forward(maps.clone())), bits(as_it_was(largest.clone())));
    assert_eq!(bits(Pool2dConfig::BlurredMax.init(1, &maps.device()).forward(maps)), bits(as_it_was(largest)));
}

/// The layer as it was, without fields.
#[derive(Module, Clone, Debug)]
struct WithoutOptions {}

#[test]
fn records_of_the_layer_without_options_load_and_leave_the_options() {
    let device = Default::default();
    let recorder = NamedMpkBytesRecorder::<FullPrecisionSettings>::new();
    let before = Module::<Flex>::into_record(WithoutOptions {});
    let bytes = Recorder::<Flex>::record(&recorder, before, ()).unwrap();
    let config = BlurPool2dConfig::new().with_filter_size([5, 4]);
    let record = Recorder::<Flex>::load(&recorder, bytes, &device).unwrap();
    let layer = Module::<Flex>::load_record(config.init(), record);
    assert_eq!((layer.filter_size, Module::<Flex>::num_params(&layer)), ([5, 4], 0));
    assert!(layer.to_string().contains("padding: zero"), "{layer}"); // a summary takes capitals for layers
}

#[test]
fn a_block_blurs_its_maxima_with_other_options_too() {
    let device = Default::default();
    let mut block = ConvPool2dConfig::new(4, [3, 3]).blurred_max_pool().init::<Autodiff<Flex>>(2, &device);
    let blur = BlurPool2dConfig::new().with_filter_size([4, 4]).with_padding(BlurPadding::Reflect);
    let config = MaxBlurPool2dConfig::new().with_kernel_size([3, 2]).with_blur(blur);
    for pool in [MaxBlurPool2d::new(), config.init()] {
        block.pool = Some(Pool2d::BlurredMax(pool));
        let images = random([2, 2, 12, 15]);
        let run = |is_fused| {
            let images = Tensor::<Autodiff<Flex>, 4>::from_inner(images.clone()).require_grad();
            assert!(block.is_fused_for(&images));
            let forward = if is_fused { ConvPool2d::forward } else { ConvPool2d::forward_composed };
            let output = forward(&block, images.clone());
            let gradients = output.clone().powi_scalar(2).sum().backward();
            [output.into_data(), images.grad(&gradients).unwrap().into_data()]
        };
        for (fused, composed) in run(true).into_iter().zip(run(false)) {
            assert!(relative("block", fused, composed) < 1e-5);
        }
    }
}

#[test]
fn a_blurred_convolution_is_convolution_activation_and_blur() {
    let device = Default::default();
    let blur = BlurPool2dConfig::new().with_filter_size([4, 3]).with_padding(BlurPadding::Reflect);
    for (blur, act) in [(blur, Activation::Tanh), (blur, Activation::Relu), (Default::default(), Activation::Relu)] {
        let config = BlurConv2dConfig::new(4, [3, 3]).with_padding([1, 0]).with_activation(act).with_blur(blur);
        let layer = config.init::<Autodiff<Flex>>(2, &device);
        let images = Tensor::<Autodiff<Flex>, 4>::from_inner(random([2, 2, 9, 12])).require_grad();
        let output = layer.forward(images.clone());
        assert_eq!((output.dims(), config.output_size([9, 12])), ([2, 4, 5, 5], Ok([5, 5])));
        let maps =
            conv2d(images.clone(), layer.block.conv.weight.val(), None, ConvOptions::new([1, 1], [1, 0], [1, 1], 1));
        let maps = if act == Activation::Tanh { activation::tanh(maps) } else { activation::relu(maps) };
        let expected = blur.init().forward(maps);
        assert!(relative("output", output.clone().into_data(), expected.clone().into_data()) < 1e-5);
        let gradients = |output: Tensor<Autodiff<Flex>, 4>| {
            let gradients = output.powi_scalar(2).sum().backward();
            let weight = layer.block.conv.weight.val().grad(&gradients).unwrap();
            [images.grad(&gradients).unwrap().into_data(), weight.into_data()]
        };
        for (found, expected) in gradients(output).into_iter().zip(gradients(expected)) {
            assert!(relative("gradient", found, expected) < 1e-5);
        }
    }
}

#[test]
fn empty_batches_stay_empty() {
    let device = Default::default();
    let reflect = BlurPool2dConfig::new().with_filter_size([5, 4]).with_padding(BlurPadding::Reflect);
    for config in [BlurPool2dConfig::new(), reflect] {
        for [batch, channels] in [[0, 3], [2, 0], [0, 0]] {
            let maps = || Tensor::<Flex, 4>::zeros([batch, channels, 7, 8], &device);
            assert_eq!(config.init().forward(maps()).dims(), [batch, channels, 4, 4]);
        }
    }
}

#[test]
fn other_numbers_keep_their_type() {
    let maps = Tensor::<Flex, 4>::ones([1, 2, 5, 6], &Default::default());
    for kind in [DType::F16, DType::BF16, DType::F64] {
        let config = BlurPool2dConfig::new().with_filter_size([4, 7]).with_padding(BlurPadding::Replicate);
        let blurred = config.init().forward(maps.clone().cast(kind)).into_data();
        assert_eq!(blurred.dtype, kind);
        assert!(blurred.iter::<f64>().all(|value| value == 1.0)); // all weights are exact
    }
}

#[test]
fn what_the_blur_does_not_take_is_refused_with_a_remedy() {
    let maps = || Tensor::<Flex, 4>::zeros([1, 1, 3, 9], &Default::default());
    let message = |config: BlurPool2dConfig| config.init().try_forward(maps()).unwrap_err().to_string();
    let new = BlurPool2dConfig::new;
    for filter_size in [[0, 3], [3, 8]] {
        let expected = "; use a filter of one of these sizes";
        assert!(message(new().with_filter_size(filter_size)).ends_with(expected));
    }
    assert_eq!(message(new().with_stride([1, 0])), "expected a stride of at least 1x1, found 1x0");
    let wide = new().with_filter_size([7, 3]).with_padding(BlurPadding::Reflect);
    let expected = "expected a feature map larger than its reflected padding of 3x1, found 3x9; use a smaller blur \
                    filter or another padding";
    assert_eq!(message(wide), expected);
    assert!(wide.with_padding(BlurPadding::Replicate).init().try_forward(maps()).is_ok());
    assert!(wide.with_filter_size([5, 7]).init().try_forward(maps()).is_ok());
    let empty = Tensor::<Flex, 4>::zeros([1, 1, 0, 9], &Default::default());
    let error = wide.init().try_forward(empty).unwrap_err();
    assert_eq!(error, WindowError::Zero { what: "feature map", size: [0, 9] });
    let panic = std::panic::catch_unwind(|| wide.init().forward(maps())).unwrap_err();
    assert_eq!(panic.downcast_ref::<String>().unwrap(), expected);
}

fn configs() -> impl Strategy<Value = (BlurPool2dConfig, [usize; 2])> {
    let paddings = [BlurPadding::Reflect, BlurPadding::Zero, BlurPadding::Replicate];
    let sizes = ([1usize..8, 1usize..8], [1usize..5, 1usize..5], prop::sample::select(paddings.to_vec()));
    (sizes, [4usize..12, 4usize..12])
        .prop_map(|((filter_size, stride, padding), size)| (BlurPool2dConfig { filter_size, stride, padding }, size))
}

proptest! {
    #[test]
    fn any_options_do_the_same_to_a_transposed_map((config, [height, width]) in configs()) {
        let maps = random([2, 3, width, height]).swap_dims(2, 3); // not contiguous
        let copied = Tensor::<Flex, 4>::from_data(maps.to_data(), &maps.device());
        let output = config.init().forward(maps.clone());
        prop_assert_eq!(config.output_size([height, width]), Ok([output.dims()[2], output.dims()[3]]));
        prop_assert_eq!(output.dims()[2], height.div_ceil(config.stride[0]));
        let expected = config.init().forward(copied).into_data();
        prop_assert!(relative("copied", output.clone().into_data(), expected) < 1e-6);
        let ([a, b], [c, d]) = (config.filter_size, config.stride);
        let turned = config.with_filter_size([b, a]).with_stride([d, c]).init().forward(maps.swap_dims(2, 3));
        prop_assert!(relative("turned", turned.swap_dims(2, 3).into_data(), output.into_data()) < 1e-5);
    }
}
