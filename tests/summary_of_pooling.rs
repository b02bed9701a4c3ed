//! What a summary says of the pooling layers: one row each, with its window, whatever operations it is made of.

use burn::module::Module;
use burn::tensor::{Tensor, backend::Backend};
use burn_pooling::model::{PoolingCnnConfig, Variant};
use burn_pooling::pooling::{
    AvgMaxPool2d, ConcatOrder, ConcatPool2d, GatedPool2d, GatedPool2dConfig, GemPool2d, GemPool2dConfig, Head,
    LpPool2d, PoolWindow, SoftPool2d, StochasticPool2d, TopKPool2d,
};
use burn_pooling::summary::{Row, Summary, Trace, TraceGrad};

#[derive(Module, Debug)]
struct Layers<B: Backend> {
    lp: LpPool2d,
    both: AvgMaxPool2d,
    gated: GatedPool2d<B>,
    soft: SoftPool2d,
    stochastic: StochasticPool2d,
    largest: TopKPool2d,
    concat: ConcatPool2d,
    gem: GemPool2d<B>,
}

impl<B: Backend> Layers<B> {
    fn new(device: &B::Device) -> Self {
        let two = PoolWindow::sliding([2, 2]);
        let overlapping = PoolWindow::sliding([3, 2]).with_stride([1, 2]).with_dilation([2, 1]);
        Self {
            lp: LpPool2d::new(two, 2.0),
            both: AvgMaxPool2d::new(two),
            gated: GatedPool2dConfig::new([2, 2], [2, 2]).init(device),
            soft: SoftPool2d::new(overlapping),
            stochastic: StochasticPool2d::new(two),
            largest: TopKPool2d::new(PoolWindow::Adaptive { output_size: [2, 2] }, 1),
            concat: ConcatPool2d::new(two, ConcatOrder::MaxFirst),
            gem: GemPool2dConfig::new().init(device),
        }
    }

    fn forward(&self, images: Tensor<B, 4>) -> Tensor<B, 4> {
        let maps = self.soft.forward(self.gated.forward(self.both.forward(self.lp.forward(images))));
        self.gem.forward(self.concat.forward(self.largest.forward(self.stochastic.forward(maps))))
    }
}

fn described(row: &Row) -> String {
    let kernel = row.kernel.as_ref().map(|kernel| format!("{:?} / {:?}", kernel.size, kernel.stride));
    format!("{}: {} {} {:?}", row.path, row.kind, kernel.unwrap_or_default(), row.receptive_field)
}

/// Receptive fields by hand: 2, then 2 + 1 * 2 = 4, then 4 + 1 * 4 = 8; of windows that differ in rows and columns,
/// 8 + 2 * 2 * 8 = 40 rows and 8 + 1 * 8 = 16 columns.
#[test]
fn every_layer_is_a_row_with_its_window() {
    let expected = [
        "lp: LpPool2d [2, 2] / [2, 2] Some([2, 2])",
        "both: AvgMaxPool2d [2, 2] / [2, 2] Some([4, 4])",
        "gated: GatedPool2d [2, 2] / [2, 2] Some([8, 8])",
        "soft: SoftPool2d [3, 2] / [1, 2] Some([40, 16])",
        "stochastic: StochasticPool2d [2, 2] / [2, 2] Some([48, 32])",
        "largest: TopKPool2d  None",
        "concat: ConcatPool2d [2, 2] / [2, 2] None",
        "gem: GemPool2d  None",
    ];
    let size = [1, 3, 160, 160];
    let inference = Summary::of(Layers::<Trace>::new, size, |layers, images| layers.forward(images)).unwrap();
    let training = Summary::of(Layers::<TraceGrad>::new, size, |layers, images| layers.forward(images)).unwrap();
    for summary in [inference, training] {
        assert_eq!(summary.rows.iter().map(described).collect::<Vec<_>>(), expected);
        assert_eq!(summary.outputs[0].to_string(), "[N, 6, 1, 1]");
    }
}

/// The head of a network is the field that holds it; attention is shown by its own layers.
#[test]
fn heads_are_named() {
    let of = |head| {
        let config = PoolingCnnConfig::new(Variant::Head(head));
        let build = |device: &_| config.init::<TraceGrad>(device).unwrap();
        let summary = Summary::of(build, [1, 1, 28, 28], |network, images| network.forward(images)).unwrap();
        summary.rows.iter().map(|row| format!("{}: {}", row.path, row.kind)).collect::<Vec<_>>()
    };
    let names = ["GemPool2d", "LogSumExpPool2d", "LpPool2d", "MixedPool2d", "AvgMaxPool2d", "ConcatPool2d"];
    let names = names.into_iter().chain(["SoftPool2d", "StochasticPool2d", "TopKPool2d"]);
    for (&head, name) in Head::ALL.iter().zip(names) {
        assert_eq!(
            of(head)[..4],
            [
                "stage1: ConvPool2d".to_owned(),
                "stage1.conv: Conv2d".to_owned(),
                ": Relu".to_owned(),
                format!("stage1.pool: {name}")
            ]
        );
    }
}
