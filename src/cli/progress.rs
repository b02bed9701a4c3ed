//! What a training run shows while it works: one bar per epoch on a terminal, one line per epoch elsewhere.

use std::time::{Duration, Instant};

use burn_pooling::training::{EpochMetrics, Step};
use indicatif::{ProgressBar, ProgressStyle};

use super::terminal;

/// How often the bar's figures change.
const REFRESH: Duration = Duration::from_millis(100);

/// How progress is shown.
pub enum Display {
    /// Not at all.
    Quiet,
    /// One line per epoch.
    Lines { epochs: usize },
    /// One bar per epoch, then its line.
    Bars { epochs: usize, bar: Option<ProgressBar>, drawn: Instant },
}

impl Display {
    /// Returns what suits the place that the output goes to.
    pub fn new(quiet: bool, epochs: usize) -> Self {
        match (quiet, terminal::is_terminal()) {
            (true, _) => Self::Quiet,
            (false, false) => Self::Lines { epochs },
            (false, true) => Self::Bars { epochs, bar: None, drawn: Instant::now() },
        }
    }

    /// Shows that a step is done.
    pub fn step(&mut self, step: Step) {
        let Self::Bars { epochs, bar, drawn } = self else {
            return;
        };
        let first = bar.is_none();
        let bar = bar.get_or_insert_with(|| new_bar(step.epoch, *epochs, step.steps));
        if first || step.step == step.steps || drawn.elapsed() >= REFRESH {
            *drawn = Instant::now();
            bar.set_position(step.step as u64);
            bar.set_message(format!(
                "loss {:.4}  accuracy {:.4}  {:.0} images/s",
                step.loss, step.accuracy, step.images_per_second
            ));
        }
    }

    /// Shows that an epoch is done.
    pub fn epoch(&mut self, metrics: &EpochMetrics) {
        let epochs = match self {
            Self::Quiet => return,
            Self::Lines { epochs } => *epochs,
            Self::Bars { epochs, bar, .. } => {
                if let Some(bar) = bar.take() {
                    bar.finish_and_clear();
                }
                *epochs
            }
        };
        terminal::print(epoch_line(metrics, epochs));
    }
}

fn new_bar(epoch: usize, epochs: usize, steps: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix}  {bar:24} {pos}/{len}  {msg}  {eta} left")
        .unwrap_or(ProgressStyle::default_bar());
    ProgressBar::new(steps as u64).with_style(style).with_prefix(format!("epoch {epoch}/{epochs}"))
}

fn epoch_line(metrics: &EpochMetrics, epochs: usize) -> String {
    let validation = match (metrics.valid_loss, metrics.valid_accuracy) {
        (Some(loss), Some(accuracy)) => format!("  valid loss {loss:.4}  accuracy {accuracy:.4}"),
        _ => String::new(),
    };
    format!(
        "epoch {}/{epochs}  train loss {:.4}  accuracy {:.4}{validation}  {:.0} images/s",
        metrics.epoch, metrics.train_loss, metrics.train_accuracy, metrics.images_per_second
    )
}
