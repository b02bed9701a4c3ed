//! Adam in one pass over each tensor.

use burn::config::Config;
use burn::module::AutodiffModule;
use burn::optim::{LearningRate, SimpleOptimizer, adaptor::OptimizerAdaptor};
use burn::record::Record;
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{DType, Tensor, TensorData};

use crate::cpu::adam::{AdamStep, update};
use crate::cpu::bridge;
use crate::profile::{Work, timed};

/// Configuration of [`Adam`]; the defaults are those of Keras.
#[derive(Config, Copy, Debug, PartialEq)]
pub struct AdamConfig {
    /// Decay of the running mean of the gradient.
    #[config(default = 0.9)]
    pub beta_1: f32,
    /// Decay of the running mean of the squared gradient.
    #[config(default = 0.999)]
    pub beta_2: f32,
    /// Keeps the division from zero.
    #[config(default = 1e-7)]
    pub epsilon: f32,
    /// Weight decay; 0 for none.
    #[config(default = 0.0)]
    pub weight_decay: f32,
    /// Whether weight decay shrinks the weights directly (AdamW; Loshchilov, Hutter: *Decoupled weight decay
    /// regularization*, 2019) instead of being added to the gradient.
    #[config(default = true)]
    pub decoupled: bool,
}

impl AdamConfig {
    /// Returns the optimizer of a whole model; [`OptimizerAdaptor::with_grad_clipping`] adds gradient clipping.
    pub fn init<B: AutodiffBackend, M: AutodiffModule<B>>(&self) -> OptimizerAdaptor<Adam, M, B> {
        self.build().into()
    }

    /// Returns the optimizer of single tensors.
    pub fn build(&self) -> Adam {
        Adam { config: *self }
    }

    /// Returns the numbers of one step, counted from 1.
    fn step(&self, learning_rate: LearningRate, time: usize) -> AdamStep {
        let correction = |beta: f32| (1.0 / (1.0 - f64::from(beta).powf(time as f64))) as f32;
        let learning_rate = learning_rate as f32;
        let (decoupled, coupled) = match self.decoupled {
            true => (self.weight_decay, 0.0),
            false => (0.0, self.weight_decay),
        };
        AdamStep {
            beta_1: self.beta_1,
            beta_2: self.beta_2,
            epsilon: self.epsilon,
            rate: correction(self.beta_1) * learning_rate,
            correction_2: correction(self.beta_2),
            keep: 1.0 - learning_rate * decoupled,
            penalty: coupled,
        }
    }
}

/// Adam and AdamW in one pass over each tensor; made by [`AdamConfig::init`].
///
/// Kingma, Ba: *Adam: a method for stochastic optimization* (2015), algorithm 1. Burn's own Adam computes the
/// same in about ten operations, each of which allocates; on a CPU backend this one updates weights and moments in
/// place, in one loop.
#[derive(Clone, Debug)]
pub struct Adam {
    config: AdamConfig,
}

/// The state of [`Adam`] for one parameter.
#[derive(Record, Clone, Debug)]
pub struct AdamState<B: Backend, const D: usize> {
    /// Number of steps so far.
    pub time: usize,
    /// Running mean of the gradient; shaped as the parameter.
    pub moment_1: Tensor<B, D>,
    /// Running mean of the squared gradient; shaped as the parameter.
    pub moment_2: Tensor<B, D>,
}

impl<B: Backend> SimpleOptimizer<B> for Adam {
    type State<const D: usize> = AdamState<B, D>;

    fn step<const D: usize>(
        &self, learning_rate: LearningRate, weights: Tensor<B, D>, gradient: Tensor<B, D>,
        state: Option<AdamState<B, D>>,
    ) -> (Tensor<B, D>, Option<AdamState<B, D>>) {
        let zeros = || weights.zeros_like();
        let mut state = state.unwrap_or_else(|| AdamState { time: 0, moment_1: zeros(), moment_2: zeros() });
        state.time += 1;
        let step = self.config.step(learning_rate, state.time);
        let tensors = [&weights, &gradient, &state.moment_1, &state.moment_2];
        let all_f32 = tensors.iter().all(|tensor| tensor.dtype() == DType::F32);
        let (weights, state) = match bridge::is_cpu::<B>() && all_f32 {
            true => step_in_place(step, weights, gradient, state),
            false => step_composed(step, weights, gradient, state),
        };
        (weights, Some(state))
    }

    fn to_device<const D: usize>(state: AdamState<B, D>, device: &B::Device) -> AdamState<B, D> {
        AdamState {
            time: state.time,
            moment_1: state.moment_1.to_device(device),
            moment_2: state.moment_2.to_device(device),
        }
    }
}

fn step_composed<B: Backend, const D: usize>(
    step: AdamStep, weights: Tensor<B, D>, gradient: Tensor<B, D>, state: AdamState<B, D>,
) -> (Tensor<B, D>, AdamState<B, D>) {
    let gradient = match step.penalty == 0.0 {
        true => gradient,
        false => gradient + weights.clone() * step.penalty,
    };
    let squared = gradient.clone().square();
    let moment_1 = state.moment_1 * step.beta_1 + gradient * (1.0 - step.beta_1);
    let moment_2 = state.moment_2 * step.beta_2 + squared * (1.0 - step.beta_2);
    let scale = (moment_2.clone() * step.correction_2).sqrt() + step.epsilon;
    let weights = weights * step.keep - moment_1.clone() * step.rate / scale;
    (weights, AdamState { moment_1, moment_2, ..state })
}

fn step_in_place<B: Backend, const D: usize>(
    step: AdamStep, weights: Tensor<B, D>, gradient: Tensor<B, D>, state: AdamState<B, D>,
) -> (Tensor<B, D>, AdamState<B, D>) {
    let (device, shape) = (weights.device(), weights.dims());
    let gradient = gradient.into_data();
    let [mut weights, mut moment_1, mut moment_2] = [weights, state.moment_1, state.moment_2].map(Tensor::into_data);
    let bytes = 7 * shape.iter().product::<usize>() * size_of::<f32>(); // four read, three of them written
    let describe = || ("Adam".to_owned(), Work { multiply_adds: 0, bytes });
    let gradient = gradient.as_slice().expect("checked by the caller");
    timed(describe, || {
        update(step, values(&mut weights), gradient, values(&mut moment_1), values(&mut moment_2));
    });
    let [weights, moment_1, moment_2] = [weights, moment_1, moment_2]
        .map(|data| bridge::tensor(data.into_vec().expect("just updated as f32"), shape, &device));
    (weights, AdamState { moment_1, moment_2, ..state })
}

fn values(data: &mut TensorData) -> &mut [f32] {
    data.as_mut_slice().expect("checked by the caller")
}
