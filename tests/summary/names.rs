//! What operations are called.

use burn::module::Module;
use burn::nn::activation::{Activation, ActivationConfig};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::loss::{BinaryCrossEntropyLoss, BinaryCrossEntropyLossConfig};
use burn::nn::pool::{AvgPool1dConfig, MaxPool2d, MaxPool2dConfig};
use burn::nn::{
    BiGruConfig, BiLstmConfig, Dropout, DropoutConfig, GroupNorm, GroupNormConfig, InstanceNorm, InstanceNormConfig,
    Linear, LinearConfig, LocalResponseNorm, LocalResponseNormConfig, PReluConfig, PaddingConfig1d, PaddingConfig2d,
    Relu, ShrinkConfig, SoftShrinkConfig,
};
use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use burn::tensor::backend::Backend;
use burn_pooling::summary::{Summary, SummaryError, Trace, TraceDevice, TraceGrad};

type Maps = Tensor<TraceGrad, 4>;
type Rows = Tensor<TraceGrad, 2>;

/// The rows, indented, as the wide table names them; with `?` behind a path that is not certain.
fn names(summary: Result<Summary, SummaryError>) -> Vec<String> {
    let name = |row: &burn_pooling::summary::Row| {
        let doubt = if row.is_certain { "" } else { "?" };
        let path = if row.path.is_empty() { String::new() } else { format!("{}{doubt}: ", row.path) };
        let repeats = if row.repeats > 1 { format!(" x{}", row.repeats) } else { String::new() };
        format!("{}{path}{}{repeats}", "  ".repeat(row.depth), row.kind)
    };
    summary.unwrap().rows.iter().map(name).collect()
}

fn conv(device: &TraceDevice) -> Conv2d<TraceGrad> {
    Conv2dConfig::new([4, 4], [3, 3]).with_padding(PaddingConfig2d::Same).init(device)
}

fn linear(device: &TraceDevice) -> Linear<TraceGrad> {
    LinearConfig::new(8, 8).init(device)
}

#[derive(Module, Debug)]
struct Pooled<B: Backend> {
    conv: Conv2d<B>,
    norm: LocalResponseNorm,
    pool: MaxPool2d,
}

/// Under uneven padding a pool first writes its input into a larger tensor. A local response normalisation contains an
/// average pool.
#[test]
fn pools_keep_their_names_under_uneven_padding() {
    let pool = MaxPool2dConfig::new([2, 2]).with_strides([1, 1]).with_padding(PaddingConfig2d::Same).init();
    let norm = LocalResponseNormConfig::new(5).with_alpha(0.1).init();
    let init = |device: &_| Pooled { conv: conv(device), norm: norm.clone(), pool: pool.clone() };
    let run = |model: &Pooled<TraceGrad>, x| model.pool.forward(model.norm.forward(model.conv.forward(x)));
    let expected = ["conv: Conv2d", "norm: LocalResponseNorm", "pool: MaxPool2d"];
    assert_eq!(names(Summary::of(init, [2, 4, 8, 8], run)), expected);
    let pool = |_: &_| AvgPool1dConfig::new(2).with_stride(1).with_padding(PaddingConfig1d::Same).init();
    assert_eq!(names(Summary::of(pool, [2, 4, 8], |pool, x: Tensor<TraceGrad, 3>| pool.forward(x))), ["AvgPool1d"]);
}

/// Sequence `[N, 7, 32]` and state `[2, N, 16]` come out: the layer's output is the sequence.
#[test]
fn the_output_of_a_recurrent_layer_is_its_sequence_also_where_its_state_is_used() {
    let lstm = |device: &_| BiLstmConfig::new(8, 16, true).init::<TraceGrad>(device);
    let lstm = Summary::of(lstm, [2, 7, 8], |lstm, x| {
        let (sequence, state) = lstm.forward(x, None);
        (sequence, state.hidden, state.cell)
    });
    let gru = |device: &_| BiGruConfig::new(8, 16, true).init::<TraceGrad>(device);
    for summary in [lstm, Summary::of(gru, [2, 7, 8], |gru, x| gru.forward(x, None))] {
        let rows = summary.unwrap().rows;
        assert_eq!(rows.len(), 1, "{rows:?}");
        assert_eq!(rows[0].output.as_ref().unwrap().to_string(), "[N, 7, 32]");
    }
}

