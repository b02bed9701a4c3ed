//! `burn-pooling [train]`: trains a variant, tests it once at the end, saves the run.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::bail;
use burn_pooling::backend::run_on;
use burn_pooling::model::Variant;
use burn_pooling::run::{DataConfig, OptimizerKind, Recipe, RunConfig};
use burn_pooling::training::{BestBy, ImageAugmentation, ScheduleKind, TrainingConfig};
use clap::Args;

use super::job::{Job, Place};
use super::options::{CheckArgs, DataArgs, DeviceArgs, LoadedData, UsageError, choice, variant_parser};
use super::{interrupt, memory, terminal};

#[derive(Args, Debug)]
pub struct TrainArgs {
    /// How the network pools; synonyms: avg, global-max, global-average
    #[arg(long, value_parser = variant_parser(), default_value = "max")]
    variant: Variant,
    /// Number of epochs [default: 5; when resuming: those of the run]
    #[arg(long, value_name = "N", value_parser = positive)]
    epochs: Option<usize>,
    /// Batch size
    #[arg(long, value_name = "N", value_parser = positive, default_value = "128")]
    batch_size: usize,
    /// Learning rate, the highest one of a schedule [default: 1e-3; when resuming: that of the run]
    #[arg(long, value_name = "RATE", value_parser = positive_real)]
    #[arg(allow_negative_numbers = true)] // to be refused with the reason
    learning_rate: Option<f64>,
    /// Decides the initial weights, the validation images, the order of the training images, and the augmentation
    #[arg(long, value_name = "N", default_value = "42")]
    seed: u64,
    /// Number of training images kept for validation; 0 for none
    #[arg(long, value_name = "N", default_value = "5000")]
    valid_size: usize,
    #[command(flatten)]
    recipe: RecipeArgs,
    #[command(flatten)]
    device: DeviceArgs,
    #[command(flatten)]
    data: DataArgs,
    /// Folder of the new run; never overwritten [default: runs/<variant>-<UTC time>]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Resume the run in this folder; --epochs, --learning-rate, --threads and --backend may change
    #[arg(long, value_name = "DIR")]
    #[arg(conflicts_with_all = ["variant", "batch_size", "seed", "valid_size", "out"])]
    #[arg(conflicts_with = "RecipeArgs")]
    resume: Option<PathBuf>,
    #[command(flatten)]
    check: CheckArgs,
    /// Show the final result only
    #[arg(long, short)]
    quiet: bool,
}

/// Optimizer, schedule, loss, augmentation and early stopping.
#[derive(Args, Debug)]
#[group(multiple = true)]
struct RecipeArgs {
    /// Optimizer: weight decay is part of the gradient (adam) or decoupled from it (adamw)
    #[arg(long, value_name = "NAME", value_parser = choice::<OptimizerKind>(&["adam", "adamw", "sgd"]))]
    #[arg(default_value = "adam")]
    optimizer: OptimizerKind,
    /// Momentum of sgd
    #[arg(long, value_name = "FACTOR", default_value = "0", allow_negative_numbers = true)]
    momentum: f64,
    /// Weight decay
    #[arg(long, value_name = "FACTOR", value_parser = real32, default_value = "0", allow_negative_numbers = true)]
    weight_decay: f32,
    /// Learning rate schedule
    #[arg(long, value_name = "NAME", default_value = "constant")]
    #[arg(value_parser = choice::<ScheduleKind>(&["constant", "cosine", "step", "one-cycle"]))]
    schedule: ScheduleKind,
    /// Number of epochs in which the learning rate rises to its value
    #[arg(long, value_name = "EPOCHS", default_value = "0")]
    warmup: usize,
    /// Stop after this number of epochs without a better one [default: never]
    #[arg(long, value_name = "EPOCHS", value_parser = positive)]
    patience: Option<usize>,
    /// Validation figure that decides the best epoch
    #[arg(long, value_name = "FIGURE", value_parser = choice::<BestBy>(&["accuracy", "loss"]))]
    #[arg(default_value = "accuracy")]
    best_by: BestBy,
    /// Label smoothing of the cross-entropy, 0 to 1
    #[arg(long, value_name = "SHARE", value_parser = real32, default_value = "0", allow_negative_numbers = true)]
    label_smoothing: f32,
    /// Random augmentation: shift (pixels), rotate (degrees), scale, noise; such as shift=2,rotate=10
    #[arg(long, value_name = "LIST")]
    augment: Option<ImageAugmentation>,
}

