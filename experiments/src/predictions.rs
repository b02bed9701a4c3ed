//! What a trained network says of images.

use anyhow::Context;
use burn::nn::Linear;
use burn::tensor::{Tensor, TensorData, activation::relu};
use burn_flex::Flex;
use burn_pooling::logits::Logits;
use burn_pooling::mnist::{ImageDataset, gather};
use burn_pooling::model::Classifier;

use crate::training::Trained;

/// Images a batch: small enough for their maps to stay in the cache, large enough for the matrix products.
const BATCH: usize = 128;

/// The class that a network gives each image of a set, beside the true one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Predictions {
    /// The network's classes, image by image.
    pub classes: Vec<u8>,
    /// The true classes.
    pub labels: Vec<u8>,
}

impl Predictions {
    /// Image by image, whether the class is right.
    pub fn correct(&self) -> Vec<bool> {
        (self.classes.iter().zip(&self.labels)).map(|(class, label)| class == label).collect()
    }

    /// Share of right classes, 0 to 1; NaN without images.
    pub fn accuracy(&self) -> f64 {
        share(self.correct().into_iter())
    }

    /// Share of images that both give the same class, right or wrong, 0 to 1; NaN without images.
    pub fn consistency(&self, other: &Self) -> f64 {
        share((self.classes.iter().zip(&other.classes)).map(|(one, another)| one == another))
    }
}

fn share(hits: impl ExactSizeIterator<Item = bool>) -> f64 {
    let count = hits.len();
    hits.filter(|&hit| hit).count() as f64 / count as f64
}

/// Numbers in rows, on the host.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    /// Row by row.
    pub values: Vec<f32>,
    /// Numbers in a row.
    pub columns: usize,
}

impl Matrix {
    /// One row after the other.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.values.chunks_exact(self.columns.max(1))
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consistency_ignores_the_truth() {
        let predictions =
            |classes: [u8; 4]| Predictions { classes: classes.to_vec(), labels: vec![1, 1, 1, 1] };
        let (one, another) = (predictions([1, 2, 3, 1]), predictions([1, 2, 1, 4]));
        assert_eq!(one.accuracy(), 0.5);
        assert_eq!(one.consistency(&another), 0.5);
    }
}