/// As MobileNet's source has it.
#[derive(Module, Clone, Debug)]
struct Clipped {}

impl Clipped {
    fn forward(&self, x: Maps) -> Maps {
        relu(x).clamp_max(6.0)
    }
}

#[derive(Module, Clone, Debug)]
struct HardSwish6 {}

impl HardSwish6 {
    fn forward(&self, x: Maps) -> Maps {
        x.clone() * (x + 3.0).clamp(0.0, 6.0) / 6.0
    }
}

#[derive(Module, Debug)]
struct Own<B: Backend> {
    first: Conv2d<B>,
    second: Conv2d<B>,
    clip: Clipped,
    swish: Option<HardSwish6>,
}

/// It may begin with a function that Burn knows, and follow a sum. Of two types it is not certain which one runs.
#[test]
fn activations_of_the_models_own_are_one_row() {
    let init = |swish: Option<HardSwish6>| {
        move |device: &_| Own { first: conv(device), second: conv(device), clip: Clipped {}, swish: swish.clone() }
    };
    let residual = |own: &Own<TraceGrad>, x: Maps| {
        let y = own.second.forward(own.clip.forward(own.first.forward(x.clone())));
        own.clip.forward(y + x)
    };
    let clip = "clip: Clipped";
    let expected = ["first: Conv2d", clip, "second: Conv2d", "Add", clip];
    assert_eq!(names(Summary::of(init(None), [2, 4, 8, 8], residual)), expected);
    let both = |own: &Own<TraceGrad>, x: Maps| {
        let y = own.second.forward(own.clip.forward(own.first.forward(x)));
        own.swish.as_ref().map_or(y.clone(), |swish| swish.forward(y))
    };
    let expected = ["first: Conv2d", "clip?: Clipped", "second: Conv2d", "swish?: HardSwish6"];
    assert_eq!(names(Summary::of(init(Some(HardSwish6 {})), [2, 4, 8, 8], both)), expected);
}

/// A backend that only predicts has an operation for what one with gradients computes by comparisons.
#[test]
fn a_clipped_function_is_one_row_in_inference() {
    let init = |device: &_| -> Own<Trace> {
        let conv = || Conv2dConfig::new([4, 4], [1, 1]).init(device);
        Own { first: conv(), second: conv(), clip: Clipped {}, swish: None }
    };
    let run = |own: &Own<Trace>, x| own.second.forward(relu(own.first.forward(x)).clamp(0.0, 6.0));
    assert_eq!(names(Summary::of(init, [2, 4, 8, 8], run)), ["first: Conv2d", "clip: Clipped", "second: Conv2d"]);
}

#[derive(Module, Debug)]
struct Norms<B: Backend> {
    conv: Conv2d<B>,
    groups: GroupNorm<B>,
    channels: InstanceNorm<B>,
}

#[derive(Module, Debug)]
struct Activations<B: Backend> {
    first: Linear<B>,
    list: Vec<Activation<B>>,
    second: Linear<B>,
}

