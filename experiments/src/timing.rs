//! How long work takes.

use std::time::Instant;

use anyhow::Context;
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{Distribution, Tensor};
use burn_pooling::statistics::Spread;
use serde::Serialize;

const SECONDS: f64 = 0.5;
const FEWEST: usize = 5;

/// Median times of a layer.
#[derive(Debug, Serialize)]
pub struct Times {
    /// Of the forward pass and all gradients.
    pub step_milliseconds: f64,
    /// Of the forward pass alone.
    pub inference_milliseconds: f64,
}

impl Times {
    /// Measures a layer on values from 0 to 1 of a size: without gradients, and with that of the input.
    ///
    /// # Errors
    /// If nothing was measured.
    pub fn measure<B: AutodiffBackend>(
        input: [usize; 4], forward: impl Fn(Tensor<B::InnerBackend, 4>), step: impl Fn(Tensor<B, 4>) -> Tensor<B, 4>,
    ) -> anyhow::Result<Self> {
        let input = random(input);
        let inference_milliseconds = median_milliseconds(|| forward(input.clone()))?;
        let input = Tensor::from_inner(input);
        let step_milliseconds = median_milliseconds(|| {
            let gradients = step(input.clone().require_grad()).sum().backward();
            drop(gradients);
        })?;
        Ok(Self { step_milliseconds, inference_milliseconds })
    }
}

fn random<B: Backend>(size: [usize; 4]) -> Tensor<B, 4> {
    Tensor::random(size, Distribution::Uniform(0.0, 1.0), &Default::default())
}

/// Returns the median time of some work, in milliseconds; the first time warms up.
fn median_milliseconds(work: impl Fn()) -> anyhow::Result<f64> {
    work();
    let (start, mut times) = (Instant::now(), Vec::new());
    while times.len() < FEWEST || start.elapsed().as_secs_f64() < SECONDS {
        let start = Instant::now();
        work();
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    Spread::of(times).map(|spread| spread.median).context("nothing was measured")
}

/// Makes the thread pool of all work, of as many threads as the program's only argument says.
///
/// # Errors
/// If there is no such argument, or there is a pool already.
pub fn threads_of_arguments() -> anyhow::Result<()> {
    let threads = std::env::args().nth(1).context("expected one argument, the number of threads")?.parse()?;
    Ok(rayon::ThreadPoolBuilder::new().num_threads(threads).use_current_thread().build_global()?)
}
