//! What a training run shows while it works: a bar an epoch on a terminal, a line an epoch elsewhere.

use std::time::{Duration, Instant};

use burn_pooling::training::{EpochMetrics, Progress};
use indicatif::{ProgressBar, ProgressStyle};

use super::terminal;

/// How often the bar's figures change.
const REFRESH: Duration = Duration::from_millis(100);

/// How progress is shown.
pub enum Display {
    /// Not at all.
    Quiet,
    /// A line an epoch.
    Lines { epochs: usize },
    /// A bar an epoch, then its line.
    Bars { epochs: usize, bar: Option<ProgressBar>, drawn: Instant },
}

impl Display {
    /// What suits the place that the output goes to.
    pub fn new(quiet: bool, epochs: usize) -> Self {
        match (quiet, terminal::is_terminal()) {
            (true, _) => Self::Quiet,
            (false, false) => Self::Lines { epochs },
            (false, true) => Self::Bars { epochs, bar: None, drawn: Instant::now() },
        }
    }

    /// Shows one report of the training loop.
    pub fn show(&mut self, progress: Progress<'_>) {
        match (self, progress) {
            (Self::Quiet, _) | (Self::Lines { .. }, Progress::Step { .. }) => {}
            (Self::Lines { epochs }, Progress::Epoch(metrics)) => {
                terminal::print(epoch_line(metrics, *epochs));
            }
            (Self::Bars { epochs, bar, .. }, Progress::Epoch(metrics)) => {
                if let Some(bar) = bar.take() {
                    bar.finish_and_clear();
                }
                terminal::print(epoch_line(metrics, *epochs));
            }
            (
                Self::Bars { epochs, bar, drawn },
                Progress::Step { epoch, step, steps, loss, accuracy, images_per_second },
            ) => {
                let first = bar.is_none();
                let bar = bar.get_or_insert_with(|| new_bar(epoch, *epochs, steps));
                if first || step == steps || drawn.elapsed() >= REFRESH {
                    *drawn = Instant::now();
                    bar.set_position(step as u64);
                    bar.set_message(format!(
                        "loss {loss:.4}  accuracy {accuracy:.4}  {images_per_second:.0} images/s"
                    ));
                }
            }
        }
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
