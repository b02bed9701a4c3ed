//! The stages of a file's network: as it describes them, or as its weights allow.

use super::roles::{REMEDY, Roles, kernel_sizes, linear_sizes, other};
use super::structure::Structure;
use crate::exchange::error::ExchangeError;
use crate::exchange::layout::Layout;
use crate::pooling::{ConvPool2dConfig, Pool2dConfig};

type Stages = Vec<ConvPool2dConfig>;

/// Returns the stages, with the sizes of the file's weights.
pub(super) fn fitted_stages(
    roles: &Roles<'_>, described: Option<&[ConvPool2dConfig]>, structure: &Structure, layout: Layout,
) -> Result<Stages, ExchangeError> {
    let wanted = &structure.network.stages;
    let stages = described.unwrap_or(wanted);
    let (expected, found) = (stages.len(), roles.convolutions.len());
    let norms: Vec<_> = roles.norms.iter().flatten().copied().collect();
    if expected != found || (described.is_none() && ![0, found].contains(&norms.len())) {
        let expected = format!("{expected} convolution(s), and as many batch normalisations or none");
        return Err(other(expected, &[&roles.convolutions[..], &norms].concat()));
    }
    if ![0, 1, found].contains(&structure.padding.len()) {
        return Err(ExchangeError::Structure {
            expected: format!("a padding for all convolutions, or for each of {found}"),
            found: format!("{}", structure.padding.len()),
            remedy: "give one, or one for each",
        });
    }
    let sized = stages.iter().zip(&roles.convolutions).zip(&roles.norms).map(|((stage, layer), norm)| {
        let [filters, _, height, width] = kernel_sizes(layer, layout);
        let batch_norm = norm.is_some();
        ConvPool2dConfig { filters, kernel_size: [height, width], batch_norm, ..*stage }
    });
    let sized: Stages = sized.collect();
    match described {
        Some(_) => {
            let sized = globally_pooled(sized, structure);
            check_described(&sized, structure)?;
            fitting(vec![sized], roles, structure, layout)
        }
        None => fitting(candidates(&sized, &structure.padding), roles, structure, layout),
    }
}

/// Returns the first stages if they give as many features as the file's linear layer takes; else the only ones that do.
fn fitting(
    candidates: Vec<Stages>, roles: &Roles<'_>, structure: &Structure, layout: Layout,
) -> Result<Stages, ExchangeError> {
    let features = linear_sizes(roles.hidden, layout)[1];
    let found = |stages: &Stages| structure.network.clone().with_stages(stages.clone()).features();
    let fits = |stages: &&Stages| found(stages).is_ok_and(|found| found == features);
    let all: Vec<&Stages> = candidates.iter().filter(fits).collect();
    match (all[..].as_ref(), candidates.first()) {
        ([first, ..], Some(own)) if *first == own => Ok(own.clone()),
        ([only], _) => Ok((*only).clone()),
        ([], Some(own)) => {
            let [height, width] = structure.network.image_size;
            let expected = match found(own) {
                Ok(found) => format!(
                    "a linear layer of {found} inputs, or as many as another padding or pooling gives, \
                                      for images of {height}x{width}"
                ),
                Err(error) => return Err(error.into()),
            };
            Err(other(expected, &[roles.hidden]))
        }
        _ => Err(ExchangeError::Stages(all.into_iter().cloned().collect())),
    }
}

