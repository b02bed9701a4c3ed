//! `burn-pooling predict RUN IMAGE...`: classifies pictures.

mod explanation;
mod prediction;
mod sources;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use burn::module::AutodiffModule;
use burn::tensor::{Tensor, backend::AutodiffBackend};
use burn_pooling::backend::{BackendTask, run_on};
use burn_pooling::explain::explain;
use burn_pooling::mnist::Images;
use burn_pooling::model::PoolingCnn;
use burn_pooling::picture::{Invert, Placement, PrepareOptions, Prepared, prepare};
use burn_pooling::run::{DataConfig, RunConfig, RunFolder};
use clap::Args;

use super::options::{CheckArgs, DeviceArgs, choice};
use super::terminal;
use explanation::Explanations;
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
    /// Exchange black and white, so that ink is white on black as in MNIST; auto: where the picture's border is bright
    /// (never for a whole picture in colour)
    #[arg(long, value_name = "WHEN", value_parser = choice::<Invert>(&["yes", "no", "auto"]), default_value = "auto")]
    invert: Invert,
    /// Place one sign as MNIST does, without its background (digit), or the whole picture, scaled (whole)
    /// [default: digit if the run was trained on MNIST, else whole]
    #[arg(long, value_name = "HOW", value_parser = choice::<Placement>(&["digit", "whole"]))]
    placement: Option<Placement>,
    /// Folder for pictures of what the network does with each picture: all maps before and after every pooling, and what
    /// speaks for the answer; a PNG file for each step, and an SVG file with all of them
    #[arg(long, value_name = "DIR")]
    explain: Option<PathBuf>,
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
        let model = folder.load_model(config.model.init::<B>(&device)?)?;
        let explanations = args.explain.as_deref().map(Explanations::into).transpose()?;
        let mut predictor =
            Predictor { plain: model.valid(), model, data: &config.data, device, options, explanations };
        let (mut predictions, mut failures) = (Vec::new(), 0_usize);
        for source in args.images.iter().flat_map(|image| sources(image)) {
            match source.and_then(|source| predictor.predict(&source)) {
                Ok(prediction) if args.json => predictions.push(prediction),
                Ok(prediction) => terminal::print(prediction.text(&config.data, args.top.get(), terminal::width())),
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

/// How pictures are placed for networks of this data set.
pub fn placement(data: &DataConfig) -> Placement {
    if data.is_mnist() { Placement::Digit } else { Placement::Whole }
}

fn options(args: &PredictArgs, config: &RunConfig) -> PrepareOptions {
    PrepareOptions {
        channels: config.model.channels,
        size: config.model.image_size,
        placement: args.placement.unwrap_or_else(|| placement(&config.data)),
        invert: args.invert,
        ..Default::default()
    }
}

/// A network, and how pictures are prepared for it.
struct Predictor<'a, B: AutodiffBackend> {
    model: PoolingCnn<B>,
    /// The same without gradients.
    plain: PoolingCnn<B::InnerBackend>,
    /// What it was trained on.
    data: &'a DataConfig,
    device: B::Device,
    options: PrepareOptions,
    explanations: Option<Explanations>,
}

impl<B: AutodiffBackend> Predictor<'_, B> {
    fn predict(&mut self, source: &Source) -> anyhow::Result<Prediction> {
        let bytes = source.read(self.options.limits.bytes)?;
        let prepared = prepare(&bytes, &self.options).with_context(|| source.to_string())?;
        let &Prepared { channels, size, ref pixels, .. } = &prepared;
        let images = Images { channels, size, pixels: pixels.clone() };
        let image: Tensor<B::InnerBackend, 4> = images.tensor(&self.device); // [1, channels, height, width]
        let probabilities = self.plain.probabilities(image.clone()).into_data().iter::<f32>().collect(); // [1, classes]
        let mut prediction = Prediction::new(source, &prepared, self.options.placement, probabilities);
        prediction.class_name = self.data.class_names.get(prediction.class).cloned();
        if let Some(explanations) = &mut self.explanations {
            let explanation = explain(&self.model, image, None).with_context(|| source.to_string())?;
            prediction.explanation = Some(explanations.write(source, &explanation)?);
        }
        Ok(prediction)
    }
}
