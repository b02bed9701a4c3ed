//! Flags that several commands share.

use std::path::PathBuf;

use anyhow::Context;
use burn_pooling::backend::BackendName;
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use burn_pooling::model::Variant;

/// The command was called wrongly: exit code 2, as for a flag that does not exist.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);

/// Where to compute.
#[derive(Args, Clone, Debug)]
pub struct DeviceArgs {
    /// Backend: flex, ndarray, wgpu or cuda [default: a GPU if compiled in, else flex]
    #[arg(long, value_name = "NAME")]
    backend: Option<BackendName>,
    /// CPU threads [default: one a core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
}

impl DeviceArgs {
    /// The backend to use, `fallback` unless one was named; also sets the number of threads.
    pub fn backend(&self, fallback: Option<BackendName>) -> anyhow::Result<BackendName> {
        let backend = match self.backend.or(fallback) {
            Some(name) => name,
            None => BackendName::preferred()?,
        };
        if !backend.is_compiled() {
            let error = burn_pooling::backend::BackendError::NotCompiled(backend);
            return Err(UsageError(error.to_string()).into());
        }
        start_threads(self.threads.map(usize::from))
            .context("the threads cannot be started: --threads takes fewer")?;
        Ok(backend)
    }
}

/// Starts the threads that the CPU backends work on: one a core if it is not said how many.
fn start_threads(threads: Option<usize>) -> anyhow::Result<()> {
    if let Some(threads) = threads {
        // SAFETY: called while the process has one thread only, before any library reads its environment.
        unsafe { std::env::set_var("MATMUL_NUM_THREADS", threads.to_string()) }; // matrixmultiply, below ndarray
    }
    // This thread is one of them: it would else sleep through every operation, and have to be woken after each. So if
    // it is the only one, no other thread may use the pool: nobody would do its work.
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads.unwrap_or(0))
        .use_current_thread()
        .build_global()?;
    Ok(())
}

/// Which data.
#[derive(Args, Clone, Debug)]
pub struct DataArgs {
    /// Folder with the four IDX files of another image set, plain or .gz [default: bundled MNIST]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
}

/// Parses a variant, by its name or a synonym.
pub fn variant_parser() -> impl TypedValueParser<Value = Variant> {
    let names = Variant::ALL.map(|variant| {
        PossibleValue::new(variant.name()).aliases(variant.aliases().iter().copied())
    });
    PossibleValuesParser::new(names).try_map(|name| name.parse::<Variant>())
}
