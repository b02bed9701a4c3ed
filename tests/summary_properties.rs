//! What holds for the summary of every network that is made of Burn's layers.

use burn::module::Module;
use burn::nn::gru::{Gru, GruConfig};
use burn::nn::{
    BatchNorm, BatchNormConfig, BiLstm, BiLstmConfig, Dropout, DropoutConfig, Gelu, LayerNorm, LayerNormConfig, Linear,
    LinearConfig, Lstm, LstmConfig, PRelu, PReluConfig, Relu, RmsNorm, RmsNormConfig, Tanh,
};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use burn_pooling::summary::{Role, Row, Style, Summary, Trace, TraceBackend, TraceGrad};
use proptest::prelude::*;

const WIDTH: usize = 6;

#[derive(Clone, Copy, Debug)]
enum Kind {
    Linear,
    Norm,
    BatchNorm,
    RmsNorm,
    Lstm,
    BiLstm,
    Gru,
    PRelu,
    Relu,
    Tanh,
    Gelu,
    Dropout,
}

impl Kind {
    const ALL: [Self; 12] = [
        Self::Linear,
        Self::Norm,
        Self::BatchNorm,
        Self::RmsNorm,
        Self::Lstm,
        Self::BiLstm,
        Self::Gru,
        Self::PRelu,
        Self::Relu,
        Self::Tanh,
        Self::Gelu,
        Self::Dropout,
    ];

    fn has_parameters(self) -> bool {
        !matches!(self, Self::Relu | Self::Tanh | Self::Gelu | Self::Dropout)
    }
}

#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant, reason = "a module cannot be boxed")]
enum Part<B: Backend> {
    Linear(Linear<B>),
    Norm(LayerNorm<B>),
    BatchNorm(BatchNorm<B>),
    RmsNorm(RmsNorm<B>),
    Lstm(Lstm<B>),
    BiLstm(BiLstm<B>),
    Gru(Gru<B>),
    PRelu(PRelu<B>),
    Relu(Relu),
    Tanh(Tanh),
    Gelu(Gelu),
    Dropout(Dropout),
}

impl<B: Backend> Part<B> {
    fn new(kind: Kind, device: &B::Device) -> Self {
        match kind {
            Kind::Linear => Self::Linear(LinearConfig::new(WIDTH, WIDTH).init(device)),
            Kind::Norm => Self::Norm(LayerNormConfig::new(WIDTH).init(device)),
            Kind::BatchNorm => Self::BatchNorm(BatchNormConfig::new(3).init(device)),
            Kind::RmsNorm => Self::RmsNorm(RmsNormConfig::new(WIDTH).init(device)),
            Kind::BiLstm => Self::BiLstm(BiLstmConfig::new(WIDTH, WIDTH / 2, true).init(device)),
            Kind::Gru => Self::Gru(GruConfig::new(WIDTH, WIDTH, true).init(device)),
            Kind::PRelu => Self::PRelu(PReluConfig::new().init(device)),
            Kind::Gelu => Self::Gelu(Gelu::new()),
            Kind::Lstm => Self::Lstm(LstmConfig::new(WIDTH, WIDTH, true).init(device)),
            Kind::Relu => Self::Relu(Relu::new()),
            Kind::Tanh => Self::Tanh(Tanh::new()),
            Kind::Dropout => Self::Dropout(DropoutConfig::new(0.5).init()),
        }
    }

    fn forward(&self, x: Tensor<B, 3>) -> Tensor<B, 3> {
        match self {
            Self::Linear(layer) => layer.forward(x),
            Self::Norm(layer) => layer.forward(x),
            Self::BatchNorm(layer) => layer.forward(x),
            Self::RmsNorm(layer) => layer.forward(x),
            Self::Lstm(layer) => layer.forward(x, None).0,
            Self::BiLstm(layer) => layer.forward(x, None).0,
            Self::Gru(layer) => layer.forward(x, None),
            Self::PRelu(layer) => layer.forward(x),
            Self::Gelu(layer) => layer.forward(x),
            Self::Relu(layer) => layer.forward(x),
            Self::Tanh(layer) => layer.forward(x),
            Self::Dropout(layer) => layer.forward(x),
        }
    }
}

#[derive(Module, Debug)]
struct Block<B: Backend> {
    parts: Vec<Part<B>>,
    last: Linear<B>,
    activation: Relu,
    adds: bool,
}

#[derive(Module, Debug)]
struct Net<B: Backend> {
    stem: Linear<B>,
    blocks: Vec<Block<B>>,
    activation: Relu,
    head: Linear<B>,
}

/// What a network is made of: for each block its parts, whether what went in is added, and how often the block runs.
type Plan = Vec<(Vec<Kind>, bool, usize)>;

impl<B: Backend> Net<B> {
    fn new(plan: &Plan, device: &B::Device) -> Self {
        let linear = || LinearConfig::new(WIDTH, WIDTH).init(device);
        let block = |(kinds, adds, _): &(Vec<Kind>, bool, usize)| Block {
            parts: kinds.iter().map(|&kind| Part::new(kind, device)).collect(),
            last: linear(),
            activation: Relu::new(),
            adds: *adds,
        };
        let blocks = plan.iter().map(block).collect();
        Self { stem: linear(), blocks, activation: Relu::new(), head: linear() }
    }

