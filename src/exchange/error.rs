//! Why a network cannot be taken out or in.

use super::layout::Layout;
use crate::model::ModelError;
use crate::pooling::ConvPool2dConfig;
use crate::run::WeightsError;

/// Why a network cannot be exported or imported.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// The configuration describes no network.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The weights are not those of the configuration's network.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// A file's content is not what it should be.
    #[error("expected {expected}, found something else ({found}); check which file it is, and whether it is whole")]
    Content {
        /// What the file should hold.
        expected: &'static str,
        /// What is wrong with it.
        found: String,
    },
    /// The file holds another network than the one that is asked for.
    #[error("expected {expected}, found {found}; {remedy}")]
    Structure {
        /// What the network should have.
        expected: String,
        /// What it has.
        found: String,
        /// What to do.
        remedy: &'static str,
    },
    /// The shapes of the weights allow several layouts.
    #[error(
        "expected weights whose shapes tell their layout, found shapes that fit {}: say which of them it is",
        joined(.0.iter().map(Layout::to_string))
    )]
    Layout(Vec<Layout>),
    /// The shapes of the weights allow several networks.
    #[error(
        "expected weights whose shapes tell the padding of each convolution, found shapes that fit {}: say the padding",
        joined(.0.iter().map(|stages| described(stages)))
    )]
    Stages(Vec<Vec<ConvPool2dConfig>>),
    /// A file cannot be made.
    #[error("the file cannot be made: {0}")]
    Unwritable(String),
}

fn described(stages: &[ConvPool2dConfig]) -> String {
    let stage = |stage: &ConvPool2dConfig| {
        let [rows, columns] = stage.padding;
        let pooling = if stage.pool.is_some() { "" } else { " without pooling" };
        format!("{rows}x{columns}{pooling}")
    };
    stages.iter().map(stage).collect::<Vec<_>>().join(", ")
}

fn joined(names: impl Iterator<Item = String>) -> String {
    names.collect::<Vec<_>>().join(" and ")
}
