//! What a network says about one picture.

use std::fmt::Write;
use std::path::PathBuf;

use burn_pooling::picture::{Placement, Prepared, Rectangle};
use burn_pooling::run::DataConfig;
use serde::Serialize;

use super::sources::Source;

/// The longest bar, in characters: that of the probability 1.
const LONGEST_BAR: usize = 40;

/// The probabilities of one picture's classes, and how it was prepared.
#[derive(Debug, Serialize)]
pub struct Prediction {
    file: String,
    /// The likeliest class.
    pub class: usize,
    /// Its name, if the data came with names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class_name: Option<String>,
    probability: f32,
    /// Of every class, in order.
    probabilities: Vec<f32>,
    placement: Placement,
    inverted: bool,
    /// Height and width of the picture.
    picture_size: [usize; 2],
    /// In pixels of the picture; `None` if it was placed as a whole.
    ink: Option<Rectangle>,
    /// The picture that shows what the network does with it, if one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<PathBuf>,
}

impl Prediction {
    pub fn new(source: &Source, prepared: &Prepared, placement: Placement, probabilities: Vec<f32>) -> Self {
        let class = ranked(&probabilities).first().copied().unwrap_or_default();
        Self {
            file: source.to_string(),
            class,
            class_name: None,
            probability: probabilities.get(class).copied().unwrap_or_default(),
            probabilities,
            placement,
            inverted: prepared.is_inverted,
            picture_size: prepared.picture_size,
            ink: prepared.ink,
            explanation: None,
        }
    }

    /// Returns a line for the picture, and one with a bar for each of the `top` likeliest classes.
    pub fn text(&self, data: &DataConfig, top: usize, width: usize) -> String {
        let inverted = if self.inverted { "  (inverted)" } else { "" };
        let title = data.class_title(self.class);
        let mut text = format!("{}: {title}  {:.4}{inverted}", self.file, self.probability);
        let shown: Vec<usize> = ranked(&self.probabilities).into_iter().take(top).collect();
        let margin = shown.iter().map(|&class| data.class_title(class).chars().count()).fold(5, usize::max);
        for class in shown {
            let (title, probability) = (data.class_title(class), self.probabilities[class]);
            let line = format!("{title:>margin$}  {probability:.4}");
            let longest = LONGEST_BAR.min(width.saturating_sub(line.len() + 2));
            let bar = "#".repeat((probability.clamp(0.0, 1.0) * longest as f32).round() as usize);
            let _ = write!(text, "\n{}", format!("{line}  {bar}").trim_end());
        }
        if let Some(explanation) = &self.explanation {
            let _ = write!(text, "\n       explained in {}", explanation.display());
        }
        text
    }
}

/// The classes, the likeliest first.
fn ranked(probabilities: &[f32]) -> Vec<usize> {
    let mut classes: Vec<usize> = (0..probabilities.len()).collect();
    classes.sort_by(|&left, &right| probabilities[right].total_cmp(&probabilities[left]));
    classes
}
