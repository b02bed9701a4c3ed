//! The time of a summary. Alone in its process: Burn's automatic differentiation is shared by all threads.

use std::time::{Duration, Instant};

use burn::nn::{Linear, LinearConfig};
use burn_pooling::summary::{Summary, TraceDevice, TraceGrad};

/// The time of a summary of so many layers that are trained; the shortest of three.
fn time_of_layers(count: usize) -> Duration {
    let layers = |device: &TraceDevice| -> Vec<Linear<TraceGrad>> {
        (0..count).map(|_| LinearConfig::new(8, 8).init(device)).collect()
    };
    let run = |_| {
        let start = Instant::now();
        Summary::of(layers, [2, 8], |layers, x| layers.iter().fold(x, |x, layer| layer.forward(x))).unwrap();
        start.elapsed()
    };
    (0..3).map(run).min().unwrap()
}

/// Eight times the layers take about eight times as long; a quadratic summary would take 64 times.
#[test]
fn time_is_linear_in_the_number_of_layers() {
    let (few, many) = (time_of_layers(250), time_of_layers(2_000));
    assert!(many < 24 * few, "{few:?} for 250, {many:?} for 2,000");
}
