//! The command line: one file a command; flags become configurations here.

mod available;
mod bench;
mod data_uri;
mod evaluate;
mod evaluation_table;
mod explore;
mod export;
mod import;
mod interrupt;
mod job;
mod logits;
mod memory;
mod options;
mod predict;
mod profile;
mod progress;
mod report;
mod summary;
mod terminal;
mod train;
mod workload;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use bench::BenchArgs;
use evaluate::EvaluateArgs;
use explore::ExploreArgs;
use export::ExportArgs;
use import::ImportArgs;
use options::UsageError;
use predict::PredictArgs;
use report::ReportArgs;
use summary::SummaryArgs;
use train::TrainArgs;

/// Train, evaluate and look into four small CNNs that differ in how they pool.
///
/// Without a command it trains.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    train: TrainArgs,
}

#[derive(Subcommand)]
enum Command {
    /// Train a variant, test it once at the end, and save the run.
    Train(TrainArgs),
    /// Test a saved run.
    Evaluate(EvaluateArgs),
    /// Open a page that shows what pooling does, on your own digit.
    Explore(ExploreArgs),
    /// Show saved runs side by side, in one HTML file.
    Report(ReportArgs),
    /// Classify pictures with a saved run.
    Predict(PredictArgs),
    /// Write a saved run's network for ONNX, PyTorch or Keras.
    Export(ExportArgs),
    /// Make a run of a network that PyTorch, Keras or ONNX wrote.
    Import(ImportArgs),
    /// Print the layers of a variant.
    Summary(SummaryArgs),
    /// Measure speed of training and of inference.
    Bench(BenchArgs),
}

/// Runs the command that the process was started with.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(help_or_error) => {
            terminal::note(help_or_error.print());
            return end(ExitCode::from(u8::try_from(help_or_error.exit_code()).unwrap_or(2)));
        }
    };
    let result = match cli.command {
        None => train::run(cli.train),
        Some(Command::Train(args)) => train::run(args),
        Some(Command::Evaluate(args)) => evaluate::run(args),
        Some(Command::Explore(args)) => explore::run(args),
        Some(Command::Export(args)) => export::run(args),
        Some(Command::Import(args)) => import::run(args),
        Some(Command::Report(args)) => report::run(args),
        Some(Command::Predict(args)) => predict::run(args),
        Some(Command::Summary(args)) => summary::run(args),
        Some(Command::Bench(args)) => bench::run(args),
    };
    match result {
        Ok(code) => end(code),
        Err(error) => {
            terminal::print_error(&error);
            ExitCode::from(if error.is::<UsageError>() { 2 } else { 1 })
        }
    }
}

/// Returns the exit code of a command that has ended so, unless something could not be printed.
fn end(code: ExitCode) -> ExitCode {
    let Some(error) = terminal::failure() else { return code };
    terminal::print_error(&anyhow::anyhow!("standard output: cannot be written: {error}"));
    ExitCode::FAILURE
}
