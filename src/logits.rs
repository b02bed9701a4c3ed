//! Logits on the host, read from the device once: for the loss, its gradient, and the predictions.

use burn::tensor::{Tensor, TensorData, backend::Backend};

/// The logits of a batch, on the host.
#[derive(Clone, Debug)]
pub struct Logits {
    values: Vec<f32>,
    shape: [usize; 2],
}

impl Logits {
    /// Reads them back from the device; waits for it.
    ///
    /// # Shapes
    /// - logits: `[batch, classes]`
    pub fn read<B: Backend>(logits: Tensor<B, 2>) -> Self {
        let shape = logits.dims();
        let data = logits.into_data().convert::<f32>();
        Self { values: data.into_vec().expect("just converted to f32"), shape }
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.shape[1]
    }

    /// The logits of one sample after the other.
    pub fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.classes().max(1))
    }

    /// The gradient of the mean cross-entropy by the logits: `(softmax - one hot) / batch`.
    ///
    /// # Shapes
    /// - labels: `[batch]`, each one of the classes (others count as no class)
    /// - output: `[batch, classes]`
    pub fn cross_entropy_gradient(&self, labels: &[u8]) -> TensorData {
        let share = 1.0 / self.shape[0] as f32;
        let mut gradient = Vec::with_capacity(self.values.len());
        for (row, &label) in self.rows().zip(labels) {
            let start = gradient.len();
            let largest = maximum(row);
            gradient.extend(row.iter().map(|logit| (logit - largest).exp()));
            let probabilities = &mut gradient[start..];
            let scale = share / probabilities.iter().sum::<f32>();
            probabilities.iter_mut().for_each(|value| *value *= scale);
            if let Some(target) = probabilities.get_mut(usize::from(label)) {
                *target -= share;
            }
        }
        TensorData::new(gradient, self.shape)
    }
}

/// `ln(sum(exp(logits))) - logits[target]` in nats; in f64, so that the sum over a data set stays exact.
pub(crate) fn cross_entropy(logits: &[f32], target: usize) -> f64 {
    let largest = maximum(logits);
    let sum: f64 = logits.iter().map(|&logit| f64::from(logit - largest).exp()).sum();
    sum.ln() + f64::from(largest - logits[target])
}

/// The first of the largest.
pub(crate) fn argmax(logits: &[f32]) -> usize {
    let better = |best, class| match logits[class] > logits[best] {
        true => class,
        false => best,
    };
    (1..logits.len()).fold(0, better)
}

fn maximum(logits: &[f32]) -> f32 {
    logits.iter().copied().fold(f32::NEG_INFINITY, f32::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cross_entropy_survives_large_logits() {
        // By hand: two equal logits far above the third leave probability 1/2 each.
        assert!((cross_entropy(&[1e4, 1e4, 0.0], 0) - 2f64.ln()).abs() < 1e-12);
        assert!(cross_entropy(&[f32::NAN, 0.0], 1).is_nan());
        assert!(!cross_entropy(&[f32::INFINITY, 0.0], 1).is_finite());
    }

    #[test]
    fn ties_go_to_the_first_class() {
        assert_eq!(argmax(&[0.0, 2.0, 2.0]), 1);
    }

    #[cfg(feature = "flex")]
    #[test]
    fn the_gradient_is_that_of_burns_cross_entropy() {
        use burn::nn::loss::CrossEntropyLossConfig;
        use burn::tensor::{Int, Tensor};
        type Backend = burn_autodiff::Autodiff<burn_flex::Flex>;

        let device = Default::default();
        let values = [[0.5, -2.0, 30.0], [1.0, 1.0, 1.0], [-90.0, 0.0, 3.0]];
        let logits = Tensor::<Backend, 2>::from_floats(values, &device).require_grad();
        let targets = Tensor::<Backend, 1, Int>::from_ints([2, 0, 1], &device);
        let loss = CrossEntropyLossConfig::new().init(&device);
        let expected = logits.grad(&loss.forward(logits.clone(), targets).backward());
        let expected = expected.unwrap().into_data().to_vec::<f32>().unwrap();
        let found = Logits::read(logits).cross_entropy_gradient(&[2, 0, 1]);
        for (found, expected) in found.iter::<f32>().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "{found} instead of {expected}");
        }
    }
}
