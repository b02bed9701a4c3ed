//! Which layer of a file is which of a network's.

use super::layer::{Layer, LayerKind};
use crate::exchange::error::ExchangeError;
use crate::exchange::layout::Layout;
use crate::exchange::operations::Operation;
use crate::model::PoolingCnnConfig;

/// What the layers of a file are to the network, in its order.
pub(super) struct Roles<'a> {
    pub convolutions: Vec<&'a Layer>,
    /// The batch normalisation behind each convolution, if there is one.
    pub norms: Vec<Option<&'a Layer>>,
    pub hidden: &'a Layer,
    pub output: &'a Layer,
}

impl<'a> Roles<'a> {
    pub fn layer(&self, operation: &Operation) -> Option<&'a Layer> {
        let stage = || operation.path.strip_prefix("stage")?.split_once('.');
        match operation.path.as_str() {
            "hidden" => Some(self.hidden),
            "output" => Some(self.output),
            _ => {
                let (number, part) = stage()?;
                let index = number.parse::<usize>().ok()?.checked_sub(1)?;
                match part {
                    "conv" => self.convolutions.get(index).copied(),
                    "norm" => self.norms.get(index).copied().flatten(),
                    _ => None,
                }
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
    let mut norms = norms_of(layers, &rest)?;
    let linear = of_kind(|kind| matches!(kind, LayerKind::Linear { .. }));
    let (mut convolutions, mut norms_in_order, mut channels) = (Vec::new(), Vec::new(), network.channels);
    while !rest.is_empty() {
        let place = rest.iter().position(|layer| kernel_sizes(layer, layout)[1] == channels);
        let place = place.ok_or_else(|| other(format!("a convolution of {channels} channels"), &rest))?;
        let layer = rest.remove(place);
        channels = kernel_sizes(layer, layout)[0];
        convolutions.push(layer);
        norms_in_order.push(norms.remove(place));
    }
    let is_output = |output: &Layer, hidden: &Layer| {
        let ([classes, inputs], [units, features]) = (linear_sizes(output, layout), linear_sizes(hidden, layout));
        classes == network.classes && inputs == units && features.is_multiple_of(channels)
    };
    let expected =
        format!("two linear layers, the second of {} classes, behind maps of {channels} channels", network.classes);
    let (hidden, output) = match linear[..] {
        [first, second] if is_output(second, first) => (first, second),
        [first, second] if is_output(first, second) => (second, first),
        _ => return Err(other(expected, &linear)),
    };
    Ok(Roles { convolutions, norms: norms_in_order, hidden, output })
}

/// Returns the batch normalisation of each convolution: in a file of as many of both, they are in the same order; else each
/// stands behind its own.
fn norms_of<'a>(layers: &'a [Layer], convolutions: &[&'a Layer]) -> Result<Vec<Option<&'a Layer>>, ExchangeError> {
    let is_norm = |layer: &Layer| matches!(layer.kind, LayerKind::Normalisation { .. });
    let all: Vec<&Layer> = layers.iter().filter(|layer| is_norm(layer)).collect();
    if all.len() == convolutions.len() {
        return Ok(all.into_iter().map(Some).collect());
    }
    let behind = |convolution: &&Layer| {
        let place = layers.iter().position(|layer| std::ptr::eq(layer, *convolution))?;
        layers.get(place + 1).filter(|layer| is_norm(layer))
    };
    let norms: Vec<Option<&Layer>> = convolutions.iter().map(behind).collect();
    match norms.iter().flatten().count() == all.len() {
        true => Ok(norms),
        false => Err(other("a batch normalisation for each convolution, or none".to_owned(), &all)),
    }
}

/// What to do about a file of another network.
pub(super) const REMEDY: &str = "import a network of this variant, for images of these channels and pixels, with as many \
                                 classes and two linear layers";

/// The error that a file has other layers.
pub(super) fn other(expected: String, found: &[&Layer]) -> ExchangeError {
    let found: Vec<String> = found.iter().map(|layer| layer.kind.main().described()).collect();
    let found = if found.is_empty() { "none".to_owned() } else { found.join(", ") };
    ExchangeError::Structure { expected, found, remedy: REMEDY }
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