    fn forward(&self, x: Tensor<B, 3>, plan: &Plan) -> Tensor<B, 3> {
        let mut x = self.activation.forward(self.stem.forward(x));
        for (block, (_, _, runs)) in self.blocks.iter().zip(plan) {
            for _ in 0..*runs {
                let y = block.parts.iter().fold(x.clone(), |x, part| part.forward(x));
                let y = block.last.forward(y);
                x = block.activation.forward(if block.adds { y + x } else { y });
            }
        }
        self.head.forward(x)
    }
}

/// A block begins with a layer: what has no parameters could as well be the end of what ran before.
fn parts() -> impl Strategy<Value = Vec<Kind>> {
    let first = prop::sample::select(&Kind::ALL[..8]);
    (first, prop::collection::vec(prop::sample::select(&Kind::ALL[..]), 0..4))
        .prop_map(|(first, rest)| [vec![first], rest].concat())
}

fn plan() -> impl Strategy<Value = Plan> {
    prop::collection::vec((parts(), any::<bool>(), 1_usize..4), 0..4)
}

fn summarise<B: TraceBackend>(plan: &Plan) -> Summary {
    let init = |device: &_| Net::<B>::new(plan, device);
    Summary::of(init, [2, 3, WIDTH], |net, x| net.forward(x, plan)).expect("every such network has a summary")
}

/// The layers with parameters, as they first run.
fn layers(plan: &Plan) -> Vec<String> {
    let mut layers = vec!["stem".to_owned()];
    for (number, (kinds, ..)) in plan.iter().enumerate() {
        let parts = kinds.iter().enumerate().filter(|(_, kind)| kind.has_parameters());
        layers.extend(parts.map(|(part, _)| format!("blocks.{number}.parts.{part}")));
        layers.push(format!("blocks.{number}.last"));
    }
    layers.push("head".to_owned());
    layers
}

fn check(summary: &Summary, plan: &Plan) {
    let rows = &summary.rows;
    let own = || rows.iter().filter(|row| row.role != Role::Container);
    // The columns add up to the totals.
    assert_eq!(own().map(|row| row.parameters.total()).sum::<usize>(), summary.totals.parameters.total());
    assert_eq!(own().map(|row| row.multiply_adds).sum::<u64>(), summary.totals.forward_multiply_adds);
    assert_eq!(own().map(|row| row.activation_bytes).sum::<usize>(), summary.totals.activation_bytes);
    // Every layer counts in one row, in the order in which the layers run.
    let counted: Vec<_> = own().filter(|row| row.parameters.total() > 0).map(|row| row.path.clone()).collect();
    assert_eq!(counted, layers(plan));
    // A container holds the sum of what is inside, and what is inside has its path.
    for (index, container) in rows.iter().enumerate().filter(|(_, row)| row.role == Role::Container) {
        let inside = || rows[index + 1..].iter().take_while(|row| row.depth > container.depth);
        let own = || inside().filter(|row| row.role != Role::Container);
        assert_eq!(container.parameters.total(), own().map(|row| row.parameters.total()).sum::<usize>());
        assert_eq!(container.multiply_adds, own().map(|row| row.multiply_adds).sum::<u64>());
        let prefix = format!("{}.", container.path);
        assert!(inside().all(|row| row.path.is_empty() || row.path.starts_with(&prefix)), "{}", summary);
    }
    // A block's activation is the block's own, and comes last; its sum stands in it.
    for (number, (_, adds, runs)) in plan.iter().enumerate() {
        let path = format!("blocks.{number}");
        let is_block = |row: &&Row| row.path == path && row.role == Role::Container;
        assert_eq!(rows.iter().filter(is_block).map(|row| row.repeats).sum::<usize>(), *runs, "{}", summary);
        let first = rows.iter().position(|row| is_block(&row)).expect("every block has a layer");
        let inside: Vec<_> = rows[first + 1..].iter().take_while(|row| row.depth > rows[first].depth).collect();
        assert_eq!(inside.last().map(|row| row.path.clone()), Some(format!("{path}.activation")), "{}", summary);
        assert_eq!(inside.iter().any(|row| row.kind == "Add"), *adds, "{}", summary);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn every_row_is_where_it_runs_and_the_columns_add_up(plan in plan()) {
        let (training, inference) = (summarise::<TraceGrad>(&plan), summarise::<Trace>(&plan));
        check(&training, &plan);
        check(&inference, &plan);
        prop_assert_eq!(&training.totals.parameters, &inference.totals.parameters);
        for style in Style::ALL {
            prop_assert!(!training.styled(style).depth(2).to_string().is_empty());
        }
        // Equal neighbours are folded without loss.
        let parameters = |text: &str| -> usize {
            let rows = text.lines().filter(|line| line.starts_with('│')).skip(1);
            let cell = |line: &str| line.split('│').nth(2).and_then(|cell| cell.trim().replace(',', "").parse::<usize>().ok());
            rows.filter_map(cell).sum()
        };
        let table = training.styled(Style::Wide).columns([burn_pooling::summary::Column::Parameters]);
        prop_assert_eq!(parameters(&table.to_string()), training.totals.parameters.total());
        prop_assert_eq!(parameters(&table.all().to_string()), training.totals.parameters.total());
    }
}
