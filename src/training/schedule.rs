//! Learning rates that change from step to step.

use std::f64::consts::PI;

use burn::lr_scheduler::LrScheduler;
use burn::tensor::backend::Backend;
use serde::{Deserialize, Serialize};

/// How the learning rate changes over the training.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScheduleKind {
    /// It does not.
    #[default]
    Constant,
    /// Half a cosine from the learning rate to 0 (Loshchilov, Hutter: *SGDR*, 2017).
    Cosine,
    /// A tenth after half of the training, a hundredth after three quarters (He et al.: *Deep residual learning for
    /// image recognition*, 2016, section 4.2).
    Step,
    /// From a 25th up to the learning rate in the first 30 % of the training, then down to 1/250,000 of it, each by
    /// half a cosine (Smith, Topin: *Super-convergence*, 2018; the defaults of `torch.optim.lr_scheduler.OneCycleLR`).
    OneCycle,
}

/// A learning rate schedule over a known number of steps, after an optional linear warm-up; a Burn scheduler.
///
/// ```
/// use burn::lr_scheduler::LrScheduler;
/// use burn_pooling::training::{Schedule, ScheduleKind};
///
/// let mut schedule = Schedule::new(ScheduleKind::Cosine, 0.1, 4);
/// let rates: Vec<f64> = (0..4).map(|_| schedule.step()).collect();
/// assert_eq!(rates[0], 0.1);
/// assert!((rates[2] - 0.05).abs() < 1e-12); // half way
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    kind: ScheduleKind,
    learning_rate: f64,
    steps: usize,
    warmup_steps: usize,
    step: usize,
}

impl Schedule {
    /// Returns a schedule over `steps` steps, whose highest learning rate is `learning_rate`.
    pub fn new(kind: ScheduleKind, learning_rate: f64, steps: usize) -> Self {
        Self { kind, learning_rate, steps, warmup_steps: 0, step: 0 }
    }

    /// Returns the same learning rate for every step.
    pub fn constant(learning_rate: f64) -> Self {
        Self::new(ScheduleKind::Constant, learning_rate, 0)
    }

    /// Puts a linear warm-up before the schedule: the first `steps` of all steps rise evenly to the learning rate
    /// (Goyal et al.: *Accurate, large minibatch SGD*, 2017, section 2.2).
    pub fn with_warmup(self, steps: usize) -> Self {
        Self { warmup_steps: steps, ..self }
    }

    /// Returns the learning rate of a step, from 0; after the last step that of the last.
    pub fn at(&self, step: usize) -> f64 {
        if step < self.warmup_steps {
            return self.learning_rate * (step + 1) as f64 / self.warmup_steps as f64;
        }
        let steps = self.steps.saturating_sub(self.warmup_steps).max(1);
        let done = (step - self.warmup_steps).min(steps - 1) as f64;
        let cosine = |share: f64| (1.0 + (PI * share).cos()) / 2.0; // 1 to 0
        self.learning_rate
            * match self.kind {
                ScheduleKind::Constant => 1.0,
                ScheduleKind::Cosine => cosine(done / steps as f64),
                ScheduleKind::Step => match done / steps as f64 {
                    ..0.5 => 1.0,
                    ..0.75 => 0.1,
                    _ => 0.01,
                },
                ScheduleKind::OneCycle => {
                    let (start, end) = (1.0 / 25.0, 1.0 / 25e4);
                    let peak = (0.3 * steps as f64 - 1.0).max(0.0);
                    let last = (steps - 1) as f64;
                    match done <= peak && peak > 0.0 {
                        true => 1.0 + (start - 1.0) * cosine(done / peak),
                        false => end + (1.0 - end) * cosine((done - peak) / (last - peak).max(1.0)),
                    }
                }
            }
    }
}

impl LrScheduler for Schedule {
    type Record<B: Backend> = usize;

    fn step(&mut self) -> f64 {
        self.step += 1;
        self.at(self.step - 1)
    }

    fn to_record<B: Backend>(&self) -> usize {
        self.step
    }

    fn load_record<B: Backend>(self, step: usize) -> Self {
        Self { step, ..self }
    }
}
