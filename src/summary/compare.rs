//! Several models side by side.

use serde::Serialize;

use super::{row::Role, row::Row, shape::Dimensions, summarise::Summary, totals::Totals};

/// Several models side by side: their totals, and the output shapes of their parts.
///
/// [`Display`](std::fmt::Display) prints it in the [`Wide`](super::Style::Wide) style.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The models, in the order in which they were added. The others are compared with the first.
    pub models: Vec<ComparedModel>,
}

/// One model of a [`Comparison`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ComparedModel {
    /// The model's name.
    pub name: String,
    /// The batch size of the totals.
    pub batch_size: usize,
    /// The totals.
    pub totals: Totals,
    /// The fields of the model that run, in order.
    pub stages: Vec<Stage>,
}

/// A field of a model: a layer, or a module with layers inside.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Stage {
    /// Path in the module.
    pub path: String,
    /// Burn type.
    pub kind: String,
    /// Output shape.
    pub output: Option<Dimensions>,
}

impl Comparison {
    /// Compares summaries under the given names.
    pub fn of<'a, N: Into<String>>(summaries: impl IntoIterator<Item = (N, &'a Summary)>) -> Self {
        let model = |(name, summary): (N, &Summary)| ComparedModel {
            name: name.into(),
            batch_size: summary.batch_size,
            totals: summary.totals.clone(),
            stages: stages(summary),
        };
        Self { models: summaries.into_iter().map(model).collect() }
    }

    /// Returns the paths of all models' stages, each once; what only a later model has, after what it runs before.
    pub(super) fn paths(&self) -> Vec<&str> {
        let mut paths: Vec<&str> = Vec::new();
        for model in &self.models {
            let mut next = 0;
            for stage in &model.stages {
                let known = paths.iter().position(|path| *path == stage.path);
                if known.is_none() {
                    paths.insert(next, &stage.path);
                }
                next = known.unwrap_or(next) + 1;
            }
        }
        paths
    }
}

fn stages(summary: &Summary) -> Vec<Stage> {
    let mut stages: Vec<Stage> = Vec::new();
    let is_stage = |row: &&Row| row.depth == 0 && !row.path.is_empty() && row.role != Role::Unused;
    for row in summary.rows.iter().filter(is_stage) {
        let Row { path, kind, output, .. } = row.clone();
        let stage = Stage { path, kind, output };
        // Of a field that runs again, the last output counts.
        match stages.iter_mut().find(|known| known.path == stage.path) {
            Some(known) => *known = stage,
            None => stages.push(stage),
        }
    }
    stages
}
