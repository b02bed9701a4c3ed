//! The fused block at the shapes of other networks: how long a training step and a forward pass take.
//!
//!     cargo run --release -p burn-pooling-experiments --bin shapes -- 2
//!
//! prints, for each block of `shapes.json` in turn, the median milliseconds on that many threads. A step is the forward
//! pass and all three gradients: of the input, the weights and the bias.

use std::time::Instant;

use anyhow::Context;
use burn::tensor::{Distribution, Tensor};
use burn_autodiff::Autodiff;
use burn_flex::Flex;
use burn_pooling::pooling::ConvPool2dConfig;
use burn_pooling::statistics::Spread;
use serde::{Deserialize, Serialize};

const SECONDS: f64 = 0.5;
const FEWEST: usize = 5;

/// A block and what goes in.
#[derive(Deserialize)]
struct Shape {
    /// `[batch, channels, height, width]`
    input: [usize; 4],
    filters: usize,
    kernel: usize,
    padding: usize,
    pool: String,
}

/// Medians.
#[derive(Serialize)]
struct Times {
    step_milliseconds: f64,
    inference_milliseconds: f64,
}

impl Shape {
    fn block(&self) -> anyhow::Result<ConvPool2dConfig> {
        let block = ConvPool2dConfig::new(self.filters, [self.kernel; 2]).with_padding([self.padding; 2]);
        match self.pool.as_str() {
            "max" => Ok(block.max_pool(2)),
            "average" => Ok(block.average_pool(2)),
            "global average" => Ok(block.global_average_pool()),
            other => anyhow::bail!("expected max, average or global average, found {other}"),
        }
    }

    fn measure(&self) -> anyhow::Result<Times> {
        let device = Default::default();
        let (block, channels) = (self.block()?, self.input[1]);
        let input = Tensor::<Flex, 4>::random(self.input, Distribution::Uniform(0.0, 1.0), &device);
        let layer = block.init::<Flex>(channels, &device);
        let inference_milliseconds = median(|| {
            layer.forward(input.clone());
        })?;
        let layer = block.init::<Autodiff<Flex>>(channels, &device);
        let input = Tensor::from_inner(input);
        let step_milliseconds = median(|| {
            let gradients = layer.forward(input.clone().require_grad()).sum().backward();
            drop(gradients);
        })?;
        Ok(Times { step_milliseconds, inference_milliseconds })
    }
}

/// The median time of some work, in milliseconds; the first time warms up.
fn median(work: impl Fn()) -> anyhow::Result<f64> {
    work();
    let (start, mut times) = (Instant::now(), Vec::new());
    while times.len() < FEWEST || start.elapsed().as_secs_f64() < SECONDS {
        let start = Instant::now();
        work();
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    Spread::of(times).map(|spread| spread.median).context("nothing was measured")
}

fn main() -> anyhow::Result<()> {
    let threads = std::env::args().nth(1).context("usage: shapes THREADS")?.parse()?;
    rayon::ThreadPoolBuilder::new().num_threads(threads).use_current_thread().build_global()?;
    let shapes: Vec<Shape> = serde_json::from_str(include_str!("shapes.json"))?;
    let times = shapes.iter().map(Shape::measure).collect::<anyhow::Result<Vec<_>>>()?;
    println!("{}", serde_json::to_string_pretty(&times)?);
    Ok(())
}
