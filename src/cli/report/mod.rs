//! `burn-pooling report RUN...`: one HTML file that shows runs side by side.

mod figures;
mod gathered;
mod page;
mod pictures;
mod plots;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use burn_pooling::backend::run_on;
use clap::Args;

use super::options::{CheckArgs, DataArgs, DeviceArgs};
use super::terminal;
use gathered::{Gather, Gathered};

#[derive(Args, Debug)]
pub struct ReportArgs {
    /// Folders of the runs
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// File to write; one that is there is replaced
    #[arg(long, value_name = "FILE", default_value = "report.html")]
    out: PathBuf,
    #[command(flatten)]
    device: DeviceArgs,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    check: CheckArgs,
}

/// Tests every run on the test images of the first one's data, or of `--data-dir`, and writes the page.
pub fn run(args: ReportArgs) -> anyhow::Result<ExitCode> {
    let opened = args.check.open_all(&args.runs)?;
    let (_, _, first) = opened.first().context("expected a run")?;
    let backend = args.device.backend_of(first)?;
    args.device.start_threads()?;
    let data = args.data.load(Some(&first.data))?;
    for (name, _, config) in &opened {
        let is_same = config.data.folder == first.data.folder && config.data.transpose == first.data.transpose;
        if !is_same && args.data.data_dir.is_none() {
            terminal::print_note(format_args!(
                "{name}: trained on other data than the first run, tested on the first's"
            ));
        }
    }
    let gather = |(name, folder, config)| run_on(backend, Gather { folder: &folder, name, config, sets: &data.sets })?;
    let gathered: Vec<Gathered> = opened.into_iter().map(gather).collect::<anyhow::Result<_>>()?;
    let page = page::page(&gathered, &data.sets.test)?.into_string();
    fs::write(&args.out, &page).with_context(|| format!("{}: cannot be written", args.out.display()))?;
    terminal::print(format_args!("report: {} ({} KB)", args.out.display(), page.len().div_ceil(1000)));
    Ok(ExitCode::SUCCESS)
}
