//! Whether a training fits into the memory: an error before it starts, instead of a process that is killed.

use anyhow::bail;
use burn_pooling::backend::BackendName;
use burn_pooling::model::PoolingCnnConfig;
use burn_pooling::run::{OptimizerKind, RunConfig};

use super::{available, terminal};

/// How often weights and optimizer state are in memory while a checkpoint is written, in tenths: as they are, copied
/// into a record, and as bytes in a vector that grows. Measured with images of 300x300 and 500x500: 35 to 39.
const CHECKPOINT_COPIES: u128 = 34;

/// From here on, the need is told although it fits.
const WORTH_TELLING: u128 = 4 << 30;

/// Refuses a training that cannot fit into the memory that is left after the data set.
pub fn check(config: &RunConfig, backend: BackendName) -> anyhow::Result<()> {
    let need = least(config)?;
    let on_host = matches!(backend, BackendName::Flex | BackendName::NdArray);
    let Some(available) = available::bytes().filter(|_| on_host) else {
        return Ok(());
    };
    let (least, left) = (gigabytes(need), gigabytes(available.into()));
    if need > available.into() {
        bail!(
            "expected a training that fits into the {left} of memory that are available, found one that takes at least \
             {least}; use smaller images, a smaller batch size, or a variant with global pooling (gmp, gap)"
        );
    }
    if need > WORTH_TELLING {
        terminal::print_note(format_args!("the training takes at least {least} of memory; {left} are available"));
    }
    Ok(())
}

/// The bytes that a training takes at least, beside the data set: the larger of a step and of a checkpoint.
fn least(config: &RunConfig) -> anyhow::Result<u128> {
    let RunConfig { model, training, recipe, data, .. } = config;
    let weights = 4 * u128::from(model.parameters()?);
    let moments = match recipe.optimizer {
        OptimizerKind::Adam | OptimizerKind::AdamW => 2,
        OptimizerKind::Sgd if recipe.momentum > 0.0 => 1,
        OptimizerKind::Sgd => 0,
    };
    // The model as it is, the best one, and the optimizer's state.
    let state = (2 + moments) * weights;
    let step = state + weights + values_of_image(model)? * 4 * training.batch_size.min(data.train) as u128;
    Ok(step.max(state * CHECKPOINT_COPIES / 10))
}

/// The values that a step holds for one image: its pixels, and what each layer returns, with its gradient.
fn values_of_image(model: &PoolingCnnConfig) -> anyhow::Result<u128> {
    let [height, width] = model.image_size;
    let area = |[height, width]: [usize; 2]| height as u128 * width as u128;
    let (mut maps, mut gates, mut size) = (0, 0, model.image_size);
    for stage in &model.stages {
        // Of each position before pooling a bit is kept for each filter: where the gradient goes.
        gates += stage.filters as u128 * area(stage.with_pool(None).output_size(size)?) / 32;
        size = stage.output_size(size)?;
        maps += stage.filters as u128 * area(size);
    }
    let linear = (model.hidden_units + model.classes) as u128;
    Ok(model.channels as u128 * area([height, width]) + gates + 2 * (maps + linear))
}

/// Writes `13.2 GB`, in units of 2^30 bytes.
fn gigabytes(bytes: u128) -> String {
    format!("{:.1} GB", bytes as f64 / f64::from(1 << 30))
}
