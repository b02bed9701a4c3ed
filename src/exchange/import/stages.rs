//! The stages of a file's network: as it describes them, or as its weights allow.

use super::Structure;
use super::assemble::{Roles, kernel_sizes, linear_sizes, other};
use crate::exchange::error::ExchangeError;
use crate::exchange::layout::Layout;
use crate::pooling::{ConvPool2dConfig, Pool2dConfig};

/// Returns the stages, with the sizes of the file's weights.
pub(super) fn fitted_stages(
    roles: &Roles<'_>, described: Option<&[ConvPool2dConfig]>, structure: &Structure, layout: Layout,
) -> Result<Vec<ConvPool2dConfig>, ExchangeError> {
    let wanted = &structure.network.stages;
    if let Some(stages) = described {
        check_pooling(stages, wanted)?;
    }
    let stages = described.unwrap_or(wanted);
    let (expected, found) = (stages.len(), roles.convolutions.len());
    if expected != found || ![0, found].contains(&roles.norms.len()) {
        let expected = format!("{expected} convolution(s), and as many batch normalisations or none");
        let layers: Vec<_> = roles.convolutions.iter().chain(&roles.norms).copied().collect();
        return Err(other(expected, &layers));
    }
    let sized = stages.iter().zip(&roles.convolutions).map(|(stage, layer)| {
        let [filters, _, height, width] = kernel_sizes(layer, layout);
        let batch_norm = !roles.norms.is_empty();
        ConvPool2dConfig { filters, kernel_size: [height, width], batch_norm, ..*stage }
    });
    let sized: Vec<ConvPool2dConfig> = sized.collect();
    let features = linear_sizes(roles.hidden, layout)[1];
    let network = |stages: &Vec<ConvPool2dConfig>| structure.network.clone().with_stages(stages.clone());
    let mut fitting = paddings(&sized, described.is_some(), structure);
    fitting.retain(|stages| network(stages).features().is_ok_and(|found| found == features));
    match fitting.len() {
        0 => {
            let found = network(&sized).features().map_or_else(|error| error.to_string(), |found| found.to_string());
            let [height, width] = structure.network.image_size;
            let expected = format!("maps of {found} features behind these convolutions, for images of {height}x{width}");
            Err(other(expected, &[roles.hidden]))
        }
        // Behind global pooling every padding fits; the first is none.
        2.. if !network(&sized).is_global() => {
            let of_stages = |stages: &Vec<ConvPool2dConfig>| stages.iter().map(|stage| stage.padding).collect();
            Err(ExchangeError::Padding(fitting.iter().map(of_stages).collect()))
        }
        _ => Ok(fitting.swap_remove(0)),
    }
}

/// The stages with every padding that the file may mean: the one asked for; the described one; or for each convolution
/// none, or as much as keeps the size.
fn paddings(stages: &[ConvPool2dConfig], is_described: bool, structure: &Structure) -> Vec<Vec<ConvPool2dConfig>> {
    let with = |padding: &dyn Fn(usize) -> [usize; 2]| -> Vec<ConvPool2dConfig> {
        stages.iter().enumerate().map(|(index, stage)| ConvPool2dConfig { padding: padding(index), ..*stage }).collect()
    };
    match structure.padding[..] {
        [] if is_described => vec![stages.to_vec()],
        [] => {
            let padding = |choice: usize, index: usize| match choice >> index & 1 {
                0 => [0, 0],
                _ => stages[index].kernel_size.map(|size| size / 2),
            };
            let choices = (0..1 << stages.len()).map(|choice| with(&|index| padding(choice, index)));
            // A kernel of 1x1 keeps the size without.
            choices.fold(Vec::new(), |mut all, stages| {
                if !all.contains(&stages) {
                    all.push(stages);
                }
                all
            })
        }
        [padding] => vec![with(&|_| padding)],
        ref each => vec![with(&|index| each.get(index).copied().unwrap_or_default())],
    }
}

/// Checks that stages that a file describes pool as the ones that are asked for.
fn check_pooling(found: &[ConvPool2dConfig], wanted: &[ConvPool2dConfig]) -> Result<(), ExchangeError> {
    let kinds = |stages: &[ConvPool2dConfig]| stages.iter().map(|stage| kind(stage.pool)).collect::<Vec<_>>();
    let (found, expected) = (kinds(found), kinds(wanted));
    match found == expected {
        true => Ok(()),
        false => Err(ExchangeError::Structure {
            expected: format!("stages with {}", expected.join(", ")),
            found: format!("stages with {}", found.join(", ")),
            remedy: "import it as the variant that it is",
        }),
    }
}

fn kind(pool: Option<Pool2dConfig>) -> &'static str {
    match pool {
        None => "no pooling",
        Some(Pool2dConfig::Max { .. }) => "max pooling",
        Some(Pool2dConfig::Average { .. }) => "average pooling",
        Some(Pool2dConfig::GlobalMax) => "global max pooling",
        Some(Pool2dConfig::GlobalAverage) => "global average pooling",
        Some(Pool2dConfig::BlurredMax) => "blurred max pooling",
    }
}
