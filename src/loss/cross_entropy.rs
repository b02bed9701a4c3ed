//! Softmax cross-entropy, with label smoothing and class weights as PyTorch defines them.

use burn::tensor::activation::log_softmax;
use burn::tensor::{Tensor, TensorData, backend::Backend};

use super::logits::Logits;
use super::objective::{HostLoss, Loss};

/// The mean cross-entropy of the softmax of the logits, in nats.
///
/// With label smoothing `s`, class weights `w` (1 where there are none) and `C` classes, a sample of class `y` with
/// the probabilities `p` has the loss `-(1 - s) w[y] ln p[y] - s / C * sum_c w[c] ln p[c]`; the mean of a batch
/// divides the sum by the weights of its labels. This is the definition of `torch.nn.CrossEntropyLoss`. Label
/// smoothing: Szegedy et al., *Rethinking the Inception architecture for computer vision* (2016), section 7.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CrossEntropy {
    smoothing: f32,
    weights: Vec<f32>,
}

/// Options that define no cross-entropy.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CrossEntropyError {
    /// The label smoothing is out of range.
    #[error("label smoothing: expected a number from 0 up to, not including, 1, found {0}")]
    Smoothing(f32),
    /// A class weight is negative or not finite.
    #[error("class weights: expected finite numbers, none below 0, found {0}")]
    Weight(f32),
}

impl CrossEntropy {
    /// Returns the plain cross-entropy: no label smoothing, all classes alike.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the label smoothing, 0 to 1 (not included).
    ///
    /// # Errors
    /// [`CrossEntropyError::Smoothing`] if it is out of range.
    pub fn with_label_smoothing(self, smoothing: f32) -> Result<Self, CrossEntropyError> {
        match (0.0..1.0).contains(&smoothing) {
            true => Ok(Self { smoothing, ..self }),
            false => Err(CrossEntropyError::Smoothing(smoothing)),
        }
    }

    /// Sets a weight for each class; classes beyond the last weigh 1.
    ///
    /// # Errors
    /// [`CrossEntropyError::Weight`] if a weight is negative or not finite.
    pub fn with_class_weights(self, weights: Vec<f32>) -> Result<Self, CrossEntropyError> {
        match weights.iter().find(|weight| !(weight.is_finite() && **weight >= 0.0)) {
            Some(&weight) => Err(CrossEntropyError::Weight(weight)),
            None => Ok(Self { weights, ..self }),
        }
    }

    fn weight(&self, class: usize) -> f32 {
        self.weights.get(class).copied().unwrap_or(1.0)
    }

    /// The part of a label's target that its own class has, and the part of every class.
    fn target(&self, label: usize, classes: usize) -> (f32, impl Fn(usize) -> f32) {
        let spread = self.smoothing / classes as f32;
        ((1.0 - self.smoothing) * self.weight(label), move |class| spread * self.weight(class))
    }

    fn total_weight(&self, labels: &[usize]) -> f32 {
        labels.iter().map(|&label| self.weight(label)).sum()
    }
}

impl<B: Backend> Loss<B> for CrossEntropy {
    fn forward(&self, logits: Tensor<B, 2>, labels: &[usize]) -> Tensor<B, 1> {
        let [batch, classes] = logits.dims();
        let scale = 1.0 / self.total_weight(labels);
        let row = |&label: &usize| {
            let (own, of) = self.target(label, classes);
            let target = move |class| of(class) + if class == label { own } else { 0.0 };
            (0..classes).map(move |class| scale * target(class))
        };
        let targets = TensorData::new(labels.iter().flat_map(row).collect(), [batch, classes]);
        let targets = Tensor::from_data(targets, &logits.device());
        (log_softmax(logits, 1) * targets).sum().neg()
    }

    fn on_host(&self) -> Option<&dyn HostLoss> {
        Some(self)
    }
}

impl HostLoss for CrossEntropy {
    fn mean(&self, logits: &Logits, labels: &[usize]) -> f64 {
        let mut sum = 0.0;
        for (row, &label) in logits.rows().zip(labels) {
            let (own, of) = self.target(label, row.len());
            let largest = maximum(row);
            // In f64, so that the sum over a data set stays exact.
            let exponentials = row.iter().map(|&logit| f64::from(logit - largest).exp());
            let log_sum = exponentials.sum::<f64>().ln();
            let of_class = |class: usize| log_sum + f64::from(largest - row[class]);
            sum += f64::from(own) * of_class(label);
            if self.smoothing > 0.0 {
                let parts = (0..row.len()).map(|class| f64::from(of(class)) * of_class(class));
                sum += parts.sum::<f64>();
            }
        }
        sum / f64::from(self.total_weight(labels))
    }

    fn gradient(&self, logits: &Logits, labels: &[usize]) -> TensorData {
        let [batch, classes] = logits.dims();
        let share = 1.0 / self.total_weight(labels);
        let mut gradient = Vec::with_capacity(batch * classes);
        for (row, &label) in logits.rows().zip(labels) {
            let (own, of) = self.target(label, classes);
            let whole = match self.smoothing > 0.0 {
                true => own + (0..classes).map(&of).sum::<f32>(),
                false => own,
            };
            let start = gradient.len();
            let largest = maximum(row);
            gradient.extend(row.iter().map(|logit| (logit - largest).exp()));
            let probabilities = &mut gradient[start..];
            let scale = whole * share / probabilities.iter().sum::<f32>();
            for (class, value) in probabilities.iter_mut().enumerate() {
                *value = *value * scale - of(class) * share;
            }
            probabilities[label] -= own * share;
        }
        TensorData::new(gradient, [batch, classes])
    }
}

fn maximum(logits: &[f32]) -> f32 {
    logits.iter().copied().fold(f32::NEG_INFINITY, f32::max)
}
