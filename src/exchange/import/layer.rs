//! The layers of a file: tensors that lie together.

use crate::exchange::error::ExchangeError;
use crate::exchange::operations::NORMALISATION;
use crate::exchange::weights::NamedTensor;

/// A layer of a file, with its weights in the file's layout.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Layer {
    /// Its path in the file.
    pub path: String,
    pub kind: LayerKind,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum LayerKind {
    Convolution {
        weight: NamedTensor,
        bias: Option<NamedTensor>,
    },
    Linear {
        weight: NamedTensor,
        bias: Option<NamedTensor>,
    },
    /// Scale, shift, mean, variance; `epsilon` is what the layer adds to the variance.
    Normalisation {
        vectors: [NamedTensor; 4],
        epsilon: f32,
    },
}

impl LayerKind {
    /// The tensor that tells most of the layer.
    pub fn main(&self) -> &NamedTensor {
        match self {
            Self::Convolution { weight, .. } | Self::Linear { weight, .. } => weight,
            Self::Normalisation { vectors: [scale, ..], .. } => scale,
        }
    }
}

/// What the vectors of a batch normalisation are called: in Burn, PyTorch, Keras, and files that only count them.
const VECTORS: [[&str; 4]; 4] = [
    NORMALISATION,
    ["weight", "bias", "running_mean", "running_var"],
    ["gamma", "beta", "moving_mean", "moving_variance"],
    ["0", "1", "2", "3"],
];

/// Returns the layers that these tensors are the weights of, in the order of their first tensors. `epsilon` is what batch
/// normalisation adds to the variance, where the file does not say.
pub(super) fn layers_of(tensors: Vec<NamedTensor>, epsilon: f32) -> Result<Vec<Layer>, ExchangeError> {
    let mut groups: Vec<(String, Vec<NamedTensor>)> = Vec::new();
    for tensor in tensors {
        let path = path_of(&tensor.name).to_owned();
        match groups.iter_mut().find(|(known, _)| *known == path) {
            Some((_, tensors)) => tensors.push(tensor),
            None => groups.push((path, vec![tensor])),
        }
    }
    groups.into_iter().map(|(path, tensors)| layer(path, tensors, epsilon)).collect()
}

/// Orders the layers of a format that keeps no order by their paths, numbers by their values: `conv2` before `conv10`.
pub(super) fn in_natural_order(mut layers: Vec<Layer>) -> Vec<Layer> {
    layers.sort_by_cached_key(|layer| natural(&layer.path));
    layers
}

/// Returns a tensor's path without its last part, and without what Keras puts before that.
fn path_of(name: &str) -> &str {
    let path = name.rfind(['.', '/']).map_or("", |end| &name[..end]);
    path.strip_suffix("/vars").unwrap_or(path)
}

fn last_part(name: &str) -> &str {
    let part = name.rfind(['.', '/']).map_or(name, |end| &name[end + 1..]);
    part.strip_suffix(":0").unwrap_or(part) // TensorFlow's count of outputs
}

/// A key that sorts the numbers in names by their values.
fn natural(name: &str) -> Vec<(String, u64)> {
    let mut key: Vec<(String, u64)> = vec![(String::new(), 0)];
    let mut in_number = false;
    for letter in name.chars() {
        match (letter.to_digit(10), key.last_mut()) {
            (Some(digit), Some((_, number))) => {
                *number = number.saturating_mul(10).saturating_add(u64::from(digit));
                in_number = true;
            }
            (None, Some((text, _))) if !in_number => text.push(letter),
            (None, _) => {
                key.push((letter.to_string(), 0));
                in_number = false;
            }
            (Some(_), None) => {}
        }
    }
    key
}

