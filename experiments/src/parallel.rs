//! Many trainings at once: two of one thread each are faster than one of two.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use rayon::ThreadPoolBuilder;

/// Does `work` for every job, `threads` at a time and each on one thread, and returns the results in the jobs' order.
///
/// Jobs start in their order: with the long ones first, no thread waits for long. Progress, with what `label` calls
/// a job, goes to stderr: a bar on a terminal, else lines.
///
/// # Errors
/// The first error of `work`; the remaining jobs are not started.
pub fn in_parallel<J: Sync, R: Send>(
    title: &str, threads: usize, jobs: &[J], label: impl Fn(&J) -> String + Sync,
    work: impl Fn(&J) -> anyhow::Result<R> + Sync,
) -> anyhow::Result<Vec<R>> {
    let progress = Progress::new(title, jobs.len());
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let results = Mutex::new(Vec::with_capacity(jobs.len()));
    let worker = || {
        while !failed.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(job) = jobs.get(index) else { break };
            let result = work(job).with_context(|| label(job));
            failed.fetch_or(result.is_err(), Ordering::Relaxed);
            if let Ok(mut results) = results.lock() {
                results.push((index, result));
            }
            progress.done(&label(job));
        }
    };
    let pools =
        (0..threads.max(1)).map(|_| ThreadPoolBuilder::new().num_threads(1).build()).collect::<Result<Vec<_>, _>>()?;
    thread::scope(|scope| {
        for pool in &pools {
            scope.spawn(|| pool.install(worker));
        }
    });
    progress.finish();
    let mut results = results.into_inner().unwrap_or_default();
    results.sort_unstable_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

struct Progress {
    title: String,
    bar: ProgressBar,
    lines: bool,
}

impl Progress {
    fn new(title: &str, jobs: usize) -> Self {
        let style = ProgressStyle::with_template("{prefix:<14} {bar:30} {pos}/{len}  {eta} left  {msg}");
        let bar = ProgressBar::new(jobs as u64)
            .with_prefix(title.to_owned())
            .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.enable_steady_tick(std::time::Duration::from_millis(500));
        Self { title: title.to_owned(), bar, lines: !std::io::stderr().is_terminal() }
    }

    fn done(&self, label: &str) {
        self.bar.inc(1);
        self.bar.set_message(label.to_owned());
        if self.lines {
            let Self { title, bar, .. } = self;
            eprintln!("{title}: {}/{} {label}", bar.position(), bar.length().unwrap_or(0));
        }
    }

    fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_jobs() {
        let jobs: Vec<u64> = (0..20).collect();
        let slow_first = |&job: &u64| {
            thread::sleep(std::time::Duration::from_millis(20 - job));
            Ok((job, rayon::current_num_threads()))
        };
        let results = in_parallel("test", 3, &jobs, u64::to_string, slow_first).unwrap();
        let expected: Vec<_> = jobs.iter().map(|&job| (job, 1)).collect();
        assert_eq!(results, expected);
    }

    #[test]
    fn an_error_names_its_job() {
        let fail = |&job: &u64| {
            if job == 1 { anyhow::bail!("broken") } else { Ok(()) }
        };
        let error = in_parallel("test", 1, &[0, 1, 2], u64::to_string, fail).unwrap_err();
        assert_eq!(format!("{error:#}"), "1: broken");
    }
}
