//! A training run, from its first line to its report.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use burn::module::{AutodiffModule, Module};
use burn::optim::Optimizer;
use burn::tensor::backend::AutodiffBackend;
use burn_pooling::backend::{BackendName, BackendTask};
use burn_pooling::evaluation::evaluate;
use burn_pooling::mnist::ImageSets;
use burn_pooling::model::PoolingCnn;
use burn_pooling::run::{OptimizerKind, Report, RunConfig, RunFolder, StorageError};
use burn_pooling::training::{Event, Learner, Outcome, TrainingConfig, TrainingError, fit, glorot_uniform};

use super::evaluation_table::evaluation_table;
use super::options::UsageError;
use super::progress::Display;
use super::{interrupt, terminal};

type CnnLearner<B, O> = Learner<B, PoolingCnn<B>, O>;

/// A training run that is about to start.
pub struct Job {
    pub backend: BackendName,
    pub sets: ImageSets,
    pub config: RunConfig,
    pub place: Place,
    pub quiet: bool,
}

/// The folder of a run.
pub enum Place {
    /// A new folder: the one named, or one named by the time.
    New(Option<PathBuf>),
    /// The folder of the run that is resumed, and its configuration before.
    Resumed { folder: RunFolder, before: Box<RunConfig> },
}

impl Job {
    fn say(&self, line: impl std::fmt::Display) {
        if !self.quiet {
            terminal::print(line);
        }
    }

    /// Returns the learner and the folder of the run, new or as they were.
    fn open<B: AutodiffBackend, O: Optimizer<PoolingCnn<B>, B>>(
        &self, fresh: CnnLearner<B, O>, device: &B::Device,
    ) -> anyhow::Result<(CnnLearner<B, O>, RunFolder)> {
        let folder = match &self.place {
            Place::Resumed { folder, before } => {
                let learner = folder.restore(fresh, device)?;
                let (done, epochs) = (learner.history().len(), self.config.training.epochs);
                if epochs < done {
                    let expected = format!("expected at least the {done} epochs that the run has trained");
                    bail!(UsageError(format!("--epochs: {expected}, found {epochs}")));
                }
                self.check_iterations(&learner)?;
                let mut config = self.config.clone();
                config.note_changes(before, done);
                folder.write_config(&config)?;
                return Ok((learner, folder.clone()));
            }
            Place::New(path) => create(path.as_deref(), &self.config, &fresh)?,
        };
        Ok((fresh, folder))
    }

    /// Checks that a checkpoint's number of iterations is that of its epochs: the schedule is advanced by it.
    fn check_iterations<B: AutodiffBackend, O: Optimizer<PoolingCnn<B>, B>>(
        &self, learner: &CnnLearner<B, O>,
    ) -> anyhow::Result<()> {
        let TrainingConfig { valid_size, batch_size, .. } = self.config.training;
        let steps = (self.config.data.train - valid_size).div_ceil(batch_size);
        let (expected, found) = (learner.history().len() * steps + learner.steps_done(), learner.iterations());
        // Earlier versions did not count them.
        if found != 0 && (found != expected || learner.steps_done() > steps) {
            bail!("the checkpoint: expected {expected} iterations of at most {steps} an epoch, found {found}");
        }
        Ok(())
    }

    fn train<B: AutodiffBackend, O: Optimizer<PoolingCnn<B>, B>>(
        &self, fresh: CnnLearner<B, O>, device: &B::Device,
    ) -> anyhow::Result<ExitCode> {
        let RunConfig { model, training: config, recipe, data, .. } = &self.config;
        let (mut learner, folder) = self.open(fresh, device)?;
        self.say(super::summary::keras(model)?);
        self.say(format_args!(
            "{} on {}: {} images, {} for validation, into {}",
            model.name,
            self.backend,
            data.train - config.valid_size,
            config.valid_size,
            folder.path().display()
        ));
        let training = recipe.training(config, data.train)?;
        let mut display = Display::new(self.quiet, config.epochs);
        let outcome = fit(&mut learner, &self.sets.train, &training, device, |event| {
            match event {
                Event::Step(step) => display.step(step),
                Event::Checkpoint(learner) => folder.save(learner)?,
                Event::Epoch { metrics, .. } => display.epoch(metrics),
            }
            Ok(interrupt::control())
        });
        drop(display);
        let outcome = match outcome {
            Err(error @ TrainingError::NotFinite { .. }) => {
                let again = format!("burn-pooling --resume {} --learning-rate RATE", terminal::quoted(folder.path()));
                return Err(anyhow::anyhow!("{error}, with: {again}"));
            }
            outcome => outcome?,
        };
        // The final test changes nothing: a signal ends it at once, and a run that is resumed does it again.
        let was_interrupted = interrupt::listen_no_more();
        match outcome {
            Outcome::Finished | Outcome::StoppedEarly if was_interrupted => return Ok(interrupted(&folder)),
            Outcome::Finished => {}
            Outcome::StoppedEarly => self.say(format_args!(
                "stopped early: no better epoch in {}",
                learner.history().len().saturating_sub(learner.best_epoch())
            )),
            Outcome::Interrupted => return Ok(interrupted(&folder)),
        }
        let (model, test) = (learner.best().valid(), &self.sets.test);
        let every: Vec<usize> = (0..test.len()).collect();
        let report = Report {
            network: self.config.model.name.clone(),
            backend: self.backend.to_string(),
            seed: config.seed,
            epochs: learner.history().len(),
            best_epoch: learner.best_epoch(),
            parameters: model.num_params(),
            train_images_per_second: learner.median_images_per_second(),
            test: evaluate(&model, test, &every, config.batch_size, device)?,
        };
        folder.write_report(&report)?;
        terminal::print(format_args!("\n{}", evaluation_table(&report.test, &self.config.data)));
        terminal::print(format_args!("run: {}", folder.path().display()));
        Ok(ExitCode::SUCCESS)
    }
}

/// Creates the folder of a new run: the one named, or one named by the time.
pub fn create<B: AutodiffBackend, O: Optimizer<PoolingCnn<B>, B>>(
    path: Option<&Path>, config: &RunConfig, learner: &CnnLearner<B, O>,
) -> anyhow::Result<RunFolder> {
    if let Some(path) = path {
        return RunFolder::create(path, config, learner).context("--out");
    }
    let time = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ");
    let name = format!("runs/{}-{time}", config.model.name);
    let (mut path, mut attempt) = (name.clone(), 1);
    loop {
        match RunFolder::create(Path::new(&path), config, learner) {
            Err(StorageError::Exists(_)) => attempt += 1, // several runs in one second
            result => return Ok(result?),
        }
        path = format!("{name}-{attempt}");
    }
}

fn interrupted(folder: &RunFolder) -> ExitCode {
    let resume = "interrupted; resume with: burn-pooling --resume";
    terminal::print(format_args!("{resume} {}", terminal::quoted(folder.path())));
    ExitCode::from(interrupt::EXIT_CODE)
}

impl BackendTask for Job {
    type Output = anyhow::Result<ExitCode>;

    fn run<B: AutodiffBackend>(self, device: B::Device) -> Self::Output {
        let model = self.config.model.init::<B>(&device)?;
        let model = glorot_uniform(model, self.config.training.seed);
        let recipe = &self.config.recipe;
        match recipe.optimizer {
            OptimizerKind::Adam | OptimizerKind::AdamW => {
                self.train(Learner::with_optimizer(model, recipe.adam().init()), &device)
            }
            OptimizerKind::Sgd => self.train(Learner::with_optimizer(model, recipe.sgd().init()), &device),
        }
    }
}
