//! Networks in the learner of Burn's crate `burn-train`, with its metrics, checkpoints and early stopping.
//!
//! [`PoolingCnn`] implements its [`TrainStep`] and [`InferenceStep`]. For a [`Classifier`] of your own, implement the two
//! with [`train_step`] and [`inference_step`]. A whole training is in `examples/burn_train.rs`.
//!
//! ```
//! # #[cfg(all(feature = "flex", feature = "bundled-mnist"))] {
//! use burn::data::dataloader::batcher::Batcher;
//! use burn_dataset::Dataset;
//! use burn_pooling::backend::{Autodiff, Flex};
//! use burn_pooling::mnist::{ImageBatcher, ImageSets};
//! use burn_pooling::model::{PoolingCnnConfig, Variant};
//! use burn_train::TrainStep;
//!
//! let device = Default::default();
//! let images = ImageSets::load(None)?.train;
//! let batch = ImageBatcher.batch(images.iter().take(8).collect(), &device);
//! let model = PoolingCnnConfig::new(Variant::GlobalMax).init::<Autodiff<Flex>>(&device)?;
//! let step = TrainStep::step(&model, batch); // gradients, and what metrics need
//! assert_eq!(step.item.output.dims(), [8, 10]); // logits
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use burn::module::AutodiffModule;
use burn::tensor::Tensor;
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn_train::{ClassificationOutput, InferenceStep, TrainOutput, TrainStep};

use crate::data::Batch;
use crate::loss::{CrossEntropy, Loss, targets};
use crate::model::{Classifier, PoolingCnn};

/// Returns the gradients of a batch's mean loss, and what metrics need: loss, logits, targets.
///
/// # Panics
/// If a label is no class of the model, or the model does not take the inputs.
pub fn train_step<B: AutodiffBackend, M: Classifier<B> + AutodiffModule<B>>(
    model: &M, batch: Batch<M::Input>, loss: &impl Loss<B>,
) -> TrainOutput<ClassificationOutput<B>> {
    let output = inference_step(model, batch, loss);
    TrainOutput::new(model, output.loss.backward(), output)
}

/// Returns what metrics need of a batch: the mean loss, logits, targets.
///
/// # Panics
/// If a label is no class of the model, or the model does not take the inputs.
pub fn inference_step<B: Backend, M: Classifier<B>>(
    model: &M, Batch { inputs, labels }: Batch<M::Input>, loss: &impl Loss<B>,
) -> ClassificationOutput<B> {
    let logits = model.logits(inputs); // [batch, classes]
    let targets = targets(&labels, &logits.device());
    ClassificationOutput::new(loss.forward(logits.clone(), &labels), logits, targets)
}

/// Cross-entropy of a batch of images: inputs `[batch, channels, height, width]`, output `[batch, classes]`.
impl<B: AutodiffBackend> TrainStep for PoolingCnn<B> {
    type Input = Batch<Tensor<B, 4>>;
    type Output = ClassificationOutput<B>;

    fn step(&self, batch: Self::Input) -> TrainOutput<Self::Output> {
        train_step(self, batch, &CrossEntropy::new())
    }
}

/// Cross-entropy of a batch of images: inputs `[batch, channels, height, width]`, output `[batch, classes]`.
impl<B: Backend> InferenceStep for PoolingCnn<B> {
    type Input = Batch<Tensor<B, 4>>;
    type Output = ClassificationOutput<B>;

    fn step(&self, batch: Self::Input) -> Self::Output {
        inference_step(self, batch, &CrossEntropy::new())
    }
}
