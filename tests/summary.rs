//! The summary of any module: rows, styles, errors, and what it must never do.

#[path = "summary/golden.rs"]
mod golden;
#[path = "summary/networks.rs"]
mod networks;

use burn::module::{Module, Param};
use burn::nn::conv::Conv2d;
use burn::nn::{LayerNormConfig, Linear, LinearConfig, LstmConfig};
use burn::tensor::Tensor;
use burn::tensor::activation as f;
use burn::tensor::backend::Backend;
use burn_pooling::model::{PoolingCnnConfig, Variant};
use burn_pooling::summary::{
    Comparison, Optimizer, Role, Row, Style, Summary, SummaryError, Trace, TraceDevice, TraceGrad, mask, tokens,
    unbatched,
};
use golden::golden;

fn variant(variant: Variant, batch_size: usize) -> Summary {
    let config = PoolingCnnConfig::new(variant);
    Summary::try_of(
        |device| config.init::<TraceGrad>(device),
        [batch_size, 1, 28, 28],
        |model, images| model.forward(images),
    )
    .unwrap()
}

fn labels(summary: &Summary) -> Vec<String> {
    summary
        .rows
        .iter()
        .map(|row| match row.path.as_str() {
            "" => row.kind.clone(),
            path => format!("{path}: {}", row.kind),
        })
        .collect()
}

fn row<'a>(summary: &'a Summary, path: &str) -> &'a Row {
    let found = summary.rows.iter().find(|row| row.path == path);
    found.unwrap_or_else(|| panic!("no {path} in {:?}", labels(summary)))
}

#[test]
fn every_style_prints_its_golden_file() {
    let max = variant(Variant::Max, 1);
    golden("max-wide.txt", &max.to_string());
    golden("max-wide-80.txt", &max.styled(Style::Wide).width(80).to_string());
    golden("max-depth-1.txt", &max.styled(Style::Wide).depth(1).to_string());
    golden("max-markdown.md", &max.styled(Style::Markdown).to_string());
    golden("max-json.json", &max.styled(Style::Json).to_string());
    // The picture of the README.
    golden("gmp.svg", &variant(Variant::GlobalMax, 1).styled(Style::Svg).depth(1).to_string());
    for (name, summary) in networks::all() {
        golden(&format!("{name}-wide.txt"), &summary.to_string());
        golden(&format!("{name}-keras.txt"), &summary.styled(Style::Keras).to_string());
    }
}

/// The letters of the Keras style are compared with Keras' own through the command.
#[test]
fn the_keras_style_depends_on_neither_batch_size_nor_backend() {
    for kind in Variant::ALL {
        let config = PoolingCnnConfig::new(kind);
        let inference = Summary::try_of(
            |device| config.init::<Trace>(device),
            [128, 1, 28, 28],
            |model, images| model.forward(images),
        )
        .unwrap();
        let [training, inference] =
            [variant(kind, 1), inference].map(|summary| summary.styled(Style::Keras).to_string());
        assert_eq!(training, inference, "{kind}");
    }
}

#[test]
fn a_comparison_prints_its_golden_files() {
    let summaries = Variant::ALL.map(|kind| variant(kind, 1));
    let comparison = Comparison::of(Variant::ALL.map(Variant::name).into_iter().zip(&summaries));
    golden("comparison.txt", &comparison.to_string());
    let markdown = comparison.styled(Style::Markdown).unwrap();
    golden("comparison.md", &markdown.to_string());
    golden("comparison.json", &comparison.styled(Style::Json).unwrap().to_string());
    assert!(comparison.styled(Style::Keras).is_none());
}

#[test]
fn a_wide_table_fits_its_width() {
    for (name, summary) in networks::all() {
        for width in [30, 60, 80, 100, 160] {
            let table = summary.styled(Style::Wide).width(width).to_string();
            let widest = table.lines().map(|line| line.chars().count()).max();
            assert!(widest <= Some(width), "{name} takes {widest:?} of {width}");
        }
    }
}

