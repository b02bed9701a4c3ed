//! A file's layers in the places of a network's.

use super::layer::{Layer, LayerKind};
use super::stages::fitted_stages;
use super::{Imported, Match, Structure};
use crate::exchange::error::ExchangeError;
use crate::exchange::layout::{Kind, Layout, Weight};
use crate::exchange::operations::{EPSILON, Operation, operations};
use crate::exchange::weights::{NamedTensor, Weights};
use crate::model::PoolingCnnConfig;
use crate::pooling::ConvPool2dConfig;

/// What the layers of a file are to the network, in its order.
pub(super) struct Roles<'a> {
    pub convolutions: Vec<&'a Layer>,
    pub norms: Vec<&'a Layer>,
    pub hidden: &'a Layer,
    pub output: &'a Layer,
}

/// Returns the network that the layers make in a layout.
pub(super) fn assemble(
    roles: &Roles<'_>, stages: Option<&[ConvPool2dConfig]>, structure: &Structure, layout: Layout,
) -> Result<Imported, ExchangeError> {
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
    Ok(Imported { config, layout, matches, weights })
}

impl<'a> Roles<'a> {
    fn layer(&self, operation: &Operation) -> Option<&'a Layer> {
        let stage = || operation.path.strip_prefix("stage")?.split_once('.');
        match operation.path.as_str() {
            "hidden" => Some(self.hidden),
            "output" => Some(self.output),
            _ => {
                let (number, part) = stage()?;
                let layers = match part {
                    "conv" => &self.convolutions,
                    "norm" => &self.norms,
                    _ => return None,
                };
                layers.get(number.parse::<usize>().ok()?.checked_sub(1)?).copied()
            }
        }
    }
}

/// Finds out which layer is which: convolutions by their channels, the linear layers by their widths.
pub(super) fn roles<'a>(
    layers: &'a [Layer], network: &PoolingCnnConfig, layout: Layout,
) -> Result<Roles<'a>, ExchangeError> {
    let of_kind =
        |is_kind: fn(&LayerKind) -> bool| layers.iter().filter(|layer| is_kind(&layer.kind)).collect::<Vec<_>>();
    let mut rest = of_kind(|kind| matches!(kind, LayerKind::Convolution { .. }));
    let norms = of_kind(|kind| matches!(kind, LayerKind::Normalisation { .. }));
    let linear = of_kind(|kind| matches!(kind, LayerKind::Linear { .. }));
    let (mut convolutions, mut channels) = (Vec::new(), network.channels);
    while !rest.is_empty() {
        let place = rest.iter().position(|layer| kernel_sizes(layer, layout)[1] == channels);
        let place = place.ok_or_else(|| other(format!("a convolution of {channels} channels"), &rest))?;
        let layer = rest.remove(place);
        channels = kernel_sizes(layer, layout)[0];
        convolutions.push(layer);
    }
    let is_output = |output: &Layer, hidden: &Layer| {
        let ([classes, inputs], [units, features]) = (linear_sizes(output, layout), linear_sizes(hidden, layout));
        classes == network.classes && inputs == units && features % channels == 0
    };
    let expected =
        format!("two linear layers, the second of {} classes, behind maps of {channels} channels", network.classes);
    let (hidden, output) = match linear[..] {
        [first, second] if is_output(second, first) => (first, second),
        [first, second] if is_output(first, second) => (second, first),
        _ => return Err(other(expected, &linear)),
    };
    Ok(Roles { convolutions, norms, hidden, output })
}

/// The error that a file has other layers.
pub(super) fn other(expected: String, found: &[&Layer]) -> ExchangeError {
    let shapes = |layer: &Layer| {
        tensors(layer).into_iter().flatten().map(|tensor| format!("{} {:?}", tensor.name, tensor.shape)).next()
    };
    let found: Vec<String> = found.iter().filter_map(|layer| shapes(layer)).collect();
    let found = if found.is_empty() { "none".to_owned() } else { found.join(", ") };
    let remedy = "import a file of this variant, for images of these channels and pixels and as many classes";
    ExchangeError::Structure { expected, found, remedy }
}

/// Filters, channels, height and width of a convolution's kernels.
pub(super) fn kernel_sizes(layer: &Layer, layout: Layout) -> [usize; 4] {
    match (&layer.kind, layout) {
        (LayerKind::Convolution { weight, .. }, Layout::Keras) => {
            let [height, width, channels, filters] = weight.shape[..].try_into().unwrap_or([0; 4]);
            [filters, channels, height, width]
        }
        (LayerKind::Convolution { weight, .. }, _) => weight.shape[..].try_into().unwrap_or([0; 4]),
        _ => [0; 4],
    }
}

/// Outputs and inputs of a linear layer.
pub(super) fn linear_sizes(layer: &Layer, layout: Layout) -> [usize; 2] {
    let LayerKind::Linear { weight, .. } = &layer.kind else { return [0; 2] };
    let [first, second] = weight.shape[..].try_into().unwrap_or([0; 2]);
    if layout == Layout::PyTorch { [first, second] } else { [second, first] }
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
            remedy: "import a file of this variant, for images of these channels and pixels and as many classes",
        });
    }
    let layout = if weight.kind == Kind::Vector { Layout::Burn } else { layout };
    Ok((weight.rearranged(&tensor.values, layout, Layout::Burn), tensor.shape.clone()))
}
