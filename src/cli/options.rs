//! Flags that several commands share.

use std::path::{Path, PathBuf};

use anyhow::Context;
use burn_pooling::backend::{BackendError, BackendName};
use burn_pooling::model::Variant;
use burn_pooling::run::{RunFolder, StorageError};
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use serde::de::DeserializeOwned;

use super::terminal;

/// A usage error: exit code 2, as for a flag that does not exist.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);

/// Backend and threads.
#[derive(Args, Clone, Debug)]
pub struct DeviceArgs {
    /// Backend: flex, ndarray, wgpu or cuda [default: a GPU if compiled in, else flex]
    #[arg(long, value_name = "NAME")]
    backend: Option<BackendName>,
    /// Number of CPU threads [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
}

impl DeviceArgs {
    /// Returns the backend to use: the one named, else `fallback`, else the preferred one.
    pub fn backend(&self, fallback: Option<BackendName>) -> anyhow::Result<BackendName> {
        let backend = self.backend.or(fallback).map_or_else(BackendName::preferred, Ok)?;
        match backend.is_compiled() {
            true => Ok(backend),
            false => Err(UsageError(BackendError::NotCompiled(backend).to_string()).into()),
        }
    }

    /// Starts the threads that the CPU backends work on; called once, while the process has one thread only.
    pub fn start_threads(&self) -> anyhow::Result<()> {
        if let Some(threads) = self.threads {
            // SAFETY: no other thread is there to read the environment at the same time.
            unsafe { std::env::set_var("MATMUL_NUM_THREADS", threads.to_string()) }; // matrixmultiply, below ndarray
        }
        // This thread is one of them: otherwise it would sleep through every operation, and have to be woken after each.
        // So if it is the only one, no other thread may use the pool: nobody would do its work.
        rayon::ThreadPoolBuilder::new()
            .num_threads(self.threads.map_or(0, usize::from))
            .use_current_thread()
            .build_global()
            .context("cannot start the thread pool; try a smaller --threads")
    }
}

/// Which data.
#[derive(Args, Clone, Debug)]
pub struct DataArgs {
    /// Folder with the four IDX files of another image set, plain or .gz [default: bundled MNIST]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
}

/// Whether a run's files are checked.
#[derive(Args, Clone, Debug)]
pub struct CheckArgs {
    /// Do not check the run's files against its manifest: for files that were changed on purpose
    #[arg(long)]
    unverified: bool,
}

impl CheckArgs {
    /// Opens the folder of a run.
    pub fn open(&self, run: &Path) -> anyhow::Result<RunFolder> {
        if self.unverified {
            return Ok(RunFolder::open_unverified(run)?);
        }
        let folder = RunFolder::open(run).map_err(|error| match error {
            StorageError::Changed { .. } => anyhow::anyhow!("{error} (--unverified)"),
            error => error.into(),
        })?;
        if !folder.is_verified() {
            terminal::print_note(format_args!(
                "{}: the run is of a version that wrote no manifest; its files are not checked",
                run.display()
            ));
        }
        Ok(folder)
    }
}

/// Parses one of the names by which a type deserializes.
pub fn choice<T: DeserializeOwned + Clone + Send + Sync + 'static>(
    names: &'static [&'static str],
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(names).try_map(|name| serde_json::from_value(name.into()))
}

/// Returns the names of the variants, with their synonyms.
pub fn variant_names() -> impl Iterator<Item = PossibleValue> {
    let aliases = |variant: Variant| variant.aliases().iter().copied();
    let value = move |variant| PossibleValue::new(Variant::name(variant)).aliases(aliases(variant));
    Variant::ALL.into_iter().map(value)
}

/// Parses a variant, by its name or a synonym.
pub fn variant_parser() -> impl TypedValueParser<Value = Variant> {
    PossibleValuesParser::new(variant_names()).try_map(|name| name.parse::<Variant>())
}