/// By hand, for one image. Convolutions: output positions, filters, products. max and average:
/// conv1 26*26*32*9, conv2 11*11*32*(9*32), dense 800*128 and 128*10. The global ones: conv1, then
/// dense 32*128 and 128*10. Backward: each layer again for its weights and again for its input,
/// but for the input of the first, which needs no gradient.
#[test]
fn multiply_adds_of_our_variants_are_those_of_the_hand_count() {
    let conv1 = 26 * 26 * 32 * 9;
    let windows = [11 * 11 * 32 * 9 * 32, 800 * 128, 128 * 10];
    let global = [32 * 128, 128 * 10];
    for (kind, rest) in [
        (Variant::Max, windows.as_slice()),
        (Variant::Average, windows.as_slice()),
        (Variant::GlobalMax, global.as_slice()),
        (Variant::GlobalAverage, global.as_slice()),
    ] {
        let rest: u64 = rest.iter().sum();
        for batch_size in [1, 128] {
            let totals = variant(kind, batch_size).totals;
            let images = batch_size as u64;
            assert_eq!(totals.forward_multiply_adds, images * (conv1 + rest), "{kind}");
            let training = totals.training.unwrap();
            assert_eq!(training.multiply_adds, images * (2 * conv1 + 3 * rest), "{kind}");
        }
    }
}

/// By hand, for gmp and one image, 4 bytes a value. At peak: the convolution's output and its
/// ReLU's, 26*26*32 each. Kept: the image 28*28, the convolution's output for the ReLU, the
/// maxima 32 for the dense layer and their places as 8-byte integers, the hidden layer's 128
/// before and after its ReLU, the 10 logits.
#[test]
fn activation_memory_of_gmp_is_that_of_the_hand_count() {
    let totals = variant(Variant::GlobalMax, 1).totals;
    let map = 26 * 26 * 32;
    assert_eq!(totals.input_bytes, 4 * 28 * 28);
    assert_eq!(totals.peak_activation_bytes, 4 * 2 * map);
    let training = totals.training.clone().unwrap();
    let kept = 4 * (28 * 28 + map + 32 + 2 * 128 + 10) + 8 * 32;
    assert_eq!(training.kept_bytes, kept);
    assert_eq!(training.gradient_bytes, 4 * 5_834);
    let all = 4 * 5_834 + kept + training.gradient_bytes;
    assert_eq!(totals.training_bytes(Optimizer::Sgd), Some(all));
    assert_eq!(totals.training_bytes(Optimizer::Adam), Some(all + 2 * 4 * 5_834));
}

/// By hand: 3; pool 2/2: 4, spacing 2; convolution of 3: 4 + 2*2 = 8; pool: 8 + 2 = 10.
#[test]
fn the_receptive_field_grows_along_a_chain() {
    let max = variant(Variant::Max, 1);
    for (path, field) in [("stage1.conv", 3), ("stage1.pool", 4), ("stage2.conv", 8), ("stage2.pool", 10)] {
        assert_eq!(row(&max, path).receptive_field, Some(vec![field, field]), "{path}");
    }
    assert_eq!(row(&max, "hidden").receptive_field, None);
}

#[test]
fn layers_stand_where_they_run_under_their_paths() {
    let networks = networks::all();
    let labels: Vec<(&str, Vec<String>)> = networks.iter().map(|(name, summary)| (*name, labels(summary))).collect();
    let of = |name: &str| &labels.iter().find(|(known, _)| *known == name).unwrap().1;
    assert_eq!(
        *of("cnn"),
        [
            "conv1: Conv2d",
            "norm1: BatchNorm",
            "Relu",
            "pool: MaxPool2d",
            "conv2: Conv2d",
            "norm2: BatchNorm",
            "Relu",
            "pool: MaxPool2d",
            "Flatten",
            "dropout: Dropout",
            "head: Linear",
        ]
    );
    assert_eq!(*of("lstm"), ["lstm: Lstm", "Slice", "Flatten", "head: Linear"]);
    assert_eq!(
        of("residual")[..10],
        [
            "stem: Conv2d",
            "blocks: Vec<Block>",
            "blocks.0: Block",
            "blocks.0.conv1: Conv2d",
            "blocks.0.norm1: BatchNorm",
            "blocks.0.activation: Relu",
            "blocks.0.conv2: Conv2d",
            "blocks.0.norm2: BatchNorm",
            "blocks.0.shortcut: Conv2d",
            "Add",
        ]
    );
    assert_eq!(of("residual")[of("residual").len() - 2..], ["GlobalAvgPool2d", "head: Linear"]);
    assert_eq!(
        *of("decoder"),
        ["project: Linear", "Relu", "up1: ConvTranspose2d", "Relu", "up2: ConvTranspose2d", "Sigmoid",]
    );
    assert_eq!(of("shared")[..4], ["layer: Linear", "Relu", "layer: Linear", "Relu"]);
    assert_eq!(*of("unused"), ["layer: Linear", "spare: Linear"]);
}

