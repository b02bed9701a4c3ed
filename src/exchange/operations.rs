//! A network as the list of its operations, which every exporter writes in its framework's words.

use super::error::ExchangeError;
use super::layout::{Kind, Layout, Weight};
use crate::model::{ModelError, PoolingCnnConfig};
use crate::pooling::{Activation, Pool2dConfig, blur_filter};

/// What batch normalisation adds to the variance: Burn's and PyTorch's default.
pub(super) const EPSILON: f32 = 1e-5;

/// Returns the filters of a blur of so many channels, each by itself: `[channels, 1, 3, 3]`, for Keras `[3, 3, channels, 1]`.
pub(super) fn blur_filters(channels: usize, layout: Layout) -> Vec<f32> {
    let weight = Weight { name: "blur".to_owned(), kind: Kind::Convolution, sizes: [channels, 1, 3, 3] };
    weight.rearranged(&blur_filter().as_flattened().repeat(channels), Layout::Burn, layout)
}

/// An operation, with its path in the module.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Operation {
    pub path: String,
    pub kind: OperationKind,
}

/// What an operation does.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum OperationKind {
    Convolution {
        channels: usize,
        filters: usize,
        kernel_size: [usize; 2],
        stride: [usize; 2],
        padding: [usize; 2],
    },
    Normalisation {
        channels: usize,
    },
    Activation(Activation),
    Pooling {
        channels: usize,
        pool: Pooling,
    },
    Flatten,
    /// `maps` are channels, height and width of its input before it was flattened.
    Linear {
        maps: [usize; 3],
        outputs: usize,
    },
}

/// A pooling that other frameworks have as layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pooling {
    Max { kernel_size: [usize; 2], stride: [usize; 2] },
    Average { kernel_size: [usize; 2], stride: [usize; 2] },
    GlobalMax,
    GlobalAverage,
    BlurredMax,
}

impl TryFrom<Pool2dConfig> for Pooling {
    type Error = ExchangeError;

    fn try_from(pool: Pool2dConfig) -> Result<Self, ExchangeError> {
        match pool {
            Pool2dConfig::Max { kernel_size, stride } => Ok(Self::Max { kernel_size, stride }),
            Pool2dConfig::Average { kernel_size, stride } => Ok(Self::Average { kernel_size, stride }),
            Pool2dConfig::GlobalMax => Ok(Self::GlobalMax),
            Pool2dConfig::GlobalAverage => Ok(Self::GlobalAverage),
            Pool2dConfig::BlurredMax => Ok(Self::BlurredMax),
            Pool2dConfig::Head(head) => Err(ExchangeError::Structure {
                expected: "a pooling that other frameworks have as a layer".to_owned(),
                found: format!("'{head}'"),
                remedy: "take the weights of the run's model.safetensors, and write the pooling in that framework",
            }),
        }
    }
}

/// Returns the operations of a network, in order.
pub(super) fn operations(config: &PoolingCnnConfig) -> Result<Vec<Operation>, ExchangeError> {
    use OperationKind::{Convolution, Flatten, Linear, Normalisation};
    config.features()?; // checks every size
    let mut operations = Vec::new();
    let mut push = |path: String, kind| operations.push(Operation { path, kind });
    let (mut channels, mut size) = (config.channels, config.image_size);
    for (index, stage) in config.stages.iter().enumerate() {
        let path = |part: &str| format!("stage{}.{part}", index + 1);
        let (filters, kernel_size, stride, padding) = (stage.filters, stage.kernel_size, stage.stride, stage.padding);
        push(path("conv"), Convolution { channels, filters, kernel_size, stride, padding });
        channels = filters;
        if stage.batch_norm {
            push(path("norm"), Normalisation { channels });
        }
        push(path("activation"), OperationKind::Activation(stage.activation));
        if let Some(pool) = stage.pool {
            push(path("pool"), OperationKind::Pooling { channels, pool: pool.try_into()? });
        }
        let window = |source| ModelError::Window {
            name: config.name.clone(),
            stage: index + 1,
            image: config.image_size,
            source,
        };
        size = stage.output_size(size).map_err(window)?;
    }
    let [height, width] = size;
    push("flatten".to_owned(), Flatten);
    push("hidden".to_owned(), Linear { maps: [channels, height, width], outputs: config.hidden_units });
    push("activation".to_owned(), OperationKind::Activation(Activation::Relu));
    push("output".to_owned(), Linear { maps: [config.hidden_units, 1, 1], outputs: config.classes });
    Ok(operations)
}

impl Operation {
    /// Returns its weights, by their paths in the module.
    pub fn weights(&self) -> Vec<Weight> {
        use OperationKind::{Convolution, Linear, Normalisation};
        let weight = |part: &str, kind, sizes| Weight { name: format!("{}.{part}", self.path), kind, sizes };
        let vector = |part: &str, size| weight(part, Kind::Vector, [size, 1, 1, 1]);
        match self.kind {
            Convolution { channels, filters, kernel_size: [height, width], .. } => {
                let sizes = [filters, channels, height, width];
                vec![weight("weight", Kind::Convolution, sizes), vector("bias", filters)]
            }
            Normalisation { channels } => NORMALISATION.map(|part| vector(part, channels)).into(),
            Linear { maps: [channels, height, width], outputs } => {
                let sizes = [outputs, channels, height, width];
                vec![weight("weight", Kind::Linear, sizes), vector("bias", outputs)]
            }
            _ => Vec::new(),
        }
    }
}

/// The vectors of a batch normalisation, in the order of ONNX' inputs and of Keras' variables.
pub(super) const NORMALISATION: [&str; 4] = ["gamma", "beta", "running_mean", "running_var"];