/// Normalisations over groups and over channels run the same operations, and so do the two functions that shrink.
#[test]
fn fields_that_run_the_same_operations_are_not_certain() {
    let init = |device: &_| Norms {
        conv: conv(device),
        groups: GroupNormConfig::new(2, 4).with_affine(false).init(device),
        channels: InstanceNormConfig::new(4).with_affine(false).init(device),
    };
    let run = |model: &Norms<TraceGrad>, x| model.channels.forward(model.groups.forward(model.conv.forward(x)));
    let expected = ["conv: Conv2d", "groups?: GroupNorm", "channels?: InstanceNorm"];
    assert_eq!(names(Summary::of(init, [2, 4, 8, 8], run)), expected);
    let alone = |device: &_| InstanceNormConfig::new(4).with_affine(false).init::<TraceGrad>(device);
    assert_eq!(names(Summary::of(alone, [2, 4, 8, 8], |norm, x: Maps| norm.forward(x))), ["InstanceNorm"]);

    let list = |configs: [ActivationConfig; 2]| {
        let init = move |device: &_| Activations {
            first: linear(device),
            list: configs.iter().map(|config| config.init(device)).collect(),
            second: linear(device),
        };
        let run = |model: &Activations<TraceGrad>, x: Rows| {
            let x = model.list.iter().fold(model.first.forward(x), |x, activation| activation.forward(x));
            model.second.forward(x)
        };
        names(Summary::of(init, [2, 8], run))
    };
    let shrink = ActivationConfig::Shrink(ShrinkConfig::new());
    let shrinks = list([ActivationConfig::SoftShrink(SoftShrinkConfig::new()), shrink]);
    assert_eq!(shrinks, ["first: Linear", "list.0?: SoftShrink", "list.1?: Shrink", "second: Linear"]);
    // A list of which only the second has parameters.
    let mixed = list([ActivationConfig::Relu, ActivationConfig::PRelu(PReluConfig::new())]);
    assert_eq!(mixed, ["first: Linear", "list: Vec", "  list.0: Relu", "  list.1: PRelu", "second: Linear"]);
}

#[derive(Module, Debug)]
struct Block<B: Backend> {
    first: Linear<B>,
    second: Linear<B>,
    relu: Option<Relu>,
}

#[derive(Module, Debug)]
struct Blocks<B: Backend> {
    stem: Linear<B>,
    relu: Relu,
    blocks: Vec<Block<B>>,
}

impl Blocks<TraceGrad> {
    fn of(relu: Option<Relu>) -> impl Fn(&TraceDevice) -> Self {
        move |device| {
            let block = |_| Block { first: linear(device), second: linear(device), relu: relu.clone() };
            Self { stem: linear(device), relu: Relu::new(), blocks: (0..2).map(block).collect() }
        }
    }
}

/// The module around has an activation too, for its stem.
#[test]
fn a_function_that_blocks_run_without_a_field_is_not_the_field_of_the_module_around() {
    let run = |model: &Blocks<TraceGrad>, x| {
        let x = model.relu.forward(model.stem.forward(x));
        model
            .blocks
            .iter()
            .fold(x, |x: Rows, block| relu(block.second.forward(relu(block.first.forward(x.clone()))) + x))
    };
    let found = names(Summary::of(Blocks::of(None), [2, 8], run));
    let block = ["    blocks.0.first: Linear", "    Relu", "    blocks.0.second: Linear", "    Add", "    Relu"];
    assert_eq!(found[4..9], block);
    assert_eq!(found[9], "  blocks.1: Block");
}

/// Pre-activation: each block begins with its activation, which the first does not leave to the module around.
#[test]
fn blocks_that_begin_with_their_activation_have_all_of_it() {
    let run = |model: &Blocks<TraceGrad>, x| {
        let before = |block: &Block<TraceGrad>, x| block.relu.as_ref().unwrap().forward(x);
        model.blocks.iter().fold(model.stem.forward(x), |x: Rows, block| {
            let y = block.first.forward(before(block, x.clone()));
            block.second.forward(before(block, y)) + x
        })
    };
    let found = names(Summary::of(Blocks::of(Some(Relu::new())), [2, 8], run));
    let expected = |number: usize| {
        let path = format!("blocks.{number}");
        let inside = ["relu: Relu", "first: Linear", "relu: Relu", "second: Linear"];
        let inside = inside.map(|field| format!("    {path}.{field}"));
        [vec![format!("  {path}: Block")], inside.to_vec(), vec!["    Add".to_owned()]].concat()
    };
    assert_eq!(found[2..], [expected(0), expected(1)].concat());
}