#[test]
fn a_shared_layer_counts_once_and_an_unused_one_is_listed() {
    let networks = networks::all();
    let of = |name: &str| &networks.iter().find(|(known, _)| *known == name).unwrap().1;
    let runs: Vec<_> = of("shared").rows.iter().filter(|row| row.path == "layer").collect();
    assert_eq!(runs.len(), 2);
    assert_eq!((runs[0].shared, runs[0].parameters.total()), (false, 72));
    assert_eq!((runs[1].shared, runs[1].parameters.total()), (true, 0));
    assert_eq!(runs[1].multiply_adds, 2 * 64);

    let spare = row(of("unused"), "spare");
    assert_eq!((spare.role, spare.parameters.total()), (Role::Unused, 144));
    assert_eq!(of("unused").totals.unused_parameters, 144);
}

#[test]
fn the_batch_dimension_is_found_wherever_it_is() {
    let summary = Summary::of(
        |device| LinearConfig::new(8, 2).init::<Trace>(device),
        [4, 4, 8],
        |layer, x| layer.forward(x.swap_dims(0, 1)),
    )
    .unwrap();
    assert_eq!(summary.inputs[0].to_string(), "[N, 4, 8]");
    assert_eq!(summary.outputs[0].to_string(), "[4, N, 2]");

    let merged = Summary::of(
        |device| LinearConfig::new(8, 2).init::<Trace>(device),
        [4, 4, 8],
        |layer, x| layer.forward(x.reshape([-1, 8])),
    )
    .unwrap();
    assert_eq!(merged.outputs[0].to_string(), "[4N, 2]");
}

#[test]
fn several_inputs_of_every_sort_are_taken_and_several_outputs_given() {
    let summary = Summary::of(
        |device| LinearConfig::new(8, 2).init::<TraceGrad>(device),
        ([2, 5, 8], tokens([2, 5]), mask([2, 5]), unbatched([5, 5])),
        |layer, (x, numbers, padding, bias)| {
            let y = layer.forward(x.clone().mask_fill(padding.unsqueeze_dim::<3>(2), 0.0));
            let scores = x.clone().matmul(x.swap_dims(1, 2)) + bias.unsqueeze();
            (y, (scores, numbers + 1))
        },
    )
    .unwrap();
    let shapes = |shapes: &[burn_pooling::summary::Dimensions]| {
        let shapes: Vec<_> = shapes.iter().map(ToString::to_string).collect();
        shapes.join(" ")
    };
    assert_eq!(shapes(&summary.inputs), "[N, 5, 8] [N, 5] [N, 5] [5, 5]");
    assert_eq!(shapes(&summary.outputs), "[N, 5, 2] [N, 5, 5] [N, 5]");
    assert!(summary.totals.training.is_some());
}

/// A layer with parameters of its own around other layers.
#[derive(Module, Debug)]
struct Scaled<B: Backend> {
    gain: Param<Tensor<B, 1>>,
    inner: Linear<B>,
}

#[test]
fn a_parameter_that_a_container_holds_itself_has_its_own_row() {
    let summary = Summary::of(
        |device| Scaled::<TraceGrad> {
            gain: Param::from_tensor(Tensor::ones([4], device)),
            inner: LinearConfig::new(4, 4).init(device),
        },
        [1, 4],
        |model, x| model.inner.forward(x) * model.gain.val().unsqueeze(),
    )
    .unwrap();
    assert_eq!(labels(&summary), ["inner: Linear", "gain: Mul"]);
    assert_eq!(row(&summary, "gain").parameters.trainable, 4);
}

#[test]
fn frozen_parameters_are_not_trainable() {
    let summary = Summary::of(
        |device| Scaled::<TraceGrad> {
            gain: Param::from_tensor(Tensor::ones([4], device)),
            inner: LinearConfig::new(4, 4).init(device).no_grad(),
        },
        [1, 4],
        |model, x| model.inner.forward(x) * model.gain.val().unsqueeze(),
    )
    .unwrap();
    let parameters = summary.totals.parameters;
    assert_eq!((parameters.trainable, parameters.non_trainable), (4, 20));
}

