//! What a trained network computes for images.

use anyhow::Context;
use burn::tensor::{Tensor, TensorData};
use burn_flex::Flex;
use burn_pooling::loss::Logits;
use burn_pooling::mnist::ImageDataset;
use burn_pooling::model::Linear;

use crate::matrix::Matrix;
use crate::predictions::Predictions;
use crate::training::Trained;

/// Batch size: small enough for their maps to stay in the cache, large enough for the matrix products.
const BATCH: usize = 128;

/// A linear layer on the host: `output = input * weight + bias`.
#[derive(Clone, Debug, PartialEq)]
pub struct LinearWeights {
    /// A row for each input, a column for each output.
    pub weight: Matrix,
    /// One for each output.
    pub bias: Vec<f32>,
}

impl Trained {
    /// Classifies every image.
    ///
    /// # Errors
    /// If the images are of another size than the network was built for, unless it pools globally.
    pub fn predict(&self, images: &ImageDataset) -> anyhow::Result<Predictions> {
        let classes = self.over(images, |batch| classes(self.network.forward(batch)))?.concat();
        Ok(Predictions { classes, labels: images.labels().to_vec() })
    }

    /// What the stages hand to the linear layers: a row for each image.
    ///
    /// # Errors
    /// As [`predict`](Self::predict).
    pub fn features(&self, images: &ImageDataset) -> anyhow::Result<Matrix> {
        self.rows(images, |batch| self.network.features(batch))
    }

    /// Classifies from features, as [`features`](Self::features) gives them, of images with these `labels`.
    pub fn predict_features(&self, features: &Matrix, labels: &[u8]) -> Predictions {
        let shape = [features.rows().len(), features.columns];
        let data = TensorData::new(features.values.clone(), shape);
        let hidden = self.network.hidden.forward(Tensor::from_data(data, &Default::default()));
        let classes = classes(self.network.output.forward(hidden));
        Predictions { classes, labels: labels.to_vec() }
    }

    /// The maps of the first convolution after ReLU, before pooling: a row for each image, of
    /// `[filters, height - 2, width - 2]`.
    ///
    /// # Errors
    /// As [`predict`](Self::predict).
    pub fn first_maps(&self, images: &ImageDataset) -> anyhow::Result<Matrix> {
        self.rows(images, |batch| self.network.stage1.activations(batch).flatten(1, 3))
    }

    /// The hidden layer (with ReLU) and the output layer.
    pub fn linear_layers(&self) -> [LinearWeights; 2] {
        [&self.network.hidden, &self.network.output].map(linear_weights)
    }

    /// What `compute` makes of every image: a row each.
    fn rows(
        &self, images: &ImageDataset, compute: impl Fn(Tensor<Flex, 4>) -> Tensor<Flex, 2>,
    ) -> anyhow::Result<Matrix> {
        let batches = self.over(images, compute)?;
        Ok(Matrix {
            columns: batches.first().map_or(0, |batch| batch.dims()[1]),
            values: batches.into_iter().flat_map(host).collect(),
        })
    }

    /// What `compute` makes of batch after batch.
    fn over<T>(&self, images: &ImageDataset, compute: impl Fn(Tensor<Flex, 4>) -> T) -> anyhow::Result<Vec<T>> {
        let [channels, height, width] = images.image_shape();
        let dims = [images.len(), channels, height, width];
        self.network.check_images(dims).with_context(|| self.config.name.clone())?;
        let indices: Vec<usize> = (0..images.len()).collect();
        let batches = indices.chunks(BATCH);
        Ok(batches.map(|batch| compute(images.images(batch, &Default::default()))).collect())
    }
}

/// The class of the largest logit of each image.
fn classes(logits: Tensor<Flex, 2>) -> Vec<u8> {
    Logits::read(logits).predictions().map(|class| class as u8).collect()
}

fn linear_weights(layer: &Linear<Flex>) -> LinearWeights {
    let weight = layer.weight.val();
    LinearWeights {
        weight: Matrix { columns: weight.dims()[1], values: host(weight) },
        bias: layer.bias.as_ref().map(|bias| host(bias.val())).unwrap_or_default(),
    }
}

fn host<const D: usize>(tensor: Tensor<Flex, D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}
