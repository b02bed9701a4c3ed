//! A training run, from its first line to its report.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use burn::module::{AutodiffModule, Module};
use burn::tensor::backend::AutodiffBackend;
use burn_pooling::backend::{BackendName, BackendTask};
use burn_pooling::evaluation::evaluate;
use burn_pooling::mnist::ImageSets;
use burn_pooling::model::PoolingCnn;
use burn_pooling::run::{Report, RunConfig};
use burn_pooling::training::{Learner, Outcome, RunFolder, StorageError, fit, glorot_uniform};

use super::options::UsageError;
use super::progress::Display;
use super::report::evaluation_table;
use super::{interrupt, terminal};

/// A training run that is about to start.
pub struct Job {
    pub backend: BackendName,
    pub sets: ImageSets,
    pub config: RunConfig,
    pub place: Place,
    pub quiet: bool,
}

/// Where a run lies.
pub enum Place {
    /// A folder that this run makes: the one named, or one named by the time.
    New(Option<PathBuf>),
    /// A folder that holds the run already.
    Resumed(RunFolder),
}

impl Job {
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
        let name = format!("runs/{}-{time}", self.config.model.name);
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
        let (mut learner, folder) = self.open(model, &device)?;
        self.say(super::summary::keras(&self.config.model)?);
        self.say(format_args!(
            "{} on {}: {} images, {} for validation, into {}",
            self.config.model.name,
            self.backend,
            self.config.data.train - training.valid_size,
            training.valid_size,
            folder.path().display()
        ));
        let mut display = Display::new(self.quiet, training.epochs);
        let outcome =
            fit(&mut learner, &self.sets.train, training, Some(&folder), &device, |progress| {
                display.show(progress);
                interrupt::control()
            });
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
            variant: self.config.model.name.clone(),
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
