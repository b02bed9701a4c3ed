//! A model and its optimizer, learning batch by batch.

use std::time::Duration;

use burn::module::{AutodiffModule, ModuleVisitor, Param};
use burn::optim::{GradientsParams, Optimizer, adaptor::OptimizerAdaptor};
use burn::tensor::Tensor;
use burn::tensor::backend::{AutodiffBackend, Backend};
use serde::{Deserialize, Serialize};

use super::adam::Adam;
use super::progress::{EpochMetrics, Progress};
use crate::cpu::threads::keep_workers_awake;
use crate::evaluation::{Evaluation, LabelError, Tally};
use crate::logits::Logits;
use crate::mnist::Batch;
use crate::model::Classifier;

/// How far a run has come.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Position {
    /// Steps of the current epoch.
    pub step: usize,
    /// What they counted.
    pub tally: Tally,
    /// How long they took.
    pub seconds: f64,
    /// The whole epochs.
    pub history: Vec<EpochMetrics>,
    /// The epoch whose weights are the best so far, from 1; 0 for none.
    pub best_epoch: usize,
}

/// A model and everything that its training needs to go on.
#[derive(Clone)]
pub struct Learner<B: AutodiffBackend, M: AutodiffModule<B>> {
    pub(super) model: M,
    pub(super) best: M,
    pub(super) optimizer: OptimizerAdaptor<Adam, M, B>,
    pub(super) position: Position,
}

impl<B: AutodiffBackend, M: AutodiffModule<B> + Classifier<B, Input = Tensor<B, 4>>> Learner<B, M> {
    /// A learner at its very beginning.
    pub fn new(model: M) -> Self {
        Self {
            best: model.clone(),
            model,
            optimizer: OptimizerAdaptor::from(Adam::default()),
            position: Position::default(),
        }
    }

    /// The model as it is now.
    pub fn model(&self) -> &M {
        &self.model
    }

    /// The model of the best epoch by validation accuracy (the first of equals); without validation images,
    /// of the last epoch.
    pub fn best(&self) -> &M {
        &self.best
    }

    /// The best epoch, from 1; 0 before the first has ended.
    pub fn best_epoch(&self) -> usize {
        self.position.best_epoch
    }

    /// The metrics of every whole epoch so far.
    pub fn history(&self) -> &[EpochMetrics] {
        &self.position.history
    }

    /// Median over the epochs of training images a second; 0 before the first has ended.
    pub fn median_images_per_second(&self) -> f64 {
        let mut speeds: Vec<f64> =
            (self.history().iter()).map(|metrics| metrics.images_per_second).collect();
        speeds.sort_unstable_by(f64::total_cmp);
        match speeds.len() {
            0 => 0.0,
            count => (speeds[(count - 1) / 2] + speeds[count / 2]) / 2.0,
        }
    }

    /// One step: forward, loss, backward, Adam. Returns the batch's mean cross-entropy before the step;
    /// where that is not finite, nothing is learned.
    ///
    /// On the CPU, and called on a thread of rayon's pool, a step keeps the pool's other threads awake: it is then
    /// faster (by 6 to 20 % on two cores). `rayon::ThreadPool::install`, or `use_current_thread` when the global pool is
    /// built, make a thread one of the pool's.
    ///
    /// # Errors
    /// [`LabelError`] if a label is not among the model's classes.
    pub fn step(&mut self, batch: Batch<B>, learning_rate: f64) -> Result<f64, LabelError> {
        keep_workers_awake::<B::InnerBackend, _>(|| self.step_on(batch, learning_rate))
    }

    fn step_on(&mut self, batch: Batch<B>, learning_rate: f64) -> Result<f64, LabelError> {
        let logits = self.model.logits(batch.images); // [batch, classes]
        let host_logits = Logits::read(logits.clone().inner());
        let loss = (self.position.tally).add(&host_logits, &batch.labels)?;
        if loss.is_finite() {
            // The host has the logits, so it has the loss's gradient too. This sum has the same gradient as the
            // loss, with two operations in the graph instead of a dozen.
            let gradient = host_logits.cross_entropy_gradient(&batch.labels);
            let gradient = Tensor::from_data(gradient, &logits.device()); // [batch, classes]
            let surrogate = (logits * gradient).sum();
            let gradients = GradientsParams::from_grads(surrogate.backward(), &self.model);
            // Moved out, not cloned: a second owner would forbid updating in place.
            let model = std::mem::replace(&mut self.model, self.best.clone());
            self.model = self.optimizer.step(learning_rate, model, gradients);
        }
        self.position.step += 1;
        Ok(loss)
    }

    /// Steps done in the current epoch.
    pub fn steps_done(&self) -> usize {
        self.position.step
    }

    pub(super) fn add_seconds(&mut self, duration: Duration) {
        self.position.seconds += duration.as_secs_f64();
    }

    pub(super) fn progress(&self, steps: usize) -> Progress<'static> {
        let Position { step, tally, .. } = &self.position;
        Progress::Step {
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

    /// The largest absolute value among the weights; not finite if any of them is not.
    pub(super) fn largest_weight(&self) -> f64 {
        let mut largest = LargestWeight(0.0);
        self.model.visit(&mut largest);
        largest.0
    }

    /// Closes the epoch: its metrics join the history, its weights become the best if they are.
    pub(super) fn finish_epoch(&mut self, validation: Option<Evaluation>) {
        let metrics = EpochMetrics {
            epoch: self.history().len() + 1,
            train_loss: self.position.tally.loss(),
            train_accuracy: self.position.tally.accuracy(),
            valid_loss: validation.as_ref().map(|evaluation| evaluation.loss),
            valid_accuracy: validation.as_ref().map(|evaluation| evaluation.accuracy),
            images_per_second: self.images_per_second(),
        };
        let best = self.history().iter().filter_map(|epoch| epoch.valid_accuracy);
        if metrics.valid_accuracy.is_none_or(|accuracy| best.clone().all(|best| accuracy > best)) {
            self.best = self.model.clone();
            self.position.best_epoch = metrics.epoch;
        }
        self.position.history.push(metrics);
        self.position.step = 0;
        self.position.tally = Tally::default();
        self.position.seconds = 0.0;
    }
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
