//! Runs every experiment, one after the other, and writes the tables of claims that follow.

use std::ffi::OsString;
use std::path::{self, Path};
use std::process::Command;
use std::time::Instant;
use std::{env, fs};

use anyhow::{Context, ensure};
use experiments_common::options::{Options, experiments, root};
use experiments_common::report::{EXPERIMENTS, claims_table, load_all, replace_results};

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
    let start = Instant::now();
    for (index, name) in EXPERIMENTS.iter().enumerate() {
        eprintln!("{}/{} {name}", index + 1, EXPERIMENTS.len());
        run(name, options.arguments(&folder.join(name)))?;
    }
    let reports = load_all(&folder)?;
    println!("{}", claims_table(&reports, ""));
    eprintln!("{:.0} seconds", start.elapsed().as_secs_f64());
    if is_committed {
        write(&experiments().join("README.md"), &claims_table(&reports, ""))?;
        write(&root().join("README.md"), &claims_table(&reports, "experiments/"))?;
    }
    Ok(())
}

/// Whether both are there and the same folder.
fn is_same(one: &Path, another: &Path) -> bool {
    let [one, another] = [one, another].map(|path| path.canonicalize().ok());
    one.is_some() && one == another
}

/// Builds and runs one experiment, with the features that this program was built with, so that little is built anew.
fn run(name: &str, arguments: Vec<OsString>) -> anyhow::Result<()> {
    let features: Vec<&str> = [
        (cfg!(feature = "cli"), "cli"),
        (cfg!(feature = "flex"), "flex"),
        (cfg!(feature = "ndarray"), "ndarray"),
        (cfg!(feature = "wgpu"), "wgpu"),
        (cfg!(feature = "cuda"), "cuda"),
        (cfg!(feature = "bundled-mnist"), "bundled-mnist"),
    ]
    .into_iter()
    .filter_map(|(on, feature)| on.then_some(feature))
    .collect();
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .current_dir(root())
        .args(["run", "--quiet", "--release", "--no-default-features"])
        .args(["--features", &features.join(","), "--example", name, "--"])
        .args(arguments)
        .status()
        .context("cargo cannot be started")?;
    ensure!(status.success(), "the experiment '{name}' failed: {status}");
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