#[test]
fn normalisation_is_one_row_and_the_sum_before_it_another() {
    let summary = Summary::of(
        |device| LayerNormConfig::new(8).init::<TraceGrad>(device),
        [2, 3, 8],
        |norm, x| norm.forward(x.clone() + x.exp()),
    )
    .unwrap();
    let kinds: Vec<_> = summary.rows.iter().map(|row| row.kind.as_str()).collect();
    assert_eq!(kinds, ["Exp", "Add", "LayerNorm"]);
    assert_eq!(summary.rows[2].input, summary.rows[2].output);
}

/// A recurrent net whose loop is its own.
#[derive(Module, Debug)]
struct Loop<B: Backend> {
    input: Linear<B>,
    hidden: Linear<B>,
}

#[test]
fn a_loop_over_time_is_one_iteration_with_the_cost_of_all() {
    let summary = Summary::of(
        |device| Loop::<TraceGrad> {
            input: LinearConfig::new(8, 16).init(device),
            hidden: LinearConfig::new(16, 16).init(device),
        },
        [2, 28, 8],
        |model, x| {
            let mut state = Tensor::zeros([x.dims()[0], 16], &x.device());
            for step in x.iter_dim(1) {
                state = f::tanh(model.input.forward(step.squeeze_dim::<2>(1)) + model.hidden.forward(state));
            }
            state
        },
    )
    .unwrap();
    let hidden = row(&summary, "hidden");
    assert_eq!(hidden.repeats, 28);
    assert_eq!(hidden.multiply_adds, 28 * 2 * 16 * 16);
    assert_eq!(summary.rows.iter().filter(|row| row.path == "hidden").count(), 1);
}

#[test]
fn a_recurrent_layer_of_one_step_is_one_layer_with_all_parameters() {
    let summary = Summary::of(
        |device| LstmConfig::new(4, 8, true).init::<TraceGrad>(device),
        [1, 1, 4],
        |lstm, x| lstm.forward(x, None).0,
    )
    .unwrap();
    let layers: Vec<_> = summary.rows.iter().filter(|row| row.role != Role::Operation).collect();
    assert_eq!(layers.iter().map(|row| row.kind.as_str()).collect::<Vec<_>>(), ["Lstm"]);
    assert_eq!(layers[0].parameters, summary.totals.parameters);
}

/// Activations, on a rank that the patterns were not recorded with.
#[test]
fn activations_are_known_by_name() {
    type X = Tensor<TraceGrad, 3>;
    type Function = fn(X) -> X;
    let functions: [(&str, Function); 23] = [
        ("Relu", f::relu),
        ("LeakyRelu", |x| f::leaky_relu(x, 0.01)),
        ("Gelu", f::gelu),
        ("Gelu", f::gelu_approximate),
        ("Softmax", |x| f::softmax(x, 2)),
        ("LogSoftmax", |x| f::log_softmax(x, 1)),
        ("QuietSoftmax", |x| f::quiet_softmax(x, 2)),
        ("Softmin", |x| f::softmin(x, 2)),
        ("Softplus", |x| f::softplus(x, 1.0)),
        ("Softsign", f::softsign),
        ("Sigmoid", f::sigmoid),
        ("HardSigmoid", |x| f::hard_sigmoid(x, 0.2, 0.5)),
        ("LogSigmoid", f::log_sigmoid),
        ("Silu", f::silu),
        ("HardSwish", f::hard_swish),
        ("Mish", f::mish),
        ("Tanh", f::tanh),
        ("Elu", |x| f::elu(x, 1.0)),
        ("Celu", |x| f::celu(x, 1.0)),
        ("Selu", f::selu),
        ("GLU", |x| f::glu(x, 2)),
        ("HardShrink", |x| f::hard_shrink(x, 0.5)),
        ("SoftShrink", |x| f::soft_shrink(x, 0.5)),
    ];
    for (name, function) in functions {
        let summary = Summary::of(
            |device| LinearConfig::new(6, 6).init::<TraceGrad>(device),
            [2, 5, 6],
            |layer, x: X| function(layer.forward(x)),
        )
        .unwrap();
        let kinds: Vec<_> = summary.rows.iter().map(|row| row.kind.as_str()).collect();
        assert_eq!(kinds, ["Linear", name]);
    }
}