/// The stages that weights alone may mean: first the variant's own; then with zeros around the maps, as many as keep the
/// size, or fewer; and with one pooling, behind the last convolution.
fn candidates(own: &[ConvPool2dConfig], padding: &[[usize; 2]]) -> Vec<Stages> {
    let pooled_last = |stages: &Stages| -> Stages {
        let last = stages.len() - 1;
        let pool = |index: usize, stage: &ConvPool2dConfig| if index < last { None } else { stage.pool };
        stages
            .iter()
            .enumerate()
            .map(|(index, stage)| ConvPool2dConfig { pool: pool(index, stage), ..*stage })
            .collect()
    };
    let padded: Vec<Stages> = match padding {
        [] => own.iter().fold(vec![Vec::new()], |begun, stage| {
            let most = stage.kernel_size[0].min(stage.kernel_size[1]).saturating_sub(1) / 2;
            let with = |begun: &Stages, padding| {
                [&begun[..], &[ConvPool2dConfig { padding: [padding; 2], ..*stage }]].concat()
            };
            (0..=most.min(MOST_PADDING))
                .flat_map(|padding| begun.iter().map(move |begun| with(begun, padding)))
                .collect()
        }),
        _ => {
            let of = |index: usize| padding.get(index).or(padding.first()).copied().unwrap_or_default();
            vec![
                own.iter()
                    .enumerate()
                    .map(|(index, stage)| ConvPool2dConfig { padding: of(index), ..*stage })
                    .collect(),
            ]
        }
    };
    let mut all: Vec<Stages> = Vec::new();
    for stages in padded.iter().cloned().chain(padded.iter().map(pooled_last)) {
        if !all.contains(&stages) {
            all.push(stages);
        }
    }
    all
}

/// The largest padding that is tried: what keeps the size behind a kernel of 11x11.
const MOST_PADDING: usize = 5;

/// Returns the stages, with a window of the last that covers the whole map as global pooling, if that is asked for: some
/// exporters write it so.
fn globally_pooled(mut stages: Stages, structure: &Structure) -> Stages {
    let Some((last, before)) = stages.split_last_mut().filter(|_| structure.network.is_global()) else { return stages };
    let maps = before
        .iter()
        .chain([&last.with_pool(None)])
        .try_fold(structure.network.image_size, |size, stage| stage.output_size(size));
    let covers = |kernel_size| maps.as_ref().is_ok_and(|maps| *maps == kernel_size);
    last.pool = match last.pool {
        Some(Pool2dConfig::Max { kernel_size, .. }) if covers(kernel_size) => Some(Pool2dConfig::GlobalMax),
        Some(Pool2dConfig::Average { kernel_size, .. }) if covers(kernel_size) => Some(Pool2dConfig::GlobalAverage),
        pool => pool,
    };
    stages
}

/// Checks that the network that a file describes pools at its end as the one that is asked for, and that nothing else is
/// asked of it than it says.
fn check_described(found: &[ConvPool2dConfig], structure: &Structure) -> Result<(), ExchangeError> {
    let last = |stages: &[ConvPool2dConfig]| stages.last().map_or("no stages", |stage| kind(stage.pool));
    let (found_pool, expected) = (last(found), last(&structure.network.stages));
    if found_pool != expected {
        let found = format!("{found_pool} behind the last convolution");
        return Err(ExchangeError::Structure { expected: expected.to_owned(), found, remedy: REMEDY });
    }
    let is_other = |index: usize, stage: &ConvPool2dConfig| {
        structure.padding.get(index).or(structure.padding.first()).is_some_and(|padding| *padding != stage.padding)
    };
    match found.iter().enumerate().any(|(index, stage)| is_other(index, stage)) {
        false => Ok(()),
        true => Err(ExchangeError::Structure {
            expected: format!("the padding {:?}", structure.padding),
            found: format!("{:?}", found.iter().map(|stage| stage.padding).collect::<Vec<_>>()),
            remedy: "leave the padding out: the file says it",
        }),
    }
}

/// Returns what a pooling is called.
pub(super) fn kind(pool: Option<Pool2dConfig>) -> &'static str {
    match pool {
        None => "no pooling",
        Some(Pool2dConfig::Max { .. }) => "max pooling",
        Some(Pool2dConfig::Average { .. }) => "average pooling",
        Some(Pool2dConfig::GlobalMax) => "global max pooling",
        Some(Pool2dConfig::GlobalAverage) => "global average pooling",
        Some(Pool2dConfig::BlurredMax) => "blurred max pooling",
        Some(Pool2dConfig::Head(head)) => head.into(),
    }
}
