//! A file's layers in the places of a network's.

use super::layer::{Layer, LayerKind};
use super::roles::{REMEDY, Roles, linear_sizes};
use super::stages::fitted_stages;
use super::structure::{Imported, Match, Structure};
use crate::exchange::error::ExchangeError;
use crate::exchange::layout::{Kind, Layout, Weight};
use crate::exchange::operations::{EPSILON, operations};
use crate::exchange::weights::{NamedTensor, Weights};
use crate::pooling::ConvPool2dConfig;

/// Returns the network that the layers make in a layout.
pub(super) fn assemble(
    roles: &Roles<'_>, stages: Option<&[ConvPool2dConfig]>, structure: &Structure, layout: Layout,
) -> Result<Imported, ExchangeError> {
    let is_described = stages.is_some();
    let stages = fitted_stages(roles, stages, structure, layout)?;
    let hidden_units = linear_sizes(roles.hidden, layout)[0];
    let config = structure.network.clone().with_stages(stages).with_hidden_units(hidden_units);
    let (mut weights, mut matches) = (Weights::default(), Vec::new());
    for operation in operations(&config)? {
        let Some(layer) = roles.layer(&operation) else { continue };
        for (weight, tensor) in operation.weights().iter().zip(tensors(layer)) {
            let (values, shape) = values(weight, tensor.as_ref(), layout)?;
            let from = tensor.map(|tensor| tensor.name);
            let shape_in_module = weight.shape(Layout::Burn);
            matches.push(Match { from, shape, to: weight.name.clone(), shape_in_module });
            weights.0.insert(weight.name.clone(), values);
        }
    }
    Ok(Imported { config, layout, is_described, matches, weights })
}

/// A layer's tensors, in the order of [`Operation::weights`].
fn tensors(layer: &Layer) -> Vec<Option<NamedTensor>> {
    match layer.kind.clone() {
        LayerKind::Convolution { weight, bias } | LayerKind::Linear { weight, bias } => vec![Some(weight), bias],
        LayerKind::Normalisation { vectors: [scale, shift, mean, mut variance], epsilon } => {
            // The network's own epsilon is the default; with the difference in the variance, the sum is the same.
            variance.values.iter_mut().for_each(|value| *value += epsilon - EPSILON);
            [scale, shift, mean, variance].map(Some).into()
        }
    }
}

/// A weight's values in Burn's layout, and its shape in the file; zeros for a bias that is not there.
fn values(
    weight: &Weight, tensor: Option<&NamedTensor>, layout: Layout,
) -> Result<(Vec<f32>, Vec<usize>), ExchangeError> {
    let Some(tensor) = tensor else { return Ok((vec![0.0; weight.count()], Vec::new())) };
    let expected = weight.shape(layout);
    if tensor.shape != expected || tensor.values.len() != weight.count() {
        return Err(ExchangeError::Structure {
            expected: format!("{} of shape {expected:?} for {}", tensor.name, weight.name),
            found: format!("{:?}", tensor.shape),
            remedy: REMEDY,
        });
    }
    let layout = if weight.kind == Kind::Vector { Layout::Burn } else { layout };
    Ok((weight.rearranged(&tensor.values, layout, Layout::Burn), tensor.shape.clone()))
}
