//! Runs every experiment, one after the other, and writes the table of claims that follows.

use std::path::{self, Path};
use std::process::Command;
use std::time::Instant;
use std::{env, fs};

use anyhow::{Context, ensure};
use burn_pooling_experiments::options::{Options, experiments, root};
use burn_pooling_experiments::report::{EXPERIMENTS, claims_table, load_all, replace_results};

/// The fewest seeds of committed figures.
const SEEDS: usize = 10;

fn main() -> anyhow::Result<()> {
    let options = Options::read();
    // The folder that holds a folder for each experiment; absolute, since each runs from the project's folder.
    let folder = path::absolute(options.folder(""))?;
    let is_committed = is_same(&folder, &experiments());
    ensure!(
        !is_committed || (!options.quick && options.seeds().len() >= SEEDS),
        "the committed figures are of full runs with at least {SEEDS} seeds: choose another folder with --out"
    );
    // All of them at once, and before any of them runs: so an error comes early.
    succeed(cargo("build").args(EXPERIMENTS.iter().flat_map(|name| ["--bin", name])), "the build")?;
    let start = Instant::now();
    for (index, name) in EXPERIMENTS.iter().enumerate() {
        eprintln!("{}/{} {name}", index + 1, EXPERIMENTS.len());
        let arguments = options.arguments(&folder.join(name));
        succeed(cargo("run").args(["--quiet", "--bin", name, "--"]).args(arguments), name)?;
    }
    let reports = load_all(&folder)?;
    let table = claims_table(&reports);
    println!("{table}");
    eprintln!("{:.0} seconds", start.elapsed().as_secs_f64());
    if is_committed {
        write(&experiments().join("README.md"), &table)?;
    }
    Ok(())
}

/// Whether both are there and the same folder.
fn is_same(one: &Path, another: &Path) -> bool {
    let [one, another] = [one, another].map(|path| path.canonicalize().ok());
    one.is_some() && one == another
}

/// Cargo, in the project's folder, on the package of the experiments.
fn cargo(command: &str) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root()).args([command, "--release", "-p", env!("CARGO_PKG_NAME")]);
    cargo
}

fn succeed(command: &mut Command, task: &str) -> anyhow::Result<()> {
    let status = command.status().context("cannot start Cargo")?;
    ensure!(status.success(), "{task} failed: {status}");
    Ok(())
}

/// Replaces the results part of a README.
fn write(readme: &Path, results: &str) -> anyhow::Result<()> {
    let replace = || {
        let text = fs::read_to_string(readme)?;
        fs::write(readme, replace_results(&text, results)?)?;
        Ok(())
    };
    replace().map_err(|error: anyhow::Error| error.context(readme.display().to_string()))
}
