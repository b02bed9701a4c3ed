//! The command line, and where files are read and written.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::{env, thread};

use anyhow::{Context, bail};
use clap::Parser;

/// Measures what is said about pooling.
///
/// Every run (a network trained with a seed) is kept in a file of its own: an interrupted command goes on where it was,
/// and one more seed computes one more seed.
#[derive(Clone, Debug, Parser)]
pub struct Options {
    /// Experiments [default: all]
    #[arg(value_name = "EXPERIMENT")]
    pub experiments: Vec<String>,
    /// Use few seeds, images and epochs, to see whether everything runs: the figures mean nothing
    #[arg(long)]
    pub quick: bool,
    /// Number of seeds, counted from 1: every network is trained with each (at least 2) [default: 10, quick: 2]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(2..))]
    seeds: Option<u64>,
    /// Number of runs computed at the same time, each on one thread [default: number of cores]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    /// Output folder [default: the project's experiments; quick or with other data: below target/experiments]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Another data set (IDX files, an .npz file, or picture folders), in the place of MNIST and of the second data set
    #[arg(long, value_name = "PATH")]
    pub data_dir: Option<PathBuf>,
    /// Compute part I of N of the runs and make no reports, as a job array does: see slurm.sbatch
    #[arg(long, value_name = "I/N", conflicts_with_all = ["collect", "check"])]
    shard: Option<Shard>,
    /// Compute nothing: make the reports from the runs that are there
    #[arg(long, conflicts_with = "check")]
    collect: bool,
    /// Compute and write nothing: fail if reports made from the runs differ from those that are there
    #[arg(long)]
    check: bool,
}

/// What is to be done with the runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Compute those that are missing, then report.
    Compute,
    /// Compute one part of them.
    Shard(Shard),
    /// Report those that are there.
    Collect,
    /// Compare the reports with those that are there.
    Check,
}

/// One of several parts of the runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Which, from 1.
    pub part: usize,
    /// How many parts there are.
    pub parts: usize,
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let shard = text.split_once('/').and_then(|(part, parts)| {
            let (part, parts) = (part.parse().ok()?, parts.parse().ok()?);
            (1..=parts).contains(&part).then_some(Self { part, parts })
        });
        shard.ok_or_else(|| "expected a part and the number of parts, as in 3/8".to_owned())
    }
}

impl Shard {
    /// Whether the run at `index` belongs to this part.
    pub fn holds(self, index: usize) -> bool {
        index % self.parts == self.part - 1
    }
}

impl Options {
    /// Reads the command line; a wrong one, and `--help`, end the program.
    pub fn read() -> Self {
        Self::parse()
    }

    /// What is to be done with the runs.
    pub fn mode(&self) -> Mode {
        match self.shard {
            Some(shard) => Mode::Shard(shard),
            None if self.collect => Mode::Collect,
            None if self.check => Mode::Check,
            None => Mode::Compute,
        }
    }

    /// The seeds: 1 to 10 (quick: 1 and 2) unless told otherwise.
    pub fn seeds(&self) -> Vec<u64> {
        let count = self.seeds.unwrap_or(self.choose(10, 2));
        (1..=count).collect()
    }

    /// Number of runs computed at the same time.
    pub fn threads(&self) -> usize {
        let cores = || thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        self.threads.unwrap_or_else(cores).get()
    }

    /// One of two values: for the full experiment, or for the quick one.
    pub fn choose<T>(&self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }

    /// Where a folder for each experiment is: never where the committed figures are for a quick run or other data, unless
    /// told so.
    ///
    /// # Errors
    /// If no folder is given and the project's is not found.
    pub fn folder(&self) -> anyhow::Result<PathBuf> {
        let aside = |name: &str| Ok(scratch()?.join(name));
        match (&self.out, &self.data_dir) {
            (Some(folder), _) => Ok(folder.clone()),
            (None, _) if self.quick => aside("quick"),
            (None, Some(data)) => aside(&folder_name(data)?),
            (None, None) => project(),
        }
    }

    /// Where trained networks are kept that several experiments need: below `target`, or in the output folder.
    ///
    /// # Errors
    /// As [`folder`](Self::folder).
    pub fn networks(&self) -> anyhow::Result<PathBuf> {
        let folder = match &self.out {
            Some(folder) => folder.clone(),
            None => scratch()?,
        };
        Ok(folder.join("networks"))
    }
}

/// The last part of a path.
///
/// # Errors
/// If it has none, as `/`.
pub fn folder_name(path: &Path) -> anyhow::Result<String> {
    let path = path.canonicalize().with_context(|| path.display().to_string())?;
    let name = path.file_name().with_context(|| format!("{}: expected a folder with a name", path.display()))?;
    Ok(name.to_string_lossy().into_owned())
}

/// Where what need not be kept is written: quick runs, trained networks.
///
/// # Errors
/// If the project is not found.
pub fn scratch() -> anyhow::Result<PathBuf> {
    let project = project()?;
    Ok(project.parent().unwrap_or(&project).join("target/experiments"))
}

/// The folder of the experiments' package: the one that Cargo runs, or the next above the current folder.
///
/// It is looked for when the command runs: a copied command must not write where it was built.
///
/// # Errors
/// If there is none.
pub fn project() -> anyhow::Result<PathBuf> {
    let is_ours = |folder: &Path| folder.join("slurm.sbatch").is_file() && folder.join("Cargo.toml").is_file();
    if let Some(folder) = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).filter(|folder| is_ours(folder)) {
        return Ok(folder);
    }
    let current = env::current_dir().context("the current folder")?;
    let found = current.ancestors().flat_map(|folder| [folder.to_owned(), folder.join("experiments")]);
    match found.into_iter().find(|folder| is_ours(folder)) {
        Some(folder) => Ok(folder),
        None => bail!("expected to be run within the project, found {}: choose a folder with --out", current.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_run_belongs_to_one_part() {
        let parts: Vec<Shard> = (1..=3).map(|part| format!("{part}/3").parse().unwrap()).collect();
        for index in 0..10 {
            assert_eq!(parts.iter().filter(|part| part.holds(index)).count(), 1, "{index}");
        }
        for wrong in ["", "3", "0/3", "4/3", "1/0", "a/b", "1/3/5", "-1/3"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }
}
