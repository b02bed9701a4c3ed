//! `burn-pooling [train]`: trains a variant, tests it once at the end, saves the run.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use burn::module::{AutodiffModule, Module};
use burn::tensor::backend::AutodiffBackend;
use burn_pooling::backend::{BackendName, BackendTask, run_on};
use burn_pooling::evaluation::evaluate;
use burn_pooling::mnist::ImageSets;
use burn_pooling::model::{PoolingCnn, Variant};
use burn_pooling::run::{DataConfig, Report, RunConfig};
use burn_pooling::training::{
    ConfigError, Learner, Outcome, RunFolder, StorageError, TrainingConfig, fit, glorot_uniform,
};
use clap::Args;

use super::options::{DataArgs, DeviceArgs, UsageError, variant_parser};
use super::progress::Display;
use super::report::evaluation_table;
use super::{interrupt, terminal};

#[derive(Args, Debug)]
pub struct TrainArgs {
    /// How the network pools; synonyms: avg, global-max, global-average
    #[arg(long, value_parser = variant_parser(), default_value = "max", conflicts_with = "resume")]
    variant: Variant,
    /// Passes over the training images [default: 5; when resuming: as the run was told]
    #[arg(long, value_name = "N", value_parser = positive)]
    epochs: Option<usize>,
    /// Images a step
    #[arg(long, value_name = "N", value_parser = positive, default_value = "128", conflicts_with = "resume")]
    batch_size: usize,
    /// Adam's step size
    #[arg(long, value_name = "RATE", value_parser = positive_real, default_value = "1e-3", conflicts_with = "resume")]
    learning_rate: f64,
    /// Decides the initial weights, the validation images and the order of the training images
    #[arg(
        long,
        value_name = "N",
        default_value = "42",
        conflicts_with = "resume"
    )]
    seed: u64,
    /// Training images kept for validation; 0 for none
    #[arg(
        long,
        value_name = "N",
        default_value = "5000",
        conflicts_with = "resume"
    )]
    valid_size: usize,
    #[command(flatten)]
    device: DeviceArgs,
    #[command(flatten)]
    data: DataArgs,
    /// Folder of the new run; never overwritten [default: runs/<variant>-<UTC time>]
    #[arg(long, value_name = "DIR", conflicts_with = "resume")]
    out: Option<PathBuf>,
    /// Go on with the run in this folder; --epochs may prolong it
    #[arg(long, value_name = "DIR")]
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

/// A training run that is about to start.
struct Job {
    backend: BackendName,
    sets: ImageSets,
    config: RunConfig,
    place: Place,
    quiet: bool,
}

enum Place {
    New(Option<PathBuf>),
    Resumed(RunFolder),
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
        Ok(Self {
            backend,
            sets,
            config,
            place: Place::New(args.out.clone()),
            quiet: args.quiet,
        })
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
        Ok(Self {
            backend,
            sets,
            config,
            place: Place::Resumed(folder),
            quiet: args.quiet,
        })
    }

    fn say(&self, line: impl std::fmt::Display) {
        if !self.quiet {
            terminal::print(line);
        }
    }

    /// The learner and the folder of the run, new or as they were.
    fn open<B: AutodiffBackend>(
        &self,
        model: PoolingCnn<B>,
        device: &B::Device,
    ) -> anyhow::Result<(Learner<B, PoolingCnn<B>>, RunFolder)> {
        let fresh = Learner::new(model);
        match &self.place {
            Place::Resumed(folder) => {
                let learner = folder.restore(fresh, device)?;
                if learner.history().len() > self.config.training.epochs {
                    return Err(UsageError(format!(
                        "--epochs: expected at least the {} epochs that the run has done, found {}",
                        learner.history().len(),
                        self.config.training.epochs
                    ))
                    .into());
                }
                folder.write_config(&self.config)?;
                Ok((learner, folder.clone()))
            }
            Place::New(Some(path)) => {
                let folder = RunFolder::create(path, &self.config, &fresh).context("--out")?;
                Ok((fresh, folder))
            }
            Place::New(None) => {
                let folder = self.create_named_by_time(&fresh)?;
                Ok((fresh, folder))
            }
        }
    }

    fn create_named_by_time<B: AutodiffBackend>(
        &self,
        learner: &Learner<B, PoolingCnn<B>>,
    ) -> anyhow::Result<RunFolder> {
        let time = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ");
        let name = format!("runs/{}-{time}", self.config.model.variant);
        let mut attempt = 1;
        loop {
            let path = match attempt {
                1 => name.clone(),
                number => format!("{name}-{number}"), // several runs in one second
            };
            match RunFolder::create(Path::new(&path), &self.config, learner) {
                Err(StorageError::Exists(_)) => attempt += 1,
                result => return Ok(result?),
            }
        }
    }
}

impl BackendTask for Job {
    type Output = anyhow::Result<ExitCode>;

    fn run<B: AutodiffBackend>(self, device: B::Device) -> Self::Output {
        let training = &self.config.training;
        let model = glorot_uniform(self.config.model.init::<B>(&device)?, training.seed);
        self.say(super::summary::keras(&self.config.model)?);

        let (mut learner, folder) = self.open(model, &device)?;
        self.say(format_args!(
            "{} on {}: {} images, {} for validation, into {}",
            self.config.model.variant,
            self.backend,
            self.config.data.train - training.valid_size,
            training.valid_size,
            folder.path().display()
        ));
        let mut display = Display::new(self.quiet, training.epochs);
        let outcome = fit(
            &mut learner,
            &self.sets.train,
            training,
            Some(&folder),
            &device,
            |progress| {
                display.show(progress);
                interrupt::control()
            },
        );
        drop(display);
        if outcome? == Outcome::Stopped {
            terminal::print(format_args!(
                "stopped; go on with: burn-pooling --resume {}",
                folder.path().display()
            ));
            return Ok(ExitCode::from(interrupt::EXIT_CODE));
        }
        let report = self.test(&learner, &device)?;
        folder.write_report(&report)?;
        terminal::print(format_args!("\n{}", evaluation_table(&report.test)));
        terminal::print(format_args!("run: {}", folder.path().display()));
        Ok(ExitCode::SUCCESS)
    }
}

impl Job {
    fn test<B: AutodiffBackend>(
        &self,
        learner: &Learner<B, PoolingCnn<B>>,
        device: &B::Device,
    ) -> anyhow::Result<Report> {
        let test = &self.sets.test;
        let every: Vec<usize> = (0..test.len()).collect();
        let batch_size = self.config.training.batch_size;
        Ok(Report {
            variant: self.config.model.variant,
            backend: self.backend.to_string(),
            seed: self.config.training.seed,
            epochs: learner.history().len(),
            best_epoch: learner.best_epoch(),
            parameters: learner.best().num_params(),
            train_images_per_second: learner.median_images_per_second(),
            test: evaluate(&learner.best().valid(), test, &every, batch_size, device)?,
        })
    }
}

fn usage(error: ConfigError) -> UsageError {
    UsageError(error.to_string())
}