/// In the first step the states are constants, later results of the step before.
#[test]
fn a_loop_over_layers_with_states_is_one_run_of_each() {
    let init = |device: &_| -> Vec<Linear<TraceGrad>> { (0..2).map(|_| linear(device)).collect() };
    let init = |device: &_| (init(device), linear(device));
    let run = |(layers, head): &(Vec<Linear<TraceGrad>>, Linear<TraceGrad>), x: Rows| {
        let mut states = vec![Tensor::zeros([1, 8], &x.device()); 2];
        for _ in 0..5 {
            let mut input = x.clone();
            for (layer, state) in layers.iter().zip(&mut states) {
                *state = (layer.forward(input) + state.clone()).tanh();
                input = state.clone();
            }
        }
        head.forward(states.remove(1))
    };
    let found = names(Summary::of(init, [2, 8], run));
    let layer = |number| vec![format!("  0.{number}: Linear x5"), "  Add x5".to_owned(), "  Tanh x5".to_owned()];
    let expected = [vec!["0: Vec<Linear> x5".to_owned()], layer(0), layer(1), vec!["1: Linear".to_owned()]].concat();
    assert_eq!(found, expected);
}

#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant, reason = "a list of a few")]
enum Layer<B: Backend> {
    Linear(Linear<B>),
    Relu(Relu),
    Dropout(Dropout),
}

impl Layer<TraceGrad> {
    fn forward(&self, x: Rows) -> Rows {
        match self {
            Self::Linear(linear) => linear.forward(x),
            Self::Relu(relu) => relu.forward(x),
            Self::Dropout(dropout) => dropout.forward(x),
        }
    }
}

/// As in AlexNet: one list ends with an activation, the next begins with a dropout.
#[test]
fn lists_of_layers_begin_with_their_first_elements_alone() {
    let dropout = || Layer::Dropout(DropoutConfig::new(0.5).init());
    let init = |device: &_| {
        let first = vec![Layer::Linear(linear(device)), Layer::Relu(Relu::new())];
        (first, vec![dropout(), Layer::Linear(linear(device)), Layer::Relu(Relu::new())])
    };
    let found = names(Summary::of(init, [2, 8], |(first, second): &(Vec<Layer<_>>, Vec<Layer<_>>), x| {
        first.iter().chain(second).fold(x, |x, layer| layer.forward(x))
    }));
    let inside: Vec<_> = found.iter().filter_map(|row| row.strip_prefix("  ")).collect();
    assert_eq!(inside, ["0.0: Linear", "0.1: Relu", "1.0: Dropout", "1.1: Linear", "1.2: Relu"]);
}

/// Blocks that end with their activation, but for the last; and a module whose function runs on another's result.
#[test]
fn activations_of_the_module_around_stay_its_own() {
    let run = |model: &Blocks<TraceGrad>, x| {
        let x = model.relu.forward(model.stem.forward(x));
        let x = model.blocks[0].second.forward(model.blocks[0].first.forward(x));
        let x = model.blocks[0].relu.as_ref().unwrap().forward(x);
        model.blocks[1].second.forward(model.blocks[1].first.forward(x))
    };
    let found = names(Summary::of(Blocks::of(Some(Relu::new())), [2, 8], run));
    assert_eq!(found[1], "relu: Relu");
    let run = |model: &Blocks<TraceGrad>, x: Rows| {
        let trunk = &model.blocks[0];
        let x = model.relu.forward(trunk.second.forward(relu(trunk.first.forward(x))));
        model.stem.forward(x)
    };
    let found = names(Summary::of(Blocks::of(None), [2, 8], run));
    assert_eq!(found[4..7], ["    blocks.0.second: Linear", "relu: Relu", "stem: Linear"]);
}

#[derive(Module, Debug)]
struct WithLoss<B: Backend> {
    linear: Linear<B>,
    loss: BinaryCrossEntropyLoss<B>,
}

/// A loss is a module too, but what runs after a layer is not it.
#[test]
fn a_loss_is_no_activation() {
    let init = |device: &_| WithLoss { linear: linear(device), loss: BinaryCrossEntropyLossConfig::new().init(device) };
    let run = |model: &WithLoss<TraceGrad>, x: Rows| (model.linear.forward(x) * 0.5).exp();
    assert_eq!(names(Summary::of(init, [2, 8], run)), ["linear: Linear", "Exp"]);
}
