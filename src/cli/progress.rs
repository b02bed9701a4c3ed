//! What a training run shows while it works: one bar per epoch on a terminal, one line per epoch elsewhere.

use std::time::{Duration, Instant};

use burn_pooling::training::{EpochMetrics, Step};
use indicatif::{ProgressBar, ProgressStyle};

use super::terminal;

/// How often the bar's figures change.
const REFRESH: Duration = Duration::from_millis(100);

/// Shows the progress of a training run.
pub struct Display {
    epochs: usize,
    quiet: bool,
    has_bars: bool,
    /// The bar of the current epoch.
    bar: Option<ProgressBar>,
    drawn: Instant,
}

impl Display {
    /// Shows nothing if `quiet`.
    pub fn new(quiet: bool, epochs: usize) -> Self {
        let has_bars = !quiet && terminal::is_terminal();
        Self { epochs, quiet, has_bars, bar: None, drawn: Instant::now() }
    }

    /// Shows that a step is done.
    pub fn step(&mut self, step: Step) {
        if !self.has_bars {
            return;
        }
        let first = self.bar.is_none();
        let bar = self.bar.get_or_insert_with(|| new_bar(step.epoch, self.epochs, step.steps));
        if first || step.step == step.steps || self.drawn.elapsed() >= REFRESH {
            self.drawn = Instant::now();
            bar.set_position(step.step as u64);
            bar.set_message(format!(
                "loss {:.4}  accuracy {:.4}  {:.0} images/s",
                step.loss, step.accuracy, step.images_per_second
            ));
        }
    }

    /// Shows that an epoch is done.
    pub fn epoch(&mut self, metrics: &EpochMetrics) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        if !self.quiet {
            terminal::print(epoch_line(metrics, self.epochs));
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
