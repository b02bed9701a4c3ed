//! Adam in one pass over each tensor.

use burn::config::Config;
use burn::module::AutodiffModule;
use burn::optim::adaptor::OptimizerAdaptor;
use burn::optim::{LearningRate, SimpleOptimizer};
use burn::record::Record;
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{DType, Tensor, TensorData};
use rayon::prelude::*;

use crate::cpu::bridge;

/// Values that one thread updates at a time.
const PART: usize = 1 << 14;

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
    /// Returns the optimizer of a whole model, with the gradient clipping of [`OptimizerAdaptor`] to choose.
    pub fn init<B: AutodiffBackend, M: AutodiffModule<B>>(&self) -> OptimizerAdaptor<Adam, M, B> {
        Adam { config: *self }.into()
    }
}

/// Adam and AdamW in one pass over each tensor; made by [`AdamConfig::init`].
///
/// Kingma, Ba: *Adam: a method for stochastic optimization* (2015), algorithm 1. Burn's own Adam computes the
/// same in about ten operations, each of which allocates; on a CPU backend this one updates weights and
/// moments in place, in one loop.
#[derive(Clone, Debug)]
pub struct Adam {
    config: AdamConfig,
}

/// What Adam remembers of one parameter.
#[derive(Record, Clone, Debug)]
pub struct AdamState<B: Backend, const D: usize> {
    /// Steps so far.
    pub time: usize,
    /// Running mean of the gradient; shaped as the parameter.
    pub moment_1: Tensor<B, D>,
    /// Running mean of the squared gradient; shaped as the parameter.
    pub moment_2: Tensor<B, D>,
}

impl<B: Backend> SimpleOptimizer<B> for Adam {
    type State<const D: usize> = AdamState<B, D>;

