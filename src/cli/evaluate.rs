//! `burn-pooling evaluate RUN`: tests a saved run.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use burn::tensor::backend::AutodiffBackend;
use burn_pooling::backend::{BackendTask, run_on};
use burn_pooling::evaluation::{Evaluation, evaluate};
use burn_pooling::mnist::ImageSets;
use burn_pooling::run::{RunConfig, RunFolder};
use clap::Args;

use super::evaluation_table::evaluation_table;
use super::logits::write_logits;
use super::options::{CheckArgs, DataArgs, DeviceArgs};
use super::terminal;

#[derive(Args, Debug)]
pub struct EvaluateArgs {
    /// Folder of the run
    run: PathBuf,
    #[command(flatten)]
    device: DeviceArgs,
    #[command(flatten)]
    data: DataArgs,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
    /// Write the logits of every test image, and the labels, into this safetensors file
    #[arg(long, value_name = "FILE")]
    logits: Option<PathBuf>,
    #[command(flatten)]
    check: CheckArgs,
}

/// Evaluates on the test images of the data that the run was trained on, or of `--data-dir`.
pub fn run(args: EvaluateArgs) -> anyhow::Result<ExitCode> {
    let (folder, config) = args.check.open_trained(&args.run)?;
    let backend = args.device.backend_of(&config)?;
    args.device.start_threads()?;
    let data = args.data.load(Some(&config.data))?;
    data.warn_of_inversion(&config.data);
    let sets = data.sets;
    let evaluation =
        run_on(backend, Task { folder: &folder, config: &config, sets: &sets, logits: args.logits.as_deref() })??;
    match args.json {
        true => terminal::print(serde_json::to_string_pretty(&evaluation)?),
        false => terminal::print(evaluation_table(&evaluation, &config.data)),
    }
    Ok(ExitCode::SUCCESS)
}

struct Task<'a> {
    folder: &'a RunFolder,
    config: &'a RunConfig,
    sets: &'a ImageSets,
    logits: Option<&'a Path>,
}

impl BackendTask for Task<'_> {
    type Output = anyhow::Result<Evaluation>;

    fn run<B: AutodiffBackend>(self, device: B::Device) -> Self::Output {
        let Self { folder, config, .. } = self;
        let model = folder.load_model(config.model.init::<B::InnerBackend>(&device)?)?;
        let [channels, height, width] = self.sets.test.image_shape();
        model
            .check_images([self.sets.test.len(), channels, height, width])
            .with_context(|| format!("{} of {}", config.model.name, folder.path().display()))?;
        let every: Vec<usize> = (0..self.sets.test.len()).collect();
        let batch_size = config.training.batch_size.max(1);
        if let Some(path) = self.logits {
            write_logits(path, &model, &self.sets.test, batch_size, &device)?;
        }
        Ok(evaluate(&model, &self.sets.test, &every, batch_size, &device)?)
    }
}