impl RecipeArgs {
    fn recipe(&self) -> Recipe {
        Recipe {
            optimizer: self.optimizer,
            momentum: self.momentum,
            weight_decay: self.weight_decay,
            schedule: self.schedule,
            warmup_epochs: self.warmup,
            label_smoothing: self.label_smoothing,
            augmentation: self.augment.unwrap_or_default(),
        }
    }
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
        // Weights are updated in 32 bits.
        Ok(number) if (number as f32).is_finite() && number as f32 > 0.0 => Ok(number),
        _ => Err("expected a number above 0 (in 32 bits, 1e-45 to 3e38), such as 1e-3".to_owned()),
    }
}

/// A number that 32 bits hold: what is not 0 does not become 0.
fn real32(text: &str) -> Result<f32, String> {
    match text.parse::<f64>() {
        Ok(number) if number == 0.0 || number as f32 != 0.0 => Ok(number as f32),
        Ok(_) => Err("expected 0, or a number that is not 0 in 32 bits: 1e-45 to 3e38".to_owned()),
        Err(_) => Err("expected a number, such as 1e-4".to_owned()),
    }
}

/// Trains, or resumes training.
pub fn run(args: TrainArgs) -> anyhow::Result<ExitCode> {
    if args.resume.is_none() {
        args.check.refuse_for_a_new_run()?;
    }
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
        args.device.start_threads()?;
        let data = args.data.load(None)?;
        data.warn_of_unused_classes();
        let LoadedData { sets, config: data } = data;
        let training = TrainingConfig {
            epochs: args.epochs.unwrap_or(TrainingConfig::default().epochs),
            batch_size: args.batch_size,
            learning_rate: args.learning_rate.unwrap_or(TrainingConfig::default().learning_rate),
            seed: args.seed,
            valid_size: args.valid_size,
            patience: args.recipe.patience,
            best_by: args.recipe.best_by,
        };
        let recipe = args.recipe.recipe();
        training.check(data.train).map_err(usage)?;
        recipe.check(training.epochs).map_err(usage)?;
        let model = data.model(args.variant);
        let (backend_name, threads) = (backend.to_string(), Some(rayon::current_num_threads()));
        let (history, origin) = (Vec::new(), None);
        let config = RunConfig { model, training, recipe, backend: backend_name, threads, data, history, origin };
        memory::check(&config, backend)?;
        let place = Place::New(args.out.clone());
        Ok(Self { backend, sets, config, place, quiet: args.quiet })
    }

    fn resume(args: &TrainArgs, path: &Path) -> anyhow::Result<Self> {
        let folder = args.check.open(path)?;
        folder.lock()?;
        let before: RunConfig = folder.config()?;
        let backend = args.device.backend(Some(before.backend.parse()?))?;
        args.device.start_threads()?;
        let LoadedData { sets, config: data } = args.data.load(Some(&before.data))?;
        folder.check_size(before.model.parameters()?)?;
        let mut config = before.clone();
        config.data = same_data(&before, data)?;
        config.backend = backend.to_string();
        config.threads = Some(rayon::current_num_threads());
        config.training.epochs = args.epochs.unwrap_or(config.training.epochs);
        config.training.learning_rate = args.learning_rate.unwrap_or(config.training.learning_rate);
        config.training.check(config.data.train)?;
        config.recipe.check(config.training.epochs)?;
        memory::check(&config, backend)?;
        let place = Place::Resumed { folder, before: Box::new(before) };
        Ok(Self { backend, sets, config, place, quiet: args.quiet })
    }
}

/// Returns the data of a run that is resumed, if they are those that it was trained on, and its network takes them.
fn same_data(run: &RunConfig, found: DataConfig) -> anyhow::Result<DataConfig> {
    if run.data.digest.is_none() {
        terminal::print_note(
            "the run is of a version that kept no digest of its data; whether they are the same is not checked",
        );
    }
    let differences = run.data.differences(&found);
    if !differences.is_empty() {
        bail!("the data differ from those that the run was trained on: {}", differences.join("; "));
    }
    let (model, expected) = (&run.model, &run.data);
    if (model.channels, model.image_size, model.classes) != (expected.channels, expected.image_size, expected.classes) {
        bail!("config.json: expected a network for the run's images and classes, found one for others");
    }
    Ok(DataConfig { folder: run.data.folder.clone(), ..found })
}

fn usage(error: impl std::fmt::Display) -> UsageError {
    UsageError(error.to_string())
}
