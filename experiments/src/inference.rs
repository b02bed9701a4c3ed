//! What a trained network computes for images.

use anyhow::Context;
use burn::nn::Linear;
use burn::tensor::{Tensor, TensorData, activation::relu};
use burn_flex::Flex;
use burn_pooling::logits::Logits;
use burn_pooling::mnist::{ImageDataset, gather};
use burn_pooling::model::Classifier;

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
        let logits = self.logits(images)?;
        Ok(Predictions {
            classes: logits.rows().map(largest).collect(),
            labels: images.labels().to_vec(),
        })
    }

    /// The logits: a row for each image, a column for each class.
    ///
    /// # Errors
    /// As [`predict`](Self::predict).
    pub fn logits(&self, images: &ImageDataset) -> anyhow::Result<Matrix> {
        self.over(images, |batch| {
            let logits = Logits::read(self.network.logits(batch));
            (logits.rows().flatten().copied().collect(), logits.classes())
        })
    }

    /// What the stages hand to the linear layers: a row for each image.
    ///
    /// # Errors
    /// As [`predict`](Self::predict).
    pub fn features(&self, images: &ImageDataset) -> anyhow::Result<Matrix> {
        self.over(images, |batch| {
            let features = self.network.features(batch);
            let columns = features.dims()[1];
            (host(features), columns)
        })
    }

    /// Classifies from features, as [`features`](Self::features) gives them, of images with these `labels`.
    pub fn predict_features(&self, features: &Matrix, labels: &[u8]) -> Predictions {
        let shape = [features.rows().len(), features.columns];
        let data = TensorData::new(features.values.clone(), shape);
        let cnn = &self.network.cnn;
        let hidden = relu(cnn.hidden.forward(Tensor::from_data(data, &Default::default())));
        let logits = Logits::read(cnn.output.forward(hidden));
        Predictions { classes: logits.rows().map(largest).collect(), labels: labels.to_vec() }
    }

    /// The maps of the first convolution after ReLU, before pooling: a row for each image, of
    /// `[filters, height - 2, width - 2]`.
    ///
    /// # Errors
    /// As [`predict`](Self::predict).
    pub fn first_maps(&self, images: &ImageDataset) -> anyhow::Result<Matrix> {
        self.over(images, |batch| {
            let maps: Tensor<Flex, 2> = self.network.first_maps(batch).flatten(1, 3);
            let columns = maps.dims()[1];
            (host(maps), columns)
        })
    }

    /// The hidden layer (with ReLU) and the output layer.
    pub fn linear_layers(&self) -> [LinearWeights; 2] {
        [&self.network.cnn.hidden, &self.network.cnn.output].map(linear_weights)
    }

    fn over(
        &self,
        images: &ImageDataset,
        read: impl Fn(Tensor<Flex, 4>) -> (Vec<f32>, usize),
    ) -> anyhow::Result<Matrix> {
        let [height, width] = images.image_size();
        let dims = [images.len(), 1, height, width];
        (self.network.cnn.check_images(dims)).with_context(|| self.config.name.clone())?;
        let mut matrix = Matrix { values: Vec::new(), columns: 0 };
        let indices: Vec<usize> = (0..images.len()).collect();
        for indices in indices.chunks(BATCH) {
            let (values, columns) = read(gather(images, indices, &Default::default()).images);
            matrix.values.extend(values);
            matrix.columns = columns;
        }
        Ok(matrix)
    }
}

/// The class of the largest logit.
fn largest(row: &[f32]) -> u8 {
    let better = |best, class| if row[class] > row[best] { class } else { best };
    (0..row.len()).fold(0, better) as u8
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
