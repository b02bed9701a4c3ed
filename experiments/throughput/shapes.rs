//! The fused block at the shapes of other networks: how long a training step and a forward pass take.
//!
//!     cargo run --release -p burn-pooling-experiments --bin shapes -- 2
//!
//! prints, for each block of `shapes.json` in turn, the median milliseconds on that many threads. A step is the forward
//! pass and all three gradients: of the input, the weights and the bias.

use burn_autodiff::Autodiff;
use burn_flex::Flex;
use burn_pooling::pooling::ConvPool2dConfig;
use burn_pooling_experiments::timing::{Times, threads_of_arguments};
use serde::Deserialize;

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
        let (inferring, training) =
            (block.init::<Flex>(channels, &device), block.init::<Autodiff<Flex>>(channels, &device));
        Times::measure(self.input, |input| drop(inferring.forward(input)), |input| training.forward(input))
    }
}

fn main() -> anyhow::Result<()> {
    threads_of_arguments()?;
    let shapes: Vec<Shape> = serde_json::from_str(include_str!("shapes.json"))?;
    let times = shapes.iter().map(Shape::measure).collect::<anyhow::Result<Vec<_>>>()?;
    println!("{}", serde_json::to_string_pretty(&times)?);
    Ok(())
}
