//! A model and its optimizer, trained batch by batch.

use std::marker::PhantomData;
use std::time::Duration;

use burn::module::{AutodiffModule, Module, ModuleVisitor, Param};
use burn::optim::{GradientsParams, Optimizer, adaptor::OptimizerAdaptor};
use burn::tensor::Tensor;
use burn::tensor::backend::{AutodiffBackend, Backend};
use serde::{Deserialize, Serialize};
use web_time::Instant;

use super::adam::{Adam, AdamConfig};
use super::config::BestBy;
use super::event::{EpochMetrics, Step};
use crate::cpu::threads::keep_workers_awake;
use crate::data::Batch;
use crate::evaluation::{Evaluation, Tally, scalar};
use crate::loss::{LabelError, Logits, Loss};
use crate::model::Classifier;
use crate::profile::{Work, timed};
use crate::statistics::Spread;

/// More iterations than a training run has, and few enough to advance a scheduler by them.
const MOST_ITERATIONS: usize = u32::MAX as usize;

/// How far a training run has come.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Position {
    /// Steps of the current epoch.
    pub step: usize,
    /// Steps of all epochs.
    #[serde(default)]
    pub iterations: usize,
    /// What the steps of the current epoch counted.
    pub tally: Tally,
    /// How long they took.
    pub seconds: f64,
    /// The whole epochs.
    pub history: Vec<EpochMetrics>,
    /// The best epoch so far, from 1; 0 for none.
    pub best_epoch: usize,
}

impl Position {
    /// Checks that training could have come here.
    pub fn check(&self) -> Result<(), String> {
        let Self { step, iterations, tally, history, best_epoch, .. } = self;
        // Earlier versions did not count the iterations.
        let counts = *iterations == 0 || *step <= *iterations && *iterations <= MOST_ITERATIONS;
        let epochs = history.iter().enumerate().all(|(index, metrics)| metrics.epoch == index + 1);
        // An epoch that counts steps without samples would never end.
        let tallied = tally.is_consistent() && (*step == 0) == (tally.count() == 0);
        match counts && epochs && *best_epoch <= history.len() && tallied {
            true => Ok(()),
            false => Err("a position that no training reaches".to_owned()),
        }
    }
}

/// A model, its optimizer, and everything else that training needs to continue.
///
/// [`fit`](super::fit) drives it; a loop of your own calls [`step`](Self::step) and
/// [`finish_epoch`](Self::finish_epoch) and has the history, the best model and checkpoints as well.
#[derive(Clone)]
pub struct Learner<B, M, O = OptimizerAdaptor<Adam, M, B>>
where
    B: AutodiffBackend,
    M: AutodiffModule<B>,
    O: Optimizer<M, B>,
{
    pub(super) model: M,
    pub(super) best: M,
    pub(super) optimizer: O,
    pub(super) position: Position,
    pub(super) backend: PhantomData<fn() -> B>,
}

impl<B: AutodiffBackend, M: AutodiffModule<B>> Learner<B, M> {
    /// Returns a learner at the beginning, with [`Adam`].
    pub fn new(model: M) -> Self {
        Self::with_optimizer(model, AdamConfig::new().init())
    }
}

impl<B: AutodiffBackend, M: AutodiffModule<B>, O: Optimizer<M, B>> Learner<B, M, O> {
    /// Returns a learner at the beginning, with any Burn optimizer.
    pub fn with_optimizer(model: M, optimizer: O) -> Self {
        let position = Position::default();
        Self { best: detached(&model), model, optimizer, position, backend: PhantomData }
    }

    /// Returns the model as it is now.
    pub fn model(&self) -> &M {
        &self.model
    }

    /// Returns the model of the best epoch; without validation, of the last epoch.
    pub fn best(&self) -> &M {
        &self.best
    }

    /// Returns the best epoch, from 1; 0 before the first has ended.
    pub fn best_epoch(&self) -> usize {
        self.position.best_epoch
    }

    /// Returns the metrics of every whole epoch so far.
    pub fn history(&self) -> &[EpochMetrics] {
        &self.position.history
    }

    /// Returns the number of steps done in the current epoch.
    pub fn steps_done(&self) -> usize {
        self.position.step
    }

    /// Returns the number of steps done in all epochs.
    pub fn iterations(&self) -> usize {
        self.position.iterations
    }

    /// Returns the median over the epochs of training images per second; 0 before the first has ended.
    pub fn median_images_per_second(&self) -> f64 {
        let speeds = self.history().iter().map(|metrics| metrics.images_per_second);
        Spread::of(speeds.collect()).map_or(0.0, |spread| spread.median)
    }

    /// Adds time that the steps of this epoch took elsewhere, such as for gathering batches.
    pub fn add_time(&mut self, duration: Duration) {
        self.position.seconds += duration.as_secs_f64();
    }

