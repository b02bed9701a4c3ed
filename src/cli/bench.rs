//! `burn-pooling bench`: how many images per second a backend trains on and classifies, on real MNIST.

use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;
use burn::module::AutodiffModule;
use burn::tensor::backend::AutodiffBackend;
use burn_pooling::backend::{BackendName, BackendTask, run_on};
use burn_pooling::mnist::ImageDataset;
use burn_pooling::model::Variant;
use burn_pooling::statistics::Spread;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde::Serialize;

use super::options::{DataArgs, DeviceArgs, LoadedData, variant_names};
use super::workload::Workload;
use super::{profile, terminal};

/// Measurements whose median and quartiles are reported; one more before them warms up.
const REPEATS: usize = 9;
/// Single images timed for each measurement of the latency.
const SINGLE_IMAGES: usize = 50;

#[derive(Args, Debug)]
pub struct BenchArgs {
    /// The variant, or all
    #[arg(long, value_parser = variants_parser(), default_value = "all")]
    variant: Variants,
    /// Batch size
    #[arg(long, value_name = "N", default_value = "128")]
    batch_size: NonZeroUsize,
    /// Number of images for each of the measurements, rounded up to whole batches [default: 6400]
    #[arg(long, value_name = "N", default_value = "6400", hide_default_value = true)]
    images: NonZeroUsize,
    #[command(flatten)]
    device: DeviceArgs,
    #[command(flatten)]
    data: DataArgs,
    /// Compose Burn's operations instead of the fused one, to compare
    #[arg(long)]
    composed: bool,
    /// Show a training step by operation, with shares of what the processor and its memory can do, measured before
    #[arg(long)]
    profile: bool,
    /// Print a list of JSON objects
    #[arg(long)]
    json: bool,
}

/// One variant or all four.
#[derive(Clone, Debug)]
struct Variants(Vec<Variant>);

fn variants_parser() -> impl TypedValueParser<Value = Variants> {
    let names = std::iter::once("all".into()).chain(variant_names());
    PossibleValuesParser::new(names).try_map(|name| match name.as_str() {
        "all" => Ok(Variants(Variant::ALL.to_vec())),
        name => name.parse().map(|variant| Variants(vec![variant])),
    })
}

/// What was measured for one variant.
#[derive(Debug, Serialize)]
struct Measurement {
    variant: Variant,
    backend: &'static str,
    threads: usize,
    batch_size: usize,
    train_images_per_second: Spread,
    inference_images_per_second: Spread,
    /// Median time from one image, in memory as bytes, to its logits.
    latency_microseconds: f64,
}

/// Measures, and prints a table or JSON.
pub fn run(args: BenchArgs) -> anyhow::Result<ExitCode> {
    let backend = args.device.backend(None)?;
    args.device.start_threads()?;
    let data = args.data.load(None)?;
    data.warn_of_unused_classes();
    let LoadedData { sets, config: data } = data;
    let batch_size = args.batch_size.get().min(sets.train.len()); // none is larger than the data set
    let steps = args.images.get().div_ceil(batch_size);
    let composed = args.composed;
    let workload = |variant| Workload { variant, batch_size, steps, composed, sets: &sets, data: &data };
    if args.profile {
        profile::run(backend, args.variant.0.iter().map(|&variant| workload(variant)), args.json)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut measurements = Vec::new();
    if !args.json {
        terminal::print(HEADER);
    }
    for &variant in &args.variant.0 {
        let measurement = run_on(backend, Task { backend, workload: workload(variant) })??;
        if !args.json {
            terminal::print(line(&measurement));
        }
        measurements.push(measurement);
    }
    if args.json {
        terminal::print(serde_json::to_string_pretty(&measurements)?);
    }
    Ok(ExitCode::SUCCESS)
}

const HEADER: &str =
    "variant  backend  threads  batch   train images/s (quartiles)    inference images/s (quartiles)  one image";

fn line(measurement: &Measurement) -> String {
    let spread = |spread: &Spread| {
        let range = format!("({:.0} to {:.0})", spread.lower_quartile, spread.upper_quartile);
        format!("{:>9.0} {range:<20}", spread.median)
    };
    format!(
        "{:<8} {:<8} {:>7} {:>6}  {} {} {:>8.1} us",
        measurement.variant,
        measurement.backend,
        measurement.threads,
        measurement.batch_size,
        spread(&measurement.train_images_per_second),
        spread(&measurement.inference_images_per_second),
        measurement.latency_microseconds,
    )
}

struct Task<'a> {
    backend: BackendName,
    workload: Workload<'a>,
}

impl BackendTask for Task<'_> {
    type Output = anyhow::Result<Measurement>;

    fn run<B: AutodiffBackend>(self, device: B::Device) -> Self::Output {
        let workload @ Workload { variant, batch_size, sets, .. } = self.workload;
        let mut learner = workload.learner::<B>(&device)?;
        let train = speed(&workload, &sets.train, |indices| workload.step(&mut learner, indices, &device))?;
        let model = learner.model().valid();
        let infer = |indices: &[usize]| {
            let images = sets.test.images::<B::InnerBackend>(indices, &device);
            model.forward(images).into_data(); // reading the logits waits for a GPU
        };
        Ok(Measurement {
            variant,
            backend: self.backend.name(),
            threads: rayon::current_num_threads(),
            batch_size,
            train_images_per_second: train,
            inference_images_per_second: speed(&workload, &sets.test, |indices| {
                infer(indices);
                Ok(())
            })?,
            latency_microseconds: latency(sets.test.len(), infer),
        })
    }
}

/// Returns the images per second that `work` gets through, batch by batch.
fn speed(
    workload: &Workload<'_>, dataset: &ImageDataset, mut work: impl FnMut(&[usize]) -> anyhow::Result<()>,
) -> anyhow::Result<Spread> {
    let Workload { batch_size, steps, .. } = *workload;
    let mut batches = workload.batches(dataset);
    let mut speeds = Vec::with_capacity(REPEATS);
    for repeat in 0..=REPEATS {
        let start = Instant::now();
        for _ in 0..steps {
            work(&batches.next().unwrap_or_default())?;
        }
        if repeat > 0 {
            speeds.push((steps * batch_size) as f64 / start.elapsed().as_secs_f64());
        }
    }
    Spread::of(speeds).context("nothing was measured")
}

fn latency(images: usize, infer: impl Fn(&[usize])) -> f64 {
    let times = (0..REPEATS * SINGLE_IMAGES).map(|number| {
        let start = Instant::now();
        infer(&[number % images]);
        start.elapsed().as_secs_f64() * 1e6
    });
    Spread::of(times.collect()).map_or(f64::NAN, |spread| spread.median)
}
