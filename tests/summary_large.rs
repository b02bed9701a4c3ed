//! A summary costs nothing like the model. Alone in its process, whose memory it measures.

use std::time::{Duration, Instant};

use burn::nn::{Linear, LinearConfig};
use burn_pooling::summary::{Summary, TraceGrad};

/// The most memory that the process has had, in bytes; Linux only.
fn peak_memory() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: usize = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(1024 * kilobytes)
}

#[test]
fn a_billion_parameters_take_no_second_and_no_memory() {
    let start = Instant::now();
    let summary = Summary::of(
        |device| -> Vec<Linear<TraceGrad>> {
            let layer = LinearConfig::new(16_384, 16_384);
            (0..4).map(|_| layer.init(device)).collect()
        },
        [64, 16_384],
        |layers, x| layers.iter().fold(x, |x, layer| layer.forward(x)),
    )
    .unwrap();
    let elapsed = start.elapsed();
    assert_eq!(summary.totals.parameters.total(), 4 * (16_384 * 16_384 + 16_384));
    assert!(elapsed < Duration::from_secs(1), "{elapsed:?}");
    if let Some(peak) = peak_memory() {
        assert!(peak < 100 << 20, "{peak} bytes");
    }
}