#[test]
fn an_unknown_operation_is_listed_under_its_name() {
    let summary = Summary::of(
        |device| LinearConfig::new(6, 6).init::<Trace>(device),
        [2, 6],
        |layer, x| layer.forward(x).sin().cumsum(1).topk(2, 1),
    )
    .unwrap();
    let kinds: Vec<_> = summary.rows.iter().map(|row| row.kind.as_str()).collect();
    assert_eq!(kinds[..3], ["Linear", "Sin", "CumSum"]);
    assert!(kinds.len() > 3, "{kinds:?}");
}

#[test]
fn reading_values_back_is_an_error_that_says_so() {
    let error = Summary::of(
        |device| LinearConfig::new(6, 6).init::<TraceGrad>(device),
        [2, 6],
        |layer, x| {
            let y = layer.forward(x);
            let largest = y.clone().max().into_scalar();
            y / largest
        },
    )
    .unwrap_err();
    let SummaryError::ReadBack { ref shape, .. } = error else {
        panic!("{error:?}");
    };
    assert_eq!(*shape, [1]);
    assert!(error.to_string().contains("reads the values"), "{error}");
}

#[test]
fn a_linear_layer_that_does_not_fit_is_an_error() {
    // Burn leaves this to the backend; a trace has to notice itself.
    let error =
        Summary::of(|device| LinearConfig::new(6, 6).init::<TraceGrad>(device), [2, 5], |layer, x| layer.forward(x))
            .unwrap_err();
    assert!(matches!(error, SummaryError::ShapeMismatch { .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("expected 6 features, found 5"), "{text}");
}

#[test]
fn channels_that_do_not_fit_are_an_error() {
    let error = Summary::of(
        |device| -> Conv2d<Trace> { burn::nn::conv::Conv2dConfig::new([3, 8], [3, 3]).init(device) },
        [1, 4, 8, 8],
        |conv, x| conv.forward(x),
    )
    .unwrap_err();
    assert!(error.to_string().contains("got: 4, expected: 3"), "{error}");
}

#[test]
fn a_model_that_panics_is_an_error_with_the_place() {
    let error = Summary::of(
        |device| LinearConfig::new(6, 6).init::<TraceGrad>(device),
        [2, 6],
        |layer, x| layer.forward(x.clone()) + x.slice([0..2, 0..5]),
    )
    .unwrap_err();
    let SummaryError::Panicked { ref location, .. } = error else {
        panic!("{error:?}");
    };
    assert!(location.is_some());
    assert!(error.to_string().contains("[2, 6]"), "{error}");

    // Burn's router has no Fourier transform.
    let missing = Summary::of(
        |device| LinearConfig::new(8, 8).init::<Trace>(device),
        [2, 8],
        |layer, x| burn::tensor::signal::rfft(layer.forward(x), 1, None).0,
    )
    .unwrap_err();
    assert!(missing.to_string().contains("rfft"), "{missing}");
}

#[test]
fn a_model_that_cannot_be_built_keeps_its_error() {
    let config = PoolingCnnConfig::new(Variant::Max).with_image_size([2, 2]);
    let error =
        Summary::try_of(|device| config.init::<TraceGrad>(device), [1, 1, 2, 2], |model, images| model.forward(images))
            .unwrap_err();
    let source = std::error::Error::source(&error).expect("the model's own error");
    assert!(source.to_string().contains("3x3"), "{source}");
}

#[test]
fn inputs_without_one_batch_size_are_refused() {
    let layer = |device: &TraceDevice| LinearConfig::new(6, 6).init::<Trace>(device);
    let empty = Summary::of(layer, [0, 6], |layer, x| layer.forward(x));
    assert!(matches!(empty, Err(SummaryError::BatchSize { .. })));
    let two = Summary::of(layer, ([2, 6], [3, 6]), |layer, (x, y)| (layer.forward(x), layer.forward(y)));
    assert!(matches!(two, Err(SummaryError::BatchSize { .. })));
}

#[test]
fn a_tensor_on_the_default_device_joins_the_recording() {
    let summary = Summary::of(
        |device| LinearConfig::new(6, 6).init::<TraceGrad>(device),
        [2, 6],
        |layer, x| layer.forward(x) + Tensor::ones([1, 6], &Default::default()).exp(),
    )
    .unwrap();
    assert_eq!(labels(&summary), ["Linear", "Add"]);
}

#[test]
fn summaries_on_many_threads_do_not_mix() {
    let expected = Variant::ALL.map(|kind| variant(kind, 1));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            for (kind, expected) in Variant::ALL.into_iter().zip(&expected) {
                scope.spawn(move || {
                    for _ in 0..5 {
                        assert_eq!(&variant(kind, 1), expected);
                    }
                });
            }
        }
    });
}