    fn step<const D: usize>(
        &self,
        learning_rate: LearningRate,
        weights: Tensor<B, D>,
        gradient: Tensor<B, D>,
        state: Option<AdamState<B, D>>,
    ) -> (Tensor<B, D>, Option<AdamState<B, D>>) {
        let mut state = state.unwrap_or_else(|| AdamState {
            time: 0,
            moment_1: weights.zeros_like(),
            moment_2: weights.zeros_like(),
        });
        state.time += 1;
        let rates = Rates::new(self.config, learning_rate, state.time);
        let in_place = bridge::is_cpu::<B>()
            && [&weights, &gradient, &state.moment_1, &state.moment_2]
                .iter()
                .all(|tensor| tensor.dtype() == DType::F32);
        let (weights, state) = match in_place {
            true => step_in_place(rates, weights, gradient, state),
            false => step_composed(rates, weights, gradient, state),
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

/// The numbers of one step.
#[derive(Clone, Copy)]
struct Rates {
    config: AdamConfig,
    learning_rate: f32,
    /// Corrections of the moments' bias towards zero.
    correction_1: f32,
    correction_2: f32,
    /// What is left of a weight by decoupled weight decay.
    keep: f32,
    /// Part of a weight that is added to its gradient.
    penalty: f32,
}

impl Rates {
    fn new(config: AdamConfig, learning_rate: f64, time: usize) -> Self {
        let correction = |beta: f32| (1.0 / (1.0 - f64::from(beta).powf(time as f64))) as f32;
        let decay = config.weight_decay;
        Self {
            config,
            learning_rate: learning_rate as f32,
            correction_1: correction(config.beta_1),
            correction_2: correction(config.beta_2),
            keep: if config.decoupled { 1.0 - learning_rate as f32 * decay } else { 1.0 },
            penalty: if config.decoupled { 0.0 } else { decay },
        }
    }
}

fn step_composed<B: Backend, const D: usize>(
    rates: Rates,
    weights: Tensor<B, D>,
    gradient: Tensor<B, D>,
    state: AdamState<B, D>,
) -> (Tensor<B, D>, AdamState<B, D>) {
    let AdamConfig { beta_1, beta_2, epsilon, .. } = rates.config;
    let gradient = match rates.penalty == 0.0 {
        true => gradient,
        false => gradient + weights.clone() * rates.penalty,
    };
    let squared = gradient.clone().square();
    let moment_1 = state.moment_1 * beta_1 + gradient * (1.0 - beta_1);
    let moment_2 = state.moment_2 * beta_2 + squared * (1.0 - beta_2);
    let scale = (moment_2.clone() * rates.correction_2).sqrt() + epsilon;
    let step = moment_1.clone() * (rates.correction_1 * rates.learning_rate) / scale;
    let state = AdamState { moment_1, moment_2, ..state };
    (weights * rates.keep - step, state)
}

fn step_in_place<B: Backend, const D: usize>(
    rates: Rates,
    weights: Tensor<B, D>,
    gradient: Tensor<B, D>,
    state: AdamState<B, D>,
) -> (Tensor<B, D>, AdamState<B, D>) {
    let (device, shape) = (weights.device(), weights.dims());
    let mut weights = weights.into_data();
    let gradient = gradient.into_data();
    let mut moment_1 = state.moment_1.into_data();
    let mut moment_2 = state.moment_2.into_data();
    update(rates, &mut weights, &gradient, &mut moment_1, &mut moment_2);
    let tensor = |data: TensorData| {
        let values = data.into_vec().expect("just updated as f32");
        bridge::tensor(values, shape, &device)
    };
    let state =
        AdamState { time: state.time, moment_1: tensor(moment_1), moment_2: tensor(moment_2) };
    (tensor(weights), state)
}

fn update(
    rates: Rates,
    weights: &mut TensorData,
    gradient: &TensorData,
    moment_1: &mut TensorData,
    moment_2: &mut TensorData,
) {
    const F32: &str = "checked by the caller";
    let gradient = gradient.as_slice::<f32>().expect(F32);
    let weights = weights.as_mut_slice::<f32>().expect(F32);
    let moment_1 = moment_1.as_mut_slice::<f32>().expect(F32);
    let moment_2 = moment_2.as_mut_slice::<f32>().expect(F32);
    let parts = (weights.par_chunks_mut(PART).zip(gradient.par_chunks(PART)))
        .zip(moment_1.par_chunks_mut(PART).zip(moment_2.par_chunks_mut(PART)));
    parts.for_each(|((weights, gradient), (moment_1, moment_2))| {
        update_part(rates, weights, gradient, moment_1, moment_2);
    });
}

fn update_part(
    rates: Rates,
    weights: &mut [f32],
    gradient: &[f32],
    moment_1: &mut [f32],
    moment_2: &mut [f32],
) {
    let AdamConfig { beta_1, beta_2, epsilon, .. } = rates.config;
    let rate = rates.correction_1 * rates.learning_rate;
    let moments = moment_1.iter_mut().zip(moment_2);
    for ((weight, &gradient), (moment_1, moment_2)) in weights.iter_mut().zip(gradient).zip(moments)
    {
        let gradient = gradient + *weight * rates.penalty;
        *moment_1 = normal_or_zero(*moment_1 * beta_1 + gradient * (1.0 - beta_1));
        *moment_2 = normal_or_zero(*moment_2 * beta_2 + gradient * gradient * (1.0 - beta_2));
        let scale = (*moment_2 * rates.correction_2).sqrt() + epsilon;
        *weight = *weight * rates.keep - *moment_1 * rate / scale;
    }
}

/// Zero for what is too small to have all its digits. The moments of a weight that gets no more gradients would
/// else shrink to the smallest number there is and stay there, and a processor takes a hundred times as long for
/// such numbers.
#[inline(always)]
fn normal_or_zero(value: f32) -> f32 {
    match value.abs() < f32::MIN_POSITIVE {
        true => 0.0,
        false => value,
    }
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use burn::optim::AdamConfig;
    use burn_flex::Flex;

    /// Both ways of this Adam stay with Burn's over many steps, also where gradients are tiny or zero.
    #[test]
    fn agrees_with_burns_adam() {
        let device = Default::default();
        let burns = AdamConfig::new().with_epsilon(EPSILON).build();
        let start = Tensor::<Flex, 2>::from_floats([[0.5, -2.0, 1e-3], [0.0, 3.0, 1.0]], &device);
        let scale = Tensor::from_floats([[1.0, 1e-6, 1e3], [1.0, 0.0, -1.0]], &device);
        let (mut expected, mut burns_state) = (start.clone(), None);
        let (mut in_place, mut state) = (start.clone(), None);
        let (mut composed, mut composed_state) = (start.clone(), None);
        for step in 1..=50 {
            let gradient = start.clone() * (step as f32).sin() * scale.clone();
            (expected, burns_state) = burns.step(1e-2, expected, gradient.clone(), burns_state);
            (in_place, state) = Adam {}.step(1e-2, in_place, gradient.clone(), state);
            let zeros = || AdamState {
                time: 0,
                moment_1: start.zeros_like(),
                moment_2: start.zeros_like(),
            };
            let mut before: AdamState<Flex, 2> = composed_state.unwrap_or_else(zeros);
            before.time += 1;
            let (weights, after) =
                step_composed(Rates::new(1e-2, before.time), composed, gradient, before);
            (composed, composed_state) = (weights, Some(after));
        }
        let expected = expected.into_data().to_vec::<f32>().unwrap();
        for found in [in_place, composed] {
            let found = found.into_data().to_vec::<f32>().unwrap();
            for (found, expected) in found.iter().zip(&expected) {
                assert!((found - expected).abs() < 1e-5, "{found} instead of {expected}");
            }
        }
    }

    /// The moments of a weight whose gradients have ended end too, instead of lingering as subnormal numbers.
    #[test]
    fn moments_without_gradients_become_zero() {
        let device = Default::default();
        let mut weights = Tensor::<Flex, 1>::from_floats([1.0], &device);
        let mut state = None;
        for step in 0..1_000 {
            let gradient = if step == 0 { 1e-3 } else { 0.0 };
            let gradient = Tensor::from_floats([gradient], &device);
            (weights, state) = Adam {}.step(1e-3, weights, gradient, state);
        }
        assert_eq!(state.unwrap().moment_1.into_scalar(), 0.0);
    }

    /// A tensor that several threads update is updated as a small one is, to its last value.
    #[test]
    fn large_tensors_are_updated_like_small_ones() {
        let device = Default::default();
        let count = 2 * PART + 3;
        let values = |count| Tensor::<Flex, 1>::ones([count], &device);
        let (large, _) = Adam {}.step(1e-3, values(count), values(count) * 0.5, None);
        let (small, _) = Adam {}.step(1e-3, values(1), values(1) * 0.5, None);
        let small: f32 = small.into_scalar();
        assert!(small < 1.0);
        let large = large.into_data().to_vec::<f32>().unwrap();
        assert_eq!(large, vec![small; count]);
    }
}
