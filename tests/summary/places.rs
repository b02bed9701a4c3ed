//! In which container an operation stands.

use burn::module::{Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::interpolate::{Interpolate2d, Interpolate2dConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, GLU, LayerNorm, LayerNormConfig, Linear, LinearConfig, Relu};
use burn::tensor::activation::relu;
use burn::tensor::backend::Backend;
use burn::tensor::{Distribution, Tensor};
use burn_pooling::summary::{Summary, Trace, TraceGrad};

#[derive(Module, Debug)]
struct Interleaved<B: Backend> {
    layers: Vec<Linear<B>>,
    norms: Vec<BatchNorm<B>>,
}

/// Two lists that run in turns are no containers; a list that runs as a whole, again and again, is one.
#[test]
fn lists_that_run_in_turns_are_no_containers() {
    let init = |device: &_| Interleaved::<Trace> {
        layers: (0..3).map(|_| LinearConfig::new(8, 8).init(device)).collect(),
        norms: (0..3).map(|_| BatchNormConfig::new(8).init(device)).collect(),
    };
    let turns = Summary::of(init, [2, 8], |model, x| {
        model.layers.iter().zip(&model.norms).fold(x, |x, (layer, norm)| norm.forward::<2>(layer.forward(x)))
    })
    .unwrap();
    let paths: Vec<_> = turns.rows.iter().map(|row| row.path.as_str()).collect();
    assert_eq!(paths, ["layers.0", "norms.0", "layers.1", "norms.1", "layers.2", "norms.2"]);
    let whole = Summary::of(init, [2, 8], |model, x| {
        let layers = |x| model.layers.iter().fold(x, |x, layer| layer.forward(x));
        layers(model.norms[0].forward::<2>(layers(x)))
    })
    .unwrap();
    let lists: Vec<_> = whole.rows.iter().filter(|row| row.depth == 0).map(|row| row.path.as_str()).collect();
    assert_eq!(lists, ["layers", "norms", "layers", "norms.1", "norms.2"]);
}

#[derive(Module, Debug)]
struct Block<B: Backend> {
    layer: Linear<B>,
    activation: Relu,
}

#[derive(Module, Debug)]
struct Blocks<B: Backend> {
    stem: Linear<B>,
    blocks: Vec<Block<B>>,
    head: Linear<B>,
}

impl<B: Backend> Blocks<B> {
    fn new(device: &B::Device) -> Self {
        let linear = || LinearConfig::new(8, 8).init(device);
        let block = |_| Block { layer: linear(), activation: Relu::new() };
        Self { stem: linear(), blocks: (0..2).map(block).collect(), head: linear() }
    }
}

fn of_blocks(forward: impl Fn(&Block<TraceGrad>, Tensor<TraceGrad, 2>) -> Tensor<TraceGrad, 2>) -> Vec<String> {
    let forward = |model: &Blocks<TraceGrad>, x| {
        let x = model.blocks.iter().fold(relu(model.stem.forward(x)), |x, block| forward(block, x));
        model.head.forward(x)
    };
    let summary = Summary::of(Blocks::new, [2, 8], forward).unwrap();
    summary.rows.iter().map(|row| format!("{}{}: {}", "  ".repeat(row.depth), row.path, row.kind)).collect()
}

/// Containers of one type run the same code: what runs before the first alone is not theirs.
#[test]
fn an_activation_before_blocks_that_end_with_one_is_not_theirs() {
    let rows = of_blocks(|block, x| block.activation.forward(block.layer.forward(x)));
    let expected = ["stem: Linear", ": Relu", "blocks: Vec<Block>", "  blocks.0: Block", "    blocks.0.layer: Linear"];
    assert_eq!(rows[..5], expected);
    assert_eq!(rows[5..7], ["    blocks.0.activation: Relu", "  blocks.1: Block"]);
    // Blocks that begin with their activation.
    let rows = of_blocks(|block, x| block.layer.forward(block.activation.forward(x.clone())) + x);
    assert_eq!(rows[4..7], ["    blocks.0.activation: Relu", "    blocks.0.layer: Linear", "    : Add"]);
}

/// What has no row of its own, such as a product with a number, does not end a block.
#[test]
fn a_scaled_residual_stays_in_its_block() {
    let rows = of_blocks(|block, x| x.clone() + block.activation.forward(block.layer.forward(x)) * 0.1);
    assert_eq!(rows.iter().filter(|row| *row == "    : Add").count(), 2, "{rows:?}");
}

#[derive(Module, Debug)]
struct Down<B: Backend> {
    pool: MaxPool2d,
    conv: Conv2d<B>,
}

#[derive(Module, Debug)]
struct Encoder<B: Backend> {
    stem: Conv2d<B>,
    first: Down<B>,
    second: Down<B>,
    head: Conv2d<B>,
    small: MaxPool2d,
    large: MaxPool2d,
}

/// As in a U-Net: each stage begins with its pool. Two pools of the same type are told apart by their kernel sizes.
#[test]
fn pools_belong_to_the_stages_that_they_begin_and_are_told_apart() {
    let pool = |size| MaxPool2dConfig::new([size, size]).init();
    let conv = |device: &_| Conv2dConfig::new([4, 4], [1, 1]).init::<Trace>(device);
    let init = |device: &_| Encoder::<Trace> {
        stem: conv(device),
        first: Down { pool: pool(2), conv: conv(device) },
        second: Down { pool: pool(2), conv: conv(device) },
        head: conv(device),
        small: pool(1),
        large: pool(3),
    };
    let down = |down: &Down<Trace>, x| down.conv.forward(down.pool.forward(x));
    let summary = Summary::of(init, [1, 4, 32, 32], |model, x| {
        let x = model.head.forward(down(&model.second, down(&model.first, model.stem.forward(x))));
        model.small.forward(model.large.forward(x))
    })
    .unwrap();
    let pools: Vec<_> =
        summary.rows.iter().filter(|row| row.kind == "MaxPool2d").map(|row| row.path.as_str()).collect();
    assert_eq!(pools, ["first.pool", "second.pool", "large", "small"]);
    assert!(summary.rows.iter().all(|row| row.is_certain));
}

#[derive(Module, Debug)]
struct Tower<B: Backend> {
    layer: Linear<B>,
    positions: Param<Tensor<B, 2>>,
    projection: Param<Tensor<B, 2>>,
    unused: Param<Tensor<B, 1>>,
}

/// A module's own parameters stay in it, each in the row of its operation, and one that never runs in a row of its own.
#[test]
fn parameters_that_a_module_holds_itself_stay_in_it() {
    let tower = |device: &_| Tower::<TraceGrad> {
        layer: LinearConfig::new(8, 8).init(device),
        positions: Param::from_tensor(Tensor::zeros([1, 8], device)),
        projection: Param::from_tensor(Tensor::zeros([8, 4], device)),
        unused: Param::from_tensor(Tensor::zeros([3], device)),
    };
    let forward = |tower: &Tower<_>, x| (tower.layer.forward(x) + tower.positions.val()).matmul(tower.projection.val());
    let summary = Summary::of(
        |device| (tower(device), tower(device)),
        [2, 8],
        |(image, text), x: Tensor<TraceGrad, 2>| forward(image, x.clone()) + forward(text, x),
    )
    .unwrap();
    let found: Vec<_> = summary.rows.iter().map(|row| (row.depth, row.path.as_str(), row.kind.as_str())).collect();
    let expected = [
        (0, "0", "Tower"),
        (1, "0.layer", "Linear"),
        (1, "0.positions", "Add"),
        (1, "0.projection", "Matmul"),
        (0, "1", "Tower"),
    ];
    assert_eq!(found[..5], expected);
    assert_eq!(found[found.len() - 2..], [(0, "0.unused", "Param"), (0, "1.unused", "Param")]);
    let types: Vec<_> = summary.totals.types.iter().map(|it| (it.kind.as_str(), it.parameters)).collect();
    assert_eq!(types, [("Linear", 2 * 72), ("Tower", 2 * (8 + 32 + 3))]);
}

#[derive(Module, Debug)]
struct VariationalEncoder<B: Backend> {
    mean: Linear<B>,
    deviation: Linear<B>,
}

/// The encoder of a variational autoencoder returns two tensors; what draws from them is its caller's.
#[test]
fn what_computes_with_the_results_of_a_module_is_its_callers() {
    let linear = |device: &_| LinearConfig::new(8, 8).init::<Trace>(device);
    let init = |device: &_| (VariationalEncoder { mean: linear(device), deviation: linear(device) }, linear(device));
    let summary = Summary::of(init, [2, 8], |(encoder, decoder), x: Tensor<Trace, 2>| {
        let (mean, deviation) = (encoder.mean.forward(x.clone()), encoder.deviation.forward(x));
        let noise = mean.random_like(Distribution::Default);
        decoder.forward(mean + deviation.exp() * noise)
    })
    .unwrap();
    let depths: Vec<_> = summary.rows.iter().map(|row| (row.depth, row.kind.as_str())).collect();
    let encoder = [(0, "VariationalEncoder"), (1, "Linear"), (1, "Linear")];
    assert_eq!(depths, [&encoder[..], &[(0, "Exp"), (0, "Mul"), (0, "Add"), (0, "Linear")]].concat());
}

#[derive(Module, Debug)]
struct Upscaling<B: Backend> {
    conv: Conv2d<B>,
    up: Interpolate2d,
    gate: GLU,
    nothing: Vec<Linear<B>>,
}

/// What follows a layer is no module's just because the container has a field that is no activation.
#[test]
fn modules_without_parameters_do_not_take_what_is_not_theirs() {
    let init = |device: &_| Upscaling::<Trace> {
        conv: Conv2dConfig::new([4, 8], [1, 1]).init(device),
        up: Interpolate2dConfig::new().with_scale_factor(Some([2.0, 2.0])).init(),
        gate: GLU::new(1),
        nothing: Vec::new(),
    };
    let summary = Summary::of(init, [1, 4, 5, 5], |model, x| {
        model.up.forward(model.gate.forward(model.conv.forward(x) * 0.1)).clamp(0.0, 1.0)
    })
    .unwrap();
    let found: Vec<_> = summary.rows.iter().map(|row| (row.path.as_str(), row.kind.as_str())).collect();
    assert_eq!(found, [("conv", "Conv2d"), ("gate", "GLU"), ("up", "Interpolate2d"), ("", "Clamp")]);
}

#[derive(Module, Debug)]
struct Paths<B: Backend> {
    norm: LayerNorm<B>,
    paths: Vec<Linear<B>>,
}

/// The sum over the paths runs between them, the one with what went in does not.
#[test]
fn a_sum_around_a_list_is_not_in_it() {
    let init = |device: &_| Paths::<TraceGrad> {
        norm: LayerNormConfig::new(8).init(device),
        paths: (0..3).map(|_| LinearConfig::new(8, 8).init(device)).collect(),
    };
    let summary = Summary::of(init, [2, 8], |model, x: Tensor<TraceGrad, 2>| {
        let normalised = model.norm.forward(x.clone());
        let sums = model.paths.iter().map(|path| path.forward(normalised.clone()));
        sums.reduce(|sum, path| sum + path).unwrap() + x
    })
    .unwrap();
    let depths: Vec<_> = summary.rows.iter().filter(|row| row.kind == "Add").map(|row| row.depth).collect();
    assert_eq!(depths, [1, 1, 0]);
}
