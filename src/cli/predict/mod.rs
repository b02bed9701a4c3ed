//! `burn-pooling predict RUN IMAGE...`: classifies pictures.

mod prediction;
mod sources;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn_pooling::backend::{BackendTask, run_on};
use burn_pooling::mnist::Images;
use burn_pooling::model::PoolingCnn;
use burn_pooling::picture::{Invert, Placement, PrepareOptions, Prepared, prepare};
use burn_pooling::run::{RunConfig, RunFolder};
use clap::Args;

use super::options::{CheckArgs, DeviceArgs, choice};
use super::terminal;
use prediction::Prediction;
use sources::{Source, sources};

#[derive(Args, Debug)]
pub struct PredictArgs {
    /// Folder of the run
    run: PathBuf,
    /// Pictures: PNG and JPEG files, folders of such (.png, .jpg, .jpeg, sorted by name), or - for standard input
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<PathBuf>,
    /// Number of classes to show, the likeliest first
    #[arg(long, value_name = "K", default_value = "3")]
    top: NonZeroUsize,
    /// Exchange black and white, for networks that were trained on white ink on black, as MNIST has it; auto: where the
    /// picture's border is bright, colours excepted
    #[arg(long, value_name = "WHEN", value_parser = choice::<Invert>(&["yes", "no", "auto"]), default_value = "auto")]
    invert: Invert,
    /// Place one sign as MNIST does, without its background (digit), or the whole picture, scaled (whole)
    /// [default: digit if the run was trained on MNIST, else whole]
    #[arg(long, value_name = "HOW", value_parser = choice::<Placement>(&["digit", "whole"]))]
    placement: Option<Placement>,
    /// Print a list of JSON objects, with the probabilities of all classes
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    device: DeviceArgs,
    #[command(flatten)]
    check: CheckArgs,
}

/// Classifies every picture that can be read, and names the others on stderr.
pub fn run(args: PredictArgs) -> anyhow::Result<ExitCode> {
    let (folder, config) = args.check.open_trained(&args.run)?;
    let backend = args.device.backend_of(&config)?;
    args.device.start_threads()?;
    run_on(backend, Task { args: &args, folder: &folder, config })?
}

struct Task<'a> {
    args: &'a PredictArgs,
    folder: &'a RunFolder,
    config: RunConfig,
}

impl BackendTask for Task<'_> {
    type Output = anyhow::Result<ExitCode>;

    fn run<B: AutodiffBackend>(self, device: B::Device) -> Self::Output {
        let Self { args, folder, config } = self;
        let options = options(args, &config);
        options.check().with_context(|| args.run.display().to_string())?;
        let model = folder.load_model(config.model.init::<B::InnerBackend>(&device)?)?;
        let (mut predictions, mut failures) = (Vec::new(), 0_usize);
        for source in args.images.iter().flat_map(|image| sources(image)) {
            match source.and_then(|source| predict(&source, &options, &model, &device)) {
                Ok(prediction) if args.json => predictions.push(prediction),
                Ok(prediction) => terminal::print(prediction.text(args.top.get(), terminal::width())),
                Err(error) => {
                    terminal::print_error(&error);
                    failures += 1;
                }
            }
        }
        if args.json {
            terminal::print(serde_json::to_string_pretty(&predictions)?);
        }
        Ok(if failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn options(args: &PredictArgs, config: &RunConfig) -> PrepareOptions {
    let of_data = if config.data.is_mnist() { Placement::Digit } else { Placement::Whole };
    PrepareOptions {
        channels: config.model.channels,
        size: config.model.image_size,
        placement: args.placement.unwrap_or(of_data),
        invert: args.invert,
        ..Default::default()
    }
}

fn predict<B: Backend>(
    source: &Source, options: &PrepareOptions, model: &PoolingCnn<B>, device: &B::Device,
) -> anyhow::Result<Prediction> {
    let bytes = source.read(options.limits.bytes)?;
    let prepared = prepare(&bytes, options).with_context(|| source.to_string())?;
    let probabilities = probabilities(&prepared, model, device);
    Ok(Prediction::new(source, &prepared, options.placement, probabilities))
}

fn probabilities<B: Backend>(prepared: &Prepared, model: &PoolingCnn<B>, device: &B::Device) -> Vec<f32> {
    let &Prepared { channels, size, ref pixels, .. } = prepared;
    let image = Images { channels, size, pixels: pixels.clone() }.tensor(device); // [1, channels, height, width]
    model.probabilities(image).into_data().iter::<f32>().collect() // [1, classes]
}