/// A convolution is a module too, and is its own only row.
#[test]
fn a_layer_alone_is_a_model() {
    let summary = Summary::of(
        |device| -> Conv2d<TraceGrad> { burn::nn::conv::Conv2dConfig::new([3, 8], [3, 3]).init(device) },
        [1, 3, 8, 8],
        |conv, x| conv.forward(x),
    )
    .unwrap();
    assert_eq!(summary.model, "Conv2d");
    assert_eq!(summary.rows.len(), 1);
    assert_eq!(summary.rows[0].multiply_adds, 6 * 6 * 8 * 27);
}

/// What `forward` makes of a float input on both backends: an error that a number is too large.
fn too_large<const D: usize, const E: usize>(
    input: [usize; D], inference: fn(Tensor<Trace, D>) -> Tensor<Trace, E>,
    training: fn(Tensor<TraceGrad, D>) -> Tensor<TraceGrad, E>,
) {
    let relu = |_: &TraceDevice| burn::nn::Relu::new();
    let inferred = Summary::of::<Trace, _, _, _>(relu, input, |_, x| inference(x));
    let trained = Summary::of::<TraceGrad, _, _, _>(relu, input, |_, x| training(x));
    for summary in [inferred, trained] {
        let error = summary.expect_err("too large a number");
        let text = error.to_string();
        assert!(matches!(error, SummaryError::TooLarge { .. }), "{text}");
        assert!(text.contains("expected at most") && !text.contains(".rs"), "{text}");
    }
}

#[test]
fn numbers_that_would_wrap_around_are_errors() {
    let (half, most) = (1 << 32, usize::MAX);
    // The input itself.
    for shape in [[1, half, half], [most, 1, 1], [1, most, most], [2, 1 << 62, 2], [most, 0, 1], [1, most, 28]] {
        too_large(shape, f::relu, f::relu);
    }
    // A result, whose size Burn computes: outer sum, repetition.
    too_large([1, 1 << 40], |x| x.clone().transpose() + x, |x| x.clone().transpose() + x);
    too_large([1, 1 << 40], |x| x.repeat_dim(0, 1 << 40), |x| x.repeat_dim(0, 1 << 40));
    // Multiply-adds: 2^29 rows and columns times 2^29.
    too_large([1 << 29, 1 << 29], |x| x.clone().matmul(x), |x| x.clone().matmul(x));
    // Memory: every tensor is small enough, all together are not.
    too_large(
        [1, 1 << 58],
        |x| (0..40).fold(x, |x, _| x.clone().exp() + x),
        |x| (0..40).fold(x, |x, _| x.clone().exp() + x),
    );
}

#[test]
fn parameters_and_receptive_fields_that_would_wrap_around_are_errors() {
    let wide = Summary::of(
        |device| LinearConfig::new(1 << 40, 1 << 40).init::<TraceGrad>(device),
        [1, 6],
        |layer, x| layer.forward(x),
    );
    assert!(matches!(wide, Err(SummaryError::TooLarge { .. })), "{wide:?}");
    let layers = |device: &TraceDevice| -> Vec<Linear<TraceGrad>> {
        (0..40).map(|_| LinearConfig::new(1 << 29, 1 << 29).init(device)).collect()
    };
    let many = Summary::of(layers, [1, 1 << 29], |layers, x| layers[0].forward(x));
    assert!(matches!(many, Err(SummaryError::TooLarge { .. })), "{many:?}");
    let far = burn::nn::pool::MaxPool2dConfig::new([1, 1]).with_strides([1 << 40, 1]).init();
    let pool = |_: &TraceDevice| far.clone();
    let apart = Summary::of::<Trace, _, _, _>(pool, [1, 1, 4, 4], |pool, x| pool.forward(pool.forward(x)));
    assert!(matches!(apart, Err(SummaryError::TooLarge { .. })), "{apart:?}");
}

#[test]
fn large_numbers_that_fit_are_exact() {
    let summary = Summary::of(
        |device| LinearConfig::new(1 << 20, 1 << 20).with_bias(false).init::<Trace>(device),
        [1 << 20, 1 << 20],
        |layer, x| layer.forward(x),
    )
    .unwrap();
    assert_eq!((summary.totals.forward_multiply_adds, summary.totals.activation_bytes), (1 << 60, 1 << 42));
}
