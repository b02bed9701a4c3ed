//! `burn-pooling [train]`: trains a variant, tests it once at the end, saves the run.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::bail;
use burn_pooling::backend::run_on;
use burn_pooling::mnist::ImageSets;
use burn_pooling::model::Variant;
use burn_pooling::run::{DataConfig, RunConfig};
use burn_pooling::training::{ConfigError, RunFolder, TrainingConfig};
use clap::Args;

use super::interrupt;
use super::job::{Job, Place};
use super::options::{DataArgs, DeviceArgs, UsageError, variant_parser};

#[derive(Args, Debug)]
pub struct TrainArgs {
    /// How the network pools; synonyms: avg, global-max, global-average
    #[arg(long, value_parser = variant_parser(), default_value = "max")]
    variant: Variant,
    /// Passes over the training images [default: 5; when resuming: as the run was told]
    #[arg(long, value_name = "N", value_parser = positive)]
    epochs: Option<usize>,
    /// Images a step
    #[arg(long, value_name = "N", value_parser = positive, default_value = "128")]
    batch_size: usize,
    /// Adam's step size
    #[arg(long, value_name = "RATE", value_parser = positive_real, default_value = "1e-3")]
    #[arg(allow_negative_numbers = true)] // to be refused with the reason
    learning_rate: f64,
    /// Decides the initial weights, the validation images and the order of the training images
    #[arg(long, value_name = "N", default_value = "42")]
    seed: u64,
    /// Training images kept for validation; 0 for none
    #[arg(long, value_name = "N", default_value = "5000")]
    valid_size: usize,
    #[command(flatten)]
    device: DeviceArgs,
    #[command(flatten)]
    data: DataArgs,
    /// Folder of the new run; never overwritten [default: runs/<variant>-<UTC time>]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Go on with the run in this folder; --epochs may prolong it
    #[arg(long, value_name = "DIR")]
    #[arg(conflicts_with_all = ["variant", "batch_size", "learning_rate", "seed", "valid_size", "out"])]
    resume: Option<PathBuf>,
    /// Show the final result only
    #[arg(long, short)]
    quiet: bool,
}

fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("expected at least 1".to_owned()),
        Ok(number) => Ok(number),
        Err(_) => Err("expected a whole number, at least 1".to_owned()),
    }
}

fn positive_real(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(number) if f64::is_finite(number) && number > 0.0 => Ok(number),
        _ => Err("expected a number above 0, such as 1e-3".to_owned()),
    }
}

/// Trains, or goes on training.
pub fn run(args: TrainArgs) -> anyhow::Result<ExitCode> {
    let job = match &args.resume {
        Some(folder) => Job::resume(&args, folder)?,
        None => Job::new(&args)?,
    };
    interrupt::listen()?;
    run_on(job.backend, job)?
}

impl Job {
    fn new(args: &TrainArgs) -> anyhow::Result<Self> {
        let backend = args.device.backend(None)?;
        let folder = args.data.data_dir.as_deref();
        let sets = ImageSets::load(folder)?;
        let data = DataConfig::of(&sets, folder);
        let mut training = TrainingConfig::new()
            .with_batch_size(args.batch_size)
            .with_learning_rate(args.learning_rate)
            .with_seed(args.seed)
            .with_valid_size(args.valid_size);
        training.epochs = args.epochs.unwrap_or(training.epochs);
        training.check(data.train).map_err(usage)?;
        let config = RunConfig {
            model: data.model(args.variant),
            training,
            backend: backend.to_string(),
            data,
        };
        Ok(Self { backend, sets, config, place: Place::New(args.out.clone()), quiet: args.quiet })
    }

    fn resume(args: &TrainArgs, path: &Path) -> anyhow::Result<Self> {
        let folder = RunFolder::open(path)?;
        let mut config: RunConfig = folder.config()?;
        let backend = args.device.backend(Some(config.backend.parse()?))?;
        let data_dir = args.data.data_dir.as_ref().or(config.data.folder.as_ref());
        let sets = ImageSets::load(data_dir.map(PathBuf::as_path))?;
        let mut data = DataConfig::of(&sets, data_dir.map(PathBuf::as_path));
        data.folder.clone_from(&config.data.folder);
        if data != config.data {
            bail!(
                "the data differ from what the run learned from: expected {:?}, found {data:?}",
                config.data
            );
        }
        config.training.epochs = args.epochs.unwrap_or(config.training.epochs);
        config.training.check(config.data.train)?;
        Ok(Self { backend, sets, config, place: Place::Resumed(folder), quiet: args.quiet })
    }
}

fn usage(error: ConfigError) -> UsageError {
    UsageError(error.to_string())
}
