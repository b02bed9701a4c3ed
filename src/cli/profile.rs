//! `burn-pooling bench --profile`: where the time of a training step goes, next to what the machine can do.

use std::fmt::Write;
use std::time::Instant;

use anyhow::{Context, ensure};
use burn::tensor::backend::AutodiffBackend;
use burn_pooling::backend::{BackendName, BackendTask, run_on};
use burn_pooling::limits::Limits;
use burn_pooling::model::Variant;
use burn_pooling::profile::{Operation, record};
use serde::Serialize;

use super::terminal;
use super::workload::Workload;

/// Steps before those that are measured.
const WARM_UP: usize = 20;

/// Profiles each variant, and prints tables or JSON.
pub fn run<'a>(backend: BackendName, workloads: impl Iterator<Item = Workload<'a>>, json: bool) -> anyhow::Result<()> {
    let on_cpu = matches!(backend, BackendName::Flex | BackendName::NdArray);
    ensure!(on_cpu, "--profile expects a CPU backend (flex or ndarray), found {backend}");
    let (mut limits, mut profiles) = (None, Vec::new());
    for workload in workloads {
        let profile = run_on(backend, Profiled { workload, limits: &mut limits, json })??;
        if !json {
            terminal::print(profile.table());
        }
        profiles.push(profile);
    }
    if json {
        terminal::print(serde_json::to_string_pretty(&profiles)?);
    }
    Ok(())
}

struct Profiled<'a, 'b> {
    workload: Workload<'a>,
    /// Measured for the first workload.
    limits: &'b mut Option<Limits>,
    json: bool,
}

impl BackendTask for Profiled<'_, '_> {
    type Output = anyhow::Result<Profile>;

    fn run<B: AutodiffBackend>(self, device: B::Device) -> Self::Output {
        let Self { workload, limits, json } = self;
        let limits = match *limits {
            Some(limits) => limits,
            None => {
                let threads = rayon::current_num_threads();
                let measured = Limits::measure(threads).context("no CPU backend is compiled in")?;
                if !json {
                    terminal::print(described(&measured, threads));
                }
                *limits.insert(measured)
            }
        };
        let mut learner = workload.learner::<B>(&device)?;
        let mut batches = workload.batches(&workload.sets.train);
        Profile::measure(&workload, limits, || {
            workload.step(&mut learner, &batches.next().unwrap_or_default(), &device)
        })
    }
}

fn described(limits: &Limits, threads: usize) -> String {
    let [multiply_adds, bytes] = [limits.multiply_adds, limits.bytes].map(|each| each / 1e9);
    format!("{threads} threads: {multiply_adds:.1} billion multiply-adds and {bytes:.1} billion bytes a second")
}

/// A training step by operation.
#[derive(Debug, Serialize)]
struct Profile {
    variant: Variant,
    batch_size: usize,
    /// What all threads can do in a second.
    limits: Limits,
    microseconds_per_step: f64,
    operations: Vec<Row>,
}

/// One operation of a step.
#[derive(Debug, Serialize)]
struct Row {
    operation: String,
    calls_per_step: f64,
    microseconds_per_step: f64,
    /// Share of the step's time.
    share: f64,
    /// Multiply-adds a second, as a share of what the machine can do; by the definition, so that an algorithm with fewer
    /// may exceed 1.
    of_multiply_adds: f64,
    /// Bytes a second, as a share of the memory's bandwidth; what lies in a cache may exceed 1.
    of_bandwidth: f64,
}

impl Profile {
    /// Measures the steps of a workload.
    fn measure(
        workload: &Workload<'_>, limits: Limits, mut step: impl FnMut() -> anyhow::Result<()>,
    ) -> anyhow::Result<Self> {
        let Workload { variant, batch_size, steps, .. } = *workload;
        for _ in 0..WARM_UP {
            step()?;
        }
        let start = Instant::now();
        let (result, operations) = record(|| (0..steps).try_for_each(|_| step()));
        let seconds = start.elapsed().as_secs_f64();
        result?;
        let between = seconds - operations.iter().map(|operation| operation.seconds).sum::<f64>();
        let rest =
            Operation { name: "between operations".into(), calls: steps, seconds: between, work: Default::default() };
        let row = |operation: Operation| Row {
            calls_per_step: operation.calls as f64 / steps as f64,
            microseconds_per_step: operation.seconds / steps as f64 * 1e6,
            share: operation.seconds / seconds,
            of_multiply_adds: operation.work.multiply_adds as f64 / operation.seconds / limits.multiply_adds,
            of_bandwidth: operation.work.bytes as f64 / operation.seconds / limits.bytes,
            operation: operation.name,
        };
        let operations = operations.into_iter().chain([rest]).map(row).collect();
        let microseconds_per_step = seconds / steps as f64 * 1e6;
        Ok(Self { variant, batch_size, limits, microseconds_per_step, operations })
    }

    fn table(&self) -> String {
        let Self { variant, batch_size, microseconds_per_step, .. } = self;
        let title = format!("{variant}, batches of {batch_size}: {microseconds_per_step:.0} us a step");
        let width = self.operations.iter().map(|row| row.operation.len()).fold(title.len(), usize::max);
        let mut text = format!("\n{title:<width$}       us   share  of multiply-adds  of bandwidth\n");
        for row in &self.operations {
            let percent = |share: f64| if share == 0.0 { "-".to_owned() } else { format!("{:.0} %", share * 100.0) };
            let _ = writeln!(
                text,
                "{:<width$} {:>8.1} {:>7} {:>17} {:>13}",
                row.operation,
                row.microseconds_per_step,
                percent(row.share),
                percent(row.of_multiply_adds),
                percent(row.of_bandwidth)
            );
        }
        text.trim_end().to_owned()
    }
}
