//! Every pooling layer: how long a training step and a forward pass take.
//!
//!     cargo run --release -p burn-pooling-experiments --bin layers -- 2
//!
//! prints, for each layer of `layers.json` and each of its sizes in turn, the median milliseconds on that many threads. A
//! step is the forward pass and the gradients of the input and of what the layer learns.

use anyhow::Context;
use burn::module::AutodiffModule;
use burn_flex::Flex;
use burn_pooling::pooling::*;
use burn_pooling_experiments::timing::{Times, threads_of_arguments};
use serde::Deserialize;

type Trained = burn_autodiff::Autodiff<Flex>;

/// What is measured.
#[derive(Deserialize)]
struct Layers {
    /// `[batch, channels, height, width]`
    inputs: Vec<[usize; 4]>,
    layers: Vec<Layer>,
}

/// A layer: by its name, and its windows.
#[derive(Deserialize)]
struct Layer {
    name: String,
    /// Side by side; without, one over the whole map.
    window: Option<[usize; 2]>,
    /// Of adaptive windows.
    output_size: Option<[usize; 2]>,
}

impl Layer {
    fn measure(&self, input: [usize; 4]) -> anyhow::Result<Times> {
        let window = match (self.output_size, self.window) {
            (Some(output_size), _) => PoolWindow::Adaptive { output_size },
            (None, Some(kernel_size)) => PoolWindow::sliding(kernel_size),
            (None, None) => PoolWindow::Global,
        };
        let device = Default::default();
        match self.name.as_str() {
            "max" => measure(
                self.plain(Pool2dConfig::GlobalMax, |size| Pool2dConfig::Max { kernel_size: size, stride: size }),
                input,
            ),
            "average" => {
                let sliding = |size| Pool2dConfig::Average { kernel_size: size, stride: size };
                measure(self.plain(Pool2dConfig::GlobalAverage, sliding), input)
            }
            "adaptive max" => measure(AdaptiveMaxPool2d::new(self.output()?), input),
            "adaptive average" => measure(AdaptiveAvgPool2d::new(self.output()?), input),
            "concatenated" => measure(ConcatPool2d::new(window, ConcatOrder::MaxFirst), input),
            "average and max" => measure(AvgMaxPool2d::new(window), input),
            "mixed" => measure(MixedPool2dConfig::new(window).init::<Trained>(&device), input),
            "gated" => {
                let size = self.window.context("expected the size of a window")?;
                measure(GatedPool2dConfig::new(size, size).init::<Trained>(&device), input)
            }
            "lp 2" => measure(LpPool2d::new(window, 2.0), input),
            "lp 3" => measure(LpPool2d::new(window, 3.0), input),
            "generalised mean" => measure(GemPool2dConfig::new().with_window(window).init::<Trained>(&device), input),
            "log-sum-exp" => measure(LogSumExpPool2dConfig::new().with_window(window).init::<Trained>(&device), input),
            "soft" => measure(SoftPool2d::new(window), input),
            "top 4" => measure(TopKPool2d::new(window, 4), input),
            other => anyhow::bail!("expected the name of a layer, found {other}"),
        }
    }

    fn plain(&self, global: Pool2dConfig, sliding: impl Fn([usize; 2]) -> Pool2dConfig) -> Pool2d<Trained> {
        self.window.map_or(global, sliding).init(1, &Default::default())
    }

    fn output(&self) -> anyhow::Result<[usize; 2]> {
        self.output_size.context("expected the size of the output")
    }
}

fn measure<P: Pooling<Trained> + AutodiffModule<Trained>>(layer: P, input: [usize; 4]) -> anyhow::Result<Times>
where
    P::InnerModule: Pooling<Flex>,
{
    let inferring = layer.valid();
    Times::measure(input, |input| drop(inferring.pool(input).unwrap()), |input| layer.pool(input).unwrap())
}

fn main() -> anyhow::Result<()> {
    threads_of_arguments()?;
    let Layers { inputs, layers } = serde_json::from_str(include_str!("layers.json"))?;
    let pairs = layers.iter().flat_map(|layer| inputs.iter().map(move |input| (layer, input)));
    let times = pairs.map(|(layer, input)| layer.measure(*input)).collect::<anyhow::Result<Vec<_>>>()?;
    println!("{}", serde_json::to_string_pretty(&times)?);
    Ok(())
}
