//! The command line that all experiments share, and where they write.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::thread;

use clap::Parser;

/// Command-line options.
#[derive(Clone, Debug, Parser)]
pub struct Options {
    /// Use few seeds, images and epochs, to see whether the experiment runs: its figures mean nothing
    #[arg(long)]
    pub quick: bool,
    /// Number of seeds, counted from 1: every network is trained with each (at least 2) [default: 10, quick: 2]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(2..))]
    seeds: Option<u64>,
    /// Number of trainings at the same time [default: number of cores]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    /// Output folder [default: experiments/NAME, quick: target/experiments/NAME]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl Options {
    /// Reads the command line; a wrong one, and `--help`, end the program.
    pub fn read() -> Self {
        Self::parse()
    }

    /// The seeds: 1 to 10 (quick: 1 and 2) unless told otherwise.
    pub fn seeds(&self) -> Vec<u64> {
        let count = self.seeds.unwrap_or(self.choose(10, 2));
        (1..=count).collect()
    }

    /// Number of trainings at the same time.
    pub fn threads(&self) -> usize {
        let cores = || thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        self.threads.unwrap_or_else(cores).get()
    }

    /// One of two values: for the full experiment, or for the quick one.
    pub fn choose<T>(&self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }

    /// The same options as arguments, for an experiment that is to write into `folder`.
    pub fn arguments(&self, folder: &Path) -> Vec<OsString> {
        let mut arguments = vec!["--out".into(), folder.into()];
        if self.quick {
            arguments.push("--quick".into());
        }
        if let Some(seeds) = self.seeds {
            arguments.extend(["--seeds".into(), seeds.to_string().into()]);
        }
        if let Some(threads) = self.threads {
            arguments.extend(["--threads".into(), threads.to_string().into()]);
        }
        arguments
    }

    /// Where the experiment `name` writes; a quick one never where the committed figures are, unless told to.
    pub fn folder(&self, name: &str) -> PathBuf {
        match (&self.out, self.quick) {
            (Some(folder), _) => folder.clone(),
            (None, false) => experiments().join(name),
            (None, true) => root().join("target/experiments").join(name),
        }
    }
}

/// The project's folder.
pub fn root() -> PathBuf {
    experiments().parent().map_or_else(PathBuf::new, Path::to_owned)
}

/// The folder of the experiments.
pub fn experiments() -> PathBuf {
    env!("CARGO_MANIFEST_DIR").into()
}