fn layer(path: String, tensors: Vec<NamedTensor>, epsilon: f32) -> Result<Layer, ExchangeError> {
    let shapes = || tensors.iter().map(NamedTensor::described).collect::<Vec<_>>();
    let unknown = || ExchangeError::Structure {
        expected:
            "convolutions (a weight of four axes, perhaps a bias), linear layers (two axes) and batch normalisation"
                .to_owned(),
        found: format!("a layer of {}", shapes().join(", ")),
        remedy: "import a network of convolutions, pooling and two linear layers",
    };
    if tensors.iter().any(|tensor| tensor.shape.contains(&0)) {
        return Err(unknown());
    }
    let of_rank = |rank: usize| tensors.iter().filter(|tensor| tensor.shape.len() == rank).cloned().collect::<Vec<_>>();
    let (mut vectors, mut matrices, mut kernels) = (of_rank(1), of_rank(2), of_rank(4));
    let kind = match (tensors.len(), vectors.len(), matrices.pop(), kernels.pop()) {
        (1, 0, None, Some(weight)) => LayerKind::Convolution { weight, bias: None },
        (2, 1, None, Some(weight)) => LayerKind::Convolution { weight, bias: vectors.pop() },
        (1, 0, Some(weight), None) => LayerKind::Linear { weight, bias: None },
        (2, 1, Some(weight), None) => LayerKind::Linear { weight, bias: vectors.pop() },
        (4, 4, None, None) => {
            let named = |names: [&str; 4]| {
                let find = |name: &str| vectors.iter().find(|vector| last_part(&vector.name) == name).cloned();
                let [scale, shift, mean, variance] = names.map(find);
                Some([scale?, shift?, mean?, variance?])
            };
            let vectors = VECTORS.into_iter().find_map(named).ok_or_else(unknown)?;
            LayerKind::Normalisation { vectors, epsilon }
        }
        _ => return Err(unknown()),
    };
    Ok(Layer { path, kind })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(name: &str, shape: &[usize]) -> NamedTensor {
        NamedTensor { name: name.to_owned(), shape: shape.to_vec(), values: vec![0.0; shape.iter().product()] }
    }

    #[test]
    fn layers_are_in_the_natural_order_of_their_names() {
        let names = ["conv10.weight", "conv2.bias", "conv2.weight", "fc.weight"];
        let shapes: [&[usize]; 4] = [&[1, 1, 1, 1], &[1], &[1, 1, 1, 1], &[1, 1]];
        let tensors = names.iter().zip(shapes).map(|(name, shape)| tensor(name, shape)).collect();
        let layers = in_natural_order(layers_of(tensors, 1e-5).unwrap());
        let paths: Vec<&str> = layers.iter().map(|layer| layer.path.as_str()).collect();
        assert_eq!(paths, ["conv2", "conv10", "fc"]);
        assert!(
            matches!(&layers[0].kind, LayerKind::Convolution { bias: Some(bias), .. } if bias.name == "conv2.bias")
        );
    }

    #[test]
    fn the_vectors_of_a_normalisation_are_told_apart_by_their_names() {
        let keras = ["layers/batch_normalization/vars/3", "layers/batch_normalization/vars/0"];
        let keras = [keras[0], keras[1], "layers/batch_normalization/vars/2", "layers/batch_normalization/vars/1"];
        let layers = layers_of(keras.map(|name| tensor(name, &[2])).into(), 1e-3).unwrap();
        let LayerKind::Normalisation { vectors, .. } = &layers[0].kind else { panic!("{layers:?}") };
        let last: Vec<&str> = vectors.iter().map(|vector| last_part(&vector.name)).collect();
        assert_eq!((layers[0].path.as_str(), last), ("layers/batch_normalization", vec!["0", "1", "2", "3"]));
    }

    #[test]
    fn a_layer_of_another_kind_is_refused() {
        let error = layers_of(vec![tensor("lstm.weight_ih", &[4, 4]), tensor("lstm.weight_hh", &[4, 4])], 1e-5);
        assert!(error.unwrap_err().to_string().contains("lstm.weight_ih [4, 4], lstm.weight_hh [4, 4]"));
    }
}