    /// Ends the epoch: its metrics join the history, its weights become the best if they are. Does nothing without a step.
    pub fn finish_epoch(&mut self, validation: Option<&Evaluation>, best_by: BestBy) {
        if self.position.tally.count() == 0 {
            return;
        }
        let metrics = EpochMetrics {
            epoch: self.history().len() + 1,
            train_loss: self.position.tally.loss(),
            train_accuracy: self.position.tally.accuracy(),
            valid_loss: validation.map(|evaluation| evaluation.loss),
            valid_accuracy: validation.map(|evaluation| evaluation.accuracy),
            images_per_second: self.images_per_second(),
        };
        let figure = |metrics: &EpochMetrics| match best_by {
            BestBy::Accuracy => metrics.valid_accuracy,
            BestBy::Loss => metrics.valid_loss.map(|loss| -loss),
        };
        // A figure that is not a number is worse than every other.
        let mut before = self.history().iter().filter_map(figure).filter(|before| !before.is_nan());
        let is_better =
            |figure: f64| before.all(|before| figure > before) && (!figure.is_nan() || self.history().is_empty());
        if figure(&metrics).is_none_or(is_better) {
            self.best = detached(&self.model);
            self.position.best_epoch = metrics.epoch;
        }
        self.position.history.push(metrics);
        self.position.step = 0;
        self.position.tally = Tally::default();
        self.position.seconds = 0.0;
    }

    pub(super) fn progress(&self, steps: usize) -> Step {
        let Position { step, tally, .. } = &self.position;
        Step {
            epoch: self.history().len() + 1,
            step: *step,
            steps,
            loss: tally.loss(),
            accuracy: tally.accuracy(),
            images_per_second: self.images_per_second(),
        }
    }

    fn images_per_second(&self) -> f64 {
        self.position.tally.count() as f64 / self.position.seconds
    }
}

impl<B: AutodiffBackend, M: AutodiffModule<B> + Classifier<B>, O: Optimizer<M, B>> Learner<B, M, O> {
    /// Does one step: forward, loss, backward, optimizer. Returns the batch's mean loss before the step; where that is
    /// not finite, nothing is learned.
    ///
    /// On the CPU, and called on a thread of rayon's pool, a step keeps the pool's other threads awake: it is then
    /// faster (by 6 to 20 % on two cores). `rayon::ThreadPool::install`, or `use_current_thread` when the global pool is
    /// built, make a thread one of the pool's.
    ///
    /// # Errors
    /// [`LabelError`] if a label is not among the model's classes; then nothing is learned.
    pub fn step<L: Loss<B>>(
        &mut self, batch: Batch<M::Input>, learning_rate: f64, loss: &L,
    ) -> Result<f64, LabelError> {
        let start = Instant::now();
        let value = keep_workers_awake::<B::InnerBackend, _>(|| self.step_on(batch, learning_rate, loss))?;
        self.position.step += 1;
        self.position.iterations += 1;
        self.add_time(start.elapsed());
        Ok(value)
    }

    fn step_on<L: Loss<B>>(
        &mut self, Batch { inputs, labels }: Batch<M::Input>, learning_rate: f64, loss: &L,
    ) -> Result<f64, LabelError> {
        let logits = self.model.logits(inputs); // [batch, classes]
        let on_host = Logits::read(logits.clone().inner());
        on_host.check_labels(&labels)?;
        let describe = || ("loss".to_owned(), Work::default());
        let (value, objective) = timed(describe, || match loss.on_host() {
            Some(loss) => {
                // The host has the logits, so it has the loss's gradient too. This sum has the same gradient as the
                // loss, with two operations in the graph instead of a dozen.
                let gradient = loss.gradient(&on_host, &labels);
                let gradient = Tensor::from_data(gradient, &logits.device()); // [batch, classes]
                (loss.mean(&on_host, &labels), (logits * gradient).sum())
            }
            None => {
                let objective = loss.forward(logits, &labels);
                (scalar(objective.clone().inner()), objective)
            }
        });
        if value.is_finite() {
            self.position.tally.add(&on_host, &labels, value)?;
            let gradients = GradientsParams::from_grads(objective.backward(), &self.model);
            // Moved out, not cloned: a second owner would forbid updating in place.
            let model = std::mem::replace(&mut self.model, self.best.clone());
            self.model = self.optimizer.step(learning_rate, model, gradients);
        }
        Ok(value)
    }
}

/// A copy that shares nothing: a clone would share the running statistics of batch normalisation.
fn detached<B: AutodiffBackend, M: AutodiffModule<B>>(model: &M) -> M {
    M::from_inner(model.valid())
}

/// The largest absolute value among the weights; not finite if any of them is not.
pub(super) fn largest_weight<B: Backend, M: Module<B>>(model: &M) -> f64 {
    let mut largest = LargestWeight(0.0);
    model.visit(&mut largest);
    largest.0
}

struct LargestWeight(f64);

impl<B: Backend> ModuleVisitor<B> for LargestWeight {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        let data = param.val().into_data().convert::<f32>();
        for value in data.iter::<f32>() {
            let value = f64::from(value.abs());
            // A NaN, once met, stays: no comparison with it is true.
            if value.is_nan() || value > self.0 {
                self.0 = value;
            }
        }
    }
}
